"""A unit takes the complaint up: assigned, signed for, complainant contacted, evidence and finding recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, by_the_handler, may_take, no_judge, unit_may_take
from domain.complaint.state import Case, Clock, Finding, Step, at_step, started
from domain.deadlines import Due
from domain.decider import Code, Command, Digest, Event, For, Instant, PersonKey
from domain.errors import (
    AlreadyThere,
    NotYourCase,
    UnknownReference,
)
from domain.handling import Basis, ContactResult, Facts, Method, not_later, post_of
from domain.sealed import Sealed, TextFacts


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    DOCUMENT = "document"
    PHOTO = "photo"
    RECORDING = "recording"
    STATEMENT = "statement"
    SYSTEM_RECORD = "system_record"
    OTHER = "other"


class ResponsibilityKind(StrEnum):
    """In what way somebody answers for what happened."""

    DIRECT = "direct"
    SUPERVISORY = "supervisory"
    SYSTEMIC = "systemic"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsibility:
    """Who answers for what was found: a department, perhaps a window or a person."""

    department: Code
    window: Code | None = None
    staff: PersonKey | None = None
    kind: ResponsibilityKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictCheck:
    """Whose interest in the matter was checked when the case was assigned."""

    checked: tuple[PersonKey, ...]
    clear: bool


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned(Event):
    """The complaint was assigned (交办) to a unit that leads; others may assist. A ledger may know only the handler."""

    department: Code | None
    assist: tuple[Code, ...]
    handler: PersonKey | None
    conflict_check: ConflictCheck | None
    late: bool | None
    sign_due: Due | None
    contact_due: Due | None
    unit_due: Due | None
    basis: Basis
    return_due: Due | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentAccepted(Event):
    """The unit signed for the complaint (签收)."""

    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplainantContacted(Event):
    """An attempt to reach the complainant was made (先行联系), on this local day; only the first one can be late."""

    attempt_no: int
    day: date
    method: Method
    result: ContactResult
    note: Sealed | None
    late: bool | None
    happened_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecorded(Event):
    """A piece of evidence was recorded; `sha256` is of the sealed attachment, its size in bytes."""

    evidence: UUID
    kind: EvidenceKind
    description: Sealed
    sha256: Digest | None
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecorded(Event):
    """The investigation came to a finding."""

    finding: Finding
    facts: Sealed
    facts_measured: TextFacts
    responsibility: tuple[Responsibility, ...]
    evidence: tuple[UUID, ...]
    rectification_required: bool


InquiryEvent: TypeAlias = Assigned | AssignmentAccepted | ComplainantContacted | EvidenceRecorded | FindingRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Command):
    """Assign the complaint to a unit."""

    department: Code
    assist: tuple[Code, ...]
    handler: PersonKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignFor(Command):
    """Sign for the complaint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContact(Command):
    """Record an attempt to reach the complainant; `happened_at` if it is recorded later than it was made."""

    method: Method
    result: ContactResult
    note: Sealed | None
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvidence(Command):
    """Record a piece of evidence."""

    evidence: UUID
    kind: EvidenceKind
    description: Sealed
    sha256: Digest | None
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFinding(Command):
    """Record what was found."""

    finding: Finding
    facts: Sealed
    facts_measured: TextFacts
    responsibility: tuple[Responsibility, ...]
    evidence: tuple[UUID, ...]


InquiryCommand: TypeAlias = Assign | SignFor | RecordContact | RecordEvidence | RecordFinding


