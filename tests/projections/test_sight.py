"""Who may know of a case: one SQL condition, held against the rule said a second time in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from types import MappingProxyType
from typing import Final
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from domain.complaint import COMPLAINT, AcknowledgementIssued, ErasureRequested, Event, Registered
from domain.complaint.correcting import ComplainantNotified, RecordCorrected
from domain.complaint.intake import Confidentiality
from domain.complaint.recusal import RecusalRequested
from domain.complaint.state import OPEN, TERMINAL, Respondent
from domain.complaint.units import UnitAnswered
from domain.decider import THE_SYSTEM, Actor, Code, PersonKey, Role
from domain.register import (
    REGISTER,
    DeputyAppointed,
    Post,
    PostLeft,
    PostTaken,
    Register,
    Site,
    SiteAdded,
    SiteLevel,
    Tenure,
)
from projections.docket import DOCKET, DocketRow, fold
from projections.queries import BadCursor, Order, Wanted, docket, may_know
from projections.sight import Viewer, viewer
from tests.controls import FOUND, LOOP, REGISTERED
from tests.domain.cast import ANYBODY, BEFORE, OFFICES
from tests.domain.stories import Story, stories
from tests.hall import (
    COMPLAINANT,
    COUNTER,
    DESK,
    FACTS,
    FENG,
    HANDLER,
    HEAD,
    LI,
    POSTS,
    QIAN,
    REVISITOR,
    STRANGER,
    SUPERVISOR,
    WANG,
    ZHENG,
    actor,
    key,
    local,
)
from tests.projections.circle import NOW, Known, may, of_row, some_row, world
from tests.projections.town import but, entries, registered, rows

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def connection(server: str) -> Iterator[psycopg.Connection]:
    """A connection to one database for all of these tests; each puts on the docket what it needs."""
    with psycopg.connect(server, autocommit=True) as making:
        making.execute("create database test_sight template template_bihuan")
        with psycopg.connect(make_conninfo(server, dbname="test_sight"), autocommit=True) as opened:
            yield opened
        making.execute("drop database test_sight with (force)")


def keep(connection: psycopg.Connection, kept: Sequence[DocketRow]) -> None:
    """Put rows on the docket."""
    connection.execute("truncate docket_2")
    with connection.transaction():
        page = [one for row in kept for one in entries(REGISTERED, case=row.case)]
        by_case = {row.case: row for row in kept}
        replace(DOCKET, evolve=lambda _, entry: by_case[entry.stream]).apply(connection, page)


def listed(connection: psycopg.Connection, looking: Viewer, wanted: Wanted, size: int = 7) -> list[DocketRow]:
    """Turn all pages of a worklist; each tells the same count."""
    found: list[DocketRow] = []
    cursor, totals = None, set()
    while True:
        page = docket(connection, looking, replace(wanted, limit=size, cursor=cursor))
        found += page.rows
        totals.add(page.total)
        if page.cursor is None:
            assert totals == {len(found)}
            return found
        cursor = page.cursor


@pytest.mark.parametrize("seed", range(3))
def test_lists_and_counts_hold_what_the_rule_says(connection: psycopg.Connection, seed: int) -> None:
    """For every role, over rows and viewers made by chance: not a case more, not a case less, in any order or page."""
    chance = Random(seed)
    kept = [some_row(chance, n) for n in range(1, 201)]
    keep(connection, kept)
    told: Counter[tuple[Role, bool]] = Counter()
    for role in list(Role) * 12:
        register, by = world(chance, role)
        allowed = {row.case for row in kept if may(register, by, NOW, of_row(row))}
        looking = viewer(register, by, NOW)
        for order in Order:
            found = [row.case for row in listed(connection, looking, Wanted(order=order), size=23)]
            assert len(found) == len(set(found))
            assert set(found) == allowed, (by, {row.case: row for row in kept if row.case in set(found) ^ allowed})
        told.update((role, row.case in allowed) for row in kept)
    seeing = {role for role, seen in told if seen}
    assert seeing == {
        Role.CITIZEN, Role.INTAKE, Role.DISPATCHER, Role.HANDLER, Role.UNIT_HEAD, Role.REVISIT_OFFICER, Role.SUPERVISOR,
        Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SYSTEM, Role.REVIEWER,
    }  # fmt: skip
    assert min(told[role, True] for role in seeing) > 20, "a rule that lets nobody see anything was not tried"


@pytest.mark.parametrize("seed", range(2))
def test_one_case_is_known_to_those_who_find_it_listed(connection: psycopg.Connection, seed: int) -> None:
    """A case folded from its stream is judged as the same row in the table is."""
    chance = Random(seed)
    kept = [some_row(chance, n) for n in range(1, 61)]
    keep(connection, kept)
    seen = 0
    for role in list(Role) * 2:
        register, by = world(chance, role)
        looking = viewer(register, by, NOW)
        on_the_list = {row.case for row in listed(connection, looking, Wanted())}
        known = {row.case for row in kept if may_know(connection, looking, row)}
        assert known == on_the_list
        seen += len(known)
    assert seen > 20


FITTING: Final[tuple[tuple[Wanted, Callable[[DocketRow, Viewer], bool]], ...]] = (
    (Wanted(due_before=NOW), lambda row, _: row.due is not None and row.due < NOW),
    (Wanted(overdue=True), lambda row, _: row.due is not None and row.due < NOW and not row.due_provisional),
    (Wanted(overdue=False), lambda row, _: row.due is None or row.due >= NOW or row.due_provisional),
    (Wanted(paused=True), lambda row, _: row.paused),
    (Wanted(paused=False), lambda row, _: not row.paused),
    (Wanted(supervised=True), lambda row, _: row.supervision_level > 0),
    (Wanted(supervised=False), lambda row, _: row.supervision_level == 0),
    (Wanted(round=2), lambda row, _: row.round == 2),
    (Wanted(primary=UUID(int=1)), lambda row, _: row.primary == UUID(int=1)),
    (Wanted(to_confirm=()), lambda *_: False),
    (
        Wanted(to_confirm=("confirm-refuse", "decide-recusal")),
        lambda row, looking: any(
            command in {"confirm-refuse", "decide-recusal"} and asked_by not in looking.persons
            for command, asked_by in zip(row.waiting_for, row.waiting_by, strict=True)
        ),
    ),
)
"""What else may be asked for, and which rows fit."""

FILTERS: Final[dict[str, str]] = {
    "step": "step",
    "department": "department",
    "window": "respondent_window",
    "category": "category",
    "complaint_no": "complaint_no",
    "profile": "profile",
}
"""What may be asked for, and the column it looks at."""


def test_filters_take_away_and_never_add(connection: psycopg.Connection) -> None:
    """Each shows, of the cases in sight, those that fit; counts too."""
    chance = Random(5)
    kept = [some_row(chance, n) for n in range(1, 121)]
    keep(connection, kept)
    fitting = 0
    found: Counter[Wanted] = Counter()
    for role in (
        Role.SUPERVISOR,
        Role.DISPATCHER,
        Role.HANDLER,
        Role.REVISIT_OFFICER,
        Role.CITIZEN,
        Role.ADMINISTRATOR,
    ):
        register, by = world(chance, role)
        looking = viewer(register, by, NOW)
        allowed = [row for row in kept if may(register, by, NOW, of_row(row))]
        for name, column in FILTERS.items():
            for value in {str(getattr(row, column)) for row in kept if getattr(row, column) is not None}:
                expected = {row.case for row in allowed if getattr(row, column) == value}
                assert {row.case for row in listed(connection, looking, Wanted(**{name: value}))} == expected  # type: ignore[arg-type]
                fitting += len(expected)
        for wanted, fits in FITTING:
            expected = {row.case for row in allowed if fits(row, looking)}
            assert {row.case for row in listed(connection, looking, wanted)} == expected, wanted
            found[wanted] += len(expected)
    assert fitting > 100
    assert all(found[wanted] or wanted.to_confirm == () for wanted, _ in FITTING), found


@pytest.mark.parametrize(
    "hostile",
    [
        "' or true --",
        "x'; drop table docket_2; --",
        "%(person)s",
        "%s",
        "{}",
        "\\' or 1=1",
        "1) or (1=1",
        "'; select pg_sleep(100); --",
    ],
)
def test_what_is_asked_for_is_never_executed(connection: psycopg.Connection, hostile: str) -> None:
    """Whatever stands in a filter or a cursor, it is only compared."""
    kept = [replace(some_row(Random(n), n), hall="GXQ") for n in range(1, 30)]
    keep(connection, kept)
    looking = viewer(FACTS.register, SUPERVISOR, NOW)
    everything = listed(connection, looking, Wanted())
    assert len(everything) > 20
    for name in FILTERS:
        assert listed(connection, looking, Wanted(**{name: hostile})) == []  # type: ignore[arg-type]
    with pytest.raises(BadCursor):
        docket(connection, looking, Wanted(cursor=hostile))
    for role in (Role.HANDLER, Role.INTAKE, Role.UNIT_HEAD, Role.REVISIT_OFFICER):
        post = Post(code="P", name_zh="岗", name_en="P", role=role, site=hostile, department=hostile, window=hostile)
        planted = replace(FACTS.register, posts=MappingProxyType({"P": post}), tenures=())
        acting = Actor(person=STRANGER, post="P", role=role)
        assert listed(connection, viewer(planted, acting, NOW), Wanted()) == []
    assert listed(connection, looking, Wanted()) == everything
    assert len(rows(connection, DOCKET)) == len(kept)


# The same in cases with names, so that a reader need not trust chance.
CASE: Final = fold(entries(*LOOP))
ABOUT: Final = POSTS["window-3"].window


def knows(connection: psycopg.Connection, register: Register, by: Actor, row: DocketRow | None, at: datetime) -> bool:
    """Say whether somebody may know of a case, asked of the program."""
    assert row is not None
    answer = may_know(connection, viewer(register, by, at), row)
    assert answer == may(register, by, at, of_row(row))
    return answer


MARCH: Final = local("03-10")
WATCHING: Final = {
    "desk": DESK,
    "counter": COUNTER,
    "approval-handler": HANDLER,
    "approval-head": HEAD,
    "supervisor": SUPERVISOR,
    "revisits": REVISITOR,
}
"""A post of every kind that sees the closed case of the controls."""


def hiring(who: PersonKey, post: Code, since: datetime, until: datetime | None = None) -> Register:
    """Give the register after somebody took a post, and perhaps left it."""
    taken = [PostTaken(at=since, by=THE_SYSTEM, post=post, person=who, since=since)]
    left = [] if until is None else [PostLeft(at=until, by=THE_SYSTEM, post=post, person=who, until=until)]
    return REGISTER.fold([*taken, *left], FACTS.register)


@pytest.mark.parametrize("post", WATCHING)
def test_whoever_it_is_about_never_knows_of_it(connection: psycopg.Connection, post: str) -> None:
    """The person complained of sees the case in no post, where anybody else in that post would."""
    assert knows(connection, FACTS.register, WATCHING[post], CASE, MARCH)
    register = hiring(FENG, post, local("03-05"))
    assert not knows(connection, register, actor(FENG, post), CASE, MARCH)
    acting_for = replace(WATCHING[post], on_behalf_of=FENG)
    assert not knows(connection, FACTS.register, acting_for, CASE, MARCH)


@pytest.mark.parametrize(
    ("since", "until", "seen"),
    [
        (local("01-06"), local("02-12", "10:00"), True),  # left at that very moment
        (local("01-06"), local("02-12", "10:01"), False),  # was there when it happened
        (local("02-12", "10:01"), local("02-13", "18:30"), True),  # came after it, left before the complaint
        (local("02-13", "18:30"), local("02-20"), False),  # was there when the complaint came
        (local("02-14"), local("03-01"), True),  # was there between, when nothing happened
        (local("03-01"), None, False),  # serves there now
    ],
)
@pytest.mark.parametrize("post", WATCHING)
def test_who_served_at_the_window_then_or_now_never_knows_of_it(
    connection: psycopg.Connection, post: str, since: datetime, until: datetime | None, *, seen: bool
) -> None:
    """Wherever they serve meanwhile: when it happened, when the complaint came, and who serves there today."""
    who = WATCHING[post].person
    register = hiring(who, "window-3", since, until)
    assert knows(connection, register, WATCHING[post], CASE, MARCH) is seen


def test_a_deputy_knows_what_the_absent_one_may_know_and_nothing_that_either_must_not(
    connection: psycopg.Connection,
) -> None:
    """Of a sealed case that is in the hands of the absent one, too; not where either of them is complained of."""
    sealed = fold(entries(registered(confidentiality=Confidentiality.SEALED), *LOOP[1:5]))

    def stands_in(who: PersonKey, row: DocketRow | None) -> bool:
        lent = DeputyAppointed(
            at=MARCH, by=THE_SYSTEM, post="approval-handler", absent=WANG, deputy=who, since=MARCH, until=None
        )
        register = REGISTER.evolve(FACTS.register, lent)
        by = Actor(person=who, post="approval-handler", role=Role.HANDLER, on_behalf_of=WANG)
        return knows(connection, register, by, row, MARCH)

    assert stands_in(STRANGER, sealed)
    assert not knows(connection, FACTS.register, actor(QIAN, "approval-handler"), sealed, MARCH)
    assert not stands_in(FENG, sealed)
    assert not stands_in(STRANGER, fold(entries(registered(respondent=Respondent(staff=WANG)), *LOOP[1:5])))
    assert not stands_in(STRANGER, fold(entries(registered(complainant=WANG), *LOOP[1:5])))


@pytest.mark.parametrize("post", WATCHING)
def test_who_complained_knows_of_it_as_a_citizen_only(connection: psycopg.Connection, post: str) -> None:
    """Staff who complained, for themselves or for somebody, do not watch over their own case."""
    by = WATCHING[post]
    row = fold(entries(registered(complainant=by.person), *LOOP[1:]))
    assert not knows(connection, FACTS.register, by, row, MARCH)
    assert knows(connection, FACTS.register, Actor(person=by.person, role=Role.CITIZEN), row, MARCH)
    for_somebody = registered(by=Actor(person=by.person, role=Role.CITIZEN, on_behalf_of=COMPLAINANT))
    assert not knows(connection, FACTS.register, by, fold(entries(for_somebody, *LOOP[1:])), MARCH)


def test_a_citizen_knows_of_their_own_cases_only(connection: psycopg.Connection) -> None:
    """Also of a sealed one; an agent with a mandate as well; a stranger of none."""
    row = fold(entries(registered(confidentiality=Confidentiality.SEALED), *LOOP[1:]))
    mine = Actor(person=COMPLAINANT, role=Role.CITIZEN)
    assert knows(connection, FACTS.register, mine, row, MARCH)
    stranger = Actor(person=STRANGER, role=Role.CITIZEN)
    assert not knows(connection, FACTS.register, stranger, row, MARCH)
    assert knows(connection, FACTS.register, replace(stranger, on_behalf_of=COMPLAINANT), row, MARCH)


@pytest.mark.parametrize("post", WATCHING)
def test_whom_the_finding_names_does_not_know_of_it(connection: psycopg.Connection, post: str) -> None:
    """From the finding on, though nobody complained of them."""
    by = WATCHING[post]
    named = but(FOUND, responsibility=(but(FOUND.responsibility[0], staff=by.person), *FOUND.responsibility))
    story = [named if event is FOUND else event for event in LOOP]
    assert not knows(connection, FACTS.register, by, fold(entries(*story)), MARCH)
    (blamed,) = {row.responsible for row in [fold(entries(*story))] if row is not None}
    assert blamed == (by.person, FENG)


def test_a_sealed_case_stays_in_its_circle(connection: psycopg.Connection) -> None:
    """Not the counter, not the colleagues of the handler; the desk only while there is none above."""
    sealed = registered(confidentiality=Confidentiality.SEALED)
    row = fold(entries(sealed, *LOOP[1:]))
    seeing = {post for post, by in WATCHING.items() if knows(connection, FACTS.register, by, row, MARCH)}
    assert seeing == set(WATCHING) - {"counter"}
    assert not knows(connection, FACTS.register, actor(QIAN, "approval-handler"), row, MARCH)
    unassigned = replace(row, handler=None) if row is not None else None
    assert knows(connection, FACTS.register, actor(QIAN, "approval-handler"), unassigned, MARCH)


def above(*, held: bool) -> Register:
    """Give the register with a city above the hall, and a desk there that somebody holds, or held once."""
    city = Site(code="CITY", name_zh="市", name_en="City", level=SiteLevel.DISTRICT)
    desk = Post(code="city-desk", name_zh="市投诉台", name_en="City desk", role=Role.DISPATCHER, site="CITY")
    register = REGISTER.evolve(FACTS.register, SiteAdded(at=local("01-05"), by=THE_SYSTEM, entry=city))
    hall = replace(register.sites["GXQ"], parent="CITY")
    register = replace(
        register,
        sites=MappingProxyType({**register.sites, "GXQ": hall}),
        posts=MappingProxyType({**register.posts, "city-desk": desk}),
    )
    since, until = local("01-06"), local("02-01")
    taken = PostTaken(at=since, by=THE_SYSTEM, post="city-desk", person=STRANGER, since=since)
    left = PostLeft(at=until, by=THE_SYSTEM, post="city-desk", person=STRANGER, until=until)
    return REGISTER.fold([taken] if held else [taken, left], register)


def test_a_case_sealed_from_the_desk_goes_to_the_desk_above(connection: psycopg.Connection) -> None:
    """While somebody sits there: else nobody could accept it, and every complaint is accepted."""
    row = fold(entries(registered(confidentiality=Confidentiality.SEALED)))
    city = Actor(person=STRANGER, post="city-desk", role=Role.DISPATCHER)
    assert not knows(connection, above(held=True), DESK, row, MARCH)
    assert knows(connection, above(held=True), city, row, MARCH)
    assert knows(connection, above(held=False), DESK, row, MARCH)
    normal = fold(entries(REGISTERED))
    assert knows(connection, above(held=True), DESK, normal, MARCH)
    assert knows(connection, above(held=True), city, normal, MARCH)


def test_a_complaint_about_a_hall_nobody_entered_is_not_lost(connection: psycopg.Connection) -> None:
    """Desk and supervision at the top of the register see it, those below do not; once entered it is the hall's."""
    row = fold(entries(registered(hall="GQX")))
    for by in (DESK, SUPERVISOR):
        assert knows(connection, FACTS.register, by, row, MARCH)
        assert not knows(connection, above(held=True), by, row, MARCH)
    assert knows(
        connection, above(held=True), Actor(person=STRANGER, post="city-desk", role=Role.DISPATCHER), row, MARCH
    )
    entered = Site(code="GQX", name_zh="另一厅", name_en="Another hall", level=SiteLevel.DISTRICT)
    register = REGISTER.evolve(FACTS.register, SiteAdded(at=local("01-05"), by=THE_SYSTEM, entry=entered))
    assert not knows(connection, register, DESK, row, MARCH)


