"""A visit is opened once, with who served as it was then; whoever was served is invited to rate it, for a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import occasion
from domain.decider import THE_SYSTEM, Actor, Role
from domain.errors import (
    AlreadyReviewed,
    AlreadyThere,
    NobodyServed,
    NoPolicy,
    NotYourRole,
    TooEarly,
    TooLate,
    Unknown,
    UnknownReference,
)
from domain.occasion import stream
from domain.register import REGISTER, DeputyAppointed, PostLeft, PostTaken, Window, WindowAdded, WindowKind
from domain.review import Attribution, Submitted
from domain.rulebook import Profile, Rulebook
from tests.hall import (
    CITIZEN,
    COUNTER,
    ENTERED,
    FENG,
    HEAD,
    STRANGER,
    WANG,
    key,
    later,
    local,
    sealed,
    until,
)
from tests.visits import (
    EXPIRE,
    EXPIRED,
    FACTS,
    INVITE,
    INVITED,
    LAST,
    LEDGER,
    OF_LEDGER,
    OPEN,
    OPENED,
    PROJECT,
    REVIEWED,
    SECOND_TOKEN,
    SERVED,
    SUBMIT,
    VISIT,
    visit,
    without_calendar,
)

# Opened.


def test_a_visit_is_opened_with_who_served_and_until_when_it_may_be_rated() -> None:
    """Department, window, item and person are frozen; seven natural days end on the first day that is no holiday."""
    visit().when(OPEN).then([OPENED])


def test_one_service_of_a_project_is_one_visit() -> None:
    """Each number of a project has a stream of its own, and the same number always the same."""
    assert stream(PROJECT, 1) == VISIT
    assert len({stream(PROJECT, 1), stream(PROJECT, 2), stream(f"{PROJECT}:1", 1), occasion.review_of(VISIT)}) == 4
    assert stream("12", 3) != stream("1", 23)


def test_a_visit_sent_again_is_nothing_new() -> None:
    """Whoever got no answer sends it again: later, by somebody else, sealed anew."""
    visit(OPENED).when(OPEN).then_nothing()
    visit(OPENED).when(
        replace(OPEN, at=later(OPEN.at, hours=5), by=COUNTER, name=sealed("anew"), phone=None)
    ).then_nothing()
    visit(OPENED, INVITED, REVIEWED).when(OPEN).then_nothing()
    visit(OPENED, facts=replace(FACTS, rulebook_version=6)).when(OPEN).then_nothing()
    visit(OPENED, facts=without_calendar()).when(OPEN).then_nothing()
    visit(OF_LEDGER).when(LEDGER).then_nothing()


def test_a_visit_sent_again_may_name_what_the_register_told() -> None:
    """The department of the window and the person there are the same visit, whoever works there by then."""
    visit(OPENED).when(replace(OPEN, department="approval", staff=FENG)).then_nothing()
    visit(OPENED).when(replace(OPEN, staff=WANG)).then_refused(AlreadyThere)
    gone = PostLeft(at=OPENED.at, by=THE_SYSTEM, post="window-3", person=FENG, until=OPEN.served_at or OPENED.at)
    moved = replace(FACTS, register=REGISTER.evolve(FACTS.register, gone))
    visit(OPENED, facts=moved).when(OPEN).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        {"served_at": local("02-13", "09:59")},
        {"served_at": None},
        {"seconds": 541},
        {"window": "W04"},
        {"window": None},
        {"item": None},
        {"department": "tax"},
        {"channel": occasion.ServiceChannel.ONLINE},
        {"applicant": STRANGER},
        {"agent": STRANGER},
        {"profile": Profile.LEDGER},
    ],
)
def test_another_visit_under_the_same_number_is_a_mistake(other: dict[str, object]) -> None:
    """Another time, place or person: what was told first stays (已存在该条服务信息)."""
    command = replace(OPEN, **other)  # type: ignore[arg-type]
    visit(OPENED).when(command).then_refused(AlreadyThere, project_no=PROJECT, service_number=1)


def test_a_visit_at_another_hall_under_the_same_number_is_a_mistake() -> None:
    """Also where the rest agrees."""
    elsewhere = replace(OPENED, hall="JD")
    visit(elsewhere).when(OPEN).then_refused(AlreadyThere)


@pytest.mark.parametrize(
    ("kind", "value"), [("hall", "MOON"), ("window", "W99"), ("item", "nothing"), ("department", "nobody")]
)
def test_a_visit_names_what_the_register_knows(kind: str, value: str) -> None:
    """A hall, a window, an item or a department that nobody entered is refused and named."""
    visit().when(replace(OPEN, **{kind: value})).then_refused(UnknownReference, kind=kind, value=value)  # type: ignore[arg-type]


def test_a_halls_visit_says_whose_it_was() -> None:
    """Or a bad rating of it would be nobody's to answer; a ledger's is only counted."""
    visit().when(replace(OPEN, window=None, item=None)).then_refused(NobodyServed)
    visit().when(replace(OPEN, window="W00", item=None)).then_refused(NobodyServed)
    visit().when(LEDGER).then([OF_LEDGER])


@pytest.mark.parametrize(
    ("told", "served"),
    [
        ({}, SERVED),
        ({"item": None}, replace(SERVED, item=None)),
        ({"window": "W04"}, replace(SERVED, window="W04", staff=None)),
        ({"window": None}, replace(SERVED, window=None, staff=None)),
        ({"window": "W00"}, replace(SERVED, window="W00", staff=None)),
        ({"department": "tax"}, replace(SERVED, department="tax")),
        ({"window": None, "item": None, "department": "tax"}, Attribution(
            department="tax", window=None, item=None, staff=None)),
        ({"staff": STRANGER}, replace(SERVED, staff=STRANGER)),
        ({"window": None, "staff": STRANGER}, replace(SERVED, window=None, staff=STRANGER)),
    ],
)  # fmt: skip
def test_who_served_is_what_was_told_or_what_the_register_says(told: dict[str, object], served: Attribution) -> None:
    """The named department, else that of the window, else that of the item; the named person, else who was alone."""
    assert visit().when(replace(OPEN, **told)).event.attribution == served  # type: ignore[arg-type]


def test_who_served_is_unknown_where_two_might_have() -> None:
    """Two at a window, or one with a deputy; and whoever came later or had left did not."""
    second = PostTaken(at=ENTERED, by=THE_SYSTEM, post="window-3", person=STRANGER, since=ENTERED)
    two = replace(FACTS, register=REGISTER.evolve(FACTS.register, second))
    assert visit(facts=two).when(OPEN).event.attribution.staff is None
    deputy = DeputyAppointed(
        at=ENTERED, by=THE_SYSTEM, post="window-3", absent=FENG, deputy=WANG, since=local("02-13", "08:00"),
        until=local("02-13", "12:00"),
    )  # fmt: skip
    lent = replace(FACTS, register=REGISTER.evolve(FACTS.register, deputy))
    assert visit(facts=lent).when(OPEN).event.attribution.staff is None
    after = replace(OPEN, at=local("02-13", "12:05"), served_at=local("02-13", "12:00"))
    assert visit(facts=lent).when(after).event.attribution.staff == FENG
    newcomer = replace(second, since=local("02-13", "10:01"))
    late = replace(FACTS, register=REGISTER.evolve(FACTS.register, newcomer))
    assert visit(facts=late).when(OPEN).event.attribution.staff == FENG
    before = replace(OPEN, served_at=local("02-09", "10:00"))
    assert visit().when(before).event.attribution.staff is None, "two served there until the 10th"


def test_another_hall_window_does_not_name_who_served() -> None:
    """Whoever holds a post at another window served there, and not here."""
    fifth = Window(
        code="W05", name_zh="五号窗口", name_en="Window 5", site="GXQ", department="tax", kind=WindowKind.SERVICE
    )
    facts = replace(
        FACTS, register=REGISTER.evolve(FACTS.register, WindowAdded(at=ENTERED, by=THE_SYSTEM, entry=fifth))
    )
    assert visit(facts=facts).when(replace(OPEN, window="W05")).event.attribution == replace(
        SERVED, department="tax", window="W05", staff=None
    )


def test_a_clock_that_runs_ahead_gives_nobody_more_time() -> None:
    """A case system's time is kept as it was told; limits run from ours (domain.md §14 case 12)."""
    ahead = local("03-01")
    opened = visit().when(replace(OPEN, served_at=ahead)).event
    assert (opened.served_at, opened.review_until) == (ahead, until("02-24"))
    assert opened.attribution == SERVED, "who served is looked up at our time too"
    submitted = visit(opened, INVITED).when(SUBMIT).events[1]
    assert isinstance(submitted, Submitted)
    assert submitted.seconds_since_service is not None
    assert submitted.seconds_since_service < 0


