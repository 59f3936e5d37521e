"""The object-centric event log: valid, complete, the process of the log, and no more of people than it says."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import jsonschema
import psycopg
import pytest
import typer
from psycopg import sql
from typer.testing import CliRunner, Result

from domain.complaint import COMPLAINT, Command
from domain.decider import THE_SYSTEM
from domain.notice import NOTICE, Carriage, Queue, RecordSending, notice_of
from projections import PROJECTIONS
from projections.codec import NAMES
from projections.docket import DOCKET
from projections.runner import Runner
from projections.tables import Entry, entry
from service.asking import Ask, Asked
from service.cli import exports
from service.exports.becoming import becoming
from service.exports.ocel import Counts, export_ocel
from service.exports.ocel_objects import LINK, mentions
from service.exports.ocel_shapes import KINDS, NOT_TOLD, REFERENCES, declared, references_of, told, type_of
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.demo.sample import Log, loaded, program
from tests.service.fresh import Stored
from tests.service.old_hall import OldHall, old_hall
from tests.specimens import registration

SHARED: Final = Path(os.environ.get("BIHUAN_SHARED", Path(__file__).parents[3] / ".." / "shared"))
SCHEMA: Final = SHARED / "data/vectors/ocel/schema_ocel2.json"
needs_schema = pytest.mark.skipif(
    not SCHEMA.exists(), reason="needs the shared data beside this folder, or BIHUAN_SHARED"
)
HISTORY: Final = Path(__file__).parents[2] / "history"
FOLLOWS: Final = r"""
select a, b, count(*) from (
    select regexp_replace(name, '\.\d+$', '') as a,
        regexp_replace(lead(name) over (partition by stream_id order by version), '\.\d+$', '') as b
    from events where name like 'complaint.%' or name like 'privacy.%'
) pairs where b is not null group by a, b
"""
COMPLAINANTS: Final = """
select stream_id, convert_from(state, 'UTF8')::json->'e'->>'complainant' from events
where name = 'complaint.registered.1'
"""
postgres = pytest.mark.postgres


def exported(dsn: str, **how: Any) -> tuple[Counts, dict[str, Any]]:  # noqa: ANN401 - an option
    """Export into memory, and read it as anybody would."""
    file = io.StringIO()
    with psycopg.connect(dsn) as connection:
        counts = export_ocel(connection, file, **how)
    return counts, json.loads(file.getvalue())


@dataclass(frozen=True)
class Sample:
    """The sample, as it is stored and as it is exported."""

    parts: Parts
    log: Log
    counts: Counts
    ocel: dict[str, Any]


@pytest.fixture(scope="module")
def sample(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """A month of a hall, read in small pages; of nobody data were restricted or erased there."""
    with program(server, tmp_path_factory.mktemp("home")) as parts:
        loaded(parts, complaints=80)
        counts, ocel = exported(parts.dsn, page=97, with_sealed=True)
        yield Sample(parts, Log.read(parts), counts, ocel)


def stem(name: str) -> str:
    """The name of an event without its number."""
    return name.rsplit(".", 1)[0]


def of_cases(ocel: Mapping[str, Any]) -> dict[str, list[str]]:
    """The types of the events of each case in the order of the file."""
    found: dict[str, list[str]] = defaultdict(list)
    for event in ocel["events"]:
        for relation in event["relationships"]:
            if relation["qualifier"] == "case":
                found[relation["objectId"].removeprefix("case:")].append(event["type"])
    return dict(found)


def about(one: Stored) -> str | None:
    """Whose event a stored one is: its stream, or the case it names."""
    if one.name.startswith(("complaint.", "privacy.")):
        return str(one.stream)
    return one.event.get("case")


@needs_schema
@postgres
def test_the_schema_of_the_standard_accepts_it(sample: Sample) -> None:
    """And a file of nothing too; a wrong one would not pass."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(sample.ocel, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**sample.ocel, "events": [{"id": "event:1"}]}, schema)


