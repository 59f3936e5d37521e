"""The loop of a bad review at a running hall, by its commands, for tests of what comes of it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final
from uuid import UUID, uuid4

from domain.complaint.inquiry import EvidenceKind
from domain.decider import Actor, Code, Command
from domain.handling import ContactResult, Method
from domain.review import REVIEW, appealing, settling, verifying
from domain.review.appealing import AppealResult
from domain.review.state import Verdict
from domain.sealed import measure
from service.asking import Asked, Done
from service.desk import sealing
from service.eventstore import Beside
from service.reviewing import RETENTION
from service.sealing import ASSIGN_SQL, Sealer
from tests.service.web.house import HOLDERS, Hall
from tests.service.web.rating import Rating

REPLY: Final = "已向您致歉，并统一了一次性告知单。"
PUT_RIGHT: Final = "统一一次性告知单，窗口人员已培训。"


class Words(str):
    """A text to be sealed, and measured where the command asks for it."""

    __slots__ = ()


def staff(hall: Hall, name: str, post: Code | None = None) -> Actor:
    """Give somebody acting in their only post, or in the one named."""
    code = post or HOLDERS[name][0]
    return Actor(person=hall.people[name], post=code, role=hall.parts.book.facts().register.posts[code].role)


def give(hall: Hall, review: str, name: str, kind: type[Command], /, **told: Any) -> Done:  # noqa: ANN401 - any field
    """Let somebody give a command on a review; what is `Words` is sealed."""
    wanted = {one.name for one in fields(kind)}
    measured = {f"{key}_measured": measure(text) for key, text in told.items() if f"{key}_measured" in wanted}
    _, now = hall.parts.book.register_now()

    def attempt(sealer: Sealer) -> Done:
        said = {key: sealer.seal(key, text) if isinstance(text, Words) else text for key, text in told.items()}
        command: Any = kind(at=now, by=staff(hall, name), **said, **measured)
        keys = (Beside(ASSIGN_SQL, sealer.assignment()),) if sealer.claims() else ()
        asked = Asked(command_id=uuid4(), source="test", name="act", beside=keys)
        return hall.parts.book.transact(REVIEW, UUID(review), command, asked)

    return sealing(hall.parts.vault, attempt, person=None, case=UUID(review), retention=RETENTION)


def appealed(hall: Hall, rating: Rating, ground: Code = "fabricated") -> tuple[UUID, UUID]:
    """Let the head of the unit appeal, with evidence; give the appeal and the evidence."""
    evidence, appeal = uuid4(), uuid4()
    give(
        hall, rating.id, "WANG", verifying.RecordEvidence, evidence=evidence, kind=EvidenceKind.SYSTEM_RECORD,
        description=Words("叫号系统没有这一笔。"), sha256=None, size=None,
    )  # fmt: skip
    give(
        hall, rating.id, "WANG", appealing.Appeal, appeal=appeal, ground=ground, explanation=Words("不是服务对象。"),
        evidence=(evidence,),
    )  # fmt: skip
    return appeal, evidence


def excluded(hall: Hall, rating: Rating) -> None:
    """Bring a bad rating to its exclusion by two from outside."""
    appeal, evidence = appealed(hall, rating)
    proposal = uuid4()
    give(
        hall, rating.id, "GUO", appealing.ProposeDecideAppeal, proposal=proposal, appeal=appeal,
        result=AppealResult.EXCLUDE, reason="fabricated", reasons=Words("经查不属实。"), evidence=(evidence,),
    )  # fmt: skip
    give(hall, rating.id, "MA", appealing.ConfirmDecideAppeal, proposal=proposal)


def replied(hall: Hall, rating: Rating) -> None:
    """Bring the bad rating of somebody known to its reply: called, verified, put right."""
    give(
        hall, rating.id, "HE", verifying.Contact, method=Method.PHONE, result=ContactResult.REACHED,
        note=Words("本人接听。"),
    )  # fmt: skip
    give(
        hall, rating.id, "HE", verifying.Verify, verdict=Verdict.VALID_CLEAR, facts=Words("窗口两次告知不一致。"),
        evidence=(), appeal=uuid4(),
    )  # fmt: skip
    give(hall, rating.id, "LI", settling.Rectify, actions=Words(PUT_RIGHT), evidence=())
    give(hall, rating.id, "LI", settling.Reply, text=Words(REPLY), method=Method.PHONE)