def test_an_assisting_unit_does_not_revisit(connection: psycopg.Connection) -> None:
    """Who belongs to the unit that led, or to one that helped, is not shown the case to call about."""
    by = REVISITOR
    for post in ("approval-head", "tax-handler"):
        assert not knows(connection, hiring(by.person, post, local("02-20")), by, CASE, MARCH)
    assert not knows(connection, FACTS.register, by, fold(entries(*LOOP[:4])), MARCH)


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.ADMINISTRATOR, Role.RESPONDENT, Role.VERIFIER, Role.PANEL])
def test_a_role_nobody_named_sees_nothing(connection: psycopg.Connection, role: Role) -> None:
    """Whoever forgets to say what a role may see has closed it."""
    post = replace(POSTS["approval-head"], code="odd", role=role, window="W00")
    register = replace(FACTS.register, posts=MappingProxyType({**FACTS.register.posts, "odd": post}))
    register = replace(register, tenures=(*register.tenures, Tenure(post="odd", person=ZHENG, since=local("01-06"))))
    by = Actor(person=ZHENG, post="odd", role=role)
    for upto in range(1, len(LOOP) + 1):
        assert not knows(connection, register, by, fold(entries(*LOOP[:upto])), MARCH)


def test_a_post_that_is_not_in_the_register_sees_nothing(connection: psycopg.Connection) -> None:
    """Nor does staff without a post."""
    for role in Role:
        for post in (None, "nowhere"):
            by = Actor(person=LI, post=post, role=role)
            assert CASE is not None
            assert not may_know(connection, viewer(FACTS.register, by, MARCH), CASE)


