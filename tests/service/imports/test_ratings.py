"""300 real ratings become visits of a ledger, and an independent reading of the files says the same of them."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from domain import occasion
from domain.sealed import Sealed
from service.imports.mapping import Ledger, MappingError, load, read
from service.imports.table import Counts, check_table, import_table
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.fresh import Stored, fresh_database, stored

SHARED: Final = Path(os.environ.get("BIHUAN_SHARED") or Path(__file__).parents[4] / "shared")
FILES: Final = [SHARED / "data" / "ratings-zh" / f"{part}_sample.csv" for part in ("train", "dev", "test")]
LEDGER: Final = load("ratings")
STARS: Final = {
    "5.0": "very_satisfied",
    "4.0": "satisfied",
    "3.0": "basically_satisfied",
    "2.0": "dissatisfied",
    "1.0": "very_dissatisfied",
}
OURS: Final = """
ledger = "old-hall"
case = "no"
rows = "ratings"

[times]
formats = ["%Y-%m-%d %H:%M"]
zone = "Asia/Shanghai"

[site]
code = "OLD"
name_zh = "旧大厅"
name_en = "Old hall"
level = "district"

[departments]
column = "office"

[windows]
column = "window"
match = '(\\d+)号'
code = 'OLD.W\\1'
kind = "service"

[commands.rate]
time = "rated"
needs = "grade"

