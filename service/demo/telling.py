"""How one complaint goes round the loop: scene after scene in opening hours, until now or until it is left lying."""

from __future__ import annotations

import base64
import random
from datetime import datetime
from typing import Final

from domain.complaint.inquiry import EvidenceKind, ResponsibilityKind
from domain.complaint.intake import Complexity, HandlingClass, Severity
from domain.complaint.replying import AppealRoute, Decision, DeliveryFailure
from domain.complaint.revisiting import Outcome, Resolved
from domain.complaint.state import Finding, Step
from domain.decider import Code
from domain.grade import Grade
from domain.handling import ContactResult, Method
from service.demo.hall import Hall, Phrases
from service.demo.office import NEVER, Office
from service.demo.plots import LIES, Twist
from service.demo.scenes import Opening, Scene, made
from service.forms.form import Form
from service.forms.inquiry import (
    AssignForm,
    RecordContactForm,
    RecordEvidenceForm,
    RecordFindingForm,
    ResponsibilityForm,
    SignForForm,
)
from service.forms.intake import AcceptForm, ReplaceQueryCodeForm
from service.forms.resolution import (
    AnswersForm,
    ApproveReplyForm,
    CloseForm,
    PlanRectificationForm,
    RectifyForm,
    RejectReplyForm,
    ReplyForm,
    RevisitForm,
    SubmitReplyForm,
    VerifyRectificationForm,
)

DAY: Final = 480
"""Open minutes of a working day."""
LATE: Final = 0.06
"""The share of steps that are late without being a story of their own."""
DECISIONS: Final = {
    Finding.SUBSTANTIATED: Decision.UPHELD,
    Finding.PARTLY: Decision.PARTLY_UPHELD,
    Finding.UNSUBSTANTIATED: Decision.NOT_UPHELD,
    Finding.UNVERIFIABLE: Decision.EXPLAINED,
}
OUTCOMES: Final = {
    Resolved.YES: Outcome.RESOLVED,
    Resolved.PARTLY: Outcome.PARTLY_RESOLVED,
    Resolved.NO: Outcome.UNRESOLVED,
    Resolved.DECLINED: Outcome.EXPLAINED,
}
GRADES: Final = {
    Resolved.YES: (Grade.VERY_SATISFIED, Grade.SATISFIED, Grade.SATISFIED),
    Resolved.PARTLY: (Grade.SATISFIED, Grade.BASICALLY_SATISFIED, Grade.DISSATISFIED),
    Resolved.NO: (Grade.DISSATISFIED, Grade.VERY_DISSATISFIED),
}


