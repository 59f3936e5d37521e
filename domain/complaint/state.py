"""What the rules of a complaint remember of it: no more than they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain.deadlines import Due
from domain.decider import Actor, Code, PersonKey
from domain.errors import OutOfTurn, OwnCause, OwnComplaint
from domain.handling import Facts, keep_apart


class Step(StrEnum):
    """Where a complaint stands (domain.md §6.1)."""

    REGISTERED = "registered"
    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    REPLY_PENDING_APPROVAL = "reply_pending_approval"
    REPLY_APPROVED = "reply_approved"
    REPLIED = "replied"
    CLOSED = "closed"


class Finding(StrEnum):
    """What the investigation found (属实, 部分属实, 不属实, 无法核实)."""

    SUBSTANTIATED = "substantiated"
    PARTLY = "partly"
    UNSUBSTANTIATED = "unsubstantiated"
    UNVERIFIABLE = "unverifiable"

    @property
    def asks_for_rectification(self) -> bool:
        """Say whether something must be put right."""
        return self in {Finding.SUBSTANTIATED, Finding.PARTLY}


class IdentityMode(StrEnum):
    """Whether the complainant gave a name (实名, 匿名)."""

    REAL_NAME = "real_name"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Respondent:
    """Whom the complaint is about, as far as it is known."""

    department: Code | None = None
    window: Code | None = None
    staff: PersonKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectification:
    """A corrective action: its date, whether it was done, and what the verification said."""

    due: Due
    done: bool = False
    passed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A complaint as its rules see it.

    `made_by` are the complainant and whoever complained for them; `noticed` is when it happened, if that was told, and
    when it was registered: who served at the window then has a part in it, wherever they serve now. `plans_owed` counts
    rectifications that failed and were not planned anew since.
    """

    step: Step
    profile: Code
    hall: Code
    complaint_no: Code
    made_by: frozenset[PersonKey]
    noticed: tuple[datetime, ...]
    identity_mode: IdentityMode
    respondent: Respondent
    written: bool
    points: int
    category: Code | None
    registered_at: datetime
    accept_due: Due | None
    handle_due: Due | None = None
    assign_due: Due | None = None
    contact_due: Due | None = None
    sign_due: Due | None = None
    department: Code | None = None
    departments: frozenset[Code] = frozenset()
    handler: PersonKey | None = None
    handlers: frozenset[PersonKey] = frozenset()
    approvers: frozenset[PersonKey] = frozenset()
    verifiers: frozenset[PersonKey] = frozenset()
    revisitors: frozenset[PersonKey] = frozenset()
    contacts: int = 0
    reached: bool = False
    contact_days: tuple[date, ...] = ()
    evidence: frozenset[UUID] = frozenset()
    finding: Finding | None = None
    responsible: frozenset[PersonKey] = frozenset()
    revisit_due: Due | None = None
    rectifications: Mapping[UUID, Rectification] = field(default_factory=lambda: MappingProxyType({}))
    plans_owed: int = 0
    reply: UUID | None = None
    replies: frozenset[UUID] = frozenset()
    reworks: int = 0
    deliveries_failed: int = 0
    replied_at: datetime | None = None
    revisit_days: tuple[date, ...] = ()
    revisited: bool = False


OPEN: Final = frozenset(Step) - {Step.CLOSED}


def at_step(case: Case | None, *allowed: Step) -> Case:
    """Give the case if it stands at one of these steps; raises OutOfTurn."""
    if case is None or case.step not in allowed:
        raise OutOfTurn(step=None if case is None else case.step, allowed=[str(step) for step in allowed])
    return case


def concerned(respondent: Respondent, persons: Iterable[PersonKey], moments: Iterable[datetime], facts: Facts) -> bool:
    """Say whether one of them is complained of, or served at that window at one of these moments (UTC)."""
    return any(
        person == respondent.staff
        or (respondent.window is not None and facts.register.serves(person, respondent.window, moment))
        for person in persons
        for moment in moments
    )


def not_respondent(case: Case, by: Actor, at: datetime, facts: Facts) -> None:
    """Refuse whoever the complaint is about, who worked there, or whom the finding names; raises OwnCause."""
    if concerned(case.respondent, by.persons, (*case.noticed, at), facts) or by.persons & case.responsible:
        raise OwnCause


def not_concerned(case: Case, by: Actor, at: datetime, facts: Facts) -> None:
    """Refuse whoever the complaint is about, works at that window, or made it (domain.md §6.4).

    Raises OwnCause, OwnComplaint.
    """
    not_respondent(case, by, at, facts)
    keep_apart(by, case.made_by, OwnComplaint)
