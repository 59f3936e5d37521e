"""A complaint comes in: nothing keeps it out, everything about it is written down, and it is accepted in time."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from domain.complaint import Accept, AcknowledgementIssued, Event, QueryCodeReplaced, Registered, ReplaceQueryCode
from domain.complaint.intake import (
    REGISTRARS,
    Complexity,
    Confidentiality,
    HandlingClass,
    Severity,
)
from domain.complaint.state import IdentityMode, Respondent
from domain.decider import THE_SYSTEM, Actor, Role
from domain.errors import (
    AlreadyThere,
    NoPolicy,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    Unknown,
    UnknownReference,
)
from domain.handling import Basis, Facts
from domain.rulebook import RULEBOOK, PolicyAdopted, PolicyRef, Profile
from domain.sealed import Similar
from tests.controls import ACCEPTED, ACKNOWLEDGED, LOOP, REGISTERED, REGISTRATION, case, upto
from tests.hall import (
    BASIS,
    CITIZEN,
    COMPLAINANT,
    COUNTER,
    DESK,
    ENTERED,
    FACTS,
    FENG,
    HALL,
    LI,
    NUMBER,
    STRANGER,
    WEI,
    ZHENG,
    actor,
    key,
    later,
    leaving,
    local,
    until,
)

ACCEPT = Accept(
    at=ACCEPTED.at,
    by=DESK,
    category="SHIRK",
    severity=Severity.ORDINARY,
    complexity=Complexity.SIMPLE,
    handling_class=HandlingClass.FORWARD,
)
BARE = Facts(complaint_no=NUMBER)


def test_a_complaint_is_registered_and_its_maker_gets_a_receipt() -> None:
    """Whatever was told stands in the event, with the time by which it must be accepted."""
    case().when(REGISTRATION).then([REGISTERED, ACKNOWLEDGED])


def test_nothing_that_was_told_is_lost_on_the_way() -> None:
    """Every field of the command is a field of the event, with the same value; of a review the reference tells."""
    told = {field.name for field in fields(REGISTRATION)} - {"medium", "about_review"}
    registered, _ = case().when(REGISTRATION).events
    assert {name: getattr(registered, name) for name in told} == {name: getattr(REGISTRATION, name) for name in told}


def test_a_complaint_on_friday_evening_is_due_on_a_saturday_that_is_worked() -> None:
    """Domain.md §14 case 1: 13 February 2026, 18:30, one working day."""
    registered, _ = case().when(replace(REGISTRATION, at=local("02-13", "18:30"))).events
    assert isinstance(registered, Registered)
    assert registered.accept_due == until("02-14")


def test_days_are_counted_where_the_hall_is() -> None:
    """Half past midnight in the hall is the day before in UTC, and counts as the hall's day."""
    before, _ = case().when(replace(REGISTRATION, at=local("09-30", "00:30"))).events
    assert isinstance(before, Registered)
    assert before.accept_due == until("10-08")


@pytest.mark.parametrize("role", sorted(REGISTRARS))
def test_who_may_register_needs_no_post_and_no_policy(role: Role) -> None:
    """A person without any post is heard, before anything was entered or adopted."""
    by = Actor(person=STRANGER, role=role)
    registered = case(facts=BARE).when(replace(REGISTRATION, by=by)).events[0]
    assert isinstance(registered, Registered)
    assert registered.accept_due is None
    assert registered.basis == Basis(policy=None, rulebook=0)


@pytest.mark.parametrize("role", sorted(set(Role) - REGISTRARS))
def test_nobody_registers_in_a_role_that_judges_complaints(role: Role) -> None:
    """Who handles, approves or supervises complains as a citizen, or at the counter."""
    case().when(replace(REGISTRATION, by=Actor(person=WEI, role=role))).then_refused(NotYourRole, role=role)


def test_a_complaint_is_registered_while_the_year_has_no_calendar() -> None:
    """With a policy but no calendar nothing is promised, and nothing is refused."""
    only_policy = RULEBOOK.fold([PolicyAdopted(at=ENTERED, by=THE_SYSTEM, policy=HALL, in_force_from=ENTERED)])
    registered = case(facts=replace(BARE, rulebook=only_policy, rulebook_version=1)).when(REGISTRATION).events[0]
    assert isinstance(registered, Registered)
    assert registered.accept_due is None
    assert registered.basis == Basis(policy=PolicyRef(profile="hall", version=1), rulebook=1)


