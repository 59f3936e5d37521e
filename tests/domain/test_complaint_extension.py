"""A limit is lengthened once in a round: asked for while there is time, decided at once by somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from domain.complaint import COMPLAINT, Event
from domain.complaint.extending import (
    DecideExtension,
    ExtensionApproved,
    ExtensionRejected,
    ExtensionRequested,
    RequestExtension,
)
from domain.complaint.state import Clock, Respondent
from domain.complaint.timing import Cause, ClockPaused, DeadlineRecomputed, PauseClock
from domain.deadlines import Due, Unit
from domain.decider import THE_SYSTEM, Actor
from domain.errors import (
    AlreadyThere,
    DecidedTooLate,
    ExtensionTooLong,
    NotYourCase,
    NotYourRole,
    OnceOnly,
    OutOfTurn,
    OwnCause,
    OwnClock,
    Superseded,
    TooLate,
)
from domain.handling import Facts
from domain.rulebook import Policy, PolicyAdopted
from tests.controls import (
    ACCEPTED,
    APPROVED,
    ASSIGNED,
    REGISTERED,
    REPLIED,
    SIGNED,
    SUBMITTED,
    case,
    upto,
)
from tests.domain.test_complaint_timing import with_rules
from tests.hall import BASIS, HALL, HANDLER, HEAD, JIANG, QIAN, WANG, ZHAO, actor, key, local, sealed, until

EXTENSION = key("extension")
OTHER = key("other-extension")
# Saturday 28 February is the last day; it is worked, and so is Monday 2 March, by whose end it must be decided.
LAST_MINUTE = local("02-28", "23:59")


def request(at: datetime = LAST_MINUTE, by: Actor = HANDLER, days: int = 5, name: UUID = EXTENSION) -> RequestExtension:
    """The handler asks for more time."""
    return RequestExtension(at=at, by=by, extension=name, days=days, reason=sealed("reason"))


def approve(at: datetime, by: Actor = HEAD, name: UUID = EXTENSION) -> DecideExtension:
    """The head of the unit says yes."""
    return DecideExtension(at=at, by=by, extension=name, approved=True, reason=None)


def reject(at: datetime, by: Actor = HEAD) -> DecideExtension:
    """The head of the unit says no."""
    return DecideExtension(at=at, by=by, extension=EXTENSION, approved=False, reason=sealed("reason"))


def requested(at: datetime = LAST_MINUTE, decide_by: Due | None = None, name: UUID = EXTENSION) -> ExtensionRequested:
    """More time was asked for."""
    return ExtensionRequested(
        at=at, by=HANDLER, extension=name, days=5, reason=sealed("reason"), decide_due=decide_by or until("03-02"),
        basis=BASIS,
    )  # fmt: skip


def requested_by_qian() -> ExtensionRequested:
    """More time was asked for by somebody who also heads the unit."""
    return replace(requested(), by=actor(QIAN, "approval-handler"))


FOR_WANG = actor(ZHAO, "approval-head", on_behalf_of=WANG)


def approved(at: datetime) -> tuple[Event, Event]:
    """More time was given: five working days after 28 February, 2 to 6 March."""
    longer = DeadlineRecomputed(
        at=at, by=HEAD, clock=Clock.HANDLE, old=until("02-28"), new=until("03-06"), cause=Cause.EXTENDED,
        reference=EXTENSION, basis=BASIS,
    )  # fmt: skip
    return ExtensionApproved(at=at, by=HEAD, extension=EXTENSION, days=5), longer


def rules(**changes: object) -> Facts:
    """The facts under a policy that differs in something, adopted before the case was accepted."""
    policy: Policy = replace(HALL, version=2, **changes)  # type: ignore[arg-type]  # the tests name its fields
    return with_rules(PolicyAdopted(at=ACCEPTED.at, by=THE_SYSTEM, policy=policy, in_force_from=ACCEPTED.at))


def test_asked_for_in_the_last_minute_is_asked_for_in_time() -> None:
    """Domain.md §14 case 3: the time of the request counts; it is to be decided within one working day."""
    case(*upto(SIGNED)).when(request()).then([requested()])
    case(*upto(SIGNED)).when(request(local("03-01", "00:00"))).then_refused(TooLate, due=until("02-28"))


@pytest.mark.parametrize("clock", ["00:00", "09:00", "23:59:59.999999"])
def test_approved_the_next_day_it_is_valid(clock: str) -> None:
    """Domain.md §14 case 3: the limit is over by then, and what was asked for in time is not too late."""
    at = local("03-02", clock)
    case(*upto(SIGNED), requested()).when(approve(at)).then([*approved(at)])


def test_a_policy_may_want_it_approved_in_time_as_well() -> None:
    """Domain.md §14 case 3: valid only if the policy says so."""
    strict = rules(approve_after_request=False)
    early, late = local("02-28", "23:59:30"), local("03-01", "00:00")
    assert len(case(*upto(SIGNED), requested(), facts=strict).when(approve(early)).events) == 2
    case(*upto(SIGNED), requested(), facts=strict).when(approve(late)).then_refused(TooLate)


def test_decided_too_late_it_cures_nothing() -> None:
    """After one working day it can only be turned down; a late reply is late, and that is on record (domain.md A6)."""
    at = local("03-03", "00:00")
    given = case(*upto(SIGNED), requested())
    given.when(approve(at)).then_refused(DecidedTooLate, until=until("03-02"))
    given.when(reject(at)).then([ExtensionRejected(at=at, by=HEAD, extension=EXTENSION, reason=sealed("reason"))])


def test_a_request_nobody_decided_on_makes_room_for_another() -> None:
    """While one waits there is no second; when its day is over the handler, still in time, asks again."""
    first = requested(local("02-24"), until("02-25"))
    given = case(*upto(SIGNED), first)
    given.when(request(local("02-25", "23:00"), name=OTHER)).then_refused(OnceOnly)
    given.when(request(local("02-26", "00:00"), name=OTHER)).then(
        [requested(local("02-26", "00:00"), until("02-27"), OTHER)]
    )


def test_a_limit_is_lengthened_once_in_a_round() -> None:
    """Turned down, it may be asked for again; granted, it was the one; how often is the policy's to say."""
    at = local("02-27")
    asked = requested(local("02-26"), until("02-27"))
    no = ExtensionRejected(at=at, by=HEAD, extension=EXTENSION, reason=sealed("reason"))
    assert case(*upto(SIGNED), asked, no).when(request(name=OTHER)).event
    granted = case(*upto(SIGNED), asked, *approved(at))
    granted.when(request(name=OTHER)).then_refused(OnceOnly, extended=1, most=1)
    twice = rules(extensions_per_round=2)
    assert case(*upto(SIGNED), asked, *approved(at), facts=twice).when(request(name=OTHER)).event
    case(*upto(SIGNED), facts=rules(extensions_per_round=0)).when(request()).then_refused(OnceOnly, extended=0, most=0)


