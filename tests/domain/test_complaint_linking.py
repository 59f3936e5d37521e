"""Cases of one matter are handled together, and whoever complained keeps an answer and a revisit of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.complaint import COMPLAINT, Accepted, Case, Close, Command, Event, Registered, SubmitReply
from domain.complaint.archiving import Archive, Archived
from domain.complaint.ending import Destination, TransferOut
from domain.complaint.linking import (
    ConfirmUnmerge,
    DuplicateLinked,
    DuplicateUnlinked,
    Link,
    Merge,
    Merged,
    ProposeUnmerge,
    ReplyToLinked,
    RevisitLinked,
    Unmerged,
    UnmergeProposed,
)
from domain.complaint.replying import DeliveryFailure, Replied, ReplyDeliveryFailed
from domain.complaint.reviewing import ReviewRequested
from domain.complaint.revisiting import Outcome, Revisit, RevisitAttempted, Revisited, RevisitStatus
from domain.complaint.state import Clock, IdentityMode, Respondent, Step
from domain.complaint.timing import Cause, ClockPaused, DeadlineRecomputed
from domain.decider import THE_SYSTEM, For
from domain.errors import (
    AlreadyRevisited,
    AlreadyThere,
    CannotMerge,
    LinkedCases,
    LinkedUnserved,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnProposal,
    OwnWorkRevisited,
    Refused,
    Superseded,
    UnknownReference,
    WrittenReplyOwed,
)
from domain.handling import ContactResult, Facts, Method
from domain.rulebook import Profile
from projections.codec import decode, encode
from tests.controls import (
    ACCEPTED,
    ANSWERS,
    APPROVED,
    ASSIGNED,
    CLOSED,
    EVIDENCED,
    LOOP,
    REGISTERED,
    REPLIED,
    REPLY,
    REVISITED,
    SIGNED,
    SUBMITTED,
    case,
    upto,
)
from tests.hall import (
    BASIS,
    CHU,
    COMPLAINANT,
    DESK,
    FACTS,
    FENG,
    HANDLER,
    MEASURED,
    REVISITOR,
    STRANGER,
    SUPERVISOR,
    WANG,
    WU,
    actor,
    key,
    leaving,
    local,
    sealed,
    until,
)
from tests.specification import METADATA

CHILD, PRIMARY = key("child"), key("primary")
AT = local("02-24", "15:00")
# The child came first, by somebody else, about another window.
ELDER: tuple[Registered, Accepted] = (
    replace(
        REGISTERED,
        at=local("02-09"),
        complainant=STRANGER,
        complaint_no="TS-GXQ-20260209-00001-0",
        respondent=Respondent(window="W04"),
        happened_at=local("02-09", "08:40"),
        accept_due=until("02-10"),
    ),
    replace(ACCEPTED, at=local("02-09", "10:00"), assign_due=until("02-09", "15:30"), handle_due=until("02-14")),
)
YOUNGER = upto(SIGNED)
MERGE = Merge(at=AT, by=DESK, primary=PRIMARY, link=Link.JOINT, similarity=87, reason=sealed("reason"))
MERGED = Merged(at=AT, by=DESK, primary=PRIMARY, link=Link.JOINT, similarity=87, reason=sealed("reason"), late=True)
LINKED = DuplicateLinked(
    at=AT,
    by=DESK,
    child=CHILD,
    complainants=(STRANGER,),
    respondent=Respondent(window="W04"),
    noticed=(local("02-09", "08:40"), local("02-09")),
    link=Link.JOINT,
)
MOVED_TO = until("02-14")


def state(*history: Event) -> Case:
    """What the rules remember of a story."""
    found = case(*history).state
    assert found is not None
    return found


def beside(*others: Sequence[Event], itself: UUID = CHILD, first: UUID = PRIMARY) -> Facts:
    """The facts where other cases are known: the first one under its name, the rest under numbers."""
    names = [first, *(key(f"other-{n}") for n in range(1, len(others)))]
    known = {name: COMPLAINT.fold(history) for name, history in zip(names, others, strict=True)}
    return replace(FACTS, itself=itself, others=known)


def decided(history: Sequence[Event], command: Command, facts: Facts) -> list[tuple[UUID, Any]]:
    """What follows on which stream, each checked to come back from its bytes."""
    found = COMPLAINT.decide(COMPLAINT.fold(history), command, facts)
    placed = [(one.stream, one.event) if isinstance(one, For) else (CHILD, one) for one in found]
    for _, event in placed:
        assert decode(*encode(event, METADATA)) == (event, METADATA)
    return placed


def merged(child: Sequence[Event] = ELDER, primary: Sequence[Event] = YOUNGER) -> tuple[list[Event], list[Event]]:
    """Both histories after the merge."""
    placed = decided(child, MERGE, beside(primary))
    return (
        [*child, *(event for stream, event in placed if stream == CHILD)],
        [*primary, *(event for stream, event in placed if stream == PRIMARY)],
    )


# Merging.


def test_an_overdue_case_makes_the_younger_primary_overdue_at_once() -> None:
    """The group keeps the earliest limit; that the child was late stays with the child (domain.md §14 case 6)."""
    (child, first), (stream, second), (also, third) = decided(ELDER, MERGE, beside(YOUNGER))
    assert (child, first) == (CHILD, MERGED)
    assert (stream, second) == (PRIMARY, LINKED)
    assert also == PRIMARY
    assert isinstance(third, DeadlineRecomputed)
    assert (third.clock, third.cause, third.reference) == (Clock.HANDLE, Cause.MERGED, CHILD)
    assert (third.old, third.new) == (until("02-28"), MOVED_TO)
    primary = state(*merged()[1])
    assert primary.due(Clock.HANDLE) == MOVED_TO
    assert FACTS.late(Profile.HALL, primary.due(Clock.HANDLE), AT) is True
    assert state(*merged()[0]).department is None, "nobody of the primary's unit was late with the child"


def test_a_younger_case_moves_no_limit() -> None:
    """The primary's own is the earlier one, and the child was in time."""
    child = (replace(ELDER[0], accept_due=until("02-25")),)
    placed = decided(child, replace(MERGE, link=Link.DUPLICATE, similarity=None, reason=None), beside(YOUNGER))
    assert [type(event) for _, event in placed] == [Merged, DuplicateLinked]
    assert placed[0][1].late is False