def test_a_visit_without_a_time_is_rated_from_when_it_was_told() -> None:
    """The window runs from our record of it, and the seconds stay unknown."""
    opened = visit().when(replace(OPEN, served_at=None)).event
    assert (opened.served_at, opened.review_until) == (None, until("02-24"))
    submitted = visit(opened, INVITED).when(SUBMIT).events[1]
    assert isinstance(submitted, Submitted)
    assert submitted.seconds_since_service is None


def test_a_visit_told_after_days_has_its_days_from_the_service() -> None:
    """Whoever reports it late lengthens nothing."""
    opened = visit().when(replace(OPEN, at=local("02-25"), served_at=local("02-13", "10:00"))).event
    assert opened.review_until == until("02-24")
    visit(opened).when(replace(INVITE, at=local("02-25"))).then_refused(TooLate)


@pytest.mark.parametrize("by", [CITIZEN, HEAD, Actor(person=STRANGER, role=Role.INTAKE)])
def test_a_visit_is_told_by_the_case_system_or_a_counter(by: Actor) -> None:
    """Nobody else, nor whoever only says that they hold the post; and nobody at all without rules."""
    visit().when(replace(OPEN, by=by)).then_refused(NotYourRole)
    visit().when(replace(LEDGER, by=COUNTER)).then_refused(NotYourRole)
    visit(facts=replace(FACTS, rulebook=Rulebook())).when(OPEN).then_refused(NoPolicy)