def test_the_second_extension_is_added_to_the_first() -> None:
    """Five and five working days after 28 February: 2 to 6 and 9 to 13 March."""
    at = local("02-27")
    asked = requested(local("02-26"), until("02-27"))
    again = requested(local("03-05"), until("03-06"), OTHER)
    given = case(*upto(SIGNED), asked, *approved(at), again, facts=rules(extensions_per_round=2))
    _, longer = given.when(approve(local("03-05"), name=OTHER)).events
    assert isinstance(longer, DeadlineRecomputed)
    assert (longer.old, longer.new) == (until("03-06"), until("03-13"))


def test_no_longer_than_the_policy_allows_and_in_the_same_days() -> None:
    """Five working days at most; a policy that counts its extension otherwise than its limit lengthens nothing."""
    given = case(*upto(SIGNED))
    given.when(request(days=6)).then_refused(ExtensionTooLong, days=6, most=5)
    given.when(request(days=0)).then_refused(ExtensionTooLong, days=0, most=5)
    assert given.when(request(days=1)).event.days == 1
    natural = tuple(
        replace(term, unit=Unit.NATURAL_DAY) if term.key == "complaint.extension" else term for term in HALL.terms
    )
    none = tuple(term for term in HALL.terms if term.key != "complaint.extension")
    accepted = replace(ACCEPTED, at=local("02-14", "09:00:01"))
    for terms in (natural, none):
        under = case(REGISTERED, accepted, ASSIGNED, SIGNED, facts=rules(terms=terms))
        under.when(request(days=1)).then_refused(ExtensionTooLong, most=0)