@needs_schema
@postgres
def test_an_empty_log_is_a_file_too(database: str) -> None:
    """With no types of events, because none occurred."""
    counts, ocel = exported(database)
    jsonschema.validate(ocel, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert (counts, ocel["events"], ocel["objects"], ocel["eventTypes"]) == (Counts(), [], [], [])


@postgres
def test_everything_named_is_there_and_is_what_it_is_declared_to_be(sample: Sample) -> None:
    """Ids are unique, every relationship leads to an object, every value fits the type of its attribute."""
    ocel = sample.ocel
    kinds = {one["id"]: one["type"] for one in ocel["objects"]}
    assert len(kinds) == len(ocel["objects"]) == sample.counts.objects
    assert len({one["id"] for one in ocel["events"]}) == len(ocel["events"]) == len(sample.log.events)
    named = {relation["objectId"] for one in (*ocel["events"], *ocel["objects"]) for relation in one["relationships"]}
    assert named <= kinds.keys()
    assert {one["name"] for one in ocel["eventTypes"]} == {one["type"] for one in ocel["events"]}
    assert set(kinds.values()) <= {one["name"] for one in ocel["objectTypes"]} == set(KINDS)
    for types, ones in (("eventTypes", "events"), ("objectTypes", "objects")):
        declared_as = {of["name"]: {each["name"]: each["type"] for each in of["attributes"]} for of in ocel[types]}
        for one in ocel[ones]:
            for each in one["attributes"]:
                fits(each["value"], declared_as[one["type"]][each["name"]])


def fits(value: str, kind: str) -> None:
    """Read a value as its type; raises ValueError."""
    match kind:
        case "integer":
            int(value)
        case "boolean":
            ["true", "false"].index(value)
        case "time":
            assert datetime.fromisoformat(value).tzinfo is not None
        case _:
            assert kind == "string"


@postgres
def test_each_case_tells_what_the_log_tells(sample: Sample) -> None:
    """The activities of every case in their order, read from the table without our codec; nothing is left out."""
    expected: dict[str, list[str]] = defaultdict(list)
    for one in sample.log.events:
        case = about(one)
        if case is not None:
            expected[case].append(stem(one.name))
    assert of_cases(sample.ocel) == expected
    assert len(expected) == 80


@postgres
def test_what_follows_what_is_as_the_database_counts_it(sample: Sample) -> None:
    """The directly-follows graph of the cases, counted in SQL; sorted by time as tools do, and by the log."""
    with psycopg.connect(sample.parts.dsn) as connection:
        expected = {(a, b): n for a, b, n in connection.execute(FOLLOWS)}
    for order in (lambda one: (one["time"], one["id"]), lambda one: one["id"]):
        events = sorted(sample.ocel["events"], key=order)
        pairs = Counter[tuple[str, str]]()
        for types in of_cases({"events": events}).values():
            pairs.update(pairwise(one for one in types if one.startswith(("complaint.", "privacy."))))
        assert pairs == expected
    assert len(expected) > 40


@postgres
def test_a_case_is_told_through_its_life(sample: Sample) -> None:
    """It ends at the step of the docket; first values hold from the epoch, later ones from what changed them."""
    with psycopg.connect(sample.parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()
        rows = DOCKET.select(connection, sql.SQL(""))
    last = {one["id"]: {each["name"]: each["value"] for each in one["attributes"]} for one in sample.ocel["objects"]}
    ends = {
        key: [values[name] for name in ("step", "complaint_no", "round")]
        for key, values in last.items()
        if key.startswith("case:")
    }
    assert ends == {f"case:{row.case}": [row.step, row.complaint_no, str(row.round)] for row in rows}
    moments = {one["time"] for one in sample.ocel["events"]} | {"1970-01-01T00:00:00Z"}
    for one in sample.ocel["objects"]:
        steps = [each for each in one["attributes"] if each["name"] == "step"]
        assert [each["value"] for each in steps[:1]] == ["registered"] * bool(steps)
        assert [each["time"] for each in steps[:1]] == ["1970-01-01T00:00:00Z"] * bool(steps)
        assert {each["time"] for each in one["attributes"]} <= moments


@postgres
def test_objects_are_tied_to_what_they_belong_to(sample: Sample) -> None:
    """A department to its site, a corrective action to its case, a case to who filed it and whom it is about."""
    ties = {
        (one["type"], relation["qualifier"], relation["objectId"].split(":")[0])
        for one in sample.ocel["objects"]
        for relation in one["relationships"]
    }
    assert ties >= {
        ("department", "site", "site"),
        ("window", "department", "department"),
        ("post", "site", "site"),
        ("rectification", "rectifies", "case"),
        ("reply", "of", "case"),
        ("case", "filed_by", "citizen"),
        ("case", "about", "window"),
        ("case", "handled_by", "department"),
        ("case", "handled_by", "staff"),
    }


@pytest.mark.parametrize(
    ("name", "kind", "tie", "other"),
    [
        ("complaint.supervision-issued.1", "supervision", "supervises", "case"),
        ("complaint.extension-requested.1", "extension", "of", "case"),
        ("complaint.clock-resumed.1", "pause", "of", "case"),
        ("complaint.assignment-return-requested.1", "return", "of", "case"),
        ("notice.queued.1", "notice", "about", "case"),
        ("intake.contact-registered.1", "contact", "became", "case"),
        ("register.item-added.1", "item", "department", "department"),
        ("register.department-merged.1", "department", "into", "department"),
    ],
)
def test_a_thing_is_tied_by_the_event_that_makes_it(name: str, kind: str, tie: str, other: str) -> None:
    """And never to itself."""
    one = example(name)
    said = told(one)
    ties = [row for row in mentions(one, said, said.objects) if row[1] == LINK]
    found = {(thing.split(":")[0], how, str(to).split(":")[0]) for thing, _, how, to, _ in ties if thing != to}
    assert (kind, tie, other) in found
    assert len(found) == len(ties)


def example(name: str) -> Entry:
    """The event of this name as it was first stored, in the first place of a log."""
    state = json.loads((HISTORY / f"{name}.json").read_text(encoding="utf-8"))["state"]
    return entry((1, UUID(int=7), 1, name, NOON, state.encode()))


@postgres
def test_nothing_sealed_is_in_it(sample: Sample) -> None:
    """Neither the boxes nor the ids that lead to them and to their keys; what was measured is."""
    whole = json.dumps(sample.ocel)
    boxes = list(sealed_in([one.event for one in sample.log.events]))
    assert len(boxes) > 300
    for one in boxes:
        assert not any(one[part] in whole for part in ("box", "nonce", "value_id", "key_id"))
    assert any(each["name"] == "narrative_facts.chars" for one in sample.ocel["events"] for each in one["attributes"])


def sealed_in(value: object) -> Iterator[dict[str, Any]]:
    """Every sealed value inside stored events."""
    if isinstance(value, dict) and "box" in value:
        yield value
    elif isinstance(value, dict):
        yield from sealed_in(list(value.values()))
    elif isinstance(value, list):
        for part in value:
            yield from sealed_in(part)


@pytest.fixture
def hall(database: str, tmp_path: Path) -> Iterator[OldHall]:
    """A hall in which data can be erased."""
    with old_hall(database, tmp_path) as found:
        yield found


@postgres
def test_who_must_not_be_told_of_is_not(hall: OldHall) -> None:
    """Restricted cases and those of a closed circle are left out with what lies beside; erased ones name nobody."""
    plain, closed = (
        hall.carry(hall.complain(), "sign-for"),
        hall.complain(phone="13912345670", respondent={"window": "W00"}),
    )
    restricted = hall.carry(hall.complain(phone="13912345671"), "sign-for")
    lifted = hall.carry(hall.complain(phone="13912345672"), "sign-for")
    erased = hall.carry(hall.complain(phone="13912345673"))
    hall.values(restricted)
    hall.ask("ZHAO", f"complaints/{restricted.id}/merge", {"primary": str(plain.id), "link": "joint"})
    for case in (plain, restricted):
        queue = Queue(
            at=hall.at,
            by=THE_SYSTEM,
            case=case.id,
            version=3,
            about="complaint.accepted",
            medium=Carriage.PRINT,
            reply=None,
        )
        for command in (queue, RecordSending(at=hall.at, by=THE_SYSTEM, failed=None)):
            hall.parts.book.transact(NOTICE, notice_of(case.id, 3), command, hall.asked("notice"))
    for case in (restricted, lifted):
        form = {"erasure_request": hall.request(case), "result": "restricted", "legal_basis": "L3-47"}
        hall.ask("HAN", f"complaints/{case.id}/decide-erasure", form)
    hall.ask("HAN", f"complaints/{lifted.id}/lift-restriction", {"reason": "mistake"})
    hall.erase(erased)
    with psycopg.connect(hall.parts.dsn) as connection:
        rows = connection.execute(COMPLAINANTS).fetchall()
    citizens: dict[UUID, str] = dict(rows)
    counts, ocel = exported(hall.parts.dsn)
    whole = json.dumps(ocel)
    assert counts.held == 2
    for case in (restricted, closed):
        parts = (case.id, case.complaint_no, citizens[case.id], notice_of(case.id, 3))
        assert not any(str(part) in whole for part in parts)
    for case in (plain, lifted):
        assert all(str(part) in whole for part in (case.id, case.complaint_no, citizens[case.id]))
    assert whole.count('"notice.sent"') == 2  # the type, and the one of the case that may be told of
    assert str(erased.id) in whole
    assert str(citizens[erased.id]) not in whole
    named = {relation["objectId"] for one in ocel["events"] for relation in one["relationships"]}
    assert named <= {one["id"] for one in ocel["objects"]}

    counts, ocel = exported(hall.parts.dsn, with_sealed=True)
    assert counts.held == 1
    assert str(closed.id) in of_cases(ocel)
    assert str(restricted.id) not in of_cases(ocel)


@postgres
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (
            "update events set name = 'complaint.imagined.1' where position = %s",
            "position 40 (UnknownEvent: complaint.imagined.1)",
        ),
        ("update events set state = '{}' where position = %s", "position 40 (Unreadable: "),
        ("delete from events where position = %s", "position 40 (PositionMissing: 40)"),
    ],
)
def test_a_damaged_log_leaves_no_file(database: str, tmp_path: Path, harm: str, said: str) -> None:
    """It is said where the log cannot be read; a file from before stays as it was."""
    with open_parts(Settings(home=tmp_path / "home"), database) as parts:
        fill(parts, 40)
    with psycopg.connect(database) as connection:
        connection.execute("alter table events disable trigger all")
        connection.execute(harm.encode(), (40,))
    there = tmp_path / "there.json"
    there.write_text("before", encoding="utf-8")
    for file in (there, tmp_path / "new.json.gz"):
        done = run(database, tmp_path / "home", "export", "ocel", str(file))
        assert (done.exit_code, done.stdout) == (1, "")
        assert said in done.stderr
        assert done.stderr.strip().splitlines()[-1].endswith("nothing was exported. Run: bihuan audit fsck")
    assert {one.name for one in tmp_path.iterdir()} == {"home", "there.json"}
    assert there.read_text(encoding="utf-8") == "before"


