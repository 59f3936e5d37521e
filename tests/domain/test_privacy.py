"""Erasing personal data: who asks, who decides, who witnesses, what must wait, and what is never erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

import pytest

from domain import complaint
from domain.complaint import COMPLAINT
from domain.complaint.ending import Destination, TransferredOut
from domain.complaint.intake import Complexity, HandlingClass, Severity
from domain.complaint.privacy import (
    DecideErasure,
    Destruction,
    Erase,
    Erased,
    ErasureDecided,
    ErasureGround,
    ErasureMethod,
    ErasureRequested,
    ErasureWitnessed,
    Lifting,
    LiftRestriction,
    ProcessingRestricted,
    RequestErasure,
    RestrictionLifted,
    WitnessErasure,
    decide,
)
from domain.complaint.retention import Retention, noted, retained_until, retention_of
from domain.complaint.reviewing import ReviewDecided, ReviewResult
from domain.complaint.state import Case, ErasureResult, Step
from domain.decider import THE_SYSTEM, Actor, Event, PersonKey, Role
from domain.errors import (
    DataErased,
    ErasureUnderWay,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnErasure,
    OwnWorkErased,
    Refused,
    RetentionRuns,
    RetentionUnknown,
    StillInHandling,
    Superseded,
    Unknown,
    WitnessMissing,
)
from domain.handling import Facts
from domain.register import REGISTER, Post, PostAdded, PostTaken
from domain.rulebook import RULEBOOK, Policy, PolicyAdopted, Profile
from tests.controls import ACCEPTED, CLOSED, LOOP, REGISTERED, REPLIED, case, upto
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
    HANDLER,
    MEASURED,
    RULEBOOK_EVENTS,
    STRANGER,
    SUN,
    SUPERVISOR,
    WANG,
    key,
    local,
    person,
    sealed,
)

HAN: Final = person("HAN")
YU: Final = person("YU")
OFFICERS: Final = (HAN, YU, WANG, FENG)  # the last two are there to be refused
POST: Final = Post(code="privacy", name_zh="个保岗", name_en="Privacy", role=Role.PRIVACY_OFFICER, site="GXQ")
WITH_OFFICERS: Final = replace(
    FACTS,
    register=REGISTER.fold(
        (
            PostAdded(at=ENTERED, by=THE_SYSTEM, entry=POST),
            *(PostTaken(at=ENTERED, by=THE_SYSTEM, post="privacy", person=who, since=ENTERED) for who in OFFICERS),
        ),
        FACTS.register,
    ),
)
REQUEST: Final = key("request")
KEYS: Final = (key("key-1"), key("key-2"))
LAST_DAY: Final = date(2036, 3, 4)  # ten years after the case was closed
GONE: Final = date(2036, 4, 8)


def officer(who: PersonKey = HAN, *, on_behalf_of: PersonKey | None = None) -> Actor:
    """Give a privacy officer."""
    return Actor(person=who, post="privacy", role=Role.PRIVACY_OFFICER, on_behalf_of=on_behalf_of)


def in_2036(day: str, clock: str = "09:00") -> datetime:
    """Give a local time of the year in which the retention runs out, in UTC."""
    return datetime.fromisoformat(f"2036-{day}T{clock}+08:00").astimezone(UTC)


SOON: Final = local("03-10")
AFTER: Final = in_2036("03-05", "00:00")
REQUESTED: Final = ErasureRequested(
    at=SOON, by=CITIZEN, erasure_request=REQUEST, ground=ErasureGround.PURPOSE_FULFILLED
)
FOR_THEM: Final = replace(REQUESTED, by=COUNTER)
GRANTED: Final = ErasureDecided(
    at=AFTER,
    by=officer(),
    erasure_request=REQUEST,
    result=ErasureResult.GRANTED,
    legal_basis="L3-47",
    reasons=None,
    retention=Retention.ORDINARY,
    retention_until=LAST_DAY,
    basis=BASIS,
)
KEPT: Final = replace(GRANTED, at=SOON, result=ErasureResult.RESTRICTED)
RESTRICTED: Final = ProcessingRestricted(at=SOON, by=officer(), erasure_request=REQUEST, restricted_until=LAST_DAY)
WITNESSED: Final = ErasureWitnessed(at=AFTER, by=SUPERVISOR, erasure_request=REQUEST)
ERASED: Final = Erased(
    at=AFTER,
    by=officer(),
    erasure_request=REQUEST,
    key_ids=KEYS,
    method=ErasureMethod.KEYS_DESTROYED,
    witnesses=(SUN,),
    gone_from_backups_by=GONE,
    person_kept=False,
)


def ask(by: Actor = CITIZEN, at: datetime = SOON) -> RequestErasure:
    """Ask for an erasure."""
    return RequestErasure(at=at, by=by, erasure_request=REQUEST, ground=ErasureGround.PURPOSE_FULFILLED)


def decision(result: ErasureResult, at: datetime = SOON, by: Actor | None = None, **more: Any) -> DecideErasure:  # noqa: ANN401 - a field of any kind
    """Decide on the request."""
    form = {"erasure_request": REQUEST, "legal_basis": "L3-47", "reasons": None, **more}
    return DecideErasure(at=at, by=by or officer(), result=result, **form)


def witness(by: Actor = SUPERVISOR, at: datetime = AFTER) -> WitnessErasure:
    """Witness it."""
    return WitnessErasure(at=at, by=by, erasure_request=REQUEST)


def erase(by: Actor | None = None, at: datetime = AFTER) -> Erase:
    """Put on record what was destroyed."""
    destroyed = Destruction(key_ids=KEYS, gone_from_backups_by=GONE, person_kept=False)
    return Erase(at=at, by=by or officer(), erasure_request=REQUEST, destroyed=destroyed)


def told(*history: complaint.Event, facts: Facts = WITH_OFFICERS) -> Any:  # noqa: ANN401 - a sentence about a case
    """Begin a sentence about a case in a hall with privacy officers."""
    return case(*history, facts=facts)


def state(*history: complaint.Event) -> Case:
    """Give the case after these events."""
    found = COMPLAINT.fold(history)
    assert found is not None
    return found


# Asking


@pytest.mark.parametrize("by", [CITIZEN, COUNTER, officer()])
def test_the_complainant_asks_or_somebody_writes_it_down(by: Actor) -> None:
    """At any step, also while the case is handled."""
    told(*LOOP).when(ask(by)).then([replace(REQUESTED, by=by)])
    told(REGISTERED).when(ask(by)).then([replace(REQUESTED, by=by)])


def test_nobody_asks_about_the_case_of_another() -> None:
    """A stranger is told there is no such case; whom it is about may not have it erased; a handler has no business."""
    told(*LOOP).when(ask(Actor(person=STRANGER, role=Role.CITIZEN))).then_refused(Unknown)
    told(*LOOP).when(ask(officer(FENG))).then_refused(OwnCause)
    told(*LOOP).when(ask(HANDLER)).then_refused(NotYourRole)
    told().when(ask()).then_refused(OutOfTurn)


def test_asking_twice_is_one_request() -> None:
    """Until it is refused; then a new one can be made, and after an erasure none."""
    told(*LOOP, REQUESTED).when(ask()).then_nothing()
    refused = replace(KEPT, result=ErasureResult.REFUSED, reasons=sealed("reasons"))
    told(*LOOP, REQUESTED, refused).when(ask()).then([REQUESTED])
    told(*LOOP, REQUESTED, GRANTED, WITNESSED, ERASED).when(ask(at=AFTER)).then_refused(DataErased)


# Deciding


def test_while_it_is_handled_it_is_only_restricted() -> None:
    """Domain.md §14 case 19: no date, because nothing runs yet; an open case is never erased."""
    open_case = (*upto(REPLIED), REQUESTED)
    decided, restricted = told(*open_case).when(decision(ErasureResult.RESTRICTED)).events
    assert (decided.result, decided.retention, decided.retention_until) == (ErasureResult.RESTRICTED, None, None)
    assert restricted == replace(RESTRICTED, restricted_until=None)
    told(*open_case).when(decision(ErasureResult.GRANTED)).then_refused(StillInHandling, step=Step.REPLIED)
    told(*open_case).when(decision(ErasureResult.GRANTED, at=AFTER)).then_refused(StillInHandling)


def test_while_the_retention_runs_it_is_only_restricted() -> None:
    """Ten years to the day after it was closed, and that day too."""
    told(*LOOP, REQUESTED).when(decision(ErasureResult.RESTRICTED)).then([KEPT, RESTRICTED])
    for at in (SOON, in_2036("03-04", "23:59")):
        told(*LOOP, REQUESTED).when(decision(ErasureResult.GRANTED, at=at)).then_refused(RetentionRuns, until=LAST_DAY)


def test_afterwards_it_is_granted() -> None:
    """On the first day after; the restricted request is decided once more."""
    told(*LOOP, REQUESTED).when(decision(ErasureResult.GRANTED, at=AFTER)).then([GRANTED])
    told(*LOOP, REQUESTED, KEPT, RESTRICTED).when(decision(ErasureResult.GRANTED, at=AFTER)).then([GRANTED])


def test_a_request_is_refused_with_reasons() -> None:
    """As the law asks; a restriction that went before is lifted with it."""
    with pytest.raises(ValueError, match="with reasons"):
        decision(ErasureResult.REFUSED)
    reasons = sealed("reasons")
    (refused,) = told(*LOOP, REQUESTED).when(decision(ErasureResult.REFUSED, reasons=reasons)).events
    assert (refused.result, refused.reasons) == (ErasureResult.REFUSED, reasons)
    _, lifted = told(*LOOP, REQUESTED, KEPT, RESTRICTED).when(decision(ErasureResult.REFUSED, reasons=reasons)).events
    assert lifted == RestrictionLifted(at=SOON, by=officer(), erasure_request=REQUEST, reason=Lifting.REQUEST_REFUSED)
    assert not state(*LOOP, REQUESTED, KEPT, RESTRICTED, refused, lifted).keeping.restricted


def test_the_same_decision_twice_is_one() -> None:
    """But for a restriction whose date is known only now, because the case has been closed since."""
    told(*LOOP, REQUESTED, KEPT, RESTRICTED).when(decision(ErasureResult.RESTRICTED)).then_nothing()
    told(*LOOP, REQUESTED, GRANTED).when(decision(ErasureResult.GRANTED, at=AFTER)).then_nothing()
    dateless = replace(RESTRICTED, at=REPLIED.at, restricted_until=None)
    before = (*upto(REPLIED), replace(REQUESTED, at=REPLIED.at), replace(KEPT, at=REPLIED.at), dateless)
    closed = (*before, *LOOP[LOOP.index(REPLIED) + 1 :])
    told(*closed).when(decision(ErasureResult.RESTRICTED)).then([KEPT, RESTRICTED])


def test_a_decision_names_the_request_it_decides() -> None:
    """Another one, or none, is superseded; what is erased stays erased."""
    for history in (LOOP, (*LOOP, replace(REQUESTED, erasure_request=key("another")))):
        told(*history).when(decision(ErasureResult.RESTRICTED)).then_refused(Superseded)
    erased = (*LOOP, REQUESTED, GRANTED, WITNESSED, ERASED)
    told(*erased).when(decision(ErasureResult.RESTRICTED, at=AFTER)).then_refused(DataErased)


def test_before_it_is_witnessed_the_officer_can_decide_otherwise() -> None:
    """Afterwards the keys may be gone already."""
    reasons = sealed("reasons")
    again = decision(ErasureResult.REFUSED, at=AFTER, reasons=reasons)
    assert told(*LOOP, REQUESTED, GRANTED).when(again).event.result is ErasureResult.REFUSED
    told(*LOOP, REQUESTED, GRANTED, WITNESSED).when(again).then_refused(ErasureUnderWay)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (DESK, NotYourRole),
        (COUNTER, NotYourRole),
        (SUPERVISOR, NotYourRole),
        (CITIZEN, NotYourRole),
        (officer(STRANGER), NotYourRole),  # does not hold the post
        (officer(FENG), OwnCause),
        (officer(on_behalf_of=COMPLAINANT), OwnComplaint),
        (officer(WANG), OwnWorkErased),  # handled the case
        (officer(on_behalf_of=WANG), OwnWorkErased),
    ],
)
def test_only_a_privacy_officer_without_a_part_in_it_acts(by: Actor, refusal: type[Refused]) -> None:
    """Not the window, not whom it is about, not who made it, not who handled it, not who acts for one of these."""
    told(*LOOP, REQUESTED).when(decision(ErasureResult.RESTRICTED, by=by)).then_refused(refusal)
    told(*LOOP, REQUESTED, KEPT, RESTRICTED).when(LiftRestriction(at=SOON, by=by, reason=Lifting.MISTAKE)).then_refused(
        refusal
    )
    if by is not SUPERVISOR:
        told(*LOOP, REQUESTED, replace(GRANTED, by=officer(YU))).when(witness(by)).then_refused(refusal)
    told(*LOOP, REQUESTED, GRANTED, replace(WITNESSED, by=officer(YU))).when(erase(by)).then_refused(refusal)


def test_who_reviewed_the_case_takes_no_part() -> None:
    """Their decision is one of those whose traces would go."""
    reviewed = replace(state(*LOOP, REQUESTED), reviewers=frozenset({HAN}))
    with pytest.raises(OwnWorkErased):
        decide(reviewed, decision(ErasureResult.RESTRICTED), WITH_OFFICERS)
    assert decide(reviewed, decision(ErasureResult.RESTRICTED, by=officer(YU)), WITH_OFFICERS)


def test_who_asked_for_it_does_not_decide() -> None:
    """Nor witnesses it; where the complainant asked, no officer has asked."""
    own = replace(REQUESTED, by=officer())
    told(*LOOP, own).when(decision(ErasureResult.RESTRICTED)).then_refused(OwnErasure)
    told(*LOOP, own).when(decision(ErasureResult.RESTRICTED, by=officer(YU, on_behalf_of=HAN))).then_refused(OwnErasure)
    assert told(*LOOP, own).when(decision(ErasureResult.RESTRICTED, by=officer(YU))).events
    told(*LOOP, own, replace(GRANTED, by=officer(YU))).when(witness(officer())).then_refused(OwnErasure)


# Witnessing and erasing


def test_somebody_else_witnesses_it() -> None:
    """Who decided does not; once is enough for each."""
    told(*LOOP, REQUESTED, GRANTED).when(witness()).then([WITNESSED])
    told(*LOOP, REQUESTED, GRANTED).when(witness(officer())).then_refused(OwnErasure)
    told(*LOOP, REQUESTED, GRANTED, WITNESSED).when(witness()).then_nothing()
    told(*LOOP, REQUESTED, GRANTED, WITNESSED, ERASED).when(witness(officer(YU))).then_nothing()
    second = told(*LOOP, REQUESTED, GRANTED, WITNESSED).when(witness(officer(YU))).event
    assert state(*LOOP, REQUESTED, GRANTED, WITNESSED, second).keeping.witnesses == {SUN, YU}


def test_only_what_was_granted_is_witnessed() -> None:
    """Neither a wish nor a restriction."""
    told(*LOOP, REQUESTED).when(witness()).then_refused(OutOfTurn)
    told(*LOOP, REQUESTED, KEPT, RESTRICTED).when(witness()).then_refused(OutOfTurn)
    told(*LOOP).when(witness()).then_refused(Superseded)


def test_it_is_erased_after_decision_and_witness() -> None:
    """By whoever decided, or another officer; never by the witness, never without one."""
    ready = (*LOOP, REQUESTED, GRANTED, WITNESSED)
    told(*ready).when(erase()).then([ERASED])
    assert told(*ready).when(erase(officer(YU))).events
    told(*LOOP, REQUESTED, GRANTED).when(erase()).then_refused(WitnessMissing)
    told(*LOOP, REQUESTED).when(erase()).then_refused(OutOfTurn)
    told(*LOOP).when(erase()).then_refused(Superseded)
    told(*LOOP, REQUESTED, GRANTED, replace(WITNESSED, by=officer(YU))).when(erase(officer(YU))).then_refused(
        OwnErasure
    )


def test_whether_it_may_be_erased_is_asked_before_a_key_is_destroyed() -> None:
    """Every guard speaks, and nothing is on record yet."""
    only_asked = replace(erase(), destroyed=None)
    told(*LOOP, REQUESTED, GRANTED, WITNESSED).when(only_asked).then_nothing()
    told(*LOOP, REQUESTED, GRANTED).when(only_asked).then_refused(WitnessMissing)


def test_erasing_twice_is_once() -> None:
    """The second finds it done."""
    told(*LOOP, REQUESTED, GRANTED, WITNESSED, ERASED).when(erase()).then_nothing()


@pytest.mark.parametrize("ready", [(GRANTED,), (GRANTED, WITNESSED), (GRANTED, WITNESSED, ERASED)])
def test_nothing_else_is_done_with_a_case_that_is_erased(ready: tuple[complaint.Event, ...]) -> None:
    """From the decision on, so that no key is destroyed under somebody's hands."""
    refusal = DataErased if ERASED in ready else ErasureUnderWay
    frozen = told(*LOOP, REQUESTED, *ready)
    frozen.when(complaint.ReplaceQueryCode(at=AFTER, by=COUNTER)).then_refused(refusal)
    frozen.when(
        complaint.Accept(
            at=AFTER,
            by=DESK,
            category=None,
            severity=Severity.MAJOR,
            complexity=Complexity.SIMPLE,
            handling_class=HandlingClass.FORWARD,
        )
    ).then_refused(refusal)
    frozen.when(LiftRestriction(at=AFTER, by=officer(), reason=Lifting.MISTAKE)).then_refused(refusal)