[commands.rate.fields]
department = "office"
window = "window"
codes = "codes"
text = "words"
served_at = "served"
channel = { is = "terminal" }
grade = { column = "grade", values = { "非常满意" = "very_satisfied", "不满意" = "dissatisfied" } }
"""

pytestmark = pytest.mark.postgres
real = pytest.mark.skipif(not FILES[0].exists(), reason="needs the shared data beside this folder, or BIHUAN_SHARED")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a file without our code."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Imported:
    """A log into which all three files were imported once."""

    parts: Parts
    counts: list[Counts]
    told: dict[str, dict[str, str]]
    opened: dict[Any, Stored]
    submitted: list[Stored]


@pytest.fixture(scope="module")
def imported(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """The whole data, imported."""
    home = tmp_path_factory.mktemp("home")
    with fresh_database(server) as dsn, open_parts(Settings(home=home), dsn) as parts:
        counts = [import_table(parts, path, LEDGER) for path in FILES]
        told = {row["index"]: row for path in FILES for row in rows_of(path)}
        opened = {one.stream: one for one in stored(dsn, "occasion.opened.%")}
        yield Imported(parts, counts, told, opened, stored(dsn, "review.submitted.%"))


def words(parts: Parts, one: Stored) -> str | None:
    """Open the text of a rating."""
    value = one.event["text"]
    ids = {key: UUID(value[key]) for key in ("value_id", "key_id")}
    return parts.vault.open("text", Sealed(**(value | ids)))


@real
def test_every_rating_is_in_with_its_grade_and_its_words(imported: Imported) -> None:
    """Nothing is rejected; grades and texts are those of an independent reading."""
    assert [(one.read, one.cases, one.rejected) for one in imported.counts] == [(100, 100, [])] * 3
    assert [one.commands for one in imported.counts] == [{"rate": 100}] * 3
    aspects = [name for name in rows_of(FILES[0])[0] if name not in LEDGER.columns]
    assert [one.unread for one in imported.counts] == [aspects] * 3
    assert len(imported.told) == len(imported.submitted) == len(imported.opened) == 300
    assert Counter(one.event["grade"] for one in imported.submitted) == Counter(
        STARS[row["star"]] for row in imported.told.values()
    )
    number = {stream: one.event["project_no"].removeprefix("ratings-zh.") for stream, one in imported.opened.items()}
    streams = {occasion.review_of(stream): number[stream] for stream in imported.opened}
    for one in imported.submitted:
        row = imported.told[streams[one.stream]]
        assert one.event["grade"] == STARS[row["star"]]
        assert words(imported.parts, one) == row["reviewbody"]


@real
def test_what_the_files_do_not_tell_stays_unknown(imported: Imported) -> None:
    """No time of service, no window, nobody who rated, no link, nothing to do: a ledger's, in no hall's figures."""
    for one in imported.opened.values():
        unknown = (
            "served_at",
            "seconds",
            "attribution",
            "applicant",
            "agent",
            "name",
            "phone",
            "review_until",
            "channel",
        )
        assert [name for name in unknown if one.event[name] is not None] == []
        assert one.event["profile"] == "ledger"
    for one in imported.submitted:
        never = ("reviewer", "own_link", "token", "attribution", "seconds_since_service", "follow_up_until")
        assert [name for name in never if one.event[name] is not None] == []
        assert (one.event["profile"], one.event["identity_mode"]) == ("ledger", "anonymous")
    with imported.parts.pool.connection() as connection:
        found = connection.execute("select count(*) from events where name like 'review.accepted.%'").fetchone()
    assert found == (0,)


@real
def test_a_second_import_writes_nothing(imported: Imported) -> None:
    """Not a single event, and it says so; nor does a dry run."""
    before = imported.parts.recorder.max_notification_id()
    again = import_table(imported.parts, FILES[0], LEDGER)
    assert (again.done, again.repeated, again.rejected) == (0, 100, [])
    tried = check_table(imported.parts.pool, FILES[1], LEDGER)
    assert (tried.done, tried.repeated) == (0, 100)
    assert imported.parts.recorder.max_notification_id() == before


@pytest.fixture
def parts(server: str, tmp_path: Path) -> Iterator[Parts]:
    """An empty log."""
    with fresh_database(server) as dsn, open_parts(Settings(home=tmp_path / "home"), dsn) as parts:
        yield parts


def file_of(tmp_path: Path, *rows: tuple[str, ...], header: tuple[str, ...]) -> Path:
    """Write a table."""
    path = tmp_path / "ratings.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_a_row_that_cannot_be_kept_is_listed_and_changes_nothing(parts: Parts, tmp_path: Path) -> None:
    """A grade nobody knows, no words, a number that stood above, or none: each with its reason, never its text."""
    rows = [("1", "好", "5.0"), ("2", "好", "6.0"), ("3", "", "4.0"), ("1", "差", "1.0"), ("", "好", "5.0")]
    counts = import_table(parts, file_of(tmp_path, *rows, header=("index", "reviewbody", "star")), LEDGER)
    assert counts.commands == {"rate": 1}
    assert {one.row: one.said.split(":")[0] for one in counts.rejected} == {
        3: "star", 4: "reviewbody", 5: "index", 6: "index",
    }  # fmt: skip
    with parts.pool.connection() as connection:
        names = connection.execute("select name, count(*) from events where name ~ '^(occasion|review)' group by 1")
        assert dict(names.fetchall()) == {"occasion.opened.1": 1, "occasion.reviewed.1": 1, "review.submitted.1": 1}


def told_by_ours(rated: str = "2019-03-04 10:00", **other: str) -> tuple[str, ...]:
    """Give a row of an old hall."""
    row = {
        "no": "1",
        "rated": rated,
        "grade": "不满意",
        "office": "税务局",
        "window": "3号",
        "codes": "201, 204",
        "words": "",
        "served": "",
    }
    return tuple((row | other).values())


HEADER: Final = ("no", "rated", "grade", "office", "window", "codes", "words", "served")


def test_a_hall_of_its_own_tells_times_windows_and_codes_that_are_retired_now(parts: Parts, tmp_path: Path) -> None:
    """At the times of the file, as local ones; whoever did not rate is in no rating."""
    rows = [told_by_ours(served="2019-03-04 09:40"), told_by_ours(no="2", grade="", rated="")]
    counts = import_table(parts, file_of(tmp_path, *rows, header=HEADER), read("ours", OURS))
    assert (counts.commands, counts.rejected, counts.unchanged) == ({"rate": 1}, [], 1)
    one = only(parts, "review.submitted.1")
    assert datetime.fromisoformat(one["at"]) == datetime(2019, 3, 4, 2, 0, tzinfo=UTC)
    assert (one["codes"], one["seconds_since_service"]) == (["201", "204"], timedelta(minutes=20).total_seconds())
    assert one["attribution"] == only(parts, "occasion.opened.1")["attribution"]
    assert (one["attribution"]["window"], one["attribution"]["staff"]) == ("OLD.W3", None)


def test_a_code_nobody_knows_rejects_the_row(parts: Parts, tmp_path: Path) -> None:
    """Never coerced, never dropped (domain.md F7); the visit without its rating is nothing anybody asked for."""
    rows = [told_by_ours(codes="999")]
    counts = import_table(parts, file_of(tmp_path, *rows, header=HEADER), read("ours", OURS))
    assert [one.said for one in counts.rejected if "[unknown-reference]" in one.said]
    assert counts.commands == {}
    with parts.pool.connection() as connection:
        found = connection.execute("select count(*) from events where name ~ '^(occasion|review)'").fetchone()
    assert found == (0,)


def only(parts: Parts, name: str) -> Any:  # noqa: ANN401 - an event as it is stored
    """Give the one event of this name."""
    with parts.pool.connection() as connection:
        found = connection.execute("select convert_from(state, 'UTF8')::json->'e' from events where name = %s", (name,))
        ((event,),) = found.fetchall()
    return event


@pytest.mark.parametrize(
    ("was", "then", "said"),
    [
        ('rows = "ratings"', 'rows = "cases"', "rate"),
        ("[commands.rate]", '[commands.register]\ntime = "rated"\n\n[commands.rate]', "nothing else"),
        ("grade = {", "colour = {", "grade"),
        ('department = "office"\nwindow', "window", "department"),
        ('"very_satisfied"', '"delighted"', "grade"),
    ],
)
def test_a_mapping_that_does_not_fit_says_where(was: str, then: str, said: str) -> None:
    """Before a row is read."""
    with pytest.raises(MappingError, match=said):
        read("ours", OURS.replace(was, then))


def test_the_mapping_that_comes_with_the_program_can_be_used() -> None:
    """It names the columns of the files and the five grades."""
    ledger: Ledger = LEDGER
    assert ledger.columns == ("index", "reviewbody", "star")
