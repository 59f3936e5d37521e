"""The sample is told the same way every time, holds every side of a complaint, and keeps to the rules."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

import chinese_calendar
import psycopg
import pytest
from rich.cells import cell_len
from rich.console import Console

from domain.complaint import OF_THE_LOOP, inquiry, intake, rectification, replying, revisiting
from domain.complaint.intake import Channel, Complexity, Severity, Vulnerable
from domain.complaint.replying import Decision
from domain.complaint.revisiting import Outcome, Resolved, RevisitStatus
from domain.complaint.state import Finding, Step
from domain.deadlines import Calendar
from domain.decider import PersonKey, Role
from domain.handling import ContactResult
from domain.register import Site, SiteLevel
from projections import PROJECTIONS
from projections.codec import NAMES
from projections.docket import DOCKET
from service.adoption import enter
from service.demo import STAFF, Loaded, NotForDemo, show
from service.demo.hall import Hall
from service.demo.people import DEMO
from service.demo.scenes import Scene
from service.demo.story import opened, story
from service.forms.entries import OF_NOBODY
from service.parts import Parts
from service.profiles import calendar_from_library
from tests.service.demo.sample import CHINA, HANDLING, NOW, Case, Log, loaded, program, sealed, short

CAST: Final = {post: PersonKey(uuid5(DEMO, person.name)) for person in STAFF for post in person.posts}
CALENDAR: Final = Calendar(calendar_from_library(range(2025, 2027)))
OPEN: Final = ((time(8, 30), time(12)), (time(13, 30), time(18)))


def tell(now: datetime, seed: str = "bihuan", complaints: int = 300) -> list[Scene]:
    """Tell the story without loading it."""
    return story(Hall(CAST), opened(now, CALENDAR), seed=seed, complaints=complaints)


def test_the_same_seed_tells_the_same_story() -> None:
    """Nothing but seed and `now` decides what is told; another seed tells another story of the same hall."""
    one, again, other = tell(NOW), tell(NOW), tell(NOW, seed="another")
    assert one == again
    assert one != other
    assert len({scene.command_id for scene in one}) == len(one)


SIDES: Final = {
    "new-code", "contact-3", "evidence-3", "reject-1", "reject-2", "reply-failed", "plan-2", "verify-2", "revisit-own",
    "revisit-3",
}  # fmt: skip


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 1, 5, 1, tzinfo=UTC),
        datetime(2026, 2, 20, 4, tzinfo=UTC),  # in the middle of the Spring Festival
        datetime(2026, 6, 30, 16, tzinfo=UTC),
        datetime(2026, 12, 31, 15, 59, tzinfo=UTC),
    ],
)
def test_every_step_and_side_is_told_whenever_it_is_loaded(now: datetime) -> None:
    """In every season there are three hundred complaints, some at each step, and each kind of mishap."""
    scenes = tell(now)
    assert {scene.number for scene in scenes} == set(range(1, 301))
    steps = {scene.step for scene in scenes}
    assert steps >= SIDES
    # Where a complaint stands is said by the last of these.
    reached = {
        "register": Step.REGISTERED,
        "accept": Step.ACCEPTED,
        "assign": Step.ASSIGNED,
        "sign": Step.IN_PROGRESS,
        "submit": Step.REPLY_PENDING_APPROVAL,
        "reject": Step.IN_PROGRESS,
        "approve": Step.REPLY_APPROVED,
        "reply": Step.REPLIED,
        "close": Step.CLOSED,
    }
    moving = [scene for scene in scenes if scene.step.split("-")[0] in reached and scene.step != "reply-failed"]
    stands = {scene.number: reached[scene.step.split("-")[0]] for scene in moving}
    assert set(stands.values()) == set(OF_THE_LOOP)
    assert all(now - timedelta(days=244) < scene.moment <= now for scene in scenes)


@dataclass(frozen=True)
class Sample:
    """A log with the sample, and what loading it said."""

    parts: Parts
    result: Loaded
    log: Log


@pytest.fixture(scope="module")
def sample(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """The whole sample, loaded once."""
    with program(server, tmp_path_factory.mktemp("home")) as parts:
        result = loaded(parts)
        yield Sample(parts, result, Log.read(parts))


postgres = pytest.mark.postgres


@postgres
def test_everything_that_is_told_happens(sample: Sample) -> None:
    """Each scene is a command in the log, but for those that the rules are meant to refuse: these are on record."""
    refused = sample.log.named("attempts.refused")
    assert {event["code"] for event in refused} == {"own-work-revisited"}
    assert sample.result.commands == sample.result.new + len(refused)
    assert len(sample.log.cases) == sample.result.complaints == 300


@postgres
def test_every_kind_of_event_and_outcome_occurs(sample: Sample) -> None:
    """Whoever looks through the sample meets every event of the loop, and every way it can turn out."""
    log = sample.log
    phases = {phase.__name__ for phase in (intake, inquiry, rectification, replying, revisiting)}
    of_the_loop = {name for name, event in NAMES.items() if event.__module__ in phases}
    assert len(of_the_loop) > 15
    assert {one.name for one in log.events} >= of_the_loop

    def told(name: str, field: str) -> set[object]:
        return {event[field] for event in log.named(f"complaint.{name}")}

    assert told("registered", "channel") == set(Channel)
    assert told("registered", "identity_mode") == {"real_name", "anonymous"}
    assert told("registered", "confidentiality") == {"normal", "sealed"}
    assert told("registered", "by_respondent") == {True, False}
    assert told("registered", "hall") == {"GXQ", "XH", "YL", "TX"}
    assert {each for event in log.named("complaint.registered") for each in event["vulnerable"]} == set(Vulnerable)
    assert any(event["similar"] for event in log.named("complaint.registered"))
    assert any(event["respondent"]["staff"] for event in log.named("complaint.registered"))
    assert told("accepted", "complexity") == set(Complexity)
    assert told("accepted", "severity") >= {Severity.ORDINARY, Severity.URGENT}
    for name in ("accepted", "assigned", "assignment-accepted", "complainant-contacted", "rectified", "replied"):
        assert told(name, "late") >= {True, False}, name
    assert told("complainant-contacted", "result") == set(ContactResult)
    assert told("finding-recorded", "finding") == set(Finding)
    assert told("rectification-verified", "passed") == {True, False}
    assert told("reply-submitted", "decision") == set(Decision)
    assert told("rework-ordered", "rework_no") == {1, 2}
    assert told("revisited", "resolved") == set(Resolved)
    assert told("closed", "revisit_status") == set(RevisitStatus)
    assert told("closed", "outcome") == set(Outcome)


@postgres
def test_revisits_come_in_time_and_late(sample: Sample) -> None:
    """The event says until when the revisit was due, and both kinds occur."""
    late = set()
    for case in sample.log.cases:
        for replied in case.all("replied"):
            revisits = case.all("revisited")
            if revisits:
                late.add(revisits[0]["at"] > replied["revisit_due"]["at"])
    assert late == {True, False}


def two_sided(log: Log, case: Case) -> list[str]:
    """What in a case would break the separation of duties, read off the stored events alone."""
    told, posts = case.registered, log.posts
    serving = {post["window"]: person for person, held in posts.items() for post in held if post["window"]}
    handlers = case.persons(*HANDLING)
    judges = {
        "approver": case.persons("reply-approved", "rework-ordered"),
        "verifier": case.persons("rectification-verified"),
        "revisitor": case.persons("revisit-attempted", "revisited"),
    }
    found = [f"the handler is {side}" for side, persons in judges.items() if persons & handlers]
    acting = case.persons("accepted", "assigned", "closed") | handlers | set[str]().union(*judges.values())
    concerned = {told["complainant"], told["respondent"]["staff"], serving.get(told["respondent"]["window"])}
    if acting & concerned:
        found.append("somebody concerned acts")
    units = {unit for one in case.all("assigned") for unit in (one["department"], *one["assist"])}
    if {post["department"] for person in judges["revisitor"] for post in posts[person]} & units:
        found.append("the unit revisits itself")
    for by in (one.event["by"] for one in case.events):
        held = {(post["code"], post["role"]) for post in posts[by["person"]]}
        if by["person"] != told["complainant"] and (by["post"], by["role"]) not in held:
            found.append("somebody acts in a post of another")
    return found


@postgres
def test_nobody_acts_on_two_sides(sample: Sample) -> None:
    """Who handled judged nothing, who is concerned did nothing, no unit revisited itself; somebody holds two posts."""
    assert [person for person, held in sample.log.posts.items() if len(held) > 1]
    assert {case.registered["complaint_no"]: two_sided(sample.log, case) for case in sample.log.cases} == {
        case.registered["complaint_no"]: [] for case in sample.log.cases
    }


@postgres
def test_a_planted_breach_is_seen(sample: Sample) -> None:
    """The test above sees each kind of double part when one is put into a case."""
    log = sample.log
    case = next(one for one in log.cases if one.all("rectification-verified") and one.all("closed"))
    (handler,) = case.persons("finding-recorded")

    def with_actor(name: str, person: str, post: str, role: str) -> Case:
        by = {"person": person, "post": post, "role": role, "on_behalf_of": None}
        events = [replace(one, event={**one.event, "by": by}) if short(one) == name else one for one in case.events]
        return Case(events)

    for name, side, role in (
        ("reply-approved", "approver", "unit_head"),
        ("rectification-verified", "verifier", "supervisor"),
        ("revisited", "revisitor", "revisit_officer"),
    ):
        assert f"the handler is {side}" in two_sided(log, with_actor(name, handler, "desk-1", role))
    assert "the unit revisits itself" in two_sided(log, with_actor("revisited", handler, "desk-1", "revisit_officer"))
    complainant = case.registered["complainant"]
    assert "somebody concerned acts" in two_sided(log, with_actor("closed", complainant, "desk-1", "dispatcher"))
    assert "somebody acts in a post of another" in two_sided(log, with_actor("closed", handler, "desk-1", "dispatcher"))


def is_open(moment: datetime) -> bool:
    """Whether the hall is open, by the public calendar and the hours on its door."""
    local = moment.astimezone(CHINA)
    worked = chinese_calendar.is_workday(local.date())
    return worked and any(opens <= local.time() < closes for opens, closes in OPEN)


@postgres
def test_staff_act_while_the_hall_is_open(sample: Sample) -> None:
    """Only complainants act at night, at weekends and on holidays; and it all lies in the order of time."""
    acts = [one for case in sample.log.cases for one in case.events]
    closed = [one for one in acts if not is_open(one.at)]
    assert {one.event["by"]["role"] for one in closed} == {"citizen"}
    assert {one.name for one in closed} == {"complaint.registered.1", "complaint.acknowledgement-issued.1"}
    assert len(closed) > 10
    times = [one.at for one in sample.log.events if one.name.startswith("complaint.")]
    assert times == sorted(times)
    assert NOW - timedelta(days=244) < times[0]
    assert times[-1] <= NOW
    # Rules, register and posts stood before the first complaint, and the first visit.
    begun = [one.at for one in sample.log.events if one.name.split(".")[0] in {"register", "rulebook"}]
    assert set(begun) == {NOW - timedelta(days=366)}


@postgres
def test_complaints_come_as_they_do_in_a_hall(sample: Sample) -> None:
    """More on working days than on days of rest, more by day than by night, and most about what people wait for."""
    when = [case.events[0].at.astimezone(CHINA) for case in sample.log.cases]
    days = {(NOW - timedelta(days=n)).astimezone(CHINA).date() for n in range(244)}
    worked = {day for day in days if chinese_calendar.is_workday(day)}
    busy = Counter(moment.date() in worked for moment in when)
    assert busy[True] / len(worked) > 2 * busy[False] / len(days - worked) > 0
    assert sum(8 <= moment.hour < 18 for moment in when) > 0.8 * len(when)
    assert sum(moment.weekday() == 0 for moment in when) > sum(moment.weekday() == 4 for moment in when)


@postgres
def test_numbers_have_no_gap(sample: Sample) -> None:
    """Each hall counts each local day from one, though several complaints share an append."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for case in sample.log.cases:
        hall, day, number = re.fullmatch(r"TS-(\w+)-(\d{8})-(\d{5})-.", case.registered["complaint_no"]).groups()  # type: ignore[union-attr]
        assert (hall, day) == (case.registered["hall"], f"{case.events[0].at.astimezone(CHINA):%Y%m%d}")
        found[hall, day].append(int(number))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in found.values())
    assert max(map(len, found.values())) > 2