@pytest.mark.parametrize(
    ("history", "command", "refusal"),
    [
        (upto(SIGNED), request(by=HEAD), NotYourRole),
        (upto(SIGNED), request(by=actor(QIAN, "approval-handler")), NotYourCase),
        ((*upto(SIGNED), requested()), request(), AlreadyThere),
        (upto(ASSIGNED), request(local("02-24")), OutOfTurn),
        (upto(SUBMITTED), request(local("02-27")), OutOfTurn),
        ((*upto(SIGNED), requested()), approve(local("03-02"), HANDLER), NotYourRole),
        ((*upto(SIGNED), requested()), approve(local("03-02"), actor(JIANG, "tax-head")), NotYourCase),
        ((*upto(SIGNED), requested()), approve(local("03-02"), FOR_WANG), OwnClock),
        ((*upto(SIGNED), requested_by_qian()), reject(local("03-02"), actor(QIAN, "approval-head")), OwnClock),
        ((*upto(SIGNED), requested()), approve(local("03-02"), name=OTHER), Superseded),
        ((*upto(SIGNED), requested(), *approved(local("03-01"))), reject(local("03-02")), Superseded),
        ((*upto(REPLIED), requested(REPLIED.at)), approve(local("02-27")), OutOfTurn),
        (
            (replace(REGISTERED, respondent=Respondent(staff=ZHAO)), *upto(SIGNED)[1:], requested()),
            approve(local("03-02")), OwnCause,
        ),
    ],
)  # fmt: skip
def test_who_asks_and_who_decides_are_different_people(
    history: tuple[Event, ...], command: RequestExtension | DecideExtension, refusal: type[Exception]
) -> None:
    """The handler asks, another one, the head of the same unit, decides: once, on the request that is open."""
    case(*history).when(command).then_refused(refusal)  # type: ignore[arg-type]  # every one is a refusal


def test_a_case_may_go_on_while_its_extension_is_decided() -> None:
    """The reply lies with the head, who lengthens the limit first."""
    asked = requested(local("02-26", "10:30"), until("02-27"))
    at = local("02-27")
    case(*upto(SUBMITTED), asked).when(approve(at)).then([*approved(at)])
    assert case(*upto(APPROVED), asked).when(reject(at)).event


def test_what_was_asked_for_an_earlier_limit_is_not_decided_any_more() -> None:
    """After a rework, or in a new round, the limit is another one; so is a case whose limit nobody knows."""
    there = case(*upto(SIGNED), requested()).state
    assert there is not None
    anew = replace(there.clocks[Clock.HANDLE], set_at=local("03-01"), due=until("03-09"))
    for clocks in ({Clock.HANDLE: anew}, {}):
        with pytest.raises(Superseded):
            COMPLAINT.decide(replace(there, clocks=clocks), approve(local("03-02")), rules())
    # The request of before does not stand in the way of a new one.
    (event,) = COMPLAINT.decide(
        replace(there, clocks={Clock.HANDLE: anew}), request(local("03-02", "10:00"), name=OTHER), rules()
    )
    assert isinstance(event, ExtensionRequested)


def test_within_a_pause_an_extension_is_asked_for_in_time() -> None:
    """The clock stands on 3 March, so the limit of 28 February is not over."""
    stood = case(*upto(SIGNED)).when(
        PauseClock(
            at=local("02-27"), by=HEAD, pause=key("pause"), reason="force_majeure", evidence=(), explanation=None
        )
    ).event  # fmt: skip
    assert isinstance(stood, ClockPaused)
    assert case(*upto(SIGNED), stood).when(request(local("03-03"))).event


def test_a_decision_says_yes_or_says_why_not() -> None:
    """A rejection has a reason; an approval needs none."""
    for yes, reason in ((True, sealed("reason")), (False, None)):
        with pytest.raises(ValueError, match="reason"):
            DecideExtension(at=local("03-02"), by=HEAD, extension=EXTENSION, approved=yes, reason=reason)


def test_histories_load_whatever_they_hold() -> None:
    """An answer to what nobody asked, and a longer limit where none runs."""
    no = ExtensionRejected(at=local("02-27"), by=HEAD, extension=OTHER, reason=sealed("reason"))
    before, after = case(*upto(SIGNED)).state, case(*upto(SIGNED), no).state
    assert before is not None
    assert after == replace(before, approvers=before.approvers | {ZHAO})
    nowhere = case(REGISTERED, approved(local("02-27"))[0]).state
    assert nowhere is not None
    assert (nowhere.extended, nowhere.due(Clock.HANDLE)) == (1, None)