def fill(parts: Parts, complaints: int) -> None:
    """Register so many complaints, of two events each."""
    for number in range(0, complaints, 100):
        many: list[Ask[Command]] = [
            Ask(
                stream=uuid4(),
                command=registration("GXQ", f"ref-{number + one}"),
                asked=Asked(
                    command_id=uuid4(), source="test", name="register", moment=NOON + timedelta(seconds=number)
                ),
            )
            for one in range(min(100, complaints - number))
        ]
        parts.book.transact_many(COMPLAINT, many)


NOON: Final = datetime(2026, 3, 2, 4, tzinfo=UTC)


def run(dsn: str, home: Path, *words: str) -> Result:
    """Type a command."""
    app = typer.Typer(pretty_exceptions_enable=False)
    exports.register(app)
    return CliRunner(env={"DATABASE_URL": dsn, "BIHUAN_HOME": str(home)}).invoke(app, list(words))


@postgres
def test_it_is_written_from_the_command_line(database: str, tmp_path: Path) -> None:
    """Packed where the name says so, for its owner alone; what was there is replaced."""
    with open_parts(Settings(home=tmp_path / "home"), database) as parts:
        fill(parts, 5)
    plain, packed = tmp_path / "log.json", tmp_path / "log.json.gz"
    plain.write_text("before", encoding="utf-8")
    for file in (plain, packed):
        done = run(database, tmp_path / "home", "export", "ocel", str(file))
        assert done.stdout == f"10 events, 7 objects in {file}\n", done.output
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert len(json.loads(plain.read_bytes())["events"]) == 10
    assert {one.stat().st_mode & 0o777 for one in (plain, packed)} == {0o600}
    nowhere = run(database, tmp_path / "home", "export", "ocel", str(tmp_path / "no" / "log.json"))
    assert nowhere.exit_code == 1
    assert nowhere.stderr.strip().endswith("name a file that can be written")