@postgres
def test_names_are_kept_whole(sample: Sample) -> None:
    """Rare characters and middle dots come back, of complainants and of staff."""
    boxes = [sealed(case.registered["name"]) for case in sample.log.cases if case.registered["name"]]
    names = "".join(name or "" for name in sample.parts.vault.open_many([("name", box) for box in boxes]))
    assert {"𬭎", "·", "䶮"} <= set(names)
    staff = {sample.parts.accounts.name_of(PersonKey(UUID(person))) for person in sample.log.posts}
    assert {"欧阳𬭎", "赵䶮", "乌兰·图雅"} <= staff


@postgres
def test_the_hall_is_whole(sample: Sample) -> None:
    """Sites of four levels, all kinds of windows, a holder of every role of staff, names in two languages."""
    log = sample.log
    entries = {
        kind: [event["entry"] for event in log.named(f"register.{kind}-added")]
        for kind in ("site", "department", "window", "item", "post")
    }
    assert {site["level"] for site in entries["site"]} == set(SiteLevel)
    assert 8 <= len(entries["department"]) <= 10
    kinds = Counter(window["kind"] for window in entries["window"])
    assert (kinds["integrity_window"], kinds["stuck_case_window"]) == (2, 1)
    assert sum(kinds.values()) >= 25
    assert len(entries["item"]) >= 60
    held = {post["role"] for posts in log.posts.values() for post in posts}
    assert held == set(Role) - OF_NOBODY
    assert {event["post"] for event in log.named("register.post-taken")} == {post["code"] for post in entries["post"]}
    for entry in (entry for listed in entries.values() for entry in listed):
        assert re.search("[\u4e00-\u9fff]", entry["name_zh"])
        assert re.fullmatch("[ -~]+", entry["name_en"])


