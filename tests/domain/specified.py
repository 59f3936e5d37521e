"""The transition table of domain.md §6.3, transcribed by hand from the specification, before looking at the rules.

One row for each row there: from which steps, which command, who, which events, to which steps. Commands and events bear
the names of architecture.md §7: without the module's noun. Steps in capitals as there; `OPEN` and `ANY` stand for many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; `=` as a goal means that the step stays; no role where the specification names none."""

    steps: tuple[str, ...]
    command: str
    roles: tuple[str, ...]
    events: tuple[str, ...]
    goals: tuple[str, ...]


OPEN: Final = (
    "REGISTERED",
    "AWAITING_SUPPLEMENT",
    "ACCEPTED",
    "ASSIGNED",
    "IN_PROGRESS",
    "REPLY_PENDING_APPROVAL",
    "REPLY_APPROVED",
    "REPLIED",
    "UNDER_REVIEW",
)
BEFORE_REPLIED: Final = OPEN[:7]
ENDED: Final = ("CLOSED", "REFUSED", "WITHDRAWN", "TERMINATED", "MERGED", "TRANSFERRED_OUT")
ANY: Final = (*OPEN, *ENDED, "ARCHIVED")

TABLE: Final[tuple[Row, ...]] = (
    Row((), "register", ("CITIZEN", "INTAKE", "SYSTEM"), ("Registered", "AcknowledgementIssued"), ("REGISTERED",)),
    Row(
        ("REGISTERED",),
        "request-supplement",
        ("DISPATCHER",),
        ("SupplementRequested", "ClockPaused"),
        ("AWAITING_SUPPLEMENT",),
    ),
    Row(
        ("AWAITING_SUPPLEMENT",),
        "provide-supplement",
        ("CITIZEN",),
        ("SupplementProvided", "ClockResumed"),
        ("REGISTERED",),
    ),
    Row(("AWAITING_SUPPLEMENT",), "expire-supplement", ("SYSTEM",), ("SupplementExpired",), ("REGISTERED",)),
    Row(("REGISTERED",), "resolve-on-spot", ("INTAKE",), ("Accepted", "FindingRecorded", "Replied"), ("REPLIED",)),
    Row(("REGISTERED",), "accept", ("DISPATCHER",), ("Accepted",), ("ACCEPTED",)),
    Row(("REGISTERED",), "propose-refuse", ("DISPATCHER",), ("RefusalProposed",), ("=",)),
    Row(("REGISTERED",), "confirm-refuse", ("DISPATCHER", "SUPERVISOR"), ("Refused",), ("REFUSED",)),
    Row(("REGISTERED", "ACCEPTED"), "transfer-out", ("DISPATCHER",), ("TransferredOut",), ("TRANSFERRED_OUT",)),
    Row(OPEN, "merge", ("DISPATCHER",), ("Merged", "DuplicateLinked"), ("MERGED",)),
    Row(("REGISTERED", "ACCEPTED"), "split", ("DISPATCHER",), ("Split",), ("=",)),
    Row(("MERGED",), "propose-unmerge", ("DISPATCHER",), ("UnmergeProposed",), ("=",)),
    Row(("MERGED",), "confirm-unmerge", ("SUPERVISOR",), ("Unmerged",), ("PREVIOUS",)),
    Row(("ACCEPTED",), "assign", ("DISPATCHER",), ("Assigned",), ("ASSIGNED",)),
    Row(("ASSIGNED",), "sign-for", ("HANDLER",), ("AssignmentAccepted",), ("IN_PROGRESS",)),
    Row(("ASSIGNED",), "request-return", ("HANDLER",), ("AssignmentReturnRequested",), ("=",)),
    Row(
        ("ASSIGNED",),
        "decide-return",
        ("DISPATCHER",),
        ("AssignmentReturnApproved", "AssignmentReturnRejected"),
        ("ACCEPTED", "="),
    ),
    Row(("IN_PROGRESS",), "record-contact", ("HANDLER",), ("ComplainantContacted",), ("=",)),
    Row(("IN_PROGRESS",), "record-evidence", ("HANDLER",), ("EvidenceRecorded",), ("=",)),
    Row(OPEN, "request-recusal", ("HANDLER", "CITIZEN", "RESPONDENT"), ("RecusalRequested",), ("=",)),
    Row(OPEN, "decide-recusal", ("UNIT_HEAD",), ("RecusalDecided",), ("=",)),
    Row(("IN_PROGRESS",), "pause-clock", ("UNIT_HEAD",), ("ClockPaused",), ("=",)),
    Row(("IN_PROGRESS",), "resume-clock", ("UNIT_HEAD",), ("ClockResumed",), ("=",)),
    Row(("IN_PROGRESS",), "request-extension", ("HANDLER",), ("ExtensionRequested",), ("=",)),
    Row(
        ("IN_PROGRESS",),
        "decide-extension",
        ("UNIT_HEAD",),
        ("ExtensionApproved", "ComplainantNotified", "ExtensionRejected"),
        ("=",),
    ),
    Row(("IN_PROGRESS",), "record-finding", ("HANDLER",), ("FindingRecorded",), ("=",)),
    Row(("IN_PROGRESS",), "plan-rectification", ("HANDLER",), ("RectificationPlanned",), ("=",)),
    Row(("IN_PROGRESS",), "rectify", ("HANDLER",), ("Rectified",), ("=",)),
    Row(("IN_PROGRESS",), "verify-rectification", ("SUPERVISOR",), ("RectificationVerified",), ("=",)),
    Row(("IN_PROGRESS",), "submit-reply", ("HANDLER",), ("ReplySubmitted",), ("REPLY_PENDING_APPROVAL",)),
    Row(("REPLY_PENDING_APPROVAL",), "approve-reply", ("UNIT_HEAD",), ("ReplyApproved",), ("REPLY_APPROVED",)),
    Row(("REPLY_PENDING_APPROVAL",), "reject-reply", ("UNIT_HEAD",), ("ReworkOrdered",), ("IN_PROGRESS",)),
    Row(("REPLY_APPROVED",), "reply", ("SYSTEM", "HANDLER"), ("Replied", "ReplyDeliveryFailed"), ("REPLIED", "=")),
    Row(("REPLIED",), "revisit", ("REVISIT_OFFICER",), ("RevisitAttempted", "Revisited"), ("=",)),
    Row(("REPLIED",), "order-rework", ("SUPERVISOR", "REVISIT_OFFICER"), ("ReworkOrdered",), ("IN_PROGRESS",)),
    Row(("REPLIED",), "close", ("DISPATCHER",), ("Closed",), ("CLOSED",)),
    Row(("REFUSED", "REPLIED", "CLOSED"), "request-review", ("CITIZEN",), ("ReviewRequested",), ("UNDER_REVIEW",)),
    Row(("UNDER_REVIEW",), "decide-review", ("REVIEWER",), ("ReviewDecided",), ("CLOSED", "IN_PROGRESS")),
    Row(("CLOSED", "ARCHIVED"), "reopen", ("DISPATCHER", "SUPERVISOR"), ("Reopened",), ("IN_PROGRESS",)),
    Row(BEFORE_REPLIED, "withdraw", ("CITIZEN",), ("Withdrawn",), ("WITHDRAWN",)),
    Row(("IN_PROGRESS",), "propose-terminate", ("DISPATCHER",), ("TerminationProposed",), ("=",)),
    Row(("IN_PROGRESS",), "confirm-terminate", ("SUPERVISOR",), ("Terminated",), ("TERMINATED",)),
    Row(OPEN, "issue-supervision", ("SYSTEM", "SUPERVISOR"), ("SupervisionIssued",), ("=",)),
    Row(OPEN, "answer-supervision", (), ("SupervisionAnswered",), ("=",)),
    Row(OPEN, "lift-supervision", (), ("SupervisionLifted",), ("=",)),
    Row(ENDED, "archive", ("SYSTEM",), ("Archived",), ("ARCHIVED",)),
    Row(ANY, "propose-publish", ("DISPATCHER",), ("PublicationProposed",), ("=",)),
    Row(ANY, "confirm-publish", ("PRIVACY_OFFICER",), ("Published",), ("=",)),
    Row(ANY, "unpublish", ("DISPATCHER",), ("Unpublished",), ("=",)),
)
"""A two-person act has a row for each half; the proposing event has no name in the specification."""