def test_two_cases_that_wait_for_acceptance_keep_the_earlier_date() -> None:
    """The promise is that of the step the primary stands at."""
    placed = decided(ELDER[:1], MERGE, beside(YOUNGER[:2]))
    assert [event.clock for _, event in placed[2:]] == [Clock.ACCEPT]


def test_an_answered_primary_has_no_limit_left_to_move() -> None:
    """Somebody may complain again of what was answered."""
    placed = decided(ELDER, replace(MERGE, at=local("02-27")), beside(upto(REPLIED)))
    assert [type(event) for _, event in placed] == [Merged, DuplicateLinked]


def test_whoever_complained_keeps_out_of_the_primary_too() -> None:
    """Nobody handles, as part of another case, what they complained of, or are complained of."""
    child, primary = merged()
    assert (state(*child).step, state(*child).before, state(*child).primary) == (Step.MERGED, Step.ACCEPTED, PRIMARY)
    after = state(*primary)
    assert after.linked == {CHILD}
    assert after.joined_by == {STRANGER}
    assert after.made_by == {COMPLAINANT}, "or whoever joined could withdraw the case of another"
    transfer = SubmitReply(
        at=AT, by=replace(HANDLER, on_behalf_of=STRANGER), reply=REPLY, decision=SUBMITTED.decision,
        reasons=sealed("reasons"), reasons_measured=SUBMITTED.reasons_measured, legal_basis=sealed("legal_basis"),
        points=(), remedy=None, appeal_route=SUBMITTED.appeal_route, template_version=None,
    )  # fmt: skip
    case(*primary).when(transfer).then_refused(OwnComplaint)
    about_wang = (replace(ELDER[0], respondent=Respondent(staff=WANG)), ELDER[1])
    case(*merged(about_wang)[1]).when(replace(transfer, by=HANDLER)).then_refused(OwnCause)


@pytest.mark.parametrize(
    ("child", "primary", "refusal"),
    [
        (ELDER, LOOP, CannotMerge),  # closed
        (ELDER, (*YOUNGER, MERGED), CannotMerge),  # merged itself, so there can be no circle
        (ELDER, (replace(REGISTERED, hall="OTHER"), *YOUNGER[1:]), CannotMerge),
        (ELDER, (replace(REGISTERED, profile=Profile.LEDGER),), CannotMerge),
        (ELDER, YOUNGER[:2], CannotMerge),  # the child has a date for its answer, the primary none
        ((*ELDER, replace(LINKED, child=key("third"))), YOUNGER, CannotMerge),
        (ELDER, (replace(REGISTERED, respondent=Respondent(staff=DESK.person)), *YOUNGER[1:]), OwnCause),
        (ELDER, (replace(REGISTERED, complainant=DESK.person), *YOUNGER[1:]), OwnComplaint),
        ((replace(ELDER[0], complainant=DESK.person), ELDER[1]), YOUNGER, OwnComplaint),
        (LOOP, YOUNGER, OutOfTurn),
    ],
)
def test_only_open_cases_of_one_hall_are_merged(
    child: Sequence[Event], primary: Sequence[Event], refusal: type[Refused]
) -> None:
    """No circle, no closed primary (domain.md §14 case 7), nobody concerned, no promise lost."""
    with pytest.raises(refusal) as refused:
        decided(child, MERGE, beside(primary))
    assert type(refused.value) is refusal