def counted(parts: Parts) -> list[tuple[str, int]]:
    """How many rows each table holds that loading writes to."""
    tables = ("events", "claims", "accounts.accounts", "vault.subjects", "vault.sketches", "vault.query_codes")
    keys = "vault.keys where assigned_at is not null"
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        return [
            (table, connection.execute(f"select count(*) from {table}".encode()).fetchone()[0])  # type: ignore[index]  # noqa: S608 - our own names
            for table in (*tables, keys, "vault.attachments")
        ]


@postgres
def test_loading_again_writes_nothing(sample: Sample) -> None:
    """Also on another day: the story goes on being that of the first time."""
    before = counted(sample.parts)
    again = loaded(sample.parts, now=NOW + timedelta(days=40))
    assert (again.new, again.commands, again.now) == (0, sample.result.commands, NOW)
    assert counted(sample.parts) == before


class Killed(BaseException):
    """The process is gone."""


@postgres
def test_a_killed_load_goes_on_to_the_same_end(server: str, tmp_path: Path) -> None:
    """Killed among the people, then among the complaints, then loaded on another day: the log is that of one go."""
    logs = []
    for deaths in ((), (("people", 20), ("complaints", 500))):
        with program(server, tmp_path) as parts:
            for what, least in deaths:

                def dying(now_at: str, done: int, _total: int, what: str = what, least: int = least) -> None:
                    if (now_at, done >= least) == (what, True):
                        raise Killed

                with pytest.raises(Killed):
                    loaded(parts, complaints=60, progress=dying)
            result = loaded(parts, now=NOW + timedelta(days=3 * bool(deaths)), complaints=60)
            assert (result.new < result.commands - 400) is bool(deaths)
            logs.append(Log.read(parts).plain)
    assert logs[0] == logs[1]
    assert len(logs[0]) > 900


