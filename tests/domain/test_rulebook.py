"""Policies, calendars and categories come into force one after the other, and nothing of them is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.deadlines import CalendarDay, DayKind, Layer
from domain.decider import THE_SYSTEM, Actor, Role
from domain.errors import AlreadyThere, NotYourRole, OutOfTurn, UnfitPolicy, UnknownReference
from domain.rulebook import (
    RULEBOOK,
    AdoptCalendar,
    AdoptCategories,
    AdoptPolicy,
    AdoptStages,
    CalendarAdopted,
    CategoriesAdopted,
    Category,
    Permission,
    PolicyAdopted,
    Rulebook,
    RulebookCommand,
    RulebookEvent,
    Stage,
    StagesAdopted,
)
from tests.controls import REGISTRATION, case
from tests.hall import CALENDAR_2026, CATEGORIES, ENTERED, FACTS, HALL, LEDGER, STRANGER, WEI, later, local
from tests.specification import Given, given

ADMINISTRATOR = Actor(person=STRANGER, role=Role.ADMINISTRATOR)
NOW = later(ENTERED, days=1)
ADOPT = AdoptPolicy(at=NOW, by=ADMINISTRATOR, policy=HALL)
ADOPTED = PolicyAdopted(at=NOW, by=ADMINISTRATOR, policy=HALL, in_force_from=NOW)
YEAR = AdoptCalendar(at=NOW, by=ADMINISTRATOR, calendar=CALENDAR_2026)
YEAR_ADOPTED = CalendarAdopted(at=NOW, by=ADMINISTRATOR, calendar=CALENDAR_2026)
LIST = AdoptCategories(at=NOW, by=ADMINISTRATOR, version=1, categories=CATEGORIES)
LISTED = CategoriesAdopted(at=NOW, by=ADMINISTRATOR, version=1, categories=CATEGORIES)


def book(*history: RulebookEvent) -> Given[Rulebook, RulebookCommand, RulebookEvent, object]:
    """Begin a sentence about the rulebook."""
    return given(RULEBOOK, *history, facts=None)


def test_a_policy_comes_into_force_when_it_is_adopted() -> None:
    """The same again is nothing new; the next has the next number, and no number is given twice."""
    book().when(ADOPT).then([ADOPTED])
    book(ADOPTED).when(ADOPT).then_nothing()
    second = replace(HALL, version=2, attempts_required=5)
    assert book(ADOPTED).when(replace(ADOPT, policy=second)).event.policy == second
    book(ADOPTED).when(replace(ADOPT, policy=replace(second, version=1))).then_refused(AlreadyThere, version=1, last=1)
    book(ADOPTED).when(replace(ADOPT, policy=replace(second, version=3))).then_refused(OutOfTurn, version=3, last=1)
    book().when(replace(ADOPT, policy=second)).then_refused(OutOfTurn, version=2, last=0)
    book().when(replace(ADOPT, policy=replace(HALL, version=0))).then_refused(AlreadyThere)


def test_the_policy_of_a_moment_is_the_last_one_adopted_before_it() -> None:
    """Each profile has its own line; the past keeps the policy it had."""
    second = PolicyAdopted(
        at=later(NOW, days=1), by=ADMINISTRATOR, policy=replace(HALL, version=2), in_force_from=later(NOW, days=1)
    )
    ledger = PolicyAdopted(at=later(NOW, days=2), by=ADMINISTRATOR, policy=LEDGER, in_force_from=later(NOW, days=2))
    rules = book(ADOPTED, second, ledger).state
    assert rules.policy("hall", later(NOW, microseconds=-1)) is None
    for moment, version in ((NOW, 1), (later(NOW, hours=23), 1), (later(NOW, days=1), 2), (later(NOW, days=9), 2)):
        found = rules.policy("hall", moment)
        assert found is not None
        assert found.version == version
    latest = rules.latest("hall")
    assert latest is not None
    assert latest.version == 2
    assert rules.latest("lgsco") is None


def test_the_newest_ledger_policy_measures_all_of_the_past() -> None:
    """What is imported happened before anything was adopted here."""
    ledger = PolicyAdopted(at=later(NOW, days=2), by=ADMINISTRATOR, policy=LEDGER, in_force_from=later(NOW, days=2))
    assert book(ADOPTED, ledger).state.policy("ledger", later(NOW, days=-5000)) == LEDGER
    assert book(ADOPTED).state.policy("ledger", NOW) is None


def test_a_policy_answers_by_key_and_by_role() -> None:
    """What it does not name has no limit and is allowed to nobody."""
    assert HALL.term("complaint.handle.simple") is not None
    assert HALL.term("no.such") is None
    assert HALL.allows("accept", Role.DISPATCHER)
    assert not HALL.allows("accept", Role.HANDLER)
    assert not HALL.allows("no-such", Role.DISPATCHER)
    twice = (Permission(command="accept", roles=()), Permission(command="accept", roles=(Role.PANEL,)))
    assert replace(HALL, permissions=twice).allows("accept", Role.PANEL)
    assert HALL.zone_info().key == "Asia/Shanghai"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Asia", "tzdata.zi", "..", "/etc/localtime", "UTC+8", ""])
def test_a_policy_names_a_zone_that_exists(zone: str) -> None:
    """Else no day could be counted, and the next complaint could not even be registered."""
    book().when(replace(ADOPT, policy=replace(HALL, zone=zone))).then_refused(UnknownReference, kind="zone", value=zone)


@pytest.mark.parametrize(
    "unfit",
    [
        {"attempts_required": 0},
        {"attempts_required": -1},
        {"attempt_days_required": 0},
        {"attempt_days_required": 4},
        {"terms": (*HALL.terms, HALL.terms[0])},
    ],
)
def test_a_policy_cannot_call_people_unreachable_untried(unfit: dict[str, object]) -> None:
    """At least one attempt on one day, not on more days than attempts; and each limit stands there once."""
    policy = replace(HALL, **unfit)  # type: ignore[arg-type]
    book().when(replace(ADOPT, policy=policy)).then_refused(UnfitPolicy)


def test_a_calendar_is_adopted_year_by_year_and_version_by_version() -> None:
    """A correction has the next number; what any version said before is nothing new."""
    book().when(YEAR).then([YEAR_ADOPTED])
    book(YEAR_ADOPTED).when(YEAR).then_nothing()
    corrected = replace(CALENDAR_2026, version=2, days=())
    correction = book(YEAR_ADOPTED).when(replace(YEAR, calendar=corrected)).event
    assert correction.calendar == corrected
    book(YEAR_ADOPTED, correction).when(YEAR).then_nothing()
    book(YEAR_ADOPTED).when(replace(YEAR, calendar=replace(corrected, version=1))).then_refused(AlreadyThere)
    book(YEAR_ADOPTED).when(replace(YEAR, calendar=replace(corrected, version=3))).then_refused(OutOfTurn)


def test_each_layer_and_place_counts_its_own_versions() -> None:
    """The region's first calendar of a year the nation has published is its number one."""
    feast = CalendarDay(day=date(2026, 7, 13), kind=DayKind.HOLIDAY)
    region = replace(CALENDAR_2026, layer=Layer.REGION, jurisdiction="CN-15", days=(feast,))
    adopted = book(YEAR_ADOPTED).when(replace(YEAR, calendar=region)).event
    rules = book(YEAR_ADOPTED, adopted).state
    assert rules.calendar.kind(date(2026, 7, 13)) is DayKind.HOLIDAY
    assert rules.calendar.kind(date(2026, 7, 14)) is DayKind.WORK
    assert len(rules.years) == 2


