"""A wrong entry is corrected beside the old one, and the other side is heard without knowing who complained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, by_the_handler, concerned
from domain.complaint.routing import about_the_desk
from domain.complaint.state import OPEN, Case, Respondent, Statement, Step, at_step
from domain.deadlines import Due
from domain.decider import Actor, Code, Command, Event, For, Instant, Role
from domain.errors import NotYourCase, NotYourRole, Superseded, Unknown, UnknownReference
from domain.handling import Basis, Facts, Method, not_later, permit
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCorrected(Event):
    """A wrong category, respondent or contact was corrected; what is None stays, and the old value stays on record.

    `sealed`: it turned out to be about the complaint desk itself, so from now on a closed circle knows of it.
    """

    category: Code | None
    respondent: Respondent | None
    name: Sealed | None
    phone: Sealed | None
    email: Sealed | None
    reason: Sealed
    sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementInvited(Event):
    """The other side was asked for a statement, in words that do not tell who complained."""

    statement: UUID
    respondent: Respondent
    question: Sealed
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondentStated(Event):
    """The other side made a statement (陈述申辩)."""

    statement: UUID
    content: Sealed
    content_measured: TextFacts
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplainantNotified(Event):
    """The complainant was told, and it is known how it was delivered; `about` is the event told of."""

    notice: UUID
    about: Code
    method: Method
    delivered_at: Instant | None


CorrectingEvent: TypeAlias = RecordCorrected | StatementInvited | RespondentStated | ComplainantNotified


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectRecord(Command):
    """Correct a wrong entry."""

    category: Code | None
    respondent: Respondent | None
    name: Sealed | None
    phone: Sealed | None
    email: Sealed | None
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteStatement(Command):
    """Ask the other side for a statement."""

    statement: UUID
    question: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStatement(Command):
    """Make a statement in the own cause."""

    statement: UUID
    content: Sealed
    content_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordNotice(Command):
    """Record that a notice reached the complainant."""

    notice: UUID
    about: Code
    method: Method
    delivered_at: datetime | None


CorrectingCommand: TypeAlias = CorrectRecord | InviteStatement | MakeStatement | RecordNotice

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "correct-record": frozenset(Step) - {Step.ARCHIVED},
        "invite-statement": frozenset({Step.IN_PROGRESS}),
        "make-statement": OPEN,
        "record-notice": frozenset(Step),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def other_side(respondent: Respondent, by: Actor, moments: Iterable[datetime], facts: Facts) -> bool:
    """Say whether an actor is, or speaks for, whom the complaint is about (UTC moments; our design).

    The person, whoever served at that window at one of the moments, and the heads of the department.
    """
    moments = tuple(moments)
    if concerned(respondent, by.persons, moments, facts):
        return True
    window = None if respondent.window is None else facts.register.windows.get(respondent.window)
    departments = {respondent.department, None if window is None else window.department} - {None}
    return any(
        by.persons & facts.register.heads(department, moment)
        for department in departments
        if department is not None
        for moment in moments[-1:]
    )


def decide(case: Case | None, command: CorrectingCommand, facts: Facts) -> list[Event | For]:
    """Answer a correction, what the other side is asked and says, and what was told to the complainant.

    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, Unknown, UnknownReference, Superseded, NotYetHappened,
    OwnCause, OwnComplaint, Recused, RecusalPending, and what `by_the_handler` raises.
    """
    at, by = command.at, command.by
    match command:
        case CorrectRecord():
            return _correct(at_step(case, *TURNS["correct-record"]), command, facts)
        case InviteStatement():
            there = at_step(case, *TURNS["invite-statement"])
            by_the_handler(there, command, "invite-statement", facts)
            if there.respondent == Respondent():
                raise UnknownReference(kind="respondent")
            return [
                StatementInvited(
                    at=at,
                    by=by,
                    statement=command.statement,
                    respondent=there.respondent,
                    question=command.question,
                    due=facts.limit(there.profile, "complaint.statement", at),
                    basis=facts.basis(there.profile, at),
                )
            ]
        case MakeStatement():
            return _state(at_step(case, *TURNS["make-statement"]), command, facts)
        case RecordNotice():
            there = at_step(case, *TURNS["record-notice"])
            admit(there, command, "record-notice", facts)
            return [
                ComplainantNotified(
                    at=at,
                    by=by,
                    notice=command.notice,
                    about=command.about,
                    method=command.method,
                    delivered_at=not_later(command.delivered_at, at),
                )
            ]
        case _:
            assert_never(command)


def _correct(case: Case, command: CorrectRecord, facts: Facts) -> list[Event | For]:
    """Correct what is wrong, beside the old value; whom it turns out to be about can do nothing more from then on."""
    at, by = command.at, command.by
    policy = admit(case, command, "correct-record", facts)
    if by.role is Role.HANDLER and case.handler not in by.persons:
        raise NotYourCase(department=case.department)
    category = None if command.category == case.category else command.category
    respondent = None if command.respondent == case.respondent else command.respondent
    if (command.category or command.respondent) and not policy.allows("correct-matter", by.role):
        raise NotYourRole(role=by.role, command="correct-matter")
    if category is not None and category not in facts.rulebook.categories:
        raise UnknownReference(kind="category", value=category)
    if respondent is not None:
        _known(respondent, facts)
    if not (category or respondent or command.name or command.phone or command.email):
        return []
    return [
        RecordCorrected(
            at=at,
            by=by,
            category=category,
            respondent=respondent,
            name=command.name,
            phone=command.phone,
            email=command.email,
            reason=command.reason,
            sealed=respondent is not None and about_the_desk(respondent, (*case.noticed, at), facts),
        )
    ]


def _known(respondent: Respondent, facts: Facts) -> None:
    """Refuse a correction that would only be another mistake."""
    if respondent.department is not None and respondent.department not in facts.register.departments:
        raise UnknownReference(kind="department", value=respondent.department)
    if respondent.window is not None and respondent.window not in facts.register.windows:
        raise UnknownReference(kind="window", value=respondent.window)
    if respondent.staff is not None and all(one.person != respondent.staff for one in facts.register.tenures):
        raise UnknownReference(kind="person", value=respondent.staff)


def _state(case: Case, command: MakeStatement, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    permit(by, case.profile, "make-statement", at, facts)
    asked = case.statements.get(command.statement)
    # Whoever was not asked learns nothing, not even that there is such a case.
    if asked is None or not other_side(asked.respondent, by, (*case.noticed, at), facts):
        raise Unknown
    if asked.made:
        raise Superseded(statement=command.statement)
    return [
        RespondentStated(
            at=at,
            by=by,
            statement=command.statement,
            content=command.content,
            content_measured=command.content_measured,
            late=facts.late(case.profile, asked.due, at),
        )
    ]


def evolve(case: Case, event: CorrectingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case RecordCorrected(category=category, respondent=respondent, sealed=sealed):
            corrected = replace(case, category=category or case.category, sealed=case.sealed or sealed)
            if respondent is None:
                return corrected
            # Whoever was complained of first, however wrongly, does not handle what is left of it.
            return replace(corrected, respondent=respondent, also_about=(*case.also_about, case.respondent))
        case StatementInvited(statement=statement, respondent=respondent, due=due):
            return _with(case, statement, Statement(respondent=respondent, due=due))
        case RespondentStated(by=by, statement=statement):
            asked = case.statements.get(statement)
            made = case if asked is None else _with(case, statement, replace(asked, made=True))
            return replace(made, stated=case.stated | by.persons)
        case ComplainantNotified():
            return case
        case _:
            assert_never(event)


def _with(case: Case, key: UUID, statement: Statement) -> Case:
    return replace(case, statements=MappingProxyType({**case.statements, key: statement}))
