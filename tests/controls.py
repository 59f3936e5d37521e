"""Named example data: one complaint of February 2026 with every step it takes, and every date worked out by hand."""

from __future__ import annotations

from datetime import date
from typing import Final, TypeAlias

from domain.complaint import (
    COMPLAINT,
    Accepted,
    AcknowledgementIssued,
    Assigned,
    AssignmentAccepted,
    Case,
    Closed,
    Command,
    ComplainantContacted,
    Event,
    EvidenceRecorded,
    FindingRecorded,
    RectificationPlanned,
    RectificationVerified,
    Rectified,
    Register,
    Registered,
    Replied,
    ReplyApproved,
    ReplySubmitted,
    RevisitAttempted,
    Revisited,
)
from domain.complaint.inquiry import ConflictCheck, EvidenceKind, Responsibility, ResponsibilityKind
from domain.complaint.intake import (
    Channel,
    Complexity,
    Confidentiality,
    HandlingClass,
    ReceiptMedium,
    Severity,
    Vulnerable,
)
from domain.complaint.replying import AppealRoute, Decision
from domain.complaint.revisiting import Answers, Outcome, Resolved, RevisitStatus
from domain.complaint.state import Finding, IdentityMode, Respondent
from domain.grade import Grade
from domain.handling import ContactResult, Facts, Method
from domain.rulebook import (
    Profile,
)
from tests.hall import (
    BASIS,
    COMPLAINANT,
    COUNTER,
    DESK,
    FACTS,
    FENG,
    HANDLER,
    HEAD,
    MEASURED,
    NUMBER,
    QIAN,
    REVISITOR,
    SUPERVISOR,
    WANG,
    WEI,
    ZHAO,
    key,
    local,
    sealed,
    until,
)
from tests.specification import Given, given

EVIDENCE: Final = key("evidence")
RECTIFICATION: Final = key("rectification")
REPLY: Final = key("reply")
ANSWERS: Final = Answers(
    resolved=Resolved.YES,
    attitude_satisfaction=Grade.SATISFIED,
    result_satisfaction=Grade.VERY_SATISFIED,
    new_facts=False,
    note=sealed("note"),
)