def test_the_newest_version_of_a_year_is_what_counts() -> None:
    """A holiday that was taken back is worked again."""
    corrected = replace(CALENDAR_2026, version=2, days=())
    rules = book(YEAR_ADOPTED, replace(YEAR_ADOPTED, calendar=corrected)).state
    assert book(YEAR_ADOPTED).state.calendar.kind(date(2026, 2, 14)) is DayKind.WORK
    assert rules.calendar.kind(date(2026, 2, 14)) is DayKind.REST
    assert rules.calendar.kind(date(2026, 2, 17)) is DayKind.WORK


def test_categories_are_adopted_as_a_list() -> None:
    """A category that is not in the newest list is not offered any more."""
    book().when(LIST).then([LISTED])
    book(LISTED).when(LIST).then_nothing()
    shorter = replace(LIST, version=2, categories=CATEGORIES[:1])
    rules = book(LISTED, book(LISTED).when(shorter).event).state
    assert (rules.categories_version, list(rules.categories)) == (2, ["SHIRK"])
    book(LISTED).when(replace(shorter, version=1)).then_refused(AlreadyThere)
    book(LISTED).when(replace(shorter, version=3)).then_refused(OutOfTurn)
    book().when(replace(LIST, version=2)).then_refused(OutOfTurn)