# Restricting


def test_a_restriction_can_be_lifted() -> None:
    """The request goes with it; lifting what is not restricted is nothing."""
    restricted = (*LOOP, REQUESTED, KEPT, RESTRICTED)
    lift = LiftRestriction(at=SOON, by=officer(), reason=Lifting.REQUEST_WITHDRAWN)
    lifted = RestrictionLifted(at=SOON, by=officer(), erasure_request=REQUEST, reason=Lifting.REQUEST_WITHDRAWN)
    told(*restricted).when(lift).then([lifted])
    told(*LOOP).when(lift).then_nothing()
    after = state(*restricted, lifted).keeping
    assert (after.restricted, after.restricted_until, after.request) == (False, None, None)
    told(*restricted, lifted).when(ask()).then([REQUESTED])


def test_a_restricted_case_in_hand_is_still_handled() -> None:
    """A statutory duty does not rest: whoever has the next step takes it."""
    restricted = (*upto(REGISTERED), replace(REQUESTED, at=REGISTERED.at), replace(RESTRICTED, at=REGISTERED.at))
    accept = complaint.Accept(
        at=ACCEPTED.at,
        by=DESK,
        category="SHIRK",
        severity=Severity.ORDINARY,
        complexity=Complexity.SIMPLE,
        handling_class=HandlingClass.FORWARD,
    )
    assert told(*restricted).when(accept).events == [ACCEPTED]