def test_a_deadline_in_a_year_without_notice_is_only_provisional() -> None:
    """On the last evening of 2026 the first working day of 2027 is a guess, and is said to be one."""
    registered = case().when(replace(REGISTRATION, at=local("12-31", "18:00"))).events[0]
    assert isinstance(registered, Registered)
    assert registered.accept_due is not None
    assert registered.accept_due.provisional


def test_a_policy_is_in_force_only_from_its_adoption_on() -> None:
    """A complaint made before the first policy carries none."""
    early = case().when(replace(REGISTRATION, at=later(ENTERED, microseconds=-1))).events[0]
    assert isinstance(early, Registered)
    assert (early.accept_due, early.basis.policy) == (None, None)
    then = case().when(replace(REGISTRATION, at=ENTERED)).events[0]
    assert isinstance(then, Registered)
    assert then.basis == BASIS


def test_unknown_codes_keep_nobody_out() -> None:
    """Hall, window, department, category and item may be anything somebody typed."""
    told = replace(
        REGISTRATION,
        hall="NOWHERE",
        window="W99",
        category="NO_SUCH",
        item="no-such",
        respondent=Respondent(department="nobody", window="W98"),
    )
    registered = case().when(told).events[0]
    assert isinstance(registered, Registered)
    assert (registered.hall, registered.category, registered.accept_due) == ("NOWHERE", "NO_SUCH", until("02-14"))


def test_nothing_at_all_need_be_known() -> None:
    """A voice without a name, about nobody in particular, is registered."""
    told = replace(
        REGISTRATION, by=CITIZEN, window=None, category=None, respondent=Respondent(), item=None, project_no=None,
        name=None, phone=None, subject=None, desired_outcome=None, vulnerable=(), happened_at=None,
        identity_mode=IdentityMode.ANONYMOUS, confidentiality=Confidentiality.SEALED,
    )  # fmt: skip
    registered = case(facts=BARE).when(told).events[0]
    assert isinstance(registered, Registered)
    assert (registered.name, registered.by_respondent) == (None, False)


@pytest.mark.parametrize(
    ("by", "respondent"),
    [
        (actor(FENG, "window-3"), Respondent(staff=FENG)),
        (actor(FENG, "window-3"), Respondent(window="W03")),
        (actor(ZHENG, "counter", on_behalf_of=FENG), Respondent(staff=FENG)),
        (actor(ZHENG, "counter", on_behalf_of=FENG), Respondent(window="W03")),
    ],
)
def test_who_is_complained_of_may_write_it_down_but_leaves_a_mark(by: Actor, respondent: Respondent) -> None:
    """The only counter open may be the one complained of: the complaint is taken, for a supervisor to see by whom."""
    registered = case().when(replace(REGISTRATION, by=by, respondent=respondent)).events[0]
    assert isinstance(registered, Registered)
    assert registered.by_respondent


def test_a_clerk_of_another_window_leaves_no_mark() -> None:
    """The mark stands only where the recorder is concerned."""
    registered = case().when(replace(REGISTRATION, respondent=Respondent(staff=LI, window="W04"))).events[0]
    assert isinstance(registered, Registered)
    assert not registered.by_respondent


def test_a_clerk_who_has_left_the_window_still_leaves_the_mark() -> None:
    """Who served there when it happened is concerned, wherever they serve now."""
    moved = leaving(FENG, "window-3", local("02-13", "08:00"))
    by = Actor(person=FENG, role=Role.INTAKE)
    told = replace(REGISTRATION, by=by, respondent=Respondent(window="W03"), happened_at=local("02-12"))
    registered = case(facts=moved).when(told).events[0]
    assert isinstance(registered, Registered)
    assert registered.by_respondent


