"""A stream as plain sentences in Chinese and English, and a case as it stood at any moment by either clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from domain import access, complaint, register, rulebook
from domain.deadlines import Due
from domain.decider import SYSTEM, Actor, Event, Role
from domain.handling import HALL_ZONE
from domain.register import Entry as Entered
from domain.register import Register
from domain.sealed import sealed_values
from projections.runner import Entry, entry
from projections.words import word

STREAM: Final = """
select position, stream_id, version, name, recorded_at, state from events where stream_id = %s order by version
"""


TOLD_BESIDE: Final = ("received_at", "happened_at", "delivered_at")
"""Fields of events that hold another time than that of the record (docs/decisions/0013)."""


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
        """Give the sentence of an event, with the times it tells besides that of the record."""
        chinese, english = told(self, event)
        said = chinese if self.language is Language.CHINESE else english
        for field in TOLD_BESIDE:
            moment = getattr(event, field, None)
            if moment is not None:
                said += word(f"told_{field}", self.language) + self.moment(moment)
        return said

    def who(self, by: Actor) -> str:
        """Name an actor by post, never by person."""
        if by.person == SYSTEM:
            return word("system", self.language)
        if by.role is Role.CITIZEN:
            return word("citizen", self.language)
        post = None if by.post is None else self.register.posts.get(by.post)
        return word(by.role, self.language) if post is None else self.name(post)

    def department(self, code: str | None) -> str:
        """Name a department."""
        found = None if code is None else self.register.departments.get(code)
        return code or word("unknown", self.language) if found is None else self.name(found)

    def code(self, value: StrEnum | None, kind: str = "") -> str:
        """Name a code; `kind` tells codes of the same spelling apart."""
        return word("unknown" if value is None else f"{kind}{value}", self.language)

    def codes(self, values: Iterable[str], kind: str) -> str:
        """Name several codes of one kind."""
        return ("、" if self.language is Language.CHINESE else ", ").join(
            word(kind + one, self.language) for one in values
        )

    def post(self, code: str) -> str:
        """Name a post."""
        found = self.register.posts.get(code)
        return code if found is None else self.name(found)

    def name(self, entered: Entered) -> str:
        """Give the public name of an entry of the register."""
        return entered.name_zh if self.language is Language.CHINESE else entered.name_en

    def due(self, due: Due | None) -> str:
        """Say until when there is time; a provisional date says so."""
        if due is None:
            return word("due_unknown", self.language)
        local = self.moment(due.at)
        return f"{local}{word('provisional', self.language)}" if due.provisional else local

    def moment(self, moment: datetime) -> str:
        """Write a moment as the clock on the wall of the hall shows it."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def late(self, late: bool | None) -> str:  # noqa: FBT001  # three values: yes, no, nobody can know
        """Say whether something was late, where it is known."""
        return "" if late is None else word("late" if late else "on_time", self.language)


def told(t: Teller, event: Event) -> tuple[str, str]:
    """Give the sentence of an event in Chinese and English; no person, and nothing sealed, stands in it."""
    match event:
        case complaint.Registered() as e:
            channel = t.code(e.channel)
            people = ("", "") if e.people is None else (f"，{e.people}人共同提出", f", {e.people} people together")
            chinese = f"登记投诉 {e.complaint_no}（来源：{channel}{people[0]}）"
            english = f"registered complaint {e.complaint_no} (by {channel}{people[1]})"
            if e.profile is rulebook.Profile.LEDGER:
                return chinese, english
            due = t.due(e.accept_due)
            return f"{chinese}；受理期限 {due}", f"{english}; to be accepted by {due}"
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
                f"交办给{unit}；签收期限 {t.due(e.sign_due)}",
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
            anew = ("", "") if e.replaces is None else ("重新", " anew")
            return (
                f"{anew[0]}制定整改措施，期限 {t.due(e.due)}",
                f"planned a rectification{anew[1]}, due {t.due(e.due)}",
            )
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
            late, how, due = t.late(e.late), t.code(e.method), t.due(e.revisit_due)
            ways = ("", "") if e.method is None else (f"（{how}）", f" ({how})")
            then = ("", "") if e.revisit_due is None else (f"；回访期限 {due}", f"; to be revisited by {due}")
            return f"答复投诉人{late}{ways[0]}{then[0]}", f"replied{late}{ways[1]}{then[1]}"
        case complaint.ReplyDeliveryFailed() as e:
            return (
                f"第{e.attempt_no}次送达答复未成（{t.code(e.cause)}）",
                f"delivery attempt {e.attempt_no} failed ({t.code(e.cause)})",
            )
        case complaint.RevisitAttempted() as e:
            how, result = t.code(e.method), t.code(e.result)
            return f"第{e.attempt_no}次回访（{how}）：{result}", f"revisit attempt {e.attempt_no} ({how}): {result}"
        case complaint.Revisited() as e:
            grade, resolved, late = t.code(e.result_satisfaction), t.code(e.resolved, "resolved_"), t.late(e.late)
            return f"回访{late}：{resolved}，对结果{grade}", f"revisited{late}: {resolved}; with the result {grade}"
        case complaint.Closed() as e:
            outcome, revisit = t.code(e.outcome, "outcome_"), t.code(e.revisit_status, "revisit_")
            return f"办结（{outcome}，{revisit}）", f"closed ({outcome}; {revisit})"
        case access.Opened() as e:
            fields, purpose = t.codes(e.fields, "field_"), t.code(e.purpose, "purpose_")
            return f"查看封存内容（{fields}），用途：{purpose}", f"opened sealed values ({fields}), purpose: {purpose}"
        case access.AttemptRefused() as e:
            what, why = t.codes([e.command], "command_"), t.codes([e.code], "refusal_")
            return f"试图{what}，被拒绝：{why}", f"tried to {what} and was refused: {why}"
        case _:
            return _entered_or_adopted(t, event)


def _entered_or_adopted(t: Teller, event: Event) -> tuple[str, str]:
    """Give the sentence of what happens to register and rulebook."""
    match event:
        case register.SiteAdded(entry=entry):
            return f"登记场所{t.name(entry)}", f"entered the site {t.name(entry)}"
        case register.DepartmentAdded(entry=entry):
            return f"登记部门{t.name(entry)}", f"entered the department {t.name(entry)}"
        case register.WindowAdded(entry=entry):
            return f"登记窗口{t.name(entry)}", f"entered the window {t.name(entry)}"
        case register.ItemAdded(entry=entry):
            return f"登记事项{t.name(entry)}", f"entered the item {t.name(entry)}"
        case register.PostAdded(entry=entry):
            return f"设立岗位{t.name(entry)}", f"created the post {t.name(entry)}"
        case register.PostTaken(post=post):
            return f"任用人员到岗：{t.post(post)}", f"gave somebody the post {t.post(post)}"
        case register.PostLeft(post=post):
            return f"人员离岗：{t.post(post)}", f"took the post {t.post(post)} from somebody"
        case rulebook.PolicyAdopted(policy=policy):
            profile = t.codes([policy.profile], "profile_")
            return f"采用{profile}规则第{policy.version}版", f"adopted version {policy.version} of the rules: {profile}"
        case rulebook.CalendarAdopted(calendar=year):
            return (
                f"采用{year.year}年工作日历第{year.version}版",
                f"adopted version {year.version} of the working calendar of {year.year}",
            )
        case rulebook.CategoriesAdopted(version=version):
            return f"采用投诉分类第{version}版", f"adopted version {version} of the categories"
        case _:
            # tests/projections/test_histories.py finds any event that would come here.
            raise NotImplementedError(type(event).__name__)