def test_an_erased_case_is_restricted_no_more() -> None:
    """Nothing personal is left to protect, and its numbers are seen by all again."""
    erased = state(*LOOP, REQUESTED, KEPT, RESTRICTED, GRANTED, WITNESSED, ERASED).keeping
    assert (erased.erased, erased.restricted, erased.restricted_until) == (True, False, None)


# Retention


def ended(step: Step, *before: complaint.Event, profile: Profile = Profile.HALL) -> Case:
    """Give a case that ended at this step, at the time of the closing."""
    there = state(*(before or LOOP[:-1]))
    there = replace(there, profile=profile)
    return noted(there, replace(there, step=step), CLOSED)


@pytest.mark.parametrize(
    ("step", "kept", "last"),
    [
        (Step.CLOSED, Retention.ORDINARY, date(2036, 3, 4)),
        (Step.TERMINATED, Retention.ORDINARY, date(2036, 3, 4)),
        (Step.MERGED, Retention.ORDINARY, date(2036, 3, 4)),
        (Step.REFUSED, Retention.REFUSED, date(2029, 3, 4)),
        (Step.WITHDRAWN, Retention.REFUSED, date(2029, 3, 4)),
    ],
)
def test_how_long_a_case_is_kept_hangs_on_its_end(step: Step, kept: Retention, last: date) -> None:
    """Ten years, or three where it was refused or withdrawn (domain.md §11.3); going to the archive changes nothing."""
    done = ended(step)
    archived = noted(done, replace(done, step=Step.ARCHIVED), replace(CLOSED, at=AFTER))
    for one in (done, archived):
        assert (retention_of(one), retained_until(one, SOON, FACTS)) == (kept, last)