def test_an_import_gets_no_query_code_and_perhaps_no_receipt() -> None:
    """Who took part long ago has no use for a code; where there is no medium there is no receipt."""
    imported = replace(REGISTRATION, by=THE_SYSTEM)
    receipt = case().when(imported).events[1]
    assert isinstance(receipt, AcknowledgementIssued)
    assert not receipt.query_code
    assert len(case().when(replace(imported, medium=None)).events) == 1


def test_alike_cases_are_named_with_the_complaint() -> None:
    """What the casebook found stands in the event."""
    alike = (Similar(case=key("other"), score=87, method="sketch-1"),)
    registered = case(facts=replace(FACTS, similar=alike)).when(REGISTRATION).events[0]
    assert isinstance(registered, Registered)
    assert registered.similar == alike


def test_a_ledger_case_was_promised_nothing() -> None:
    """What is missing stays unknown: no date was ever told to anybody."""
    told = replace(REGISTRATION, by=THE_SYSTEM, profile=Profile.LEDGER, at=local("09-16", "10:00"), medium=None)
    (registered,) = case().when(told).events
    assert isinstance(registered, Registered)
    assert registered.accept_due is None
    assert registered.basis.policy == PolicyRef(profile="ledger", version=1)


@pytest.mark.parametrize("role", sorted(REGISTRARS - {Role.SYSTEM}))
def test_nobody_hides_a_complaint_in_the_ledger(role: Role) -> None:
    """A ledger case runs without limits, so only an import may open one."""
    told = replace(REGISTRATION, by=Actor(person=STRANGER, role=role), profile=Profile.LEDGER)
    case().when(told).then_refused(NotYourRole)


def test_a_number_is_given_once() -> None:
    """The stream of a case takes no second complaint."""
    case(REGISTERED).when(REGISTRATION).then_refused(AlreadyThere, complaint_no=NUMBER)


def test_a_complaint_without_a_number_is_our_mistake() -> None:
    """The casebook always brings a number; without one nothing may be stored."""
    with pytest.raises(ValueError, match="complaint number"):
        _ = case(facts=Facts()).when(REGISTRATION).events


# Accepting


def test_a_complaint_is_accepted_and_its_limits_run() -> None:
    """Five working days from Saturday 14 February end on Saturday 28 February (domain.md §4.4)."""
    case(REGISTERED, ACKNOWLEDGED).when(ACCEPT).then([ACCEPTED])


@pytest.mark.parametrize(
    ("complexity", "day"),
    [(Complexity.SIMPLE, "02-28"), (Complexity.POLICY_OBSTACLE, "03-03"), (Complexity.COMPLEX, "03-06")],
)
def test_how_long_handling_may_take_depends_on_the_matter(complexity: Complexity, day: str) -> None:
    """5, 7 and 10 working days from 14 February: 24 to 28 February, then 2, 3, 4, 5 and 6 March."""
    assert case(REGISTERED).when(replace(ACCEPT, complexity=complexity)).event.handle_due == until(day)


def test_accepting_is_late_from_the_first_instant_of_the_next_day() -> None:
    """The last microsecond of the day is on time, midnight is not."""
    on_time = replace(ACCEPT, at=local("02-14", "23:59:59.999999"))
    assert case(REGISTERED).when(on_time).event.late is False
    assert case(REGISTERED).when(replace(ACCEPT, at=local("02-15", "00:00"))).event.late is True


def test_nobody_is_late_where_nothing_was_promised() -> None:
    """A complaint that came before any policy can be accepted at any time; whether late, nobody knows."""
    promised_nothing = replace(REGISTERED, accept_due=None)
    assert case(promised_nothing).when(replace(ACCEPT, at=local("06-01"))).event.late is None


def test_nobody_is_late_on_a_provisional_date() -> None:
    """After a date that a calendar may still move, nobody can know."""
    provisional = replace(REGISTERED, accept_due=until("02-14", provisional=True))
    assert case(provisional).when(replace(ACCEPT, at=local("06-01"))).event.late is None


