"""Loads the visits of the sample and what was said of them, and lets bad ratings be handled by the hall's people."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid4, uuid5

from domain import occasion
from domain.complaint.inquiry import EvidenceKind
from domain.complaint.state import IdentityMode
from domain.decider import THE_SYSTEM, Actor, Code, PersonKey, Role
from domain.errors import Refused, TooEarly
from domain.handling import ContactResult, Method
from domain.occasion import OCCASION, Expire, Invite, Medium, Open, ServiceChannel, Submit
from domain.review import REVIEW, Evidence, Opinion
from domain.review.appealing import AppealResult
from domain.review.objecting import Object, ObjectionResult
from domain.review.state import Satisfied, Verdict
from domain.rulebook import Profile
from domain.sealed import Sealed, measure
from service.asking import Asked, Done
from service.casebook import Ask
from service.demo.hall import CENTRE, Hall
from service.demo.office import NEVER, Office
from service.demo.people import DEMO, SOURCE, Progress
from service.demo.scenes import StoryBroken
from service.demo.year import IN_THE_HALL, Kind, Rating, Visit
from service.desk import sealing
from service.eventstore import Beside
from service.forms.contested_reviews import (
    AppealForm,
    ConfirmDecideAppealForm,
    ConfirmDecideObjectionForm,
    ProposeDecideAppealForm,
    ProposeDecideObjectionForm,
    TellForm,
)
from service.forms.review_steps import (
    ContactForm,
    ExplainForm,
    RecordEvidenceForm,
    RectifyForm,
    ReplyForm,
    RevisitForm,
    SaidForm,
    StepForm,
    VerifyForm,
)
from service.forms.reviews import OccasionForm
from service.handling_reviews import act
from service.parts import Parts
from service.reviewing import RETENTION
from service.sealing import ASSIGN_SQL, Sealer

PORTION: Final = 80
"""How many visits are given at once: some three commands each."""
WAITING: Final = timedelta(days=20)
"""A visit that old can be rated no longer, whatever holidays there were."""
MADE: Final = "made"
"""What a step creates is named after its command (`Making.new_id`)."""
SOON: Final = timedelta(seconds=5)
LEFT_OPEN: Final = 12
"""One of so many bad ratings is left lying."""
CONTESTED: Final = frozenset({2, 5, 9})
REINSTATED: Final = frozenset({5})
"""Which of the bad ratings with a name are appealed against, and of which of these who rated objects."""
VERDICTS: Final[Mapping[Verdict, int]] = {Verdict.VALID_CLEAR: 6, Verdict.NO_LEGAL_BASIS: 2, Verdict.UNVERIFIABLE: 1}
Asks = list[Ask[occasion.OccasionCommand]]


class Ended(Exception):
    """The rest is still to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What was loaded: visits, ratings, bad ones, and how many of the commands were new."""

    visits: int
    ratings: int
    bad: int
    new: int


def load_visits(parts: Parts, hall: Hall, office: Office, visits: Sequence[Visit], progress: Progress) -> Rated:
    """Load visits with what was said of them, and let what follows from the bad ones happen. Raises StoryBroken."""
    new = 0
    for start in range(0, len(visits), PORTION):
        portion = visits[start : start + PORTION]
        asks = [ask for visit in portion for ask in _asks(parts, hall, office, visit)]
        known = parts.book.done_before({ask.asked.command_id: ask.stream for ask in asks})
        asks = [ask for ask in asks if ask.asked.command_id not in known]
        for ask, outcome in zip(asks, parts.book.transact_many(OCCASION, asks) if asks else [], strict=True):
            # Where a calendar is not published yet, nobody knows whether the time to rate is over.
            if isinstance(outcome, TooEarly) and isinstance(ask.command, Expire):
                continue
            if isinstance(outcome, Refused):
                raise StoryBroken(f"{StoryBroken.__doc__} {ask.asked.name}: {outcome.code}")
            new += 1
        progress("visits", start + len(portion), len(visits))
    bad = [(visit, visit.rating) for visit in visits if visit.rating is not None and visit.rating.grade.bad]
    named = 0
    for number, (visit, rating) in enumerate(bad):
        named += rating.named
        work = Work(parts, hall, office, visit, rating, number, named if rating.named else None)
        work.tell()
        new += work.new
        progress("bad ratings", number + 1, len(bad))
    ratings = sum(visit.rating is not None for visit in visits)
    return Rated(visits=len(visits), ratings=ratings, bad=len(bad), new=new)


def invitation(parts: Parts) -> str:
    """Record a visit of just now, for whoever tries the sample; give the token to rate it with, which works once."""
    visit = OccasionForm(hall=CENTRE, project_no=f"37GXQ{uuid4().hex[:16]}", window="W03", phone="13800000000")
    opening, inviting = (Asked(command_id=uuid4(), source=SOURCE, name=name) for name in ("open-occasion", "invite"))
    there, _ = parts.reviews.open_occasion(visit, THE_SYSTEM, opening)
    token, _ = parts.reviews.invite(there, Medium.QR, THE_SYSTEM, inviting)
    return token


def _link(visit: Visit, kind: str) -> str:
    """Give the hash of a link that nobody holds: the people of the sample do not exist."""
    return sha256(f"{kind}:{visit.number}:{uuid5(DEMO, kind)}".encode()).hexdigest()


def _person(visit: Visit) -> PersonKey:
    return PersonKey(uuid5(DEMO, f"served:{visit.number}"))


def _asks(parts: Parts, hall: Hall, office: Office, visit: Visit) -> Asks:
    """Give the commands of a visit: opened, invited, and rated or over."""

    def asked(step: Code, moment: datetime, *beside: Beside) -> Asked:
        return Asked(command_id=visit.command_id(step), source=SOURCE, name=step, moment=moment, beside=beside)

    opened_at = visit.served_at + SOON
    token = _link(visit, "token")
    opening = _open(hall, visit, opened_at)
    asks: Asks = [Ask(stream=visit.stream, command=opening, asked=asked("open-occasion", opened_at))]
    rating = visit.rating
    if rating is None or rating.kind is not Kind.WRITTEN_DOWN:
        invitation = uuid5(visit.command_id("invite-review"), MADE)
        inviting = Invite(at=opened_at, by=THE_SYSTEM, invitation=invitation, medium=Medium.QR, token=token)
        asks.append(Ask(stream=visit.stream, command=inviting, asked=asked("invite-review", opened_at)))
    if rating is not None:
        text, beside = _sealed(parts, visit, rating.text)
        submitting = Submit(
            at=rating.at,
            by=_rater(hall, visit, rating),
            token=None if rating.kind is Kind.WRITTEN_DOWN else token,
            opinion=_opinion(visit, rating, text),
        )
        rated = asked("submit-review", max(rating.at, opened_at), *beside)
        asks.append(Ask(stream=visit.stream, command=submitting, asked=rated))
    elif visit.served_at + WAITING < office.now:
        over = visit.served_at + WAITING
        expiring = Expire(at=over, by=THE_SYSTEM)
        asks.append(Ask(stream=visit.stream, command=expiring, asked=asked("expire-occasion", over)))
    return asks


def _open(hall: Hall, visit: Visit, at: datetime) -> Open:
    return Open(
        at=at,
        by=THE_SYSTEM,
        hall=CENTRE,
        profile=Profile.HALL,
        project_no=visit.project_no,
        service_number=1,
        channel=ServiceChannel.ON_SITE,
        served_at=visit.served_at,
        seconds=visit.seconds,
        window=visit.window,
        department=None,
        item=visit.item,
        staff=hall.cast[f"clerk-{visit.window}"],
        applicant=_person(visit),
        agent=None,
        name=None,
        phone=None,
    )


def _rater(hall: Hall, visit: Visit, rating: Rating) -> Actor:
    if rating.kind is Kind.WRITTEN_DOWN:
        return hall.actor("intake-W01")
    nameless = PersonKey(uuid5(DEMO, f"nameless:{visit.number}"))
    return Actor(person=_person(visit) if rating.named else nameless, role=Role.CITIZEN)


def _sealed(parts: Parts, visit: Visit, text: str | None) -> tuple[Sealed | None, tuple[Beside, ...]]:
    if text is None:
        return None, ()
    sealer = parts.vault.sealer(None, visit.review, retention=RETENTION, new_case=True)
    return sealer.seal("text", text), (Beside(ASSIGN_SQL, sealer.assignment()),)


def _opinion(visit: Visit, rating: Rating, text: Sealed | None) -> Opinion:
    written = rating.kind is Kind.WRITTEN_DOWN
    return Opinion(
        grade=rating.grade,
        codes=rating.codes,
        text=text,
        text_facts=None if rating.text is None else measure(rating.text),
        similar=(),
        identity_mode=IdentityMode.REAL_NAME if rating.named else IdentityMode.ANONYMOUS,
        channel=rating.channel,
        evidence=Evidence(
            terminal=f"T-{visit.window}" if rating.channel in IN_THE_HALL else None,
            device=rating.device,
            network=uuid5(DEMO, "network"),
            input_ms=rating.input_ms,
            claimed_at=rating.at,
            staff_terminal=written,
        ),
        own_link=_link(visit, "own_link"),
    )


class Work:
    """What the hall's people do about one bad rating, one open minute after the other, until `now` is reached."""

    def __init__(
        self, parts: Parts, hall: Hall, office: Office, visit: Visit, rating: Rating, number: int, named: int | None
    ) -> None:
        """`number` says the how-manieth bad rating it is, `named` of those with a name: that decides how it goes."""
        self._parts, self._hall, self._office, self._visit, self._rating = parts, hall, office, visit, rating
        self._number, self._named = number, named
        self._chance = random.Random(f"bad:{visit.number}")  # noqa: S311 - a tale, no secret
        self._now = rating.at
        self._steps = 0
        self.new = 0

    def tell(self) -> None:
        """Tell it to its end, as far as time has come."""
        try:
            self._tell()
        except Ended:
            return

    def _tell(self) -> None:
        unit = self._visit.department
        if self._named in CONTESTED:
            self._contest(back=self._named in REINSTATED)
            if self._named not in REINSTATED:
                return
        elif self._number % LEFT_OPEN == LEFT_OPEN - 1:
            return
        if self._rating.named:
            self._do("verifier", ContactForm(method=Method.PHONE, result=ContactResult.REACHED), 60)
        verdict = self._chance.choices(list(VERDICTS), weights=list(VERDICTS.values()))[0]
        self._do("verifier", VerifyForm(verdict=verdict, facts="调取窗口监控和办件记录核实。"), 200)
        handler = f"{unit}-{1 + self._number % 2}"
        if verdict.valid:
            self._do(handler, RectifyForm(actions="当面致歉，对照清单一次性告知，窗口已组织学习。"), 400)
        else:
            self._do(handler, ExplainForm(explanation="该材料由法规规定，窗口无权免除；已说明办理依据。"), 300)
        self._do(handler, ReplyForm(text="您反映的问题已处理，感谢监督。", method=Method.PHONE), 120)
        if self._rating.named:
            content = Satisfied.NO if self._number % 9 == 4 else Satisfied.YES  # noqa: PLR2004 - one of nine
            said = SaidForm(satisfied=content)
            self._do("revisit-1", RevisitForm(method=Method.PHONE, result=ContactResult.REACHED, answers=said), 600)

    def _contest(self, *, back: bool) -> None:
        """Whoever was rated appeals; two from outside take it out; who rated objects, and two others let it count."""
        clerk = f"clerk-{self._visit.window}"
        self._do(clerk, RecordEvidenceForm(kind=EvidenceKind.SYSTEM_RECORD, description="叫号系统记录。"), 60)
        evidence = (self._made,)
        self._do(
            clerk, AppealForm(ground="mistaken_target", explanation="办理的不是本窗口业务。", evidence=evidence), 10
        )
        appeal = self._made
        self._do(
            "panel-1",
            ProposeDecideAppealForm(
                appeal=appeal,
                result=AppealResult.EXCLUDE,
                reason="mistaken_target",
                reasons="叫号记录显示由其他窗口办理。",
                evidence=evidence,
            ),
            200,
        )
        self._do("panel-2", ConfirmDecideAppealForm(proposal=self._made), 60)
        self._do("desk-1", TellForm(method=Method.PHONE, result=ContactResult.REACHED), 60)
        if not back:
            return
        objection = self._object()
        self._do(
            "panel-3",
            ProposeDecideObjectionForm(
                objection=objection, result=ObjectionResult.REINSTATE, reasons="复核监控，确由该窗口办理。"
            ),
            200,
        )
        self._do("panel-4", ConfirmDecideObjectionForm(proposal=self._made), 60)

    def _object(self) -> UUID:
        visit, moment, command_id = self._visit, self._after(300), self._command_id()
        objection = uuid5(command_id, MADE)
        ground = "就是在这个窗口办的，我有取号单。"

        def attempt(sealer: Sealer) -> Done:
            command = Object(
                at=moment,
                by=Actor(person=_person(visit), role=Role.CITIZEN),
                own_link=_link(visit, "own_link"),
                objection=objection,
                ground=sealer.seal("ground", ground),
                ground_measured=measure(ground),
            )
            asked = Asked(command_id=command_id, source=SOURCE, name="object", moment=moment)
            keys = (Beside(ASSIGN_SQL, sealer.assignment()),) if sealer.claims() else ()
            return self._parts.book.transact(REVIEW, visit.review, command, replace(asked, beside=keys))

        self._count(sealing(self._parts.vault, attempt, person=None, case=visit.review, retention=RETENTION))
        return objection

    def _do(self, post: Code, form: StepForm, minutes: int) -> None:
        moment = self._after(minutes)
        asked = Asked(command_id=self._command_id(), source=SOURCE, name=form.name, moment=moment)
        self._made = uuid5(asked.command_id, MADE)
        by = self._hall.actor(post)
        try:
            self._count(act(self._parts.reviews, self._visit.review, form, by, asked))
        except Refused as refused:
            raise StoryBroken(
                f"{StoryBroken.__doc__} Visit {self._visit.number}, {form.name}: {refused.code}"
            ) from None

    def _count(self, done: Done) -> None:
        self.new += bool(done.events) and not done.repeated

    def _command_id(self) -> UUID:
        self._steps += 1
        return self._visit.command_id(f"bad:{self._steps}")

    def _after(self, minutes: int) -> datetime:
        self._now = self._office.after(self._now, self._chance.randint(5, minutes), self._chance.randrange(60))
        if self._now == NEVER:
            raise Ended
        return self._now