# The third way: from what the rules remember of a case, and from the docket as the log fills it.


def of_case(history: Sequence[Event]) -> Known:
    """Read what decides from the rules and from how the complaint came."""
    case = COMPLAINT.fold(history)
    registered = history[0]
    assert case is not None
    assert isinstance(registered, Registered)
    corrected = [event.respondent for event in history if isinstance(event, RecordCorrected) and event.respondent]
    about = [registered.respondent, *corrected, *case.also_about]
    said = case.recusals.values()
    return Known(
        hall=case.hall,
        sealed=case.sealed,
        step=case.step,
        ledger=False,
        restricted=case.keeping.restricted,
        complainants=case.made_by | case.joined_by,
        complainant=registered.complainant,
        registered_by=registered.by.person,
        intake_window=registered.window,
        moments=case.noticed,
        blamed=frozenset(who for who in (*(one.staff for one in about), *case.responsible, *case.stated) if who),
        windows=frozenset(one.window for one in about if one.window is not None),
        out=frozenset(one.target for one in said if one.granted),
        may_be_out=frozenset(one.target for one in said if one.granted is None),
        department=case.department,
        departments=case.departments,
        called=frozenset(one.department for one in case.calls.values()),
        handler=case.handler,
        put_before=case.review_level > 0 or (case.step in OPEN and any(one.granted is None for one in said)),
        answered=case.answered_with is not None,
    )