GRAVE: Final[tuple[Event, ...]] = (
    replace(ACCEPTED, severity=Severity.MAJOR),
    TransferredOut(at=SOON, by=DESK, to=Destination.DISCIPLINE, doc_no=None, explanation=None, sealed=True, late=None),
    ReviewDecided(
        at=SOON, by=DESK, review=REQUEST, level=1, result=ReviewResult.OVERTURNED, reasons=sealed("reasons"),
        reasons_measured=MEASURED, final=False, late=None, review_request_until=None, basis=BASIS,
    ),
)  # fmt: skip


@pytest.mark.parametrize("event", GRAVE)
def test_grave_cases_are_kept_for_thirty_years(event: Event) -> None:
    """Major ones, those that went to the discipline channel, and those whose reply was overturned; however they end."""
    there = state(*LOOP[:-1])
    grave = noted(there, there, event)
    closed = noted(grave, replace(grave, step=Step.REFUSED), CLOSED)
    assert (retention_of(closed), retained_until(closed, SOON, FACTS)) == (Retention.MAJOR, date(2056, 3, 4))


@pytest.mark.parametrize(
    "event",
    [
        ACCEPTED,
        replace(GRAVE[1], to=Destination.PETITION),  # type: ignore[call-arg]  # the second has a destination
        replace(GRAVE[2], result=ReviewResult.UPHELD),  # type: ignore[call-arg]  # the third has a result
    ],
)
def test_other_cases_are_not_grave(event: Event) -> None:
    """An ordinary severity, another authority, a reply that was upheld."""
    there = state(*LOOP[:-1])
    assert not noted(there, there, event).keeping.major