def test_the_category_told_first_holds_until_another_is_chosen() -> None:
    """Accepting may leave the category, or set it right."""
    assert case(REGISTERED).when(replace(ACCEPT, category=None)).event.category == "SHIRK"
    assert case(REGISTERED).when(replace(ACCEPT, category="ARREARS")).event.category == "ARREARS"
    unknown = replace(REGISTERED, category=None)
    assert case(unknown).when(replace(ACCEPT, category=None)).event.category is None
    state = case(REGISTERED, replace(ACCEPTED, category="ARREARS")).state
    assert state is not None
    assert state.category == "ARREARS"


@pytest.mark.parametrize(("told", "chosen"), [("SHIRK", "NO_SUCH"), ("NO_SUCH", None), (None, "NO_SUCH")])
def test_a_category_nobody_adopted_is_set_right_when_accepting(told: str | None, chosen: str | None) -> None:
    """What was typed at the window need not exist; what is accepted must."""
    case(replace(REGISTERED, category=told)).when(replace(ACCEPT, category=chosen)).then_refused(
        UnknownReference, kind="category", value="NO_SUCH"
    )


def test_nothing_is_accepted_without_a_policy() -> None:
    """Nobody can be told to handle what no rule covers; the complaint stays registered."""
    case(REGISTERED, facts=replace(FACTS, rulebook=RULEBOOK.initial)).when(ACCEPT).then_refused(NoPolicy)


def test_only_the_policy_says_who_accepts() -> None:
    """A clerk does not accept, nor somebody who claims a post they do not hold, or a role it does not have."""
    case(REGISTERED).when(replace(ACCEPT, by=actor(WEI, "counter"))).then_refused(NotYourRole, command="accept")
    case(REGISTERED).when(replace(ACCEPT, by=actor(ZHENG, "desk"))).then_refused(NotYourRole, post="desk")
    case(REGISTERED).when(replace(ACCEPT, by=Actor(person=LI, role=Role.DISPATCHER))).then_refused(NotYourRole)
    borrowed = Actor(person=ZHENG, post="counter", role=Role.DISPATCHER)
    case(REGISTERED).when(replace(ACCEPT, by=borrowed)).then_refused(NotYourRole, post="counter")


def test_a_post_counts_only_while_it_is_held() -> None:
    """Before taking a post, and from the moment of leaving it, nobody acts in it."""
    case(REGISTERED).when(replace(ACCEPT, at=later(ENTERED, microseconds=-1))).then_refused(NoPolicy)
    left = leaving(LI, "desk", ACCEPT.at)
    case(REGISTERED, facts=left).when(ACCEPT).then_refused(NotYourRole, post="desk")
    just_before = replace(ACCEPT, at=later(ACCEPT.at, microseconds=-1))
    assert case(REGISTERED, facts=left).when(just_before).event.by == DESK


def test_a_machine_may_act_where_the_policy_lets_it() -> None:
    """A role of timers needs no post, but it needs the policy's word."""
    case(REGISTERED).when(replace(ACCEPT, by=THE_SYSTEM)).then_refused(NotYourRole)


@pytest.mark.parametrize("event", LOOP[2:], ids=lambda event: type(event).__name__)
def test_what_is_accepted_is_not_accepted_again(event: Event) -> None:
    """From acceptance to the end the command comes too late."""
    case(*upto(event)).when(replace(ACCEPT, at=local("03-10"))).then_refused(OutOfTurn)


def test_what_was_never_registered_is_not_accepted() -> None:
    """There is nothing to accept in an empty stream."""
    case().when(ACCEPT).then_refused(OutOfTurn)
    case().when(ReplaceQueryCode(at=ACCEPT.at, by=COUNTER)).then_refused(OutOfTurn)


def test_whoever_it_is_about_does_not_accept_it() -> None:
    """By name, by window, or through the person they act for."""
    about_desk = replace(REGISTERED, respondent=Respondent(staff=LI))
    case(about_desk).when(ACCEPT).then_refused(OwnCause)
    case(REGISTERED).when(replace(ACCEPT, by=replace(DESK, on_behalf_of=FENG))).then_refused(OwnCause)
    about_window = replace(REGISTERED, respondent=Respondent(window="W00"))
    case(about_window).when(replace(ACCEPT, by=actor(WEI, "desk"))).then_refused(OwnCause)
    case(about_window).when(replace(ACCEPT, by=replace(DESK, on_behalf_of=ZHENG))).then_refused(OwnCause)


