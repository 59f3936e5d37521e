"""Cases that tell of one matter are merged and taken apart; merging loses no complainant (docs/decisions/0015).

Whoever complained keeps a case, an answer and a revisit of their own (domain.md §4.3); the matter itself is handled in
the primary case alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint import replying, revisiting
from domain.complaint.acting import admit, not_concerned
from domain.complaint.clocks import in_motion
from domain.complaint.proposals import Proposed, dropped, kept, only_one, waiting
from domain.complaint.replying import DeliveryFailure, Replied, ReplyDeliveryFailed
from domain.complaint.revisiting import Revisit, RevisitAttempted, Revisited
from domain.complaint.state import BEFORE_REPLY, OPEN, PROMISE, Case, Clock, Respondent, Step, at_step
from domain.complaint.timing import Cause, recomputed, taken_over
from domain.decider import Code, Command, Event, For, Instant, PersonKey
from domain.errors import AlreadyThere, CannotMerge, OutOfTurn, Superseded, UnknownReference
from domain.handling import Facts, Method
from domain.sealed import Sealed


class Link(StrEnum):
    """Whether one person complains twice, or several people of one matter."""

    DUPLICATE = "duplicate"
    JOINT = "joint"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Event):
    """The case was joined to another one; its complainant keeps an own reply and revisit.

    `late` says whether its own limit was over by then: that stays with the unit that had it.
    """

    primary: UUID
    link: Link
    similarity: int | None
    reason: Sealed | None
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateLinked(Event):
    """Another case was joined to this one: who complained there, of whom, and when it was noticed (UTC)."""

    child: UUID
    complainants: tuple[PersonKey, ...]
    respondent: Respondent
    noticed: tuple[Instant, ...]
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergeProposed(Proposed):
    """Somebody proposed to take the cases apart again; another person has to confirm it."""

    confirm = "confirm-unmerge"
    turns = frozenset({Step.MERGED})

    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmerged(Event):
    """The case stands by itself again, where it stood before."""

    proposal: UUID
    proposer: PersonKey
    primary: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateUnlinked(Event):
    """A case that was joined to this one stands by itself again; a limit that came with it stays."""

    child: UUID


LinkingEvent: TypeAlias = Merged | DuplicateLinked | UnmergeProposed | Unmerged | DuplicateUnlinked
ServingEvent: TypeAlias = Replied | ReplyDeliveryFailed | RevisitAttempted | Revisited
"""What a merged case still gets of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Command):
    """Join the case to another one."""

    primary: UUID
    link: Link
    similarity: int | None
    reason: Sealed | None

    def others(self, state: object) -> tuple[UUID, ...]:  # noqa: ARG002 - the command names it
        """Give the case to join it to."""
        return (self.primary,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeUnmerge(Command):
    """Propose to take the cases apart again."""

    proposal: UUID
    reason: Sealed


class OfPrimary(Command):
    """A command on a merged case that is decided with the one it was joined to."""

    __slots__ = ()

    def others(self, state: object) -> tuple[UUID, ...]:
        """Give the case it was joined to."""
        return (state.primary,) if isinstance(state, Case) and state.primary is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmUnmerge(OfPrimary):
    """Confirm the unmerging named."""

    proposal: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToLinked(OfPrimary):
    """Record that somebody whose case was merged was told the reply of the primary, or was not reached with it."""

    reply: UUID
    method: Method
    failed: DeliveryFailure | None
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisitLinked(OfPrimary):
    """Record an attempt to revisit somebody whose case was merged; the revisit itself is that of any case."""

    revisit: Revisit


LinkingCommand: TypeAlias = Merge | ProposeUnmerge | ConfirmUnmerge | ReplyToLinked | RevisitLinked

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        # What the upper unit reviews, it decides on first.
        "merge": OPEN - {Step.UNDER_REVIEW},
        "propose-unmerge": UnmergeProposed.turns,
        "confirm-unmerge": UnmergeProposed.turns,
        "reply-linked": frozenset({Step.MERGED}),
        "revisit-linked": frozenset({Step.MERGED}),
    }
)
"""At which steps each command is in turn (domain.md §6.3; answering and revisiting who was merged is our design)."""