def test_a_case_is_not_merged_into_itself_or_into_nothing() -> None:
    """The other case must be there, and be another one."""
    with pytest.raises(CannotMerge):
        decided(ELDER, replace(MERGE, primary=CHILD), beside(YOUNGER))
    with pytest.raises(UnknownReference):
        decided(ELDER, replace(MERGE, primary=key("nowhere")), beside(YOUNGER))
    with pytest.raises(NotYourRole):
        decided(ELDER, replace(MERGE, by=HANDLER), beside(YOUNGER))
    with pytest.raises(ValueError, match="the stream of the case"):
        decided(ELDER, MERGE, FACTS)
    assert MERGE.others(None) == (PRIMARY,)


def test_a_case_under_review_is_decided_on_first() -> None:
    """What the upper unit has in hand does not go under in another case."""
    asked = ReviewRequested(
        at=local("03-05"), by=replace(DESK), review=key("review"), level=1, grounds=sealed("grounds"),
        grounds_measured=MEASURED,
        due=until("04-07"), basis=BASIS,
    )  # fmt: skip
    with pytest.raises(OutOfTurn):
        decided((*LOOP, asked), replace(MERGE, at=local("03-06")), beside(YOUNGER))


def test_a_primary_with_others_in_it_does_not_end_over_their_heads() -> None:
    """Refused, sent elsewhere, withdrawn or terminated is each case for itself."""
    _, primary = merged(ELDER[:1], YOUNGER[:3])
    transfer = TransferOut(at=AT, by=DESK, to=Destination.PETITION, doc_no=None, explanation=None)
    case(*primary).when(transfer).then_refused(LinkedCases, linked=1)
    apart = [*primary, DuplicateUnlinked(at=AT, by=SUPERVISOR, child=CHILD)]
    assert case(*apart).when(transfer).events


# Taking apart.

PROPOSAL = key("proposal")
PROPOSE = ProposeUnmerge(at=AT, by=DESK, proposal=PROPOSAL, reason=sealed("reason"))
PROPOSED = UnmergeProposed(
    at=AT, by=DESK, proposal=PROPOSAL, reason=sealed("reason"), until=until("02-26"), basis=BASIS
)
CONFIRM = ConfirmUnmerge(at=local("02-25"), by=SUPERVISOR, proposal=PROPOSAL)


def test_a_pause_that_ended_with_the_merging_counts_when_the_cases_are_apart() -> None:
    """The clock stood on 13, 14 and 24 February; three working days after the 14th is the 26th."""
    stood = ClockPaused(
        at=local("02-12"), by=DESK, pause=key("pause"), reason="force_majeure", evidence=(), explanation=None,
        until=until("03-03", "00:00"), basis=BASIS,
    )  # fmt: skip
    child, primary = merged((*ELDER, stood))
    placed = decided([*child, PROPOSED], CONFIRM, beside(primary))
    moved = DeadlineRecomputed(
        at=CONFIRM.at, by=SUPERVISOR, clock=Clock.HANDLE, old=until("02-14"), new=until("02-26"), cause=Cause.UNMERGED,
        reference=PRIMARY, basis=BASIS,
    )  # fmt: skip
    assert placed[1] == (CHILD, moved)
    assert [type(event) for _, event in placed] == [Unmerged, DeadlineRecomputed, DuplicateUnlinked]


def test_cases_are_taken_apart_by_two_people() -> None:
    """The child stands where it stood, with its own limits; what the primary was told stays told."""
    child, primary = merged()
    assert decided(child, PROPOSE, FACTS) == [(CHILD, PROPOSED)]
    placed = decided([*child, PROPOSED], CONFIRM, beside(primary))
    assert placed == [
        (
            CHILD,
            Unmerged(
                at=CONFIRM.at,
                by=SUPERVISOR,
                proposal=PROPOSAL,
                proposer=DESK.person,
                primary=PRIMARY,
                reason=sealed("reason"),
            ),
        ),
        (PRIMARY, DuplicateUnlinked(at=CONFIRM.at, by=SUPERVISOR, child=CHILD)),
    ]
    alone, left = state(*child, PROPOSED, placed[0][1]), state(*primary, placed[1][1])
    before = state(*ELDER)
    assert (alone.step, alone.clocks, alone.primary) == (before.step, before.clocks, None)
    assert not alone.proposals
    assert left.linked == set()
    assert left.joined_by == {STRANGER}
    assert left.due(Clock.HANDLE) == MOVED_TO
    assert CONFIRM.others(state(*child)) == (PRIMARY,)
    assert CONFIRM.others(None) == CONFIRM.others(state(*ELDER)) == ()