# One complaint, with every date worked out by hand. Friday 13 February 2026, 18:30: the next working day is a Saturday
# (domain.md §14 case 1); from 15 to 23 February the hall is closed; Saturday the 28th is worked.
REGISTERED: Final = Registered(
    at=local("02-13", "18:30"),
    by=COUNTER,
    complaint_no=NUMBER,
    hall="GXQ",
    profile=Profile.HALL,
    channel=Channel.WINDOW,
    window="W00",
    complainant=COMPLAINANT,
    identity_mode=IdentityMode.REAL_NAME,
    confidentiality=Confidentiality.NORMAL,
    category="SHIRK",
    respondent=Respondent(department="approval", window="W03", staff=FENG),
    item="licence",
    project_no="1501-2026-000017",
    external_ref=None,
    name=sealed("name", 4),
    phone=sealed("phone", 11),
    subject=sealed("subject"),
    narrative=sealed("narrative"),
    narrative_facts=MEASURED,
    desired_outcome=sealed("desired_outcome"),
    similar=(),
    vulnerable=(Vulnerable.ELDERLY,),
    written=False,
    points=2,
    happened_at=local("02-12", "10:00"),
    claimed_at=None,
    by_respondent=False,
    accept_due=until("02-14"),
    basis=BASIS,
)
ACKNOWLEDGED: Final = AcknowledgementIssued(
    at=REGISTERED.at, by=COUNTER, receipt_no=NUMBER, medium=ReceiptMedium.PAPER, query_code=True
)
ACCEPTED: Final = Accepted(
    at=local("02-14", "09:00"),
    by=DESK,
    category="SHIRK",
    severity=Severity.ORDINARY,
    complexity=Complexity.SIMPLE,
    handling_class=HandlingClass.FORWARD,
    late=False,
    assign_due=until("02-14", "14:30"),  # three hours until noon, one after half past one
    handle_due=until("02-28"),  # 24, 25, 26, 27, Saturday 28
    basis=BASIS,
)
ASSIGNED: Final = Assigned(
    at=local("02-14", "10:00"),
    by=DESK,
    department="approval",
    assist=("tax",),
    handler=WANG,
    conflict_check=ConflictCheck(checked=tuple(sorted((WANG, ZHAO, QIAN, WEI))), clear=True),
    late=False,
    sign_due=until("02-14", "15:30"),  # two hours until noon, two after half past one
    contact_due=until("02-24"),
    unit_due=until("02-28"),
    return_due=until("02-15", "10:00"),
    basis=BASIS,
)
SIGNED: Final = AssignmentAccepted(at=local("02-14", "15:30"), by=HANDLER, late=False)
CONTACTED: Final = ComplainantContacted(
    at=local("02-24", "10:00"),
    by=HANDLER,
    attempt_no=1,
    day=date(2026, 2, 24),
    method=Method.PHONE,
    result=ContactResult.REACHED,
    note=sealed("note"),
    late=False,
)
EVIDENCED: Final = EvidenceRecorded(
    at=local("02-24", "11:00"),
    by=HANDLER,
    evidence=EVIDENCE,
    kind=EvidenceKind.RECORDING,
    description=sealed("description"),
    sha256="ab" * 32,
    size=40_960,
)
FOUND: Final = FindingRecorded(
    at=local("02-25", "09:00"),
    by=HANDLER,
    finding=Finding.SUBSTANTIATED,
    facts=sealed("facts"),
    facts_measured=MEASURED,
    responsibility=(Responsibility(department="approval", window="W03", staff=FENG, kind=ResponsibilityKind.DIRECT),),
    evidence=(EVIDENCE,),
    rectification_required=True,
)
PLANNED: Final = RectificationPlanned(
    at=local("02-25", "10:00"), by=HANDLER, rectification=RECTIFICATION, actions=sealed("actions"), due=until("03-06")
)
RECTIFIED: Final = Rectified(
    at=local("02-26", "09:00"),
    by=HANDLER,
    rectification=RECTIFICATION,
    actions=sealed("done"),
    evidence=(EVIDENCE,),
    late=False,
)
VERIFIED: Final = RectificationVerified(
    at=local("02-26", "10:00"), by=SUPERVISOR, rectification=RECTIFICATION, passed=True, note=sealed("note")
)
SUBMITTED: Final = ReplySubmitted(
    at=local("02-26", "11:00"),
    by=HANDLER,
    reply=REPLY,
    decision=Decision.UPHELD,
    reasons=sealed("reasons"),
    reasons_measured=MEASURED,
    legal_basis=sealed("legal_basis"),
    points=(sealed("point-1"), sealed("point-2")),
    remedy=sealed("remedy"),
    appeal_route=AppealRoute.REVIEW_REQUEST,
    template_version=1,
)
APPROVED: Final = ReplyApproved(at=local("02-26", "15:00"), by=HEAD, reply=REPLY)
REPLIED: Final = Replied(
    at=local("02-26", "16:00"),
    by=HANDLER,
    reply=REPLY,
    method=Method.PHONE,
    content=None,
    content_measured=None,
    late=False,
    review_request_until=until("03-30"),  # 30 natural days, to Saturday 28 March, which moves to Monday
    revisit_due=until("03-05"),  # four working days after 28 February: 2, 3, 4, 5 March
    basis=BASIS,
)
ATTEMPTED: Final = RevisitAttempted(
    at=local("03-03", "09:00"),
    by=REVISITOR,
    attempt_no=1,
    day=date(2026, 3, 3),
    method=Method.PHONE,
    result=ContactResult.REACHED,
)
REVISITED: Final = Revisited(
    at=ATTEMPTED.at,
    by=REVISITOR,
    resolved=Resolved.YES,
    attitude_satisfaction=Grade.SATISFIED,
    result_satisfaction=Grade.VERY_SATISFIED,
    new_facts=False,
    note=sealed("note"),
    late=False,
)
CLOSED: Final = Closed(
    at=local("03-04", "09:00"), by=DESK, outcome=Outcome.RESOLVED, revisit_status=RevisitStatus.COMPLETED
)
LOOP: Final[tuple[Event, ...]] = (
    REGISTERED,
    ACKNOWLEDGED,
    ACCEPTED,
    ASSIGNED,
    SIGNED,
    CONTACTED,
    EVIDENCED,
    FOUND,
    PLANNED,
    RECTIFIED,
    VERIFIED,
    SUBMITTED,
    APPROVED,
    REPLIED,
    ATTEMPTED,
    REVISITED,
    CLOSED,
)

REGISTRATION: Final = Register(
    at=REGISTERED.at,
    by=COUNTER,
    medium=ReceiptMedium.PAPER,
    **{
        field: getattr(REGISTERED, field)
        for field in (
            "hall", "profile", "channel", "window", "complainant", "identity_mode", "confidentiality", "category",
            "respondent", "item", "project_no", "external_ref", "name", "phone", "subject", "narrative",
            "narrative_facts", "desired_outcome", "vulnerable", "written", "points", "happened_at", "claimed_at",
        )
    },
)  # fmt: skip

CaseGiven: TypeAlias = Given[Case | None, Command, Event, Facts]


def upto(last: Event) -> tuple[Event, ...]:
    """Give the story as far as one of its events."""
    return LOOP[: LOOP.index(last) + 1]


def case(*history: Event, facts: Facts = FACTS) -> CaseGiven:
    """Begin a sentence about a complaint."""
    return given(COMPLAINT, *history, facts=facts)