def decide(case: Case | None, command: LinkingCommand, facts: Facts) -> list[Event | For]:
    """Answer the wish to join cases or take them apart, and what a merged one still gets of its own.

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, UnknownReference, CannotMerge, ProposalPending,
    ProposalOver, Superseded, OwnProposal, AlreadyThere, and what `replying.delivered` and a revisit raise.
    """
    match command:
        case Merge():
            return _merge(at_step(case, *TURNS["merge"]), command, facts)
        case ProposeUnmerge():
            return _propose(at_step(case, *TURNS["propose-unmerge"]), command, facts)
        case ConfirmUnmerge():
            return _unmerge(at_step(case, *TURNS["confirm-unmerge"]), command, facts)
        case ReplyToLinked():
            return _reply(at_step(case, *TURNS["reply-linked"]), command, facts)
        case RevisitLinked():
            return _revisit(at_step(case, *TURNS["revisit-linked"]), command, facts)
        case _:
            assert_never(command)


def _other(facts: Facts, case: UUID | None) -> tuple[UUID, Case]:
    found = None if case is None else facts.others.get(case)
    if case is None or not isinstance(found, Case):
        raise UnknownReference(kind="case", value=case)
    return case, found


def _itself(facts: Facts) -> UUID:
    if facts.itself is None:
        message = "the stream of the case must be among the facts"
        raise ValueError(message)
    return facts.itself


def _merge(case: Case, command: Merge, facts: Facts) -> list[Event | For]:
    """Join a case to a primary, which then keeps the earliest limit of the two (domain.md §4.3, §14 case 6)."""
    at, by, itself = command.at, command.by, _itself(facts)
    admit(case, command, "merge", facts)
    if command.primary == itself:
        raise CannotMerge(primary=command.primary)
    _, primary = _other(facts, command.primary)
    not_concerned(primary, by, at, facts)
    # A circle would need a primary that is merged itself, and that one is not open any more (§14 case 7).
    if primary.step not in OPEN or case.linked:
        raise CannotMerge(primary=command.primary, step=primary.step, linked=len(case.linked))
    alike = (primary.profile, primary.hall, primary.sealed) == (case.profile, case.hall, case.sealed)
    # Where the answer has a date already, it would be lost in a case that has none.
    if not alike or (Clock.HANDLE in case.clocks and Clock.HANDLE not in primary.clocks):
        raise CannotMerge(primary=command.primary, step=primary.step)
    events: list[Event | For] = [
        Merged(
            at=at,
            by=by,
            primary=command.primary,
            link=command.link,
            similarity=command.similarity,
            reason=command.reason,
            late=facts.late(case.profile, case.due(PROMISE[case.step]), at),
        ),
        For(
            command.primary,
            DuplicateLinked(
                at=at,
                by=by,
                child=itself,
                complainants=tuple(sorted(case.made_by)),
                respondent=case.respondent,
                noticed=case.noticed,
                link=command.link,
            ),
        ),
    ]
    if primary.step in BEFORE_REPLY:
        promise = PROMISE[primary.step]
        moved = taken_over(primary, promise, case, promise, itself, at=at, by=by, facts=facts)
        events += [For(command.primary, one) for one in moved]
    return events