def test_nobody_takes_cases_apart_alone() -> None:
    """Nor with a proposal that is gone, nor where somebody is concerned in the other case."""
    child, primary = merged()
    waiting = [*child, PROPOSED]
    with pytest.raises(OwnProposal):
        decided(waiting, replace(CONFIRM, by=replace(SUPERVISOR, on_behalf_of=DESK.person)), beside(primary))
    with pytest.raises(Superseded):
        decided(child, CONFIRM, beside(primary))
    with pytest.raises(NotYourRole):
        decided(waiting, replace(CONFIRM, by=DESK), beside(primary))
    with pytest.raises(OwnCause):
        decided(waiting, replace(CONFIRM, by=replace(SUPERVISOR, on_behalf_of=FENG)), beside(primary))
    with pytest.raises(UnknownReference):
        decided(waiting, CONFIRM, FACTS)
    case(*ELDER).when(PROPOSE).then_refused(OutOfTurn)


# Everybody's own answer and revisit.

TELL = ReplyToLinked(at=local("02-27"), by=DESK, reply=REPLY, method=Method.PHONE, failed=None)
ASK = RevisitLinked(
    at=local("03-03"),
    by=REVISITOR,
    revisit=Revisit(
        at=local("03-03"), by=REVISITOR, method=Method.PHONE, result=ContactResult.REACHED, answers=ANSWERS
    ),
)
CLOSE = Close(at=local("03-04"), by=DESK, outcome=Outcome.RESOLVED)


def answered(*, primary: Sequence[Event] = LOOP[LOOP.index(SIGNED) + 1 : -1]) -> tuple[list[Event], list[Event]]:
    """Both histories once the primary was answered and revisited; the child was not told yet."""
    child, linked = merged()
    return child, [*linked, *primary]


def test_whoever_joined_is_told_the_answer_and_asked_afterwards() -> None:
    """On their own case, by their own date; the case stays merged."""
    child, primary = answered()
    ((_, told),) = decided(child, TELL, beside(primary))
    assert isinstance(told, Replied)
    assert (told.reply, told.late) == (REPLY, True), "its own limit was 14 February"
    after = state(*child, told)
    assert (after.step, after.answered_with, after.before) == (Step.MERGED, REPLY, Step.ACCEPTED)
    placed = decided([*child, told], ASK, beside(primary))
    assert [type(event) for _, event in placed] == [RevisitAttempted, Revisited]
    asked = state(*child, told, *(event for _, event in placed))
    assert (asked.step, asked.revisited) == (Step.MERGED, True)
    with pytest.raises(AlreadyThere):
        decided([*child, told], TELL, beside(primary))
    with pytest.raises(AlreadyRevisited):
        decided([*child, told, *(event for _, event in placed)], ASK, beside(primary))


def test_who_was_given_no_date_waits_by_that_of_the_primary() -> None:
    """A case that was merged before it was accepted never had a date for its answer."""
    child, linked = merged(ELDER[:1])
    primary = [*linked, *LOOP[LOOP.index(SIGNED) + 1 : -1]]
    ((_, told),) = decided(child, TELL, beside(primary))
    assert told.late is False
    assert told.revisit_due == REPLIED.revisit_due


def test_a_failed_delivery_is_tried_again() -> None:
    """Who complained in writing is answered in writing, also in a merged case."""
    child, primary = answered()
    ((_, failed),) = decided(child, replace(TELL, failed=DeliveryFailure.NO_ANSWER), beside(primary))
    assert isinstance(failed, ReplyDeliveryFailed)
    after = state(*child, failed)
    assert (after.step, after.deliveries_failed, after.answered_with) == (Step.MERGED, 1, None)
    in_writing = [replace(ELDER[0], written=True), *child[1:]]
    with pytest.raises(WrittenReplyOwed):
        decided(in_writing, TELL, beside(primary))


