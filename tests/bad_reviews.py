"""Named example data: one bad review of February 2026 with every step it takes, and every date worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from domain.complaint.inquiry import EvidenceKind
from domain.complaint.revisiting import RevisitStatus
from domain.complaint.state import IdentityMode
from domain.decider import THE_SYSTEM, Actor, Code, PersonKey, Role
from domain.handling import ContactResult, Facts, Method
from domain.register import REGISTER, Department, DepartmentAdded, Post, PostAdded, PostLeft, PostTaken, RegisterEvent
from domain.review import REVIEW, Accepted, ReviewEvent, Submitted
from domain.review.appealing import (
    Appeal,
    AppealDecided,
    AppealDecisionProposed,
    Appealed,
    AppealResult,
    ConfirmDecideAppeal,
    Excluded,
    ProposeDecideAppeal,
    Tell,
    Told,
)
from domain.review.flagging import (
    Check,
    Checked,
    CheckOwed,
    ClearFlag,
    Feature,
    FlagCleared,
    Flagged,
    FlagReview,
    Genuine,
    OweCheck,
)
from domain.review.objecting import (
    ConfirmDecideObjection,
    ExclusionObjected,
    Object,
    ObjectionDecided,
    ObjectionDecisionProposed,
    ObjectionResult,
    ProposeDecideObjection,
    Reinstated,
)
from domain.review.revisiting import Closed, Revisit, RevisitAnswers, RevisitAttempted, Revisited, ReworkOrdered
from domain.review.settling import (
    Explain,
    ExplanationGiven,
    PlanRectification,
    RectificationPlanned,
    Rectified,
    Rectify,
    Replied,
    Reply,
)
from domain.review.state import Review, Satisfied, Settled, Verdict
from domain.review.verifying import Contact, Contacted, EvidenceRecorded, RecordEvidence, Verified, Verify
from tests import visits
from tests.hall import (
    CHU,
    CITIZEN,
    ENTERED,
    FENG,
    LI,
    MEASURED,
    POSTS,
    SUN,
    WANG,
    WU,
    ZHAO,
    ZHOU,
    key,
    local,
    person,
    sealed,
    until,
)  # fmt: skip
from tests.specification import given
from tests.visits import BADLY, BASIS, OWN_LINK, RATING, SOMEBODY, WORK_ORDER, AtRating

# People beside those of the hall. Who holds two posts is there to be refused.
KONG: Final = person("KONG")  # verifies for the approval department
TAO: Final = person("TAO")  # verifies for the hall
JIN: Final = person("JIN")  # verifies for the tax department
PAN: Final = person("PAN")  # served at window 3 beside FENG that day, and verifies and revisits and decides since
MENG: Final = person("MENG")  # verifies for the hall, and serves at window 3 since the 20th: not on the 13th
SHI: Final = person("SHI")  # decides
YUAN: Final = person("YUAN")  # decides
DING: Final = person("DING")  # decides
HUO: Final = person("HUO")  # decides
XU: Final = person("XU")  # decides, and handles in the approval department
BAI: Final = person("BAI")  # audits
GAO: Final = person("GAO")  # heads the office that took the approval department over, where it did

MORE_POSTS: Final[tuple[Post, ...]] = (
    Post(
        code="approval-verifier", name_zh="审批局核实岗", name_en="Verifier, Approval", role=Role.VERIFIER, site="GXQ",
        department="approval",
    ),
    Post(code="hall-verifier", name_zh="大厅核实岗", name_en="Verifier", role=Role.VERIFIER, site="GXQ"),
    Post(
        code="tax-verifier", name_zh="税务局核实岗", name_en="Verifier, Tax", role=Role.VERIFIER, site="GXQ",
        department="tax",
    ),
    Post(code="panel", name_zh="复核岗", name_en="Panel", role=Role.PANEL, site="GXQ"),
    Post(code="audit", name_zh="审计岗", name_en="Audit", role=Role.AUDITOR, site="GXQ"),
    Post(
        code="joint-head", name_zh="联合局负责人", name_en="Head, Joint", role=Role.UNIT_HEAD, site="GXQ",
        department="joint",
    ),
)  # fmt: skip
MORE_HOLDERS: Final[tuple[tuple[PersonKey, Code], ...]] = (
    (KONG, "approval-verifier"), (TAO, "hall-verifier"), (JIN, "tax-verifier"), (FENG, "approval-verifier"),
    (PAN, "hall-verifier"), (PAN, "revisits"), (PAN, "panel"), (MENG, "hall-verifier"),
    *((who, "panel") for who in (SHI, YUAN, DING, HUO, XU)), (XU, "approval-handler"), (BAI, "audit"),
    (GAO, "joint-head"),
)  # fmt: skip
OFFICES: Final = {**POSTS, **{post.code: post for post in MORE_POSTS}}
JOINT: Final = Department(code="joint", name_zh="联合局", name_en="Joint", site="GXQ")
MORE_EVENTS: Final[tuple[RegisterEvent, ...]] = (
    DepartmentAdded(at=ENTERED, by=THE_SYSTEM, entry=JOINT),
    *(PostAdded(at=ENTERED, by=THE_SYSTEM, entry=post) for post in MORE_POSTS),
    *(PostTaken(at=ENTERED, by=THE_SYSTEM, post=post, person=who, since=ENTERED) for who, post in MORE_HOLDERS),
    PostTaken(at=ENTERED, by=THE_SYSTEM, post="window-3", person=PAN, since=ENTERED),
    PostLeft(at=local("02-14"), by=THE_SYSTEM, post="window-3", person=PAN, until=local("02-14")),
    PostTaken(at=local("02-20"), by=THE_SYSTEM, post="window-3", person=MENG, since=local("02-20")),
)
FACTS: Final[Facts] = replace(
    visits.FACTS, register=REGISTER.fold(MORE_EVENTS, visits.FACTS.register), itself=RATING, complaint_no=None
)


def acting(who: PersonKey, post: Code, role: Role | None = None, *, on_behalf_of: PersonKey | None = None) -> Actor:
    """Give somebody acting in a post, in the role it carries or as the other side."""
    return Actor(person=who, post=post, role=role or OFFICES[post].role, on_behalf_of=on_behalf_of)


def holding(who: PersonKey, *posts: Code, facts: Facts = FACTS) -> Facts:
    """Give the facts where somebody holds more posts, from the beginning on."""
    taken = (PostTaken(at=ENTERED, by=THE_SYSTEM, post=post, person=who, since=ENTERED) for post in posts)
    return replace(facts, register=REGISTER.fold(taken, facts.register))


VERIFIER: Final = acting(KONG, "approval-verifier")
HALL_VERIFIER: Final = acting(TAO, "hall-verifier")
UNIT: Final = acting(WANG, "approval-handler")
HEAD: Final = acting(ZHAO, "approval-head")
RATED: Final = acting(FENG, "window-3", Role.RESPONDENT)
FIRST: Final = acting(SHI, "panel")
SECOND: Final = acting(YUAN, "panel")
THIRD: Final = acting(DING, "panel")
FOURTH: Final = acting(HUO, "panel")
REVISITOR: Final = acting(ZHOU, "revisits")
INSIDE_REVISITOR: Final = acting(WU, "revisits")
TAX_REVISITOR: Final = acting(CHU, "revisits")
SUPERVISOR: Final = acting(SUN, "supervisor")
AUDITOR: Final = acting(BAI, "audit")
DISPATCHER: Final = acting(LI, "desk")

PAPER: Final = key("paper")
APPEAL_ID: Final = key("appeal")
PROPOSAL: Final = key("proposal")
OBJECTION: Final = key("objection")
SECOND_PROPOSAL: Final = key("second proposal")
DRAW: Final = key("draw")
FLAG: Final = key("flag")

# Rated on Saturday 14 February; the 15th to the 23rd are not worked, Saturday the 28th is, and 1 March is a Sunday.
CONTACT: Final = Contact(
    at=local("02-24", "10:00"), by=VERIFIER, method=Method.PHONE, result=ContactResult.REACHED, note=sealed("note")
)
CONTACTED: Final = Contacted(
    at=CONTACT.at, by=VERIFIER, attempt_no=1, day=date(2026, 2, 24), method=Method.PHONE, result=ContactResult.REACHED,
    note=sealed("note"), late=False, happened_at=None,
)  # fmt: skip
RECORD: Final = RecordEvidence(
    at=local("02-24", "11:00"), by=VERIFIER, evidence=PAPER, kind=EvidenceKind.RECORDING,
    description=sealed("description"), sha256="ab" * 32, size=40_960,
)  # fmt: skip
EVIDENCED: Final = EvidenceRecorded(
    at=RECORD.at, by=VERIFIER, evidence=PAPER, kind=EvidenceKind.RECORDING, description=sealed("description"),
    sha256="ab" * 32, size=40_960,
)  # fmt: skip
VERIFY: Final = Verify(
    at=local("02-25"), by=VERIFIER, verdict=Verdict.VALID_CLEAR, facts=sealed("facts"), facts_measured=MEASURED,
    evidence=(PAPER,), appeal=APPEAL_ID,
)  # fmt: skip
VERIFIED: Final = Verified(
    at=VERIFY.at, by=VERIFIER, verdict=Verdict.VALID_CLEAR, facts=sealed("facts"), facts_measured=MEASURED,
    evidence=(PAPER,), late=False, rectify_due=until("03-03"), basis=BASIS,  # 26, 27, 28 February, 2, 3 March
)  # fmt: skip
# Fifteen working days: 26, 27, 28, 2 to 6, 9 to 13, 16, 17 March.
COMPLEX: Final = replace(VERIFIED, verdict=Verdict.VALID_COMPLEX, rectify_due=until("03-17"))
GROUNDLESS: Final = replace(VERIFIED, verdict=Verdict.NO_LEGAL_BASIS)
PLAN: Final = PlanRectification(
    at=local("02-25", "10:00"), by=UNIT, actions=sealed("actions"), reason_told=sealed("reason_told"),
    ledger_no="TZ-2026-014", due=date(2026, 3, 10),
)  # fmt: skip
PLANNED: Final = RectificationPlanned(
    at=PLAN.at, by=UNIT, actions=sealed("actions"), reason_told=sealed("reason_told"), ledger_no="TZ-2026-014",
    due=until("03-10"),
)  # fmt: skip
RECTIFY: Final = Rectify(
    at=local("02-26"), by=UNIT, actions=sealed("done"), actions_measured=MEASURED, evidence=(PAPER,)
)
RECTIFIED: Final = Rectified(
    at=RECTIFY.at, by=UNIT, actions=sealed("done"), actions_measured=MEASURED, evidence=(PAPER,), late=False,
    reply_due=until("02-28"), revisit_due=until("03-04"), basis=BASIS, happened_at=None,  # 27, 28; 2, 3, 4 March
)  # fmt: skip
EXPLAIN: Final = Explain(at=local("02-26"), by=UNIT, explanation=sealed("explanation"), explanation_measured=MEASURED)
EXPLAINED: Final = ExplanationGiven(
    at=EXPLAIN.at, by=UNIT, explanation=sealed("explanation"), explanation_measured=MEASURED, late=False,
    reply_due=until("02-28"), revisit_due=until("03-04"), basis=BASIS,
)  # fmt: skip
REPLY: Final = Reply(at=local("02-27"), by=UNIT, text=sealed("text"), text_measured=MEASURED, method=Method.PHONE)
REPLIED: Final = Replied(
    at=REPLY.at, by=UNIT, text=sealed("text"), text_measured=MEASURED, method=Method.PHONE, late=False
)
CONTENT: Final = RevisitAnswers(satisfied=Satisfied.YES, wants_follow_up=False, note=sealed("note"))
DISCONTENT: Final = replace(CONTENT, satisfied=Satisfied.NO)
REVISIT: Final = Revisit(
    at=local("03-03"), by=REVISITOR, method=Method.PHONE, result=ContactResult.REACHED, answers=CONTENT
)
ATTEMPTED: Final = RevisitAttempted(
    at=REVISIT.at, by=REVISITOR, attempt_no=1, day=date(2026, 3, 3), method=Method.PHONE, result=ContactResult.REACHED,
    happened_at=None,
)  # fmt: skip
REVISITED: Final = Revisited(
    at=REVISIT.at, by=REVISITOR, satisfied=Satisfied.YES, wants_follow_up=False, note=sealed("note"), late=False
)
CLOSED: Final = Closed(at=REVISIT.at, by=THE_SYSTEM, kind=Settled.RECTIFIED, revisit_status=RevisitStatus.COMPLETED)
REWORK: Final = ReworkOrdered(
    at=REVISIT.at, by=THE_SYSTEM, rework_no=1, rectify_due=until("03-10"), basis=BASIS  # 4, 5, 6, 9, 10 March
)  # fmt: skip
LOOP: Final[tuple[ReviewEvent, ...]] = (
    BADLY, WORK_ORDER, CONTACTED, EVIDENCED, VERIFIED, RECTIFIED, REPLIED, ATTEMPTED, REVISITED, CLOSED,
)  # fmt: skip
UNNAMED: Final[Submitted] = replace(BADLY, by=SOMEBODY, identity_mode=IdentityMode.ANONYMOUS, reviewer=None)
UNNAMED_ORDER: Final[Accepted] = replace(WORK_ORDER, contact_due=None)

# The same review, contested instead: by whom it is about, decided by two from outside, objected to, decided by others.
APPEAL: Final = Appeal(
    at=local("02-25", "10:00"), by=RATED, appeal=APPEAL_ID, ground="mistaken_target",
    explanation=sealed("explanation"), explanation_measured=MEASURED, evidence=(PAPER,),
)  # fmt: skip
APPEALED: Final = Appealed(
    at=APPEAL.at, by=RATED, appeal=APPEAL_ID, ground="mistaken_target", explanation=sealed("explanation"),
    explanation_measured=MEASURED, evidence=(PAPER,), decide_due=until("03-03"), basis=BASIS,
)  # fmt: skip
PROPOSE: Final = ProposeDecideAppeal(
    at=local("02-26"), by=FIRST, proposal=PROPOSAL, appeal=APPEAL_ID, result=AppealResult.EXCLUDE,
    reason="mistaken_target", reasons=sealed("reasons"), reasons_measured=MEASURED, evidence=(PAPER,),
)  # fmt: skip
PROPOSED: Final = AppealDecisionProposed(
    at=PROPOSE.at, by=FIRST, proposal=PROPOSAL, about=APPEAL_ID, result=AppealResult.EXCLUDE, reason="mistaken_target",
    reasons=sealed("reasons"), reasons_measured=MEASURED, evidence=(PAPER,), until=until("02-28"), basis=BASIS,
)  # fmt: skip
CONFIRM: Final = ConfirmDecideAppeal(at=local("02-27"), by=SECOND, proposal=PROPOSAL)
DECIDED: Final = AppealDecided(
    at=CONFIRM.at, by=SECOND, appeal=APPEAL_ID, proposal=PROPOSAL, result=AppealResult.EXCLUDE,
    reason="mistaken_target", late=False, verify_due=None, rectify_due=None, reply_due=None, revisit_due=None,
    basis=BASIS,
)  # fmt: skip
EXCLUDED: Final = Excluded(
    at=CONFIRM.at, by=SECOND, appeal=APPEAL_ID, reason="mistaken_target", evidence=(PAPER,), tell_due=until("03-02"),
    objection_until=None, basis=BASIS,
)  # fmt: skip
REFUSE: Final = replace(PROPOSE, result=AppealResult.REJECTED, reason=None, evidence=())
REFUSED: Final = replace(PROPOSED, result=AppealResult.REJECTED, reason=None, evidence=())
REJECTED: Final = replace(
    DECIDED, result=AppealResult.REJECTED, reason=None, verify_due=until("03-03")  # 28 February, 2, 3 March
)  # fmt: skip
TELL: Final = Tell(at=local("02-28"), by=SECOND, method=Method.PHONE, result=ContactResult.REACHED)
TOLD: Final = Told(
    at=TELL.at, by=SECOND, attempt_no=1, day=date(2026, 2, 28), method=Method.PHONE, result=ContactResult.REACHED,
    done=True, objection_until=until("03-06"), late=False,
)  # fmt: skip
OBJECT: Final = Object(
    at=local("03-04"), by=CITIZEN, own_link=OWN_LINK, objection=OBJECTION, ground=sealed("ground"),
    ground_measured=MEASURED,
)  # fmt: skip
OBJECTED: Final = ExclusionObjected(
    at=OBJECT.at, by=CITIZEN, objection=OBJECTION, ground=sealed("ground"), ground_measured=MEASURED,
    decide_due=until("03-11"), basis=BASIS,
)  # fmt: skip
PROPOSE_BACK: Final = ProposeDecideObjection(
    at=local("03-05"), by=THIRD, proposal=SECOND_PROPOSAL, objection=OBJECTION, result=ObjectionResult.REINSTATE,
    reasons=sealed("reasons"), reasons_measured=MEASURED,
)  # fmt: skip
PROPOSED_BACK: Final = ObjectionDecisionProposed(
    at=PROPOSE_BACK.at, by=THIRD, proposal=SECOND_PROPOSAL, about=OBJECTION, result=ObjectionResult.REINSTATE,
    reasons=sealed("reasons"), reasons_measured=MEASURED, until=until("03-09"), basis=BASIS,
)  # fmt: skip
CONFIRM_BACK: Final = ConfirmDecideObjection(at=local("03-06"), by=FOURTH, proposal=SECOND_PROPOSAL)
DECIDED_BACK: Final = ObjectionDecided(
    at=CONFIRM_BACK.at, by=FOURTH, objection=OBJECTION, proposal=SECOND_PROPOSAL, result=ObjectionResult.REINSTATE,
    late=False,
)  # fmt: skip
REINSTATED: Final = Reinstated(
    at=CONFIRM_BACK.at, by=FOURTH, objection=OBJECTION, contact_due=None, verify_due=until("03-11"), rectify_due=None,
    reply_due=None, revisit_due=None, basis=BASIS,
)  # fmt: skip
CONTESTED: Final[tuple[ReviewEvent, ...]] = (
    BADLY, WORK_ORDER, CONTACTED, EVIDENCED, APPEALED, PROPOSED, DECIDED, EXCLUDED, TOLD, OBJECTED, PROPOSED_BACK,
    DECIDED_BACK, REINSTATED,
)  # fmt: skip

# A good one that looks forged, and is drawn for a check besides.
NOTICE: Final = FlagReview(
    at=local("02-25", "08:00"), by=THE_SYSTEM, flag=FLAG, detector="burst", score=80,
    features=(Feature(name="from_device", value=6),), model=1,
)  # fmt: skip
NOTICED: Final = Flagged(
    at=NOTICE.at, by=THE_SYSTEM, flag=FLAG, detector="burst", score=80, features=NOTICE.features, model=1
)
CLEAR: Final = ClearFlag(at=local("02-26"), by=AUDITOR, flag=FLAG, reason=sealed("reason"))
CLEARED: Final = FlagCleared(at=CLEAR.at, by=AUDITOR, flag=FLAG, reason=sealed("reason"))
OWE: Final = OweCheck(at=local("03-02"), by=THE_SYSTEM, draw=DRAW)
OWED: Final = CheckOwed(at=OWE.at, by=THE_SYSTEM, draw=DRAW, check_due=until("03-16"), basis=BASIS)  # 3-6, 9-13, 16
CHECK: Final = Check(
    at=local("03-03"), by=REVISITOR, draw=DRAW, method=Method.PHONE, result=ContactResult.REACHED, genuine=Genuine.YES,
    note=None,
)  # fmt: skip
CHECKED: Final = Checked(
    at=CHECK.at, by=REVISITOR, draw=DRAW, attempt_no=1, day=date(2026, 3, 3), method=Method.PHONE,
    result=ContactResult.REACHED, genuine=Genuine.YES, note=None, done=True, late=False, happened_at=None,
)  # fmt: skip


def upto(last: ReviewEvent) -> tuple[ReviewEvent, ...]:
    """Give the straight story as far as one of its events."""
    return LOOP[: LOOP.index(last) + 1]


def contested(last: ReviewEvent) -> tuple[ReviewEvent, ...]:
    """Give the contested story as far as one of its events."""
    return CONTESTED[: CONTESTED.index(last) + 1]


def bad(*history: ReviewEvent, facts: Facts = FACTS) -> AtRating:
    """Begin a sentence about this review."""
    return given(REVIEW, *history, facts=facts)


def there(*history: ReviewEvent) -> Review:
    """Give the review after these events."""
    review = REVIEW.fold(history)
    assert review is not None
    return review