# Invited.


def test_an_invitation_is_for_as_long_as_the_visit_may_be_rated() -> None:
    """Sent again it is nothing new; another medium has another token."""
    visit(OPENED).when(INVITE).then([INVITED])
    visit(OPENED, INVITED).when(INVITE).then_nothing()
    visit(OPENED, INVITED, REVIEWED).when(INVITE).then_nothing()
    second = replace(INVITE, medium=occasion.Medium.SMS, token=SECOND_TOKEN, invitation=key("second"))
    event = visit(OPENED, INVITED).when(second).event
    assert (event.medium, event.token, event.until) == (occasion.Medium.SMS, SECOND_TOKEN, until("02-24"))


def test_nobody_is_invited_to_what_cannot_be_rated() -> None:
    """Not to a visit that is not there, was rated, or whose time is over; nor by whom it does not concern."""
    second = replace(INVITE, token=SECOND_TOKEN)
    visit().when(INVITE).then_refused(Unknown)
    visit(OPENED, INVITED, REVIEWED).when(second).then_refused(AlreadyReviewed)
    visit(OPENED).when(replace(second, at=EXPIRE.at)).then_refused(TooLate)
    visit(OPENED).when(replace(second, at=LAST)).then([replace(INVITED, at=LAST, token=SECOND_TOKEN)])
    visit(OPENED, EXPIRED).when(second).then_refused(TooLate)
    visit(OPENED).when(replace(INVITE, by=CITIZEN)).then_refused(NotYourRole, command="occasion/invite")
    visit(OF_LEDGER).when(replace(INVITE, by=THE_SYSTEM)).then_refused(NotYourRole)


# Never rated.


def test_silence_ends_the_time_and_is_no_rating() -> None:
    """One event, without a grade; again it is nothing new (domain.md F2)."""
    visit(OPENED, INVITED).when(EXPIRE).then([EXPIRED])
    visit(OPENED).when(EXPIRE).then([EXPIRED])
    visit(OPENED, EXPIRED).when(EXPIRE).then_nothing()
    visit(OPENED, INVITED, REVIEWED).when(EXPIRE).then_nothing()


def test_the_time_to_rate_does_not_end_early() -> None:
    """Not at its last instant, not while nobody knows the days, never where none runs, and not by a person."""
    visit(OPENED).when(replace(EXPIRE, at=LAST)).then_refused(TooEarly)
    visit(OPENED, facts=without_calendar()).when(EXPIRE).then_refused(TooEarly)
    visit(replace(OPENED, review_until=None)).when(replace(EXPIRE, at=local("12-31"))).then_refused(TooEarly)
    visit(OPENED).when(replace(EXPIRE, by=COUNTER)).then_refused(NotYourRole, command="occasion/expire")
    visit(OPENED).when(replace(EXPIRE, by=CITIZEN)).then_refused(NotYourRole, command="occasion/expire")
    visit().when(EXPIRE).then_refused(Unknown)


def test_a_limit_that_was_not_sure_is_counted_anew() -> None:
    """When the days are known it ends by them; never before it was told, and never while they are unknown."""
    told = replace(OPENED, review_until=until("02-20", provisional=True))
    visit(told, facts=without_calendar()).when(EXPIRE).then_refused(TooEarly)
    visit(told).when(replace(EXPIRE, at=LAST)).then_refused(TooEarly)
    visit(told).when(EXPIRE).then([EXPIRED])
    visit(told, INVITED).when(replace(SUBMIT, at=EXPIRE.at)).then_refused(TooLate)
    visit(told).when(replace(INVITE, at=local("02-23"))).then([replace(INVITED, at=local("02-23"))])
    later = replace(OPENED, review_until=until("02-25", provisional=True))
    visit(later).when(EXPIRE).then_refused(TooEarly)
    visit(later).when(replace(EXPIRE, at=local("02-26"))).then([replace(EXPIRED, at=local("02-26"))])
    # A clock that ran ahead buys no time.
    ahead = replace(told, served_at=local("02-16"))
    visit(ahead).when(EXPIRE).then([EXPIRED])


def test_nobody_is_late_where_nobody_knows_the_days() -> None:
    """While the calendar is unknown a rating is in time."""
    assert len(visit(OPENED, INVITED, facts=without_calendar()).when(replace(SUBMIT, at=EXPIRE.at)).events) == 2


def test_a_history_that_lost_its_beginning_still_loads() -> None:
    """What is read never refuses: without a visit, nothing becomes of it."""
    for event in (INVITED, REVIEWED, EXPIRED):
        assert visit(event).state is None