def test_a_new_post_does_not_wash_a_clerk_clean() -> None:
    """Who served at the window when it happened, or when it was registered, has a part in it for ever."""
    about_window = replace(REGISTERED, respondent=Respondent(window="W00"), by=CITIZEN)
    for happened, left in ((local("02-12"), local("02-13", "08:00")), (None, local("02-14", "08:00"))):
        moved = leaving(WEI, "counter", left)
        case(replace(about_window, happened_at=happened), facts=moved).when(
            replace(ACCEPT, by=actor(WEI, "desk"))
        ).then_refused(OwnCause)
    gone_before = leaving(WEI, "counter", local("02-11"))
    case(about_window, facts=gone_before).when(replace(ACCEPT, by=actor(WEI, "desk"))).then(
        [replace(ACCEPTED, by=actor(WEI, "desk"))]
    )


def test_nobody_accepts_their_own_complaint() -> None:
    """Not the complainant, not somebody who acts for them, not the agent who made it for somebody else."""
    own = replace(REGISTERED, complainant=LI)
    case(own).when(ACCEPT).then_refused(OwnComplaint)
    case(REGISTERED).when(replace(ACCEPT, by=replace(DESK, on_behalf_of=COMPLAINANT))).then_refused(OwnComplaint)
    by_agent = replace(REGISTERED, by=Actor(person=LI, role=Role.CITIZEN, on_behalf_of=COMPLAINANT))
    case(by_agent).when(ACCEPT).then_refused(OwnComplaint)


def test_a_clerk_who_wrote_it_down_may_accept_it() -> None:
    """Taking down somebody else's complaint is no part in it."""
    noted = replace(REGISTERED, by=actor(WEI, "counter"))
    case(noted).when(replace(ACCEPT, by=actor(WEI, "desk"))).then([replace(ACCEPTED, by=actor(WEI, "desk"))])


# Query codes


def test_the_counter_gives_out_a_new_query_code() -> None:
    """At every step of the case, after seeing who asks."""
    for last in LOOP:
        at = later(last.at, minutes=1)
        case(*upto(last)).when(ReplaceQueryCode(at=at, by=COUNTER)).then([QueryCodeReplaced(at=at, by=COUNTER)])


def test_the_complainant_gets_a_new_query_code_without_holding_a_post() -> None:
    """Who holds the old code may change it; so may somebody with a mandate; nobody else."""
    agent = Actor(person=STRANGER, role=Role.CITIZEN, on_behalf_of=COMPLAINANT)
    for by in (CITIZEN, agent):
        case(REGISTERED).when(ReplaceQueryCode(at=ACCEPT.at, by=by)).then([QueryCodeReplaced(at=ACCEPT.at, by=by)])
    stranger = Actor(person=STRANGER, role=Role.CITIZEN)
    case(REGISTERED).when(ReplaceQueryCode(at=ACCEPT.at, by=stranger)).then_refused(Unknown)


def test_who_is_complained_of_gets_no_query_code() -> None:
    """The code opens the case, so the window complained of cannot have one made, nor in a citizen's guise."""
    about_window = replace(REGISTERED, respondent=Respondent(window="W00"))
    case(about_window).when(ReplaceQueryCode(at=ACCEPT.at, by=COUNTER)).then_refused(OwnCause)
    guise = Actor(person=FENG, role=Role.CITIZEN, on_behalf_of=COMPLAINANT)
    case(REGISTERED).when(ReplaceQueryCode(at=ACCEPT.at, by=guise)).then_refused(OwnCause)
    case(REGISTERED).when(ReplaceQueryCode(at=ACCEPT.at, by=DESK)).then_refused(NotYourRole)


def test_a_new_query_code_changes_nothing_else() -> None:
    """The receipt and the code are no part of what rules remember."""
    replaced = QueryCodeReplaced(at=ACCEPT.at, by=COUNTER)
    assert case(REGISTERED, ACKNOWLEDGED, replaced).state == case(REGISTERED).state
    assert case(replaced, ACCEPTED).state is None
