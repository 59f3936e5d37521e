"""A stream as plain sentences in Chinese and English, and a case as it stood at any moment by either clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from domain import access, complaint
from domain.deadlines import Due
from domain.decider import SYSTEM, Actor, Event, Role
from domain.handling import HALL_ZONE
from domain.register import Register
from domain.sealed import sealed_values
from projections.runner import Entry, entry
from projections.words import word

STREAM: Final = """
select position, stream_id, version, name, recorded_at, state from events where stream_id = %s order by version
"""


class Language(StrEnum):
    """In which language a page or a history speaks."""

    CHINESE = "zh"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event of a history in words; `sealed` names the values a key holder may open. Times are UTC."""

    position: int
    version: int
    name: str
    at: datetime
    recorded_at: datetime
    who: str
    said: str
    sealed: tuple[str, ...]


def read_stream(
    connection: psycopg.Connection,
    stream: UUID,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Entry]:
    """Read a stream, or what was true at `as_of`, or known at `known_at` (UTC): each a prefix of it (§8)."""
    rows = connection.execute(STREAM, (stream,), binary=True).fetchall()
    return [
        one
        for one in map(entry, rows)
        if (as_of is None or one.event.at <= as_of) and (known_at is None or one.recorded_at <= known_at)
    ]


def history(entries: Sequence[Entry], register: Register, language: Language, zone: ZoneInfo = HALL_ZONE) -> list[Line]:
    """Tell a stream in sentences; offices by their public names, persons only by their posts."""
    teller = Teller(register, language, zone)
    return [
        Line(
            position=one.position,
            version=one.version,
            name=one.name,
            at=one.event.at,
            recorded_at=one.recorded_at,
            who=teller.who(one.event.by),
            said=teller.say(one.event),
            sealed=tuple(dict.fromkeys(kind for kind, _ in sealed_values(one.event))),
        )
        for one in entries
    ]


@dataclass(frozen=True, slots=True)
class Teller:
    """Finds the words: names from the register, dates in the hall's zone."""

    register: Register
    language: Language
    zone: ZoneInfo

    def say(self, event: Event) -> str:
        """Give the sentence of an event."""
        chinese, english = told(self, event)
        return chinese if self.language is Language.CHINESE else english

    def who(self, by: Actor) -> str:
        """Name an actor by post, never by person."""
        if by.person == SYSTEM:
            return word("system", self.language)
        if by.role is Role.CITIZEN:
            return word("citizen", self.language)
        post = None if by.post is None else self.register.posts.get(by.post)
        if post is None:
            return word(by.role, self.language)
        return post.name_zh if self.language is Language.CHINESE else post.name_en

    def department(self, code: str | None) -> str:
        """Name a department."""
        found = None if code is None else self.register.departments.get(code)
        if found is None:
            return code or word("unknown", self.language)
        return found.name_zh if self.language is Language.CHINESE else found.name_en

    def code(self, value: StrEnum | None) -> str:
        """Name a code."""
        return word("unknown" if value is None else value, self.language)

    def due(self, due: Due | None) -> str:
        """Say until when there is time; a provisional date says so."""
        if due is None:
            return word("due_unknown", self.language)
        local = f"{due.at.astimezone(self.zone):%Y-%m-%d %H:%M}"
        return f"{local}{word('provisional', self.language)}" if due.provisional else local

    def late(self, late: bool | None) -> str:  # noqa: FBT001  # three values: yes, no, nobody can know
        """Say whether something was late, where it is known."""
        return "" if late is None else word("late" if late else "on_time", self.language)


