"""Named example data: one hall in February 2026, its people and posts, and one complaint with every step it takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

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
from domain.complaint.intake import Channel, Complexity, Confidentiality, HandlingClass, Medium, Severity, Vulnerable
from domain.complaint.replying import AppealRoute, Decision
from domain.complaint.revisiting import Answers, Grade, Outcome, Resolved, RevisitStatus
from domain.complaint.state import Finding, IdentityMode, Respondent
from domain.deadlines import Due
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.handling import Basis, ContactResult, Facts, Method
from domain.register import (
    REGISTER,
    Department,
    DepartmentAdded,
    Item,
    ItemAdded,
    Post,
    PostAdded,
    PostLeft,
    PostTaken,
    RegisterEvent,
    Site,
    SiteAdded,
    SiteLevel,
    Window,
    WindowAdded,
    WindowKind,
)
from domain.rulebook import (
    RULEBOOK,
    CalendarAdopted,
    CategoriesAdopted,
    Category,
    CodeList,
    Permission,
    Policy,
    PolicyAdopted,
    PolicyRef,
    Profile,
    RulebookEvent,
)
from domain.sealed import Sealed, TextFacts
from service import profiles
from tests.specification import Given, given

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
ROOT: Final = UUID("0a1b2c3d-0000-5000-8000-00000000cafe")


def local(day: str, clock: str = "09:00") -> datetime:
    """Give a local time of 2026, as `02-13` and `18:30`, in UTC."""
    return datetime.fromisoformat(f"2026-{day}T{clock}").replace(tzinfo=SHANGHAI).astimezone(UTC)


def until(day: str, clock: str = "23:59:59.999999", *, provisional: bool = False) -> Due:
    """Give a deadline at a local time of 2026, by default the last instant of the day."""
    return Due(at=local(day, clock), day=date.fromisoformat(f"2026-{day}"), provisional=provisional)


def key(name: str) -> UUID:
    """Give the same id for the same name."""
    return uuid5(ROOT, name)


def person(name: str) -> PersonKey:
    """Give the key of somebody in these stories."""
    return PersonKey(key(f"person:{name}"))


def sealed(name: str, chars: int = 12) -> Sealed:
    """Give a value that looks sealed and opens nothing; the same name gives the same value."""
    return Sealed(
        v=1,
        value_id=key(f"value:{name}"),
        key_id=key("key"),
        nonce="bm9uY2Utbm9uY2Ut",
        box="Ym94LWJveC1ib3g",
        chars=chars,
    )


# People. Who holds two posts is there to be refused.
LI: Final = person("LI")  # complaint desk
WANG: Final = person("WANG")  # handles in the approval department
ZHAO: Final = person("ZHAO")  # heads the approval department
QIAN: Final = person("QIAN")  # deputy head there, and handler there
SUN: Final = person("SUN")  # supervises
ZHOU: Final = person("ZHOU")  # revisits, belongs to no department
WU: Final = person("WU")  # handles in the approval department, and revisits, and supervises
ZHENG: Final = person("ZHENG")  # takes complaints at the integrity window
FENG: Final = person("FENG")  # serves at window 3: the one complained of
CHEN: Final = person("CHEN")  # serves at window 3, and handles in the approval department
CHU: Final = person("CHU")  # handles in the tax department, and revisits
WEI: Final = person("WEI")  # holds every post there is
JIANG: Final = person("JIANG")  # heads the tax department
COMPLAINANT: Final = person("COMPLAINANT")
STRANGER: Final = person("STRANGER")

POSTS: Final[dict[str, Post]] = {
    post.code: post
    for post in (
        Post(code="desk", name_zh="投诉受理台", name_en="Complaint desk", role=Role.DISPATCHER, site="GXQ"),
        Post(
            code="counter", name_zh="诚信窗口", name_en="Integrity window", role=Role.INTAKE, site="GXQ", window="W00"
        ),
        Post(
            code="window-3", name_zh="三号窗口", name_en="Window 3", role=Role.INTAKE, site="GXQ",
            department="approval", window="W03",
        ),
        Post(
            code="approval-handler", name_zh="审批局承办", name_en="Handler, Approval", role=Role.HANDLER, site="GXQ",
            department="approval",
        ),
        Post(
            code="approval-head", name_zh="审批局负责人", name_en="Head, Approval", role=Role.UNIT_HEAD, site="GXQ",
            department="approval",
        ),
        Post(
            code="tax-handler", name_zh="税务局承办", name_en="Handler, Tax", role=Role.HANDLER, site="GXQ",
            department="tax",
        ),
        Post(
            code="tax-head", name_zh="税务局负责人", name_en="Head, Tax", role=Role.UNIT_HEAD, site="GXQ",
            department="tax",
        ),
        Post(code="supervisor", name_zh="督查", name_en="Supervisor", role=Role.SUPERVISOR, site="GXQ"),
        Post(code="revisits", name_zh="回访", name_en="Revisits", role=Role.REVISIT_OFFICER, site="GXQ"),
    )
}  # fmt: skip
HOLDERS: Final[tuple[tuple[PersonKey, str], ...]] = (
    (LI, "desk"),
    (WANG, "approval-handler"),
    (ZHAO, "approval-head"),
    (QIAN, "approval-head"),
    (QIAN, "approval-handler"),
    (SUN, "supervisor"),
    (ZHOU, "revisits"),
    (WU, "approval-handler"),
    (WU, "revisits"),
    (WU, "supervisor"),
    (ZHENG, "counter"),
    (FENG, "window-3"),
    (CHEN, "window-3"),
    (CHEN, "approval-handler"),
    (CHU, "tax-handler"),
    (CHU, "revisits"),
    (JIANG, "tax-head"),
    *((WEI, code) for code in POSTS if code != "window-3"),
)


def actor(who: PersonKey, post: str, *, on_behalf_of: PersonKey | None = None) -> Actor:
    """Give somebody acting in one of the posts above, in the role it carries."""
    return Actor(person=who, post=post, role=POSTS[post].role, on_behalf_of=on_behalf_of)


DESK: Final = actor(LI, "desk")
COUNTER: Final = actor(ZHENG, "counter")
HANDLER: Final = actor(WANG, "approval-handler")
HEAD: Final = actor(ZHAO, "approval-head")
SUPERVISOR: Final = actor(SUN, "supervisor")
REVISITOR: Final = actor(ZHOU, "revisits")
CITIZEN: Final = Actor(person=COMPLAINANT, role=Role.CITIZEN)

# The hall, entered a month before anything happens.
ENTERED: Final = local("01-05")
REGISTER_EVENTS: Final[tuple[RegisterEvent, ...]] = (
    SiteAdded(
        at=ENTERED, by=THE_SYSTEM,
        entry=Site(code="GXQ", name_zh="高新区政务服务中心", name_en="High-tech Zone Centre", level=SiteLevel.DISTRICT),
    ),
    *(
        DepartmentAdded(at=ENTERED, by=THE_SYSTEM, entry=Department(code=code, name_zh=zh, name_en=en, site="GXQ"))
        for code, zh, en in (
            ("approval", "行政审批局", "Approval"),
            ("tax", "税务局", "Tax"),
            ("office", "管委会办公室", "Committee Office"),
        )
    ),
    *(
        WindowAdded(
            at=ENTERED, by=THE_SYSTEM,
            entry=Window(code=code, name_zh=zh, name_en=en, site="GXQ", department=department, kind=kind),
        )
        for code, zh, en, department, kind in (
            ("W00", "诚信建设投诉窗口", "Integrity window", None, WindowKind.INTEGRITY),
            ("W03", "三号窗口", "Window 3", "approval", WindowKind.SERVICE),
            ("W04", "四号窗口", "Window 4", "approval", WindowKind.SERVICE),
        )
    ),
    ItemAdded(
        at=ENTERED, by=THE_SYSTEM,
        entry=Item(
            code="licence", name_zh="营业执照", name_en="Licence", department="approval", promised_working_days=3
        ),
    ),
    *(PostAdded(at=ENTERED, by=THE_SYSTEM, entry=post) for post in POSTS.values()),
    *(PostTaken(at=ENTERED, by=THE_SYSTEM, post=post, person=who, since=ENTERED) for who, post in HOLDERS),
)  # fmt: skip


def policy(name: Profile, version: int = 1) -> Policy:
    """Give a policy from the profile that comes with the program."""
    read: dict[str, Any] = profiles.read(name)
    return Policy(
        profile=name,
        version=version,
        zone=read["zone"],
        office_hours=profiles.office_hours(name),
        terms=profiles.terms(name),
        permissions=tuple(
            Permission(command=command, roles=tuple(map(Role, roles))) for command, roles in read["may"].items()
        ),
        lists=tuple(CodeList(name=listed, codes=tuple(codes)) for listed, codes in read["lists"].items()),
        timers=read["timers"],
        attempts_required=read["attempts_required"],
        attempt_days_required=read["attempt_days_required"],
    )


HALL: Final = policy(Profile.HALL)
LEDGER: Final = policy(Profile.LEDGER)
CALENDAR_2026: Final = profiles.calendar_from_library([2026])[0]
CATEGORIES: Final = (
    Category(code="SHIRK", name_zh="推诿扯皮", name_en="Passing the buck"),
    Category(code="BROKEN_PROMISE", name_zh="不守信不践诺", name_en="Broken promise"),
    Category(code="ARREARS", parent="BROKEN_PROMISE", name_zh="拖欠账款", name_en="Arrears"),
)
RULEBOOK_EVENTS: Final[tuple[RulebookEvent, ...]] = (
    CalendarAdopted(at=ENTERED, by=THE_SYSTEM, calendar=CALENDAR_2026),
    CategoriesAdopted(at=ENTERED, by=THE_SYSTEM, version=1, categories=CATEGORIES),
    PolicyAdopted(at=ENTERED, by=THE_SYSTEM, policy=HALL, in_force_from=ENTERED),
    PolicyAdopted(at=ENTERED, by=THE_SYSTEM, policy=LEDGER, in_force_from=ENTERED),
)
NUMBER: Final = "TS-GXQ-20260213-00001-2"
FACTS: Final = Facts(
    register=REGISTER.fold(REGISTER_EVENTS),
    rulebook=RULEBOOK.fold(RULEBOOK_EVENTS),
    rulebook_version=len(RULEBOOK_EVENTS),
    complaint_no=NUMBER,
)
BASIS: Final = Basis(policy=PolicyRef(profile=Profile.HALL, version=1), rulebook=4)
MEASURED: Final = TextFacts(chars=12, has_text=True)

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
    at=REGISTERED.at, by=COUNTER, receipt_no=NUMBER, medium=Medium.PAPER, query_code=True
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
    medium=Medium.PAPER,
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


def leaving(who: PersonKey, post: str, at: datetime) -> Facts:
    """Give the facts after somebody left one of the posts."""
    return replace(
        FACTS, register=REGISTER.evolve(FACTS.register, PostLeft(at=at, by=THE_SYSTEM, post=post, person=who, until=at))
    )


def later(moment: datetime, **span: float) -> datetime:
    """Give a later moment, as `later(moment, minutes=1)`."""
    return moment + timedelta(**span)
