"""2,816 real messages become cases of a ledger, and an independent reading of the file says the same of them."""

from __future__ import annotations

import os
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import chinese_calendar
import pytest
from openpyxl import Workbook

from domain.sealed import Sealed
from service.imports.mapping import load
from service.imports.reading import NotThisTable
from service.imports.table import Counts, import_table
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.fresh import Stored, fresh_database, stored

SHARED: Final = Path(os.environ.get("BIHUAN_SHARED") or Path(__file__).parents[4] / "shared")
LEDGER: Final = load("messages")
COLUMNS: Final = ("留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "答复意见", "答复时间")
FILE: Final = SHARED / "data" / "messages-zh" / "messages_with_replies.xlsx"
CHINA: Final = timezone(timedelta(hours=8))
NS: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

pytestmark = pytest.mark.postgres
real = pytest.mark.skipif(not FILE.exists(), reason="needs the shared data beside this folder, or BIHUAN_SHARED")


@dataclass(frozen=True)
class Told:
    """One row of the sheet, read without our code; times are local."""

    number: str
    user: str
    subject: str
    at: datetime
    text: str
    reply: str
    replied_at: datetime

    @property
    def late(self) -> bool:
        """Whether the reply came after the fifteenth natural day, or the first day after it on which people work."""
        last = self.at.date() + timedelta(days=15)
        while not chinese_calendar.is_workday(last):
            last += timedelta(days=1)
        return self.replied_at.date() > last


def told_by_the_file() -> list[Told]:
    """Read the workbook as what it is, a zip with XML: nothing of this is shared with the import."""
    with ZipFile(FILE) as archive:
        shared = [
            "".join(part.text or "" for part in entry.iter(f"{NS}t"))
            for entry in ET.fromstring(archive.read("xl/sharedStrings.xml"))  # noqa: S314 - a file of ours
        ]
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - a file of ours
    found = []
    for row in list(sheet.iter(f"{NS}row"))[1:]:
        cells: dict[str, Any] = {}
        for cell in row:
            value = cell.find(f"{NS}v")
            text = "" if value is None else value.text or ""
            column = re.sub(r"\d", "", cell.get("r", ""))
            cells[column] = shared[int(text)] if cell.get("t") == "s" else float(text)
        cells = {column: crs(value) for column, value in cells.items()}
        found.append(
            Told(
                str(int(cells["A"])),
                cells["B"],
                cells["C"],
                local(cells["D"]),
                cells["E"],
                cells["F"],
                local(cells["G"]),
            )
        )
    return found


def crs(value: object) -> object:
    """The only escape in this file is that of the carriage return."""
    return value.replace("_x000D_", "\r") if isinstance(value, str) else value


def local(value: str | float) -> datetime:
    """Read a time: days since the end of 1899, or year/month/day with or without hours."""
    if isinstance(value, float):
        return datetime(1899, 12, 30) + timedelta(seconds=round(value * 86400))  # noqa: DTZ001 - local by name
    day, _, clock = value.partition(" ")
    numbers = [*map(int, day.split("/")), *(map(int, clock.split(":")) if clock else ())]
    return datetime(*numbers)  # noqa: DTZ001 - local by name


@dataclass(frozen=True)
class Imported:
    """A log into which the file was imported once."""

    parts: Parts
    counts: Counts
    told: dict[str, Told]
    registered: dict[str, Stored]
    replied: dict[str, Stored]


@pytest.fixture(scope="module")
def imported(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """The whole file, imported."""
    home = tmp_path_factory.mktemp("home")
    with fresh_database(server) as dsn, open_parts(Settings(home=home), dsn) as parts:
        counts = import_table(parts, FILE, LEDGER)
        registered = {one.event["external_ref"]: one for one in stored(dsn, "complaint.registered.%")}
        number_of = {one.stream: number for number, one in registered.items()}
        replied = {number_of[one.stream]: one for one in stored(dsn, "complaint.replied.%")}
        yield Imported(parts, counts, {one.number: one for one in told_by_the_file()}, registered, replied)


@real
def test_every_message_is_in_at_its_real_time(imported: Imported) -> None:
    """Registered and replied to, nothing rejected, at the times of the file as they are meant: local ones of China."""
    counts = imported.counts
    assert (counts.read, counts.cases, counts.repeated, counts.unchanged) == (2816, 2816, 0, 0)
    assert counts.commands == {"register": 2816, "reply": 2816}
    assert counts.rejected == []
    assert len(imported.told) == 2816
    assert {number: one.at for number, one in imported.registered.items()} == {
        number: one.at.replace(tzinfo=CHINA) for number, one in imported.told.items()
    }
    assert {number: one.at for number, one in imported.replied.items()} == {
        number: one.replied_at.replace(tzinfo=CHINA) for number, one in imported.told.items()
    }
    assert {(note.row, note.case, note.said.split(":")[0]) for note in counts.noted} == {
        (7, "2759", "留言时间"),
        (1141, "27610", "答复时间"),
    }


@real
def test_lateness_is_that_of_an_independent_reading(imported: Imported) -> None:
    """1,032 replies came after fifteen natural days whose last one rolls; each single verdict agrees."""
    late = {number: one.event["late"] for number, one in imported.replied.items()}
    assert late == {number: one.late for number, one in imported.told.items()}
    assert sum(late.values()) == 1032


@real
def test_the_lag_of_replies_is_that_of_the_file(imported: Imported) -> None:
    """Half of the replies came within 11.2 days, the last after 1,160; none before its question."""
    lags = [imported.replied[number].at - one.at for number, one in imported.registered.items()]
    days = sorted(lag / timedelta(days=1) for lag in lags)
    assert days == sorted((one.replied_at - one.at) / timedelta(days=1) for one in imported.told.values())
    assert round(statistics.median(days), 1) == 11.2
    assert int(days[-1]) == 1160
    assert days[0] >= 0
    assert sum(lag > timedelta(days=15) for lag in lags) == 1084


@real
def test_every_text_comes_back_whole(imported: Imported) -> None:
    """Message, subject and reply open as they stand in the file, with tabs and line ends, to 7,883 characters."""
    wanted = [
        (kind, sealed(events[number].event[kind]), getattr(imported.told[number], column))
        for number in imported.told
        for events, kind, column in (
            (imported.registered, "narrative", "text"),
            (imported.registered, "subject", "subject"),
            (imported.replied, "content", "reply"),
        )
    ]
    opened = imported.parts.vault.open_many([(kind, value) for kind, value, _ in wanted])
    differing = [kind for (kind, _, text), found in zip(wanted, opened, strict=True) if text != found]
    assert (len(opened), differing) == (3 * 2816, [])
    assert max(len(one.reply) for one in imported.told.values()) == 7883
    assert sum("\r" in one.text for one in imported.told.values()) == 76
    assert sum("\r" in one.reply for one in imported.told.values()) == 2
    measured = {number: one.event["narrative_facts"]["chars"] for number, one in imported.registered.items()}
    assert measured == {number: len(one.text) for number, one in imported.told.items()}


def sealed(value: dict[str, Any]) -> Sealed:
    """A sealed value as it stands in an event."""
    ids = {key: UUID(value[key]) for key in ("value_id", "key_id")}
    return Sealed(**(value | ids))


@real
def test_nothing_is_invented(imported: Imported) -> None:
    """No window, department, category, name or promise stands in a case, and no user id anywhere."""
    unknown = (
        "window",
        "category",
        "item",
        "project_no",
        "name",
        "phone",
        "desired_outcome",
        "happened_at",
        "accept_due",
    )
    for one in imported.registered.values():
        assert [key for key in unknown if one.event[key] is not None] == []
        assert set(one.event["respondent"].values()) == {None}
        assert (one.event["hall"], one.event["profile"]) == ("MSG.PROVINCE", "ledger")
    for one in imported.replied.values():
        assert [one.event[key] for key in ("method", "revisit_due", "review_request_until")] == [None] * 3
    users = {one.user for one in imported.told.values()}
    text = str([one.event for one in (*imported.registered.values(), *imported.replied.values())])
    assert set(re.findall(r"[A-Z]+\d+", text)) & users == set()


@real
def test_messages_of_one_user_belong_together(imported: Imported) -> None:
    """As many complainants as users; who says the same again within half a year is found to."""
    persons: dict[str, set[str]] = defaultdict(set)
    for number, one in imported.registered.items():
        persons[imported.told[number].user].add(one.event["complainant"])
    assert {len(found) for found in persons.values()} == {1}
    assert len(set[str]().union(*persons.values())) == len(persons) == 2559
    again = 0
    earlier: dict[tuple[str, str], Told] = {}
    for told in sorted(imported.told.values(), key=lambda told: told.at):
        before = earlier.get((told.user, told.text.strip()))
        earlier[told.user, told.text.strip()] = told
        if before is not None and told.at - before.at <= timedelta(days=180):
            again += 1
            similar = {each["case"]: each["score"] for each in imported.registered[told.number].event["similar"]}
            assert similar[str(imported.registered[before.number].stream)] == 100
    assert again > 20
    repeated = Counter(one.text.strip() for one in imported.told.values())
    assert sum(number - 1 for number in repeated.values()) == 34


@real
def test_numbers_follow_each_other_on_every_day(imported: Imported) -> None:
    """The cases of a local day are numbered from one on, in the order of their times."""
    days: dict[date, list[tuple[datetime, int]]] = defaultdict(list)
    for number, one in imported.registered.items():
        hall, day, running = re.fullmatch(r"TS-(.+)-(\d{8})-(\d{5})-.", one.event["complaint_no"]).groups()  # type: ignore[union-attr]
        assert (hall, day) == ("MSG.PROVINCE", f"{imported.told[number].at:%Y%m%d}")
        days[imported.told[number].at.date()].append((one.at, int(running)))
    for numbered in days.values():
        assert [running for _, running in sorted(numbered)] == list(range(1, len(numbered) + 1))


@real
def test_a_second_import_writes_nothing(imported: Imported) -> None:
    """Every command is found in the log; no event, key, mark or sketch is added."""
    before = rows(imported.parts)
    again = import_table(imported.parts, FILE, LEDGER)
    assert (again.done, again.repeated, again.rejected) == (0, 5632, [])
    assert rows(imported.parts) == before


def rows(parts: Parts) -> list[int]:
    """How many rows the tables hold that an import writes to."""
    tables = ("events", "claims", "vault.subjects", "vault.sketches", "vault.keys where assigned_at is not null")
    with parts.pool.connection() as connection:
        return [connection.execute(f"select count(*) from {table}".encode()).fetchone()[0] for table in tables]  # type: ignore[index]  # noqa: S608 - our own names


class Killed(BaseException):
    """The process is gone."""


MONDAY: Final = datetime(2019, 4, 22, 9)  # noqa: DTZ001 - local, as the file has it


def row(place: int, **other: object) -> list[object]:
    """A row as the source writes it, one every seven hours; `other` replaces cells by the names of `Told`."""
    at = MONDAY + timedelta(hours=7 * place)
    cells: dict[str, object] = {
        "number": place,
        "user": f"A{place % 7:05d}",
        "subject": f"主题{place}",
        "at": f"{at:%Y/%m/%d %H:%M:%S}",
        "text": f"\n\t第{place}件：路灯不亮。\n\t",
        "reply": f"已收悉{place}",
        "replied_at": f"{at + timedelta(days=place % 30):%Y/%m/%d %H:%M:%S}",
    }
    return list((cells | other).values())


def workbook(path: Path, *found: list[object]) -> Path:
    """A workbook with these rows under the header of the source."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(COLUMNS))
    for cells in found:
        sheet.append(cells)
    book.save(path)
    return path


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over an empty log."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        yield opened


def test_a_killed_import_goes_on_where_it_was(server: str, tmp_path: Path) -> None:
    """Killed after each portion and started again, the log holds what one go gives."""
    path = workbook(tmp_path / "m.xlsx", *(row(number) for number in range(1, 451)))

    def dying(done: int, total: int) -> None:
        if done < total:
            raise Killed

    logs = []
    for kills in (0, 2):
        with fresh_database(server) as dsn, open_parts(Settings(home=tmp_path), dsn) as parts:
            for _ in range(kills):
                with pytest.raises(Killed):
                    import_table(parts, path, LEDGER, dying)
            counts = import_table(parts, path, LEDGER)
            assert counts.done + counts.repeated == 900
            assert counts.repeated == (800 if kills else 0)
            logs.append(
                [
                    (one.stream, one.version, one.name, one.at, one.event.get("complaint_no"), one.event.get("late"))
                    for one in stored(dsn, "complaint.%")
                ]
            )
    assert logs[0] == logs[1]
    assert len(logs[0]) == 900


def test_what_cannot_be_taken_is_listed_and_the_rest_goes_in(parts: Parts, tmp_path: Path) -> None:
    """Each bad row is named with its place and reason, quoting nothing; good rows around it are registered."""
    path = workbook(
        tmp_path / "m.xlsx",
        row(1),
        row(2, number=None),
        row(1, text="换了内容"),
        row(3, at="昨天"),
        row(4, text="秘密_x0000_文字"),
        row(5, text="秘密_xD83D_文字"),
        row(6, subject="  "),
        row(7, replied_at="2019/4/1 9:00:00"),
        row(8, text="长" * 20_001),
        row(9, user=None),
        row(10, replied_at=None),
        row(11),
    )
    counts = import_table(parts, path, LEDGER)
    assert [(one.row, one.said.split(":")[0]) for one in counts.rejected] == [
        (3, "留言编号"),
        (4, "留言编号"),
        (5, "留言时间"),
        (6, "narrative"),
        (7, "留言详情"),
        (8, "subject"),
        (9, "reply"),
        (10, "narrative"),
        (11, "留言用户"),
        (12, "答复时间"),
    ]
    assert "before-last" in counts.rejected[6].said
    assert not any("秘密" in one.said for one in counts.rejected)
    # The seventh is registered; only its reply, which would lie before the question, is not taken.
    assert (counts.read, counts.commands) == (12, {"register": 3, "reply": 2})
    refs = [one.event["external_ref"] for one in stored(parts.dsn, "complaint.registered.%")]
    assert refs == ["1", "7", "11"]


def test_a_message_without_a_reply_stays_without_one(parts: Parts, tmp_path: Path) -> None:
    """It is registered and noted; when a later file brings the reply, that is added."""
    first = workbook(tmp_path / "first.xlsx", row(1, reply=None, replied_at=None))
    counts = import_table(parts, first, LEDGER)
    assert (counts.commands, [one.row for one in counts.noted]) == ({"register": 1}, [2])
    later = import_table(parts, workbook(tmp_path / "later.xlsx", row(1)), LEDGER)
    assert (later.commands, later.repeated) == ({"reply": 1}, 1)


def test_escapes_of_a_workbook_are_read_as_what_they_stand_for(parts: Parts, tmp_path: Path) -> None:
    """A carriage return, a rare character in two halves, an escaped escape; what only looks like one stays."""
    text = "一_x000D_\n二_xD878__xDFC5_三_x005F_x000D_四_x00_"
    import_table(parts, workbook(tmp_path / "m.xlsx", row(1, text=text)), LEDGER)
    (one,) = stored(parts.dsn, "complaint.registered.%")
    assert parts.vault.open("narrative", sealed(one.event["narrative"])) == "一\r\n二\U0002e3c5三_x000D_四_x00_"


def test_another_file_is_refused_whole(parts: Parts, tmp_path: Path) -> None:
    """Neither another sheet nor another kind of file changes anything."""
    book = Workbook()
    assert book.active is not None
    book.active.append(["a", "b"])
    book.save(tmp_path / "other.xlsx")
    (tmp_path / "text.xlsx").write_text("留言编号,留言用户")
    for name in ("other.xlsx", "text.xlsx"):
        with pytest.raises(NotThisTable):
            import_table(parts, tmp_path / name, LEDGER)
    assert stored(parts.dsn) == []


def test_days_are_those_of_the_hall(parts: Parts, tmp_path: Path) -> None:
    """A reply on the last day is in time until midnight in China; a date without a time is that day's midnight."""
    late = {"at": "2019/9/16 9:00:00"}  # 15 days later is 1 October; the first day of work after the holiday is the 8th
    path = workbook(
        tmp_path / "m.xlsx",
        row(1, **late, replied_at="2019/10/8 23:59:59"),
        row(2, **late, replied_at="2019/10/9 0:00:00"),
        row(3, **late, replied_at="2019/10/9"),
        row(4, **late, replied_at=datetime(2019, 10, 8, 12)),  # noqa: DTZ001 - local, as the file has it
    )
    counts = import_table(parts, path, LEDGER)
    assert [one.event["late"] for one in stored(parts.dsn, "complaint.replied.%")] == [False, True, True, False]
    assert [one.at for one in stored(parts.dsn, "complaint.replied.%")][2] == datetime(2019, 10, 8, 16, tzinfo=UTC)
    assert [(one.row, one.said.split(", ")[-1]) for one in counts.noted] == [
        (4, "read as midnight"),
        (5, "not a text"),
    ]