def told(t: Teller, event: Event) -> tuple[str, str]:
    """Give the sentence of an event in Chinese and English; an event without a sentence gives its name."""
    match event:
        case complaint.Registered() as e:
            due = t.due(e.accept_due)
            channel = t.code(e.channel)
            return (
                f"登记投诉 {e.complaint_no}（来源：{channel}）；期限 {due}",
                f"registered complaint {e.complaint_no} (by {channel}); due {due}",
            )
        case complaint.AcknowledgementIssued() as e:
            return f"出具回执 {e.receipt_no}", f"gave the receipt {e.receipt_no}"
        case complaint.QueryCodeReplaced():
            return "更换查询码，旧码作废", "gave a new query code; the old one is dead"
        case complaint.Accepted() as e:
            due, late = t.due(e.handle_due), t.late(e.late)
            return (
                f"受理{late}（{t.code(e.severity)}、{t.code(e.complexity)}）；办理期限 {due}",
                f"accepted{late} ({t.code(e.severity)}, {t.code(e.complexity)}); to be answered by {due}",
            )
        case complaint.Assigned() as e:
            unit = t.department(e.department)
            return (
                f"交办给{unit}；{t.due(e.sign_due)} 前签收",
                f"assigned to {unit}; to be signed for by {t.due(e.sign_due)}",
            )
        case complaint.AssignmentAccepted() as e:
            return f"签收{t.late(e.late)}", f"signed for it{t.late(e.late)}"
        case complaint.ComplainantContacted() as e:
            how, result, late = t.code(e.method), t.code(e.result), t.late(e.late)
            return (
                f"第{e.attempt_no}次联系投诉人{late}（{how}）：{result}",
                f"contact attempt {e.attempt_no}{late} ({how}): {result}",
            )
        case complaint.EvidenceRecorded() as e:
            return f"记录证据（{t.code(e.kind)}）", f"recorded evidence ({t.code(e.kind)})"
        case complaint.FindingRecorded() as e:
            more = ("；须整改", "; a rectification is owed") if e.rectification_required else ("", "")
            return f"调查结论：{t.code(e.finding)}{more[0]}", f"found it {t.code(e.finding)}{more[1]}"
        case complaint.RectificationPlanned() as e:
            return f"制定整改措施，期限 {t.due(e.due)}", f"planned a rectification, due {t.due(e.due)}"
        case complaint.Rectified() as e:
            return f"完成整改{t.late(e.late)}", f"rectified{t.late(e.late)}"
        case complaint.RectificationVerified() as e:
            said = ("通过", "passed") if e.passed else ("未通过", "did not pass")
            return f"核验整改：{said[0]}", f"verified the rectification: {said[1]}"
        case complaint.ReplySubmitted() as e:
            return f"提交答复送审（{t.code(e.decision)}）", f"submitted a reply for approval ({t.code(e.decision)})"
        case complaint.ReplyApproved():
            return "审核通过答复", "approved the reply"
        case complaint.ReworkOrdered() as e:
            return f"第{e.rework_no}次发回重办", f"sent it back for rework (no. {e.rework_no})"
        case complaint.Replied() as e:
            late, how = t.late(e.late), t.code(e.method)
            if e.revisit_due is None:
                return f"答复投诉人{late}", f"replied{late}"
            return (
                f"答复投诉人{late}（{how}）；{t.due(e.revisit_due)} 前回访",
                f"replied{late} ({how}); to be revisited by {t.due(e.revisit_due)}",
            )
        case complaint.ReplyDeliveryFailed() as e:
            return (
                f"第{e.attempt_no}次送达答复未成（{t.code(e.cause)}）",
                f"delivery attempt {e.attempt_no} failed ({t.code(e.cause)})",
            )
        case complaint.RevisitAttempted() as e:
            how, result = t.code(e.method), t.code(e.result)
            return f"第{e.attempt_no}次回访（{how}）：{result}", f"revisit attempt {e.attempt_no} ({how}): {result}"
        case complaint.Revisited() as e:
            grade = t.code(e.result_satisfaction)
            resolved = word(f"resolved_{e.resolved}", t.language)
            return f"回访：{resolved}，对结果{grade}", f"revisited: {resolved}; with the result {grade}"
        case complaint.Closed() as e:
            outcome = word(f"outcome_{e.outcome}", t.language)
            return f"办结（{outcome}）", f"closed ({outcome})"
        case access.Opened() as e:
            fields, purpose = ", ".join(e.fields), word(f"purpose_{e.purpose}", t.language)
            return f"查看封存内容（{fields}），用途：{purpose}", f"opened sealed values ({fields}), purpose: {purpose}"
        case access.AttemptRefused() as e:
            return f"操作 {e.command} 被拒绝（{e.code}）", f"was refused {e.command} ({e.code})"
        case _:
            return type(event).__name__, type(event).__name__