def test_a_reopened_case_is_kept_from_its_last_end() -> None:
    """While it is in hand nothing runs; then the new end counts."""
    done = ended(Step.CLOSED)
    reopened = noted(done, replace(done, step=Step.IN_PROGRESS), replace(CLOSED, at=local("05-01")))
    assert retained_until(reopened, SOON, FACTS) is None
    again = noted(reopened, replace(reopened, step=Step.CLOSED), replace(CLOSED, at=local("06-01")))
    assert retained_until(again, SOON, FACTS) == date(2036, 6, 1)


def test_a_ledger_case_ends_with_its_reply() -> None:
    """Nobody goes on with it."""
    ledger = ended(Step.REPLIED, *upto(ACCEPTED), profile=Profile.LEDGER)
    assert retained_until(ledger, SOON, FACTS) == LAST_DAY


def test_without_a_rule_for_it_nothing_is_erased() -> None:
    """A policy that names no retention lets nothing go."""

    def without(policy: Policy) -> Policy:
        return replace(policy, version=2, terms=tuple(t for t in policy.terms if not t.key.startswith("retention.")))

    adopted = PolicyAdopted(at=ENTERED, by=THE_SYSTEM, policy=without(HALL), in_force_from=ENTERED)
    facts = replace(WITH_OFFICERS, rulebook=RULEBOOK.fold((*RULEBOOK_EVENTS, adopted)))
    told(*LOOP, REQUESTED, facts=facts).when(decision(ErasureResult.GRANTED, at=AFTER)).then_refused(RetentionUnknown)
