"""The life of a complaint, phase by phase of the loop: each phase holds its commands, events and rules together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never, get_args

from domain.complaint import (
    archiving,
    clocks,
    correcting,
    ending,
    extending,
    inquiry,
    intake,
    ledger,
    linking,
    onspot,
    privacy,
    proposals,
    publishing,
    rectification,
    recusal,
    replying,
    retention,
    returning,
    reviewing,
    revisiting,
    splitting,
    supervision,
    supplementing,
    timing,
    units,
)
from domain.complaint.inquiry import (
    Assign,
    Assigned,
    AssignmentAccepted,
    ComplainantContacted,
    EvidenceRecorded,
    FindingRecorded,
    RecordContact,
    RecordEvidence,
    RecordFinding,
    SignFor,
)
from domain.complaint.intake import (
    Accept,
    Accepted,
    AcknowledgementIssued,
    QueryCodeReplaced,
    Register,
    Registered,
    ReplaceQueryCode,
)
from domain.complaint.ledger import ReplyToLedgerCase
from domain.complaint.privacy import (
    DecideErasure,
    Erase,
    Erased,
    ErasureDecided,
    ErasureRequested,
    ErasureWitnessed,
    LiftRestriction,
    ProcessingRestricted,
    RequestErasure,
    RestrictionLifted,
    WitnessErasure,
)
from domain.complaint.rectification import (
    PlanRectification,
    RectificationPlanned,
    RectificationVerified,
    Rectified,
    Rectify,
    VerifyRectification,
)
from domain.complaint.replying import (
    ApproveReply,
    RejectReply,
    Replied,
    Reply,
    ReplyApproved,
    ReplyDeliveryFailed,
    ReplySubmitted,
    ReworkOrdered,
    SubmitReply,
)
from domain.complaint.revisiting import Close, Closed, Revisit, RevisitAttempted, Revisited
from domain.complaint.state import Case, Step
from domain.decider import Code, Decider, For
from domain.decider import Event as AnyEvent
from domain.errors import LinkedCases
from domain.handling import Facts
from domain.rulebook import Profile

__all__ = [
    "COMPLAINT",
    "NEXT_STEPS",
    "Accept",
    "Accepted",
    "AcknowledgementIssued",
    "ApproveReply",
    "Assign",
    "Assigned",
    "AssignmentAccepted",
    "Case",
    "Close",
    "Closed",
    "Command",
    "ComplainantContacted",
    "DecideErasure",
    "Erase",
    "Erased",
    "ErasureDecided",
    "ErasureRequested",
    "ErasureWitnessed",
    "Event",
    "EvidenceRecorded",
    "FindingRecorded",
    "LiftRestriction",
    "PlanRectification",
    "ProcessingRestricted",
    "QueryCodeReplaced",
    "RecordContact",
    "RecordEvidence",
    "RecordFinding",
    "RectificationPlanned",
    "RectificationVerified",
    "Rectified",
    "Rectify",
    "Register",
    "Registered",
    "RejectReply",
    "ReplaceQueryCode",
    "Replied",
    "Reply",
    "ReplyApproved",
    "ReplyDeliveryFailed",
    "ReplySubmitted",
    "ReplyToLedgerCase",
    "RequestErasure",
    "RestrictionLifted",
    "Revisit",
    "RevisitAttempted",
    "Revisited",
    "ReworkOrdered",
    "SignFor",
    "Step",
    "SubmitReply",
    "VerifyRectification",
    "WitnessErasure",
    "decide",
    "evolve",
]

Event: TypeAlias = (
    intake.IntakeEvent
    | inquiry.InquiryEvent
    | rectification.RectificationEvent
    | replying.ReplyingEvent
    | revisiting.RevisitingEvent
    | privacy.PrivacyEvent
    | supplementing.SupplementingEvent
    | timing.TimingEvent
    | extending.ExtendingEvent
    | ending.EndingEvent
    | proposals.ProposalEvent
    | archiving.ArchivingEvent
    | linking.LinkingEvent
    | splitting.SplittingEvent
    | units.UnitEvent
    | returning.ReturningEvent
    | recusal.RecusalEvent
    | supervision.SupervisionEvent
    | reviewing.ReviewingEvent
    | correcting.CorrectingEvent
    | publishing.PublishingEvent
)
Command: TypeAlias = (
    intake.IntakeCommand
    | inquiry.InquiryCommand
    | rectification.RectificationCommand
    | replying.ReplyingCommand
    | revisiting.RevisitingCommand
    | ledger.LedgerCommand
    | privacy.PrivacyCommand
    | onspot.OnSpotCommand
    | supplementing.SupplementingCommand
    | timing.TimingCommand
    | extending.ExtendingCommand
    | ending.EndingCommand
    | proposals.ProposalCommand
    | archiving.ArchivingCommand
    | linking.LinkingCommand
    | splitting.SplittingCommand
    | units.UnitCommand
    | returning.ReturningCommand
    | recusal.RecusalCommand
    | supervision.SupervisionCommand
    | reviewing.ReviewingCommand
    | correcting.CorrectingCommand
    | publishing.PublishingCommand
)


def decide(case: Case | None, command: Command, facts: Facts) -> list[AnyEvent | For]:
    """Answer a command with the events it causes; raises a Refused that says why not."""
    if isinstance(command, privacy.PrivacyCommand):
        return privacy.decide(case, command, facts)
    if case is not None:
        privacy.not_frozen(case)
        if case.linked and isinstance(command, ending.EndingCommand):
            raise LinkedCases(linked=len(case.linked))
    if isinstance(command, intake.IntakeCommand):
        return intake.decide(case, command, facts)
    if isinstance(command, inquiry.InquiryCommand):
        return inquiry.decide(case, command, facts)
    if isinstance(command, rectification.RectificationCommand):
        return rectification.decide(case, command, facts)
    if isinstance(command, replying.ReplyingCommand):
        return replying.decide(case, command, facts)
    if isinstance(command, revisiting.RevisitingCommand):
        return revisiting.decide(case, command, facts)
    if isinstance(command, ledger.LedgerCommand):
        return ledger.decide(case, command, facts)
    if isinstance(command, onspot.OnSpotCommand):
        return onspot.decide(case, command, facts)
    if isinstance(command, supplementing.SupplementingCommand):
        return supplementing.decide(case, command, facts)
    if isinstance(command, timing.TimingCommand):
        return timing.decide(case, command, facts)
    if isinstance(command, extending.ExtendingCommand):
        return extending.decide(case, command, facts)
    if isinstance(command, ending.EndingCommand):
        return ending.decide(case, command, facts)
    if isinstance(command, proposals.ProposalCommand):
        return proposals.decide(case, command, facts)
    if isinstance(command, archiving.ArchivingCommand):
        return archiving.decide(case, command, facts)
    if isinstance(command, linking.LinkingCommand):
        return linking.decide(case, command, facts)
    if isinstance(command, splitting.SplittingCommand):
        return splitting.decide(case, command, facts)
    if isinstance(command, units.UnitCommand):
        return units.decide(case, command, facts)
    if isinstance(command, returning.ReturningCommand):
        return returning.decide(case, command, facts)
    if isinstance(command, recusal.RecusalCommand):
        return recusal.decide(case, command, facts)
    if isinstance(command, supervision.SupervisionCommand):
        return supervision.decide(case, command, facts)
    if isinstance(command, reviewing.ReviewingCommand):
        return reviewing.decide(case, command, facts)
    if isinstance(command, correcting.CorrectingCommand):
        return correcting.decide(case, command, facts)
    if isinstance(command, publishing.PublishingCommand):
        return publishing.decide(case, command, facts)
    assert_never(command)


def evolve(case: Case | None, event: Event) -> Case | None:
    """Take one event in; never refuses."""
    moved = _evolve(case, event)
    return (
        None if moved is None else retention.noted(case, clocks.stilled(case, proposals.in_turn(moved), event), event)
    )


def _evolve(case: Case | None, event: Event) -> Case | None:
    if case is not None and case.profile == Profile.LEDGER and isinstance(event, ledger.LedgerEvent):
        return ledger.evolve(case, event)
    if isinstance(event, intake.IntakeEvent):
        return intake.evolve(case, event)
    if case is None:
        return None
    if case.step is Step.MERGED and isinstance(event, linking.ServingEvent):
        return linking.served(case, event)
    if isinstance(event, inquiry.InquiryEvent):
        return inquiry.evolve(case, event)
    if isinstance(event, rectification.RectificationEvent):
        return rectification.evolve(case, event)
    if isinstance(event, replying.ReplyingEvent):
        return replying.evolve(case, event)
    if isinstance(event, revisiting.RevisitingEvent):
        return revisiting.evolve(case, event)
    if isinstance(event, privacy.PrivacyEvent):
        return privacy.evolve(case, event)
    if isinstance(event, supplementing.SupplementingEvent):
        return supplementing.evolve(case, event)
    if isinstance(event, timing.TimingEvent):
        return timing.evolve(case, event)
    if isinstance(event, extending.ExtendingEvent):
        return extending.evolve(case, event)
    if isinstance(event, ending.EndingEvent):
        return ending.evolve(case, event)
    if isinstance(event, proposals.ProposalEvent):
        return proposals.evolve(case, event)
    if isinstance(event, archiving.ArchivingEvent):
        return archiving.evolve(case, event)
    if isinstance(event, linking.LinkingEvent):
        return linking.evolve(case, event)
    if isinstance(event, splitting.SplittingEvent):
        return splitting.evolve(case, event)
    if isinstance(event, units.UnitEvent):
        return units.evolve(case, event)
    if isinstance(event, returning.ReturningEvent):
        return returning.evolve(case, event)
    if isinstance(event, recusal.RecusalEvent):
        return recusal.evolve(case, event)
    if isinstance(event, supervision.SupervisionEvent):
        return supervision.evolve(case, event)
    if isinstance(event, reviewing.ReviewingEvent):
        return reviewing.evolve(case, event)
    if isinstance(event, correcting.CorrectingEvent):
        return correcting.evolve(case, event)
    if isinstance(event, publishing.PublishingEvent):
        return publishing.evolve(case, event)
    assert_never(event)


COMPLAINT: Final[Decider[Case | None, Command, Event, Facts]] = Decider(
    "complaint", None, decide, evolve, get_args(Event)
)

RECTIFYING: Final[tuple[Code, ...]] = ("plan-rectification", "rectify", "verify-rectification")
"""What may still be done about a finding while the reply is on its way, and after it."""

OF_THE_LOOP: Final[Mapping[Step, tuple[Code, ...]]] = MappingProxyType(
    {
        Step.REGISTERED: ("accept",),
        Step.ACCEPTED: ("assign",),
        Step.ASSIGNED: ("sign-for",),
        Step.IN_PROGRESS: ("record-contact", "record-evidence", "record-finding", *RECTIFYING, "submit-reply"),
        Step.REPLY_PENDING_APPROVAL: ("approve-reply", "reject-reply", *RECTIFYING),
        Step.REPLY_APPROVED: ("reply", *RECTIFYING),
        Step.REPLIED: ("revisit", "close", *RECTIFYING),
        Step.CLOSED: RECTIFYING,
    }
)

BESIDE_THE_LOOP: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        **onspot.TURNS,
        **supplementing.TURNS,
        **timing.TURNS,
        **extending.TURNS,
        **ending.TURNS,
        **proposals.TURNS,
        **archiving.TURNS,
        **linking.TURNS,
        **splitting.TURNS,
        **units.TURNS,
        **returning.TURNS,
        **recusal.TURNS,
        **supervision.TURNS,
        **reviewing.TURNS,
        **correcting.TURNS,
        **publishing.TURNS,
    }
)

NEXT_STEPS: Final[Mapping[Step, tuple[Code, ...]]] = MappingProxyType(
    {
        step: (
            *OF_THE_LOOP.get(step, ()),
            *(name for name, steps in BESIDE_THE_LOOP.items() if step in steps),
        )
        for step in Step
    }
)
"""Which commands are in turn at each step, those that carry the case round the loop first; `obstacles` says who may."""