@postgres
def test_ten_times_the_log_needs_no_more_memory(database: str, tmp_path: Path) -> None:
    """Whatever was read is let go again."""
    peaks, sizes = [], []
    with open_parts(Settings(home=tmp_path / "home"), database) as parts:
        for more in (200, 1800):
            fill(parts, more)
            with psycopg.connect(database) as connection, becoming(tmp_path / "log.json") as file:
                tracemalloc.start()
                sizes.append(export_ocel(connection, file, page=50).events)
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
    assert sizes == [400, 4000]
    assert peaks[1] < 1.5 * peaks[0], peaks


def test_every_id_of_every_event_names_an_object_or_is_known_not_to() -> None:
    """A new event says what its ids lead to; what a table names stands in some event."""
    used = set[str]()
    for event in NAMES.values():
        for key, field in references_of(event):
            assert key is not None or field in NOT_TOLD, f"{event.__name__}: which object is {field}?"
            used.add(key or field)
    assert used == REFERENCES.keys() | NOT_TOLD


@pytest.mark.parametrize("name", [*NAMES, "complaint.revisit-attempted.1"])
def test_every_stored_event_is_told(name: str) -> None:
    """In attributes of its type and objects of a known kind; nothing sealed is among them."""
    one = example(name)
    said = told(one)
    may = dict(declared(type(one.event)))
    assert len(dict(said.attributes)) == len(said.attributes)
    assert len(may) == len(declared(type(one.event)))
    for attribute, value in said.attributes:
        fits(value, may[attribute])
    assert {thing.split(":")[0] for thing, _ in said.objects} <= set(KINDS)
    assert stem(name) == type_of(type(one.event))
    whole = str(said)
    assert not any(box[part] in whole for box in sealed_in(json.loads(one.raw)) for part in ("box", "value_id"))