def test_the_docket_shows_what_the_rules_remember(connection: psycopg.Connection) -> None:
    """Stories told by chance, seen by everybody there is: the condition in the database and the rule agree."""
    told = [story for story in stories()[::2] if story.history]
    by_case = {key(f"story-{n}"): story for n, story in enumerate(told)}
    at = max(story.now for story in told)
    table = {case: fold(entries(*story.history, case=case)) for case, story in by_case.items()}
    keep(connection, [row for row in table.values() if row is not None])
    known = {case: of_case(story.history) for case, story in by_case.items()}
    seen: Counter[Role] = Counter()
    actors = {by for by in ANYBODY if by.role is not Role.RESPONDENT}
    for by in sorted(actors, key=str):
        for one in (by, replace(by, on_behalf_of=FENG)):
            allowed = {case for case, one_known in known.items() if may(BEFORE.register, one, at, one_known)}
            found = {row.case for row in listed(connection, viewer(BEFORE.register, one, at), Wanted(), size=100)}
            assert found == allowed, (one, found ^ allowed)
            seen[by.role] += len(found)
    assert min(seen[role] for role in {post.role for post in OFFICES.values()}) > 5, seen


def acts(stories: Iterable[Story]) -> Iterable[tuple[Register, Actor, DocketRow, datetime, Event]]:
    """Give everything that staff did in stories told by chance, with the case as it stood before."""
    for story in stories:
        row = None
        for event, facts, entry in zip(story.history, story.known, entries(*story.history), strict=True):
            if row is not None and event.by.role not in {Role.CITIZEN, Role.SYSTEM, Role.RESPONDENT}:
                yield facts.register, event.by, row, event.at, event
            row = DOCKET.evolve(row, entry)


SAID_BY_ANYBODY: Final = (RecusalRequested, ComplainantNotified, ErasureRequested, AcknowledgementIssued)
"""What may be written down without finding the case on a list: whoever comes to any counter is served."""


def test_whoever_may_act_may_know(connection: psycopg.Connection) -> None:
    """What the rules let somebody do is never hidden from them, but for a clerk of another counter.

    A case that has ended and is restricted is hidden whatever may be done with it, and of a sealed one the head of a
    unit that was called in answers alone.
    """
    done: Counter[Role] = Counter()
    hidden: Counter[str] = Counter()
    for register, by, row, at, event in acts(stories()):
        if isinstance(event, SAID_BY_ANYBODY) or by.role is Role.INTAKE:
            continue
        if row.restricted and row.step in TERMINAL:
            continue
        if row.confidentiality is Confidentiality.SEALED and isinstance(event, UnitAnswered):
            continue
        if not may_know(connection, viewer(register, by, at), row):
            hidden[f"{type(event).__name__} by {by.role}"] += 1
        done[by.role] += 1
    assert hidden == Counter(), hidden
    assert min(done[role] for role in {post.role for post in OFFICES.values()} - {Role.INTAKE, Role.AUDITOR}) > 5