def test_a_list_of_categories_is_sound() -> None:
    """A subtype names a parent of the same list, and no code stands there twice."""
    orphan = (Category(code="ARREARS", parent="BROKEN_PROMISE", name_zh="拖欠账款", name_en="Arrears"),)
    book().when(replace(LIST, categories=orphan)).then_refused(
        UnknownReference, kind="category", value="BROKEN_PROMISE"
    )
    twice = (*CATEGORIES, replace(CATEGORIES[0], name_en="Other"))
    book().when(replace(LIST, categories=twice)).then_refused(AlreadyThere, value="SHIRK")


COLLECT = Stage(code="COLLECT", name_zh="收集整理", name_en="Collecting", steps=("registered", "awaiting_supplement"))
CLOSING = Stage(code="FEED_BACK", name_zh="办结反馈", name_en="Closing", steps=("replied", "closed"))
NAMES = AdoptStages(at=NOW, by=ADMINISTRATOR, version=1, stages=(COLLECT, CLOSING))
NAMED = StagesAdopted(at=NOW, by=ADMINISTRATOR, version=1, stages=(COLLECT, CLOSING))


def test_a_step_goes_by_the_name_of_its_place() -> None:
    """Where no stage holds it, by its own; an empty list brings all of those back."""
    book().when(NAMES).then([NAMED])
    book(NAMED).when(NAMES).then_nothing()
    rules = book(NAMED).state
    assert (rules.stage("registered"), rules.stage("closed"), rules.stage("accepted")) == (COLLECT, CLOSING, None)
    back = replace(NAMES, version=2, stages=())
    assert book(NAMED, book(NAMED).when(back).event).state.stage("registered") is None
    book(NAMED).when(replace(back, version=3)).then_refused(OutOfTurn)


def test_a_step_has_one_name() -> None:
    """No step stands in two stages, and no stage stands there twice."""
    both = replace(CLOSING, steps=("registered",))
    book().when(replace(NAMES, stages=(COLLECT, both))).then_refused(AlreadyThere, value="registered")
    twice = replace(CLOSING, code="COLLECT")
    book().when(replace(NAMES, stages=(COLLECT, twice))).then_refused(AlreadyThere, value="COLLECT")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.SYSTEM}))
def test_only_an_administrator_adopts(role: Role) -> None:
    """Nobody who handles cases sets the limits they are measured by."""
    commands: list[RulebookCommand] = [ADOPT, YEAR, LIST, NAMES]
    for command in commands:
        book().when(replace(command, by=Actor(person=WEI, role=role))).then_refused(NotYourRole, role=role)
    assert book().when(replace(ADOPT, by=THE_SYSTEM)).event.policy == HALL


def test_a_case_keeps_the_rules_of_its_day() -> None:
    """A policy adopted after a complaint came in does not touch what was promised."""
    moment = local("02-13", "18:31")
    terms = tuple(replace(one, amount=0) if one.key == "complaint.accept_decision" else one for one in HALL.terms)
    stricter = replace(HALL, version=2, terms=terms)
    adopted = PolicyAdopted(at=moment, by=THE_SYSTEM, policy=stricter, in_force_from=moment)
    later_rules = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted), rulebook_version=5)
    before = case(facts=later_rules).when(REGISTRATION).events[0]
    after = case(facts=later_rules).when(replace(REGISTRATION, at=moment)).events[0]
    assert (before.accept_due.day, before.basis.policy.version) == (date(2026, 2, 14), 1)  # type: ignore[attr-defined]
    assert (after.accept_due.day, after.basis.policy.version) == (date(2026, 2, 13), 2)  # type: ignore[attr-defined]


def test_a_policy_gives_its_thresholds_by_name() -> None:
    """And none that it does not set."""
    assert HALL.number("draw.all_permille") == 10
    assert HALL.number("draw.flagged_permille") == 50
    assert HALL.number("draw.nothing") is None
    assert replace(HALL, numbers=()).number("draw.all_permille") is None
