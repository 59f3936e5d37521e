"""Events to bytes and back: the names kept for ever, strict reading, upcasts after reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import make_dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import ConfigDict, TypeAdapter, ValidationError

from domain import access, complaint, intake_contact, log, notice, occasion, register, review, rulebook
from domain.decider import Event, Metadata, Recorded
from domain.review import drawing, linking

NAMES: Final[Mapping[str, type[Event]]] = {
    "register.site-added.1": register.SiteAdded,
    "register.department-added.1": register.DepartmentAdded,
    "register.window-added.1": register.WindowAdded,
    "register.item-added.1": register.ItemAdded,
    "register.post-added.1": register.PostAdded,
    "register.post-taken.1": register.PostTaken,
    "register.post-left.1": register.PostLeft,
    "register.deputy-appointed.1": register.DeputyAppointed,
    "register.deputy-ended.1": register.DeputyEnded,
    "register.renamed.1": register.Renamed,
    "register.department-merged.1": register.DepartmentMerged,
    "rulebook.policy-adopted.1": rulebook.PolicyAdopted,
    "rulebook.calendar-adopted.1": rulebook.CalendarAdopted,
    "rulebook.categories-adopted.1": rulebook.CategoriesAdopted,
    "rulebook.stages-adopted.1": rulebook.StagesAdopted,
    "rulebook.code-set-adopted.1": rulebook.CodeSetAdopted,
    "complaint.registered.1": complaint.Registered,
    "complaint.acknowledgement-issued.1": complaint.AcknowledgementIssued,
    "complaint.query-code-replaced.1": complaint.QueryCodeReplaced,
    "complaint.accepted.1": complaint.Accepted,
    "complaint.assigned.1": complaint.Assigned,
    "complaint.assignment-accepted.1": complaint.AssignmentAccepted,
    "complaint.complainant-contacted.1": complaint.ComplainantContacted,
    "complaint.evidence-recorded.1": complaint.EvidenceRecorded,
    "complaint.finding-recorded.1": complaint.FindingRecorded,
    "complaint.rectification-planned.1": complaint.RectificationPlanned,
    "complaint.rectified.1": complaint.Rectified,
    "complaint.rectification-verified.1": complaint.RectificationVerified,
    "complaint.reply-submitted.1": complaint.ReplySubmitted,
    "complaint.reply-approved.1": complaint.ReplyApproved,
    "complaint.rework-ordered.1": complaint.ReworkOrdered,
    "complaint.replied.1": complaint.Replied,
    "complaint.reply-delivery-failed.1": complaint.ReplyDeliveryFailed,
    "complaint.revisit-attempted.2": complaint.RevisitAttempted,
    "complaint.revisited.1": complaint.Revisited,
    "complaint.closed.1": complaint.Closed,
    "complaint.supplement-requested.1": complaint.supplementing.SupplementRequested,
    "complaint.supplement-provided.1": complaint.supplementing.SupplementProvided,
    "complaint.supplement-expired.1": complaint.supplementing.SupplementExpired,
    "complaint.clock-paused.1": complaint.timing.ClockPaused,
    "complaint.clock-resumed.1": complaint.timing.ClockResumed,
    "complaint.extension-requested.1": complaint.extending.ExtensionRequested,
    "complaint.extension-approved.1": complaint.extending.ExtensionApproved,
    "complaint.extension-rejected.1": complaint.extending.ExtensionRejected,
    "complaint.deadline-recomputed.1": complaint.timing.DeadlineRecomputed,
    "complaint.refusal-proposed.1": complaint.ending.RefusalProposed,
    "complaint.refused.1": complaint.ending.Refused,
    "complaint.transferred-out.1": complaint.ending.TransferredOut,
    "complaint.withdrawn.1": complaint.ending.Withdrawn,
    "complaint.termination-proposed.1": complaint.ending.TerminationProposed,
    "complaint.terminated.1": complaint.ending.Terminated,
    "complaint.proposal-declined.1": complaint.proposals.ProposalDeclined,
    "complaint.proposal-expired.1": complaint.proposals.ProposalExpired,
    "complaint.archived.1": complaint.archiving.Archived,
    "complaint.merged.1": complaint.linking.Merged,
    "complaint.duplicate-linked.1": complaint.linking.DuplicateLinked,
    "complaint.unmerge-proposed.1": complaint.linking.UnmergeProposed,
    "complaint.unmerged.1": complaint.linking.Unmerged,
    "complaint.duplicate-unlinked.1": complaint.linking.DuplicateUnlinked,
    "complaint.split.1": complaint.splitting.Split,
    "complaint.unit-called-in.1": complaint.units.UnitCalledIn,
    "complaint.unit-answered.1": complaint.units.UnitAnswered,
    "complaint.assignment-return-requested.1": complaint.returning.AssignmentReturnRequested,
    "complaint.assignment-return-approved.1": complaint.returning.AssignmentReturnApproved,
    "complaint.assignment-return-rejected.1": complaint.returning.AssignmentReturnRejected,
    "complaint.handed-over.1": complaint.units.HandedOver,
    "complaint.recusal-requested.1": complaint.recusal.RecusalRequested,
    "complaint.recusal-decided.1": complaint.recusal.RecusalDecided,
    "complaint.reminded.1": complaint.supervision.Reminded,
    "complaint.supervision-issued.1": complaint.supervision.SupervisionIssued,
    "complaint.supervision-answered.1": complaint.supervision.SupervisionAnswered,
    "complaint.supervision-lifted.1": complaint.supervision.SupervisionLifted,
    "complaint.review-requested.1": complaint.reviewing.ReviewRequested,
    "complaint.review-decided.1": complaint.reviewing.ReviewDecided,
    "complaint.reopened.1": complaint.reviewing.Reopened,
    "complaint.record-corrected.1": complaint.correcting.RecordCorrected,
    "complaint.statement-invited.1": complaint.correcting.StatementInvited,
    "complaint.respondent-stated.1": complaint.correcting.RespondentStated,
    "complaint.complainant-notified.1": complaint.correcting.ComplainantNotified,
    "complaint.publication-proposed.1": complaint.publishing.PublicationProposed,
    "complaint.published.1": complaint.publishing.Published,
    "complaint.unpublished.1": complaint.publishing.Unpublished,
    "complaint.disclosure-proposed.1": complaint.publishing.DisclosureProposed,
    "complaint.identity-disclosed.1": complaint.publishing.IdentityDisclosed,
    "privacy.erasure-requested.1": complaint.ErasureRequested,
    "privacy.erasure-decided.1": complaint.ErasureDecided,
    "privacy.processing-restricted.1": complaint.ProcessingRestricted,
    "privacy.restriction-lifted.1": complaint.RestrictionLifted,
    "privacy.erasure-witnessed.1": complaint.ErasureWitnessed,
    "privacy.erased.1": complaint.Erased,
    "notice.queued.1": notice.Queued,
    "notice.sent.1": notice.Sent,
    "notice.sending-failed.1": notice.SendingFailed,
    "notice.delivered.1": notice.Delivered,
    "intake.contact-recorded.1": intake_contact.ContactRecorded,
    "intake.contact-reclassified.1": intake_contact.ContactReclassified,
    "intake.contact-registered.1": intake_contact.ContactRegistered,
    "intake.contact-settled.1": intake_contact.ContactSettled,
    "occasion.opened.1": occasion.Opened,
    "occasion.invited.1": occasion.Invited,
    "occasion.reviewed.1": occasion.Reviewed,
    "occasion.expired.1": occasion.Expired,
    "review.submitted.1": review.Submitted,
    "review.appended.1": review.Appended,
    "review.corroborated.1": review.Corroborated,
    "review.accepted.1": review.Accepted,
    "review.mistake-confirmed.1": review.adding.MistakeConfirmed,
    "review.complaint-linked.1": linking.ComplaintLinked,
    "review.contacted.1": review.verifying.Contacted,
    "review.evidence-recorded.1": review.verifying.EvidenceRecorded,
    "review.verified.1": review.verifying.Verified,
    "review.appealed.1": review.appealing.Appealed,
    "review.appeal-decision-proposed.1": review.appealing.AppealDecisionProposed,
    "review.appeal-decided.1": review.appealing.AppealDecided,
    "review.excluded.1": review.appealing.Excluded,
    "review.told.1": review.appealing.Told,
    "review.exclusion-objected.1": review.objecting.ExclusionObjected,
    "review.objection-decision-proposed.1": review.objecting.ObjectionDecisionProposed,
    "review.objection-decided.1": review.objecting.ObjectionDecided,
    "review.reinstated.1": review.objecting.Reinstated,
    "review.proposal-declined.1": review.proposals.ProposalDeclined,
    "review.proposal-expired.1": review.proposals.ProposalExpired,
    "review.rectification-planned.1": review.settling.RectificationPlanned,
    "review.rectified.1": review.settling.Rectified,
    "review.explanation-given.1": review.settling.ExplanationGiven,
    "review.replied.1": review.settling.Replied,
    "review.revisit-attempted.1": review.revisiting.RevisitAttempted,
    "review.revisited.1": review.revisiting.Revisited,
    "review.rework-ordered.1": review.revisiting.ReworkOrdered,
    "review.closed.1": review.revisiting.Closed,
    "review.reminded.1": review.watching.Reminded,
    "review.supervision-issued.1": review.watching.SupervisionIssued,
    "review.supervision-answered.1": review.watching.SupervisionAnswered,
    "review.supervision-lifted.1": review.watching.SupervisionLifted,
    "review.deadline-recomputed.1": review.watching.DeadlineRecomputed,
    "review.flagged.1": review.flagging.Flagged,
    "review.flag-cleared.1": review.flagging.FlagCleared,
    "review.check-owed.1": review.flagging.CheckOwed,
    "review.checked.1": review.flagging.Checked,
    "review.draw-announced.1": drawing.DrawAnnounced,
    "review.seed-opened.1": drawing.SeedOpened,
    "review.drawn.1": drawing.Drawn,
    "access.opened.1": access.Opened,
    "attempts.refused.1": access.AttemptRefused,
    "log.restored.1": log.Restored,
}
"""The name each event is stored under. An entry is never changed; a new shape gets a new number and an upcast."""

NAME_OF: Final[Mapping[type[Event], str]] = {event: name for name, event in NAMES.items()}

Json = dict[str, Any]


def _revisit_attempt_says_how(event: Json) -> Json:
    """The first shape knew only whether the person was reached.

    All attempts were calls then, and who was not reached did not answer.
    """
    reached = event.pop("reached")
    return {**event, "method": "phone", "result": "reached" if reached else "no_answer"}


UPCASTS: Final[Mapping[str, tuple[str, Callable[[Json], Json]]]] = {
    "complaint.revisit-attempted.1": ("complaint.revisit-attempted.2", _revisit_attempt_says_how),
}
"""From an old name to the next one, with how the shape changes; applied after reading, never to stored bytes."""


class UnknownEvent(Exception):
    """The log holds an event this program does not know; a newer version wrote it."""


class Unstorable(Exception):
    """An event does not come back from its bytes as it went in, so it must not be stored."""


class Unreadable(ValueError):
    """Stored bytes are not such an event; the message says where, and never what stands there."""


@cache
def _envelope(name: str) -> tuple[Callable[[Metadata, Event], Any], TypeAdapter[Any]]:
    # One shape for metadata and event together, so that the bytes are parsed once.
    # A field that nobody knows stops the reader, however deep it stands (docs/decisions/0002).
    forbid = {"__pydantic_config__": ConfigDict(extra="forbid")}
    shape = make_dataclass("Envelope", [("m", Metadata), ("e", NAMES[name])], frozen=True, slots=True, namespace=forbid)
    return shape, TypeAdapter(shape)


def encode(event: Event, metadata: Metadata) -> tuple[str, bytes]:
    """Give the stored name of an event and its bytes: UTF-8 JSON `{"m": metadata, "e": event}`.

    Raises Unstorable when the bytes would not give the same event again.
    """
    name = NAME_OF[type(event)]
    shape, adapter = _envelope(name)
    try:
        # Warnings would quote a value of the wrong type; reading it again finds the place.
        state = adapter.dump_json(shape(metadata, event), warnings="none")
        again = adapter.validate_json(state, strict=True)
    except ValueError as error:
        raise Unstorable(f"{name}: {_where(error)}") from None
    if (again.m, again.e) != (metadata, event):
        raise Unstorable(name)
    return name, state


def _where(error: ValueError) -> str:
    # The validator's own text would quote the values.
    if not isinstance(error, ValidationError):
        return type(error).__name__
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return ", ".join(f"{'.'.join(map(str, one['loc']))} ({one['type']})" for one in found)


def decode(name: str, state: bytes) -> tuple[Event, Metadata]:
    """Give the event and its metadata; an old shape is brought up to date.

    Raises UnknownEvent for a name nobody ever used, Unreadable for bytes that are not such an event.
    """
    if name not in NAMES:
        if name not in UPCASTS:
            raise UnknownEvent(name)
        return decode(*_brought_up_to_date(name, state))
    try:
        read = _envelope(name)[1].validate_json(state, strict=True)
    except ValueError as error:
        raise Unreadable(f"{name}: {_where(error)}") from None
    return read.e, read.m


def _brought_up_to_date(name: str, state: bytes) -> tuple[str, bytes]:
    newer, upcast = UPCASTS[name]
    try:
        raw = json.loads(state)
        return newer, json.dumps({**raw, "e": upcast(raw["e"])}, ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{name}: {type(error).__name__}") from None


class EventMapper(Mapper[UUID]):
    """Our codec behind the library's mapper interface; `MAPPER_TOPIC` names it."""

    def to_stored_event(self, domain_event: Recorded) -> StoredEvent:  # type: ignore[override]  # ours are all Recorded
        """Give the bytes of one event in its place."""
        name, state = encode(domain_event.event, domain_event.metadata)
        return StoredEvent(domain_event.stream, domain_event.version, name, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """Give one event in its place from its bytes."""
        event, metadata = decode(stored_event.topic, stored_event.state)
        stream = stored_event.originator_id
        if not isinstance(stream, UUID):
            raise UnknownEvent(stored_event.topic)
        return Recorded(stream=stream, version=stored_event.originator_version, event=event, metadata=metadata)