def _propose(case: Case, command: ProposeUnmerge, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "propose-unmerge", facts)
    only_one(case, UnmergeProposed)
    return [
        UnmergeProposed(
            at=at,
            by=by,
            proposal=command.proposal,
            reason=command.reason,
            until=facts.limit(case.profile, "proposal", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _unmerge(case: Case, command: ConfirmUnmerge, facts: Facts) -> list[Event | For]:
    """Take the cases apart; what the primary was told stays told, and the case finds its own limits as they were."""
    at, by = command.at, command.by
    admit(case, command, "confirm-unmerge", facts)
    proposed = waiting(case, command.proposal, UnmergeProposed, by, at, facts)
    there, primary = _other(facts, case.primary)
    not_concerned(primary, by, at, facts)
    unmerged = Unmerged(
        at=at,
        by=by,
        proposal=proposed.proposal,
        proposer=proposed.by.person,
        primary=there,
        reason=proposed.reason,
    )
    # A pause of its own ended when it was merged: its days count from now on.
    after = evolve(case, unmerged)
    moved = recomputed(after, in_motion(after), Cause.UNMERGED, there, at=at, by=by, facts=facts)
    return [unmerged, *moved, For(there, DuplicateUnlinked(at=at, by=by, child=_itself(facts)))]


def _reply(case: Case, command: ReplyToLinked, facts: Facts) -> list[Event | For]:
    """Tell one more complainant what the primary was answered; nobody is told what was not approved and told there."""
    at, by = command.at, command.by
    admit(case, command, "reply-linked", facts)
    _, primary = _other(facts, case.primary)
    if primary.replied_at is None or primary.step in BEFORE_REPLY:
        raise OutOfTurn(step=primary.step)
    if command.reply != primary.reply:
        raise Superseded(reply=command.reply)
    if case.answered_with == primary.reply:
        raise AlreadyThere(reply=command.reply)
    # Who was given no date of their own waits by that of the primary.
    clocks = {Clock.HANDLE: primary.clocks[Clock.HANDLE]} if Clock.HANDLE in primary.clocks else {}
    waits = replace(case, clocks=MappingProxyType({**clocks, **case.clocks}))
    told = replying.Reply(
        at=at,
        by=by,
        reply=command.reply,
        method=command.method,
        failed=command.failed,
        happened_at=command.happened_at,
    )
    return replying.delivered(waits, told, facts)


def _revisit(case: Case, command: RevisitLinked, facts: Facts) -> list[Event | For]:
    """Ask one more complainant; whoever worked on the primary keeps out, as they would there."""
    _, primary = _other(facts, case.primary)
    if case.answered_with is None:
        raise OutOfTurn(step=case.step)
    asked = replace(
        case,
        step=Step.REPLIED,
        handlers=case.handlers | primary.handlers,
        approvers=case.approvers | primary.approvers,
        departments=case.departments | primary.departments,
    )
    return revisiting.decide(asked, replace(command.revisit, at=command.at, by=command.by), facts)


def evolve(case: Case, event: LinkingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case Merged(primary=primary):
            return replace(case, step=Step.MERGED, before=case.step, primary=primary, answered_with=None)
        case DuplicateLinked(child=child, complainants=complainants, respondent=respondent, noticed=noticed):
            return replace(
                case,
                linked=case.linked | {child},
                joined_by=case.joined_by.union(complainants),
                also_about=(*case.also_about, respondent),
                noticed=(*case.noticed, *noticed),
            )
        case UnmergeProposed():
            return kept(case, event)
        case Unmerged(proposal=proposal):
            apart = replace(case, step=case.before or case.step, before=None, primary=None, answered_with=None)
            return dropped(apart, proposal)
        case DuplicateUnlinked(child=child):
            # Whoever complained of the same matter keeps out of it, and so does whoever it was about.
            return replace(case, linked=case.linked - {child})
        case _:
            assert_never(event)


def served(case: Case, event: ServingEvent) -> Case:
    """Take in what a merged case got of its own: it stays merged, and its own reply, if it had one, waits."""
    if isinstance(event, Replied):
        told = replying.evolve(case, event)
        return replace(told, step=case.step, reply=case.reply, answered_with=event.reply)
    if isinstance(event, ReplyDeliveryFailed):
        return replying.evolve(case, event)
    return revisiting.evolve(case, event)