def test_nobody_is_told_what_was_not_answered() -> None:
    """Neither before the primary is, nor a reply that is not its own, nor by whoever may not."""
    child, linked = merged()
    with pytest.raises(OutOfTurn):
        decided(child, TELL, beside(linked))
    with pytest.raises(OutOfTurn):
        decided(child, TELL, beside([*linked, *LOOP[LOOP.index(SIGNED) + 1 : LOOP.index(REPLIED)]]))
    child, primary = answered()
    with pytest.raises(Superseded):
        decided(child, replace(TELL, reply=key("other")), beside(primary))
    with pytest.raises(NotYourRole):
        decided(child, replace(TELL, by=HANDLER), beside(primary))
    with pytest.raises(OwnComplaint):
        decided(child, replace(TELL, by=replace(DESK, on_behalf_of=STRANGER)), beside(primary))
    with pytest.raises(OutOfTurn):
        decided(child, ASK, beside(primary))
    with pytest.raises(OutOfTurn):
        decided(ELDER, TELL, beside(primary))


def test_nobody_asks_about_their_own_work_on_the_primary() -> None:
    """The child has no handler of its own; those of the primary keep out."""
    child, primary = answered()
    ((_, told),) = decided(child, TELL, beside(primary))
    by_chu = replace(ASK, by=actor(CHU, "revisits"))
    with pytest.raises(OwnWorkRevisited):
        decided([*child, told], by_chu, beside(primary))  # the tax department assisted
    left = leaving(WU, "approval-handler", AT)
    by_wu = replace(ASK, by=actor(WU, "revisits"))
    assert decided([*child, told], by_wu, replace(beside(primary), register=left.register))
    for part in (EVIDENCED, APPROVED):
        taken = [replace(one, by=actor(WU, "approval-handler")) if one == part else one for one in primary]
        with pytest.raises(OwnWorkRevisited):
            decided([*child, told], by_wu, replace(beside(taken), register=left.register))


def test_a_merged_case_is_archived_once_its_own_people_are_served() -> None:
    """Not before they were told and asked."""
    child, primary = answered()
    archive = Archive(at=local("03-05"), by=THE_SYSTEM, package_sha256=None)
    ((_, told),) = decided(child, TELL, beside(primary))
    for unserved in (child, [*child, told]):
        with pytest.raises(LinkedUnserved):
            decided(unserved, archive, FACTS)
    asked = [event for _, event in decided([*child, told], ASK, beside(primary))]
    ((_, archived),) = decided([*child, told, *asked], archive, FACTS)
    assert isinstance(archived, Archived)


@pytest.mark.parametrize("attempts", [0, 2])
def test_the_primary_is_not_closed_while_somebody_is_unserved(attempts: int) -> None:
    """Not told, told something older, or not asked often enough: merging loses no complainant."""
    child, primary = answered()
    ((_, told),) = decided(child, TELL, beside(primary))
    tried = [
        RevisitAttempted(
            at=local(f"03-0{n + 2}"), by=REVISITOR, attempt_no=n + 1, day=local(f"03-0{n + 2}").date(),
            method=Method.PHONE, result=ContactResult.NO_ANSWER,
        )
        for n in range(attempts)
    ]  # fmt: skip
    older = replace(told, reply=key("older"))
    for unserved in (child, [*child, told, *tried], [*child, older]):
        with pytest.raises(LinkedUnserved):
            decided(primary, CLOSE, beside(unserved, itself=PRIMARY, first=CHILD))
    with pytest.raises(LinkedUnserved):
        decided(primary, CLOSE, FACTS)
    assert CLOSE.others(state(*primary)) == (CHILD,)
    assert CLOSE.others(None) == ()


def test_the_primary_is_closed_once_everybody_is_served() -> None:
    """Revisited, tried often enough, or nameless and tried once: as with any case."""
    child, primary = answered()
    ((_, told),) = decided(child, TELL, beside(primary))
    asked = [event for _, event in decided([*child, told], ASK, beside(primary))]
    tried = [
        RevisitAttempted(
            at=local(day), by=REVISITOR, attempt_no=n, day=local(day).date(), method=Method.PHONE,
            result=ContactResult.NO_ANSWER,
        )
        for n, day in ((1, "03-02"), (2, "03-02"), (3, "03-03"))
    ]  # fmt: skip
    nameless = [replace(ELDER[0], identity_mode=IdentityMode.ANONYMOUS), *child[1:]]
    for served in ([*child, told, *asked], [*child, told, *tried], [*nameless, told, tried[0]]):
        ((_, closed),) = decided(primary, CLOSE, beside(served, itself=PRIMARY, first=CHILD))
        assert closed == replace(CLOSED, at=CLOSE.at)
        assert closed.revisit_status is RevisitStatus.COMPLETED
    assert REVISITED in primary
    assert ASSIGNED in primary