class Telling:
    """Tells what follows a registration."""

    def __init__(self, office: Office, hall: Hall, opening: Opening, twist: Twist, chance: random.Random) -> None:
        """Begin with the registration."""
        self._office = office
        self._hall = hall
        self._told = opening.form
        self._category = opening.category
        self._twist = twist
        self._chance = chance
        self._number = opening.number
        self._at = opening.moment
        self._department = department = opening.department
        self._handler = f"{department}-{chance.choice('12')}" if twist is not Twist.OWN_WORK else "SP-2"
        self._assist: tuple[Code, ...] = ()
        self._written = opening.form.channel in {"web", "letter_box"}
        item = hall.items.get(opening.form.item or "")
        window = hall.windows.get(opening.form.respondent.window or "")
        self._phrases = Phrases(
            chance,
            item="有关事项" if item is None else item.name_zh,
            window="有关窗口" if window is None else window.name_zh,
            department=hall.departments[department].name_zh,
        )
        self.scenes = [opening.scene]

    def tell(self) -> list[Scene]:
        """Give all scenes of the complaint, in the order of their times."""
        self._lie(Step.REGISTERED)
        if self._twist is Twist.NEW_CODE:
            self._add("new-code", "intake-W02", ReplaceQueryCodeForm(), 30, 200)
        self._taken_up()
        self._inquired()
        verified = self._answered()
        self._revisited()
        self._closed(verified)
        return sorted(self.scenes, key=lambda scene: scene.moment)

    def _is(self, *twists: Twist) -> bool:
        return self._twist in twists

    def _is_late(self, twist: Twist) -> bool:
        """Whether a step is late: because that is the story, or as it happens now and then."""
        return self._likely(LATE) or self._is(twist)

    def _likely(self, share: float) -> bool:
        return self._chance.random() < share

    def _chosen(self, *names: str) -> str:
        return self._chance.choice(names)

    def _later(self, since: datetime, least: int, most: int) -> datetime:
        return self._office.after(since, self._chance.randint(least, most), self._chance.randrange(60))

    def _put(self, step: str, post: Code, form: Form, moment: datetime, *, refused: bool = False) -> None:
        if moment != NEVER:
            self.scenes.append(
                Scene(number=self._number, step=step, moment=moment, post=post, form=form, refused=refused)
            )

    def _add(self, step: str, post: Code, form: Form, least: int, most: int) -> None:
        """Go on by so many open minutes, and act."""
        self._at = self._later(self._at, least, most)
        self._put(step, post, form, self._at)

    def _lie(self, step: Step) -> None:
        if LIES.get(self._twist) is step:
            self._at = NEVER

    def _taken_up(self) -> None:
        desk = self._chosen("desk-1", "desk-2", "desk-3")
        complexity = Complexity.SIMPLE
        if self._is(Twist.COMPLEX, Twist.ASSISTED) or self._likely(0.15):
            complexity = Complexity.COMPLEX
        if self._is(Twist.POLICY_OBSTACLE):
            complexity = Complexity.POLICY_OBSTACLE
        form = AcceptForm(
            category=self._category,
            severity=Severity.URGENT if self._is(Twist.URGENT, Twist.SEALED) else Severity.ORDINARY,
            complexity=complexity,
            handling_class=HandlingClass.INTERVENE if self._is(Twist.SEALED) else HandlingClass.FORWARD,
        )
        slow = (int(2.2 * DAY), 4 * DAY)
        self._add("accept", desk, form, *(slow if self._is_late(Twist.ACCEPTED_LATE) else (10, 400)))
        self._lie(Step.ACCEPTED)
        if self._is(Twist.ASSISTED):
            self._assist = ("SP",) if self._department != "SP" else ("SJ",)
        named = self._hall.cast[self._handler] if self._likely(0.5) else None
        assign = AssignForm(department=self._department, assist=self._assist, handler=named)
        slow = (int(0.7 * DAY), 2 * DAY)
        self._add("assign", desk, assign, *(slow if self._is_late(Twist.ASSIGNED_LATE) else (5, 180)))
        self._lie(Step.ASSIGNED)
        self._add("sign-for", self._handler, SignForForm(), *(slow if self._is_late(Twist.SIGNED_LATE) else (10, 190)))
        self._lie(Step.IN_PROGRESS)

    def _inquired(self) -> None:
        slow = (int(2.1 * DAY), int(3.5 * DAY))
        first = slow if self._is_late(Twist.CONTACTED_LATE) else (10, 230)
        for number, (result, note) in enumerate(self._contacts(), 1):
            method = Method.WEB if note == "anonymous" else Method.PHONE
            contact = RecordContactForm(method=method, result=result, note=self._phrases.one("contact", note))
            # The third attempt falls on another day than the first.
            self._add(f"contact-{number}", self._handler, contact, *(first, (90, 200), (DAY, DAY + 120))[number - 1])
        if self._is_late(Twist.REPLIED_LATE):
            self._at = self._later(self._at, 11 * DAY, 15 * DAY)
        evidence = self._chance.choice((0, 1, 1, 2)) + 2 * self._is(Twist.COMPLEX)
        for number in range(1, evidence + 1):
            self._add(f"evidence-{number}", self._handler, self._piece(number), 20, 240)
        self._finding = self._found()
        form = RecordFindingForm(
            finding=self._finding,
            facts=self._phrases.one("finding", self._finding),
            responsibility=self._responsible(),
            evidence=tuple(made(self._number, f"evidence-{number}") for number in range(1, evidence + 1)),
        )
        self._add("finding", self._handler, form, 40, 360)

    def _contacts(self) -> list[tuple[ContactResult, str]]:
        """Give how the attempts to reach the complainant went, each with the kind of note that fits."""
        silent = (ContactResult.NO_ANSWER, "no_answer")
        match self._twist:
            case Twist.ANONYMOUS | Twist.SEALED if self._told.phone is None:
                return [(ContactResult.NO_ANSWER, "anonymous")] * 3
            case Twist.UNREACHABLE:
                return [silent] * 3
            case Twist.WRONG_NUMBER:
                return [(ContactResult.WRONG_NUMBER, "wrong_number"), silent, silent]
            case Twist.CALL_DECLINED:
                return [(ContactResult.DECLINED, "declined"), silent, silent]
            case _:
                missed = [silent] if self._likely(0.2) else []
                return [*missed, (ContactResult.REACHED, "reached")]

    def _piece(self, number: int) -> RecordEvidenceForm:
        kind = EvidenceKind.SYSTEM_RECORD if number == 1 else self._chance.choice(list(EvidenceKind))
        rows = "时间,窗口,事项\n" + f"{self._at:%Y-%m-%d %H:%M},{self._told.respondent.window},{self._told.item}\n"
        content = base64.b64encode(rows.encode()) if kind is EvidenceKind.SYSTEM_RECORD else None
        return RecordEvidenceForm(kind=kind, description=self._phrases.one("evidence", kind), content=content)

    def _found(self) -> Finding:
        if self._is(Twist.RECTIFIED_LATE, Twist.RECTIFICATION_FAILED, Twist.RECTIFICATION_TRACKED, Twist.OWN_WORK):
            return Finding.SUBSTANTIATED
        if self._is(Twist.ANONYMOUS, Twist.SEALED):
            return self._chance.choice((Finding.UNVERIFIABLE, Finding.PARTLY))
        return self._chance.choices(list(Finding), (45, 24, 21, 10))[0]

    def _responsible(self) -> tuple[ResponsibilityForm, ...]:
        if not self._finding.asks_for_rectification:
            return ()
        respondent = self._told.respondent
        direct = ResponsibilityForm(
            department=respondent.department or self._department,
            window=respondent.window,
            staff=respondent.staff,
            kind=ResponsibilityKind.DIRECT if respondent.window else ResponsibilityKind.SYSTEMIC,
        )
        over = ResponsibilityForm(department=self._department, kind=ResponsibilityKind.SUPERVISORY)
        return (direct, over) if self._is(Twist.RECTIFICATION_FAILED) else (direct,)

    def _answered(self) -> datetime | None:
        """Rectify and reply; gives when the last verification was, None where nothing had to be verified."""
        verified = self._rectified() if self._finding.asks_for_rectification else None
        head = f"{self._department}-head"
        reworks = {Twist.REWORK: 1, Twist.REWORK_TWICE: 2}.get(self._twist, 0)
        for number in range(1, reworks + 2):
            self._add(f"submit-{number}", self._handler, self._reply(), 30, 180)
            self._lie(Step.REPLY_PENDING_APPROVAL)
            reply = made(self._number, f"submit-{number}")
            if number <= reworks:
                back = RejectReplyForm(reply=reply, reason=self._phrases.one("reply", "rework"))
                self._add(f"reject-{number}", head, back, 20, 220)
                continue
            self._add("approve", head, ApproveReplyForm(reply=reply), 20, 220)
            self._lie(Step.REPLY_APPROVED)
            method = Method.LETTER if self._written else Method(self._chosen("phone", "counter"))
            if self._is(Twist.DELIVERY_FAILED):
                failed = self._chance.choice(list(DeliveryFailure))
                self._add("reply-failed", self._handler, ReplyForm(reply=reply, method=method, failed=failed), 10, 90)
            self._add("reply", self._handler, ReplyForm(reply=reply, method=method), 10, 110)
            self._lie(Step.REPLIED)
        return verified

    def _reply(self) -> SubmitReplyForm:
        decision = DECISIONS[self._finding]
        points = self._phrases.some("reply", "points", self._told.points)
        return SubmitReplyForm(
            decision=decision,
            reasons=self._phrases.one("reply", decision) + "".join(points),
            legal_basis=self._phrases.one("reply", "laws"),
            points=tuple(points),
            remedy=self._phrases.one("reply", "remedies") if self._finding.asks_for_rectification else None,
            appeal_route=AppealRoute.REVIEW_REQUEST,
            template_version=1,
        )

    def _rectified(self) -> datetime | None:
        """Plan, and go on with it beside the reply; gives when it was verified, None where it is only tracked."""
        tracked = self._is(Twist.RECTIFICATION_TRACKED)
        self._plan("plan-1", self._later(self._at, 10, 60), 45 if tracked else self._chance.randint(3, 8))
        if tracked:
            self._do("1", (20 * DAY, 30 * DAY), passed=True)
            return None
        if self._is_late(Twist.RECTIFIED_LATE):
            return self._do("1", (10 * DAY, 13 * DAY), passed=True)
        if not self._is(Twist.RECTIFICATION_FAILED):
            return self._do("1", (60, int(2.5 * DAY)), passed=True)
        at = self._do("1", (60, int(2.5 * DAY)), passed=False)
        self._plan("plan-2", self._later(at, 20, 150), 5, main=False)
        return self._do("2", (200, 3 * DAY), passed=True)

    def _plan(self, step: str, at: datetime, days: int, *, main: bool = True) -> None:
        if main:
            self._at = at
        self._planned = at
        if at == NEVER:
            return
        text = self._phrases.one("rectification", "plans" if main else "again")
        form = PlanRectificationForm(actions=text, due=self._office.working_day(at, days))
        self._put(step, self._handler, form, at)

    def _do(self, number: str, span: tuple[int, int], *, passed: bool) -> datetime:
        """Carry the last plan out and have it verified; gives when."""
        key = made(self._number, f"plan-{number}")
        done = self._later(self._planned, *span)
        form = RectifyForm(rectification=key, actions=self._phrases.one("rectification", "done"))
        self._put(f"rectify-{number}", self._handler, form, done)
        verified = self._later(done, 60, int(1.5 * DAY))
        note = self._phrases.one("rectification", "passed" if passed else "failed")
        look = VerifyRectificationForm(rectification=key, passed=passed, note=note)
        self._put(f"verify-{number}", self._chosen("supervisor-1", "supervisor-2"), look, verified)
        return verified

    def _revisited(self) -> None:
        own = "SP" in {self._department, *self._assist}
        officer = self._chosen("revisit-1", "revisit-2", "revisit-1" if own else "revisit-3")
        self._resolved = Resolved.DECLINED
        if self._is(Twist.OWN_WORK):
            said = AnswersForm(resolved=Resolved.YES, result_satisfaction=Grade.VERY_SATISFIED)
            form = RevisitForm(method=Method.PHONE, result=ContactResult.REACHED, answers=said)
            moment = self._later(self._at, 30, 120)
            self._put("revisit-own", "revisit-3", form, moment, refused=True)
            self._at = moment
        first = (9 * DAY, 12 * DAY) if self._is_late(Twist.REVISITED_LATE) else (DAY // 2, 3 * DAY)
        silent = RevisitForm(method=Method.PHONE, result=ContactResult.NO_ANSWER)
        if self._told.phone is None:
            self._add("revisit-1", officer, RevisitForm(method=Method.WEB, result=ContactResult.NO_ANSWER), *first)
            return
        if self._is(Twist.REVISIT_UNREACHABLE, Twist.UNREACHABLE, Twist.WRONG_NUMBER):
            for number, span in enumerate((first, (60, 200), (DAY, DAY + 200)), 1):
                self._add(f"revisit-{number}", officer, silent, *span)
            return
        missed = self._likely(0.2)
        if missed:
            self._add("revisit-1", officer, silent, *first)
        self._resolved = self._answer()
        grades = GRADES.get(self._resolved)
        answers = AnswersForm(
            resolved=self._resolved,
            attitude_satisfaction=None if grades is None else self._chance.choice(grades),
            result_satisfaction=None if grades is None else self._chance.choice(grades),
            new_facts=self._resolved is Resolved.NO and self._likely(0.3),
            note=self._phrases.one("revisit", self._resolved),
        )
        reached = RevisitForm(method=Method.PHONE, result=ContactResult.REACHED, answers=answers)
        self._add(f"revisit-{1 + missed}", officer, reached, *((90, 300) if missed else first))

    def _answer(self) -> Resolved:
        if self._is(Twist.REVISIT_DECLINED):
            return Resolved.DECLINED
        weights = (70, 20, 8, 2) if self._finding.asks_for_rectification else (35, 25, 35, 5)
        return self._chance.choices(list(Resolved), weights)[0]

    def _closed(self, verified: datetime | None) -> None:
        if verified is not None and self._at != NEVER:
            self._at = max(self._at, verified)
        self._add(
            "close", self._chosen("desk-1", "desk-2", "desk-3"), CloseForm(outcome=OUTCOMES[self._resolved]), 15, 420
        )