def decide(case: Case | None, command: InquiryCommand, facts: Facts) -> list[Event | For]:
    """Answer what a unit does until it has a finding.

    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint, UnitConcerned, UnknownReference,
    AlreadyThere, and what `by_the_handler` raises.
    """
    at, by = command.at, command.by
    match command:
        case Assign():
            return _assign(at_step(case, Step.ACCEPTED), command, facts)
        case SignFor():
            there = at_step(case, Step.ASSIGNED)
            admit(there, command, "sign-for", facts)
            no_judge(there, by)
            if post_of(by, at, facts).department != there.department or there.handler not in {None, *by.persons}:
                raise NotYourCase(department=there.department)
            return [AssignmentAccepted(at=at, by=by, late=facts.late(there.profile, there.due(Clock.SIGN), at))]
        case RecordContact(method=method, result=result, note=note):
            there = at_step(case, Step.IN_PROGRESS)
            by_the_handler(there, command, "record-contact", facts)
            return [
                ComplainantContacted(
                    at=at,
                    by=by,
                    attempt_no=there.contacts + 1,
                    day=facts.day(there.profile, at),
                    method=method,
                    result=result,
                    note=note,
                    late=None if there.contacts else facts.late(there.profile, there.due(Clock.CONTACT), at),
                    happened_at=not_later(command.happened_at, at),
                )
            ]
        case RecordEvidence():
            there = at_step(case, Step.IN_PROGRESS)
            by_the_handler(there, command, "record-evidence", facts)
            if command.evidence in there.evidence:
                raise AlreadyThere(evidence=command.evidence)
            return [
                EvidenceRecorded(
                    at=at,
                    by=by,
                    evidence=command.evidence,
                    kind=command.kind,
                    description=command.description,
                    sha256=command.sha256,
                    size=command.size,
                )
            ]
        case RecordFinding():
            there = at_step(case, Step.IN_PROGRESS)
            by_the_handler(there, command, "record-finding", facts)
            return _finding(there, command, facts)
        case _:
            assert_never(command)


def _assign(case: Case, command: Assign, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "assign", facts)
    for department in (command.department, *command.assist):
        unit_may_take(case, department, at, facts)
    if command.department in command.assist:
        raise UnknownReference(kind="assist", value=command.department)
    if command.handler is not None:
        may_take(case, command.handler, command.department, at, facts)
    heads = facts.register.heads(command.department, at)
    checked = heads | ({command.handler} if command.handler is not None else frozenset())
    return [
        Assigned(
            at=at,
            by=by,
            department=command.department,
            assist=command.assist,
            handler=command.handler,
            conflict_check=ConflictCheck(checked=tuple(sorted(checked)), clear=True),
            late=facts.late(case.profile, case.due(Clock.ASSIGN), at),
            sign_due=facts.limit(case.profile, "complaint.sign_for", at),
            contact_due=facts.limit(case.profile, "complaint.first_contact", at),
            return_due=facts.limit(case.profile, "complaint.unit_return", at),
            unit_due=case.due(Clock.HANDLE),
            basis=facts.basis(case.profile, at),
        )
    ]


def _finding(case: Case, command: RecordFinding, facts: Facts) -> list[Event | For]:
    unknown = set(command.evidence) - case.evidence
    if unknown:
        raise UnknownReference(kind="evidence", value=sorted(map(str, unknown)))
    for part in command.responsibility:
        if part.department not in facts.register.departments:
            raise UnknownReference(kind="department", value=part.department)
        if part.window is not None and part.window not in facts.register.windows:
            raise UnknownReference(kind="window", value=part.window)
    return [
        FindingRecorded(
            at=command.at,
            by=command.by,
            finding=command.finding,
            facts=command.facts,
            facts_measured=command.facts_measured,
            responsibility=command.responsibility,
            evidence=command.evidence,
            rectification_required=command.finding.asks_for_rectification,
        )
    ]


def evolve(case: Case, event: InquiryEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case Assigned(department=department, assist=assist, handler=handler):
            assigned = replace(
                case,
                step=Step.ASSIGNED,
                department=department,
                departments=case.departments.union(assist, () if department is None else (department,)),
                handler=handler,
            )
            return started(
                assigned,
                event.at,
                sign=("complaint.sign_for", event.sign_due),
                contact=("complaint.first_contact", event.contact_due),
                **{"return": ("complaint.unit_return", event.return_due)},
            )
        case AssignmentAccepted(by=by):
            # Whoever signs for it takes it: a wish to return it is gone.
            signed = replace(case, step=Step.IN_PROGRESS, handler=by.principal, returning=None)
            return replace(signed, handlers=case.handlers | by.persons)
        case ComplainantContacted(by=by, result=result, day=day):
            return replace(
                case,
                contacts=case.contacts + 1,
                reached=case.reached or result is ContactResult.REACHED,
                contact_days=(*case.contact_days, day),
                handlers=case.handlers | by.persons,
            )
        case EvidenceRecorded(by=by, evidence=evidence):
            return replace(case, evidence=case.evidence | {evidence}, handlers=case.handlers | by.persons)
        case FindingRecorded(by=by, finding=finding, responsibility=responsibility):
            staff = frozenset(part.staff for part in responsibility if part.staff is not None)
            return replace(case, finding=finding, responsible=staff, handlers=case.handlers | by.persons)
        case _:
            assert_never(event)