@postgres
def test_the_rules_let_it_happen_where_the_calendar_ends(server: str, tmp_path: Path) -> None:
    """In a year without a published calendar nothing of the story is refused; its deadlines are provisional."""
    with program(server, tmp_path) as parts:
        result = loaded(parts, now=datetime(2027, 3, 1, 8, tzinfo=UTC), complaints=80)
        assert result.complaints == 80
        events = Log.read(parts).named("complaint.accepted")
    assert {event["handle_due"]["provisional"] for event in events} == {True, False}


@postgres
def test_a_log_that_holds_something_else_is_left_alone(server: str, tmp_path: Path) -> None:
    """The sample never mixes with a hall that is in use."""
    with program(server, tmp_path) as parts:
        enter(parts.book, [Site(code="A", name_zh="别处", name_en="Elsewhere", level=SiteLevel.DISTRICT)])
        before = counted(parts)
        with pytest.raises(NotForDemo):
            loaded(parts)
        assert counted(parts) == before


@postgres
def test_what_is_shown_fits_and_says_what_it_should(sample: Sample) -> None:
    """A docket, one full history and the same case at an earlier moment, in both languages, in a hundred columns."""
    page = StringIO()
    show(sample.parts, Console(file=page, width=100))
    lines = page.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= 100
    text = page.getvalue()
    for said in ("投诉台账", "The docket", "一件投诉的全过程", "One full history", "The same case as it stood", "现在"):
        assert said in text
    assert "逾期 late" in text
    assert "refused" in text
    assert "…" not in text
    number = re.search(r"全过程 · (TS-\S+)", text)
    assert number is not None
    case = next(one for one in sample.log.cases if one.registered["complaint_no"] == number[1])
    history = text.split("一件投诉的全过程")[1].split("同一投诉在")[0]
    for event in case.events:
        assert f"{event.at.astimezone(CHINA):%Y-%m-%d %H:%M}" in history
    with psycopg.connect(sample.parts.dsn, autocommit=True) as connection:
        assert DOCKET in PROJECTIONS
        assert DOCKET.position(connection) == sample.log.events[-1].position
