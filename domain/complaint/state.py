"""What the rules of a complaint remember of it: no more than they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar
from uuid import UUID

from domain.deadlines import Due, Pause
from domain.decider import Code, Event, Instant, PersonKey
from domain.errors import OutOfTurn
from domain.escalation import Supervision


class Step(StrEnum):
    """Where a complaint stands (domain.md §6.1)."""

    REGISTERED = "registered"
    AWAITING_SUPPLEMENT = "awaiting_supplement"
    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    REPLY_PENDING_APPROVAL = "reply_pending_approval"
    REPLY_APPROVED = "reply_approved"
    REPLIED = "replied"
    UNDER_REVIEW = "under_review"
    CLOSED = "closed"
    REFUSED = "refused"
    TRANSFERRED_OUT = "transferred_out"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    ARCHIVED = "archived"


class Clock(StrEnum):
    """Which of its limits runs (domain.md §5): the promises to the complainant, and those within the house."""

    ACCEPT = "accept"
    ASSIGN = "assign"
    SIGN = "sign"
    CONTACT = "contact"
    RETURN = "return"
    HANDLE = "handle"
    REVISIT = "revisit"
    REVIEW = "review"


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


class ErasureResult(StrEnum):
    """What was decided on a wish to have personal data erased (PIPL art. 47)."""

    GRANTED = "granted"
    RESTRICTED = "restricted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long the case must be kept, and what became of a wish to have its personal data erased.

    `request` is the one that is open. `asked_by` is the staff who wrote it down, nobody where the complainant asked.
    """

    ended_at: datetime | None = None
    ended_as: Step | None = None
    major: bool = False
    request: UUID | None = None
    asked_by: frozenset[PersonKey] = frozenset()
    result: ErasureResult | None = None
    decided_by: frozenset[PersonKey] = frozenset()
    witnesses: frozenset[PersonKey] = frozenset()
    restricted: bool = False
    restricted_until: date | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A limit that runs: the policy's term, from when it runs, when it was set, and what was added to it (UTC).

    `extra` is the sum of approved extensions in the term's own unit. Kept so that a limit can be computed again by the
    policy under which it was promised. One that was taken over from a merged case at `taken_at` brings the pauses it
    had there.
    """

    term: Code
    since: Instant
    set_at: Instant
    due: Due | None
    extra: int = 0
    pauses: tuple[Pause, ...] = ()
    taken_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A time in which the clock stands still; it runs on where `end` is told, at `until` at the latest."""

    pause: UUID
    reason: Code
    start: datetime
    until: Due | None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A longer limit that was asked for: when, how much, until when it is to be decided (UTC)."""

    days: int
    requested_at: datetime
    decide_by: Due | None
    approved: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recusal:
    """Somebody who is said to have an interest in the matter; until it is decided they may not act."""

    target: PersonKey
    ground: Code
    asked_by: frozenset[PersonKey]
    granted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A department that was called in, with a limit of its own for its answer."""

    department: Code
    due: Due | None
    answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """A return that a unit asked for (退回) and that waits for its decision: by whom, when (UTC)."""

    request: UUID
    asked_at: datetime
    asked_by: frozenset[PersonKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the other side was asked, and until when; whether they answered."""

    respondent: Respondent
    due: Due | None
    made: bool = False


T = TypeVar("T")


def _nothing() -> Mapping[UUID, T]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A complaint as its rules see it.

    `made_by` are the complainant and whoever complained for them; `noticed` is when it happened, if that was told, and
    when it was registered: who served at the window then has a part in it, wherever they serve now. `plans_owed` counts
    rectifications that failed and were not planned anew since. `clocks` are the limits that run, each with what it was
    computed of; `before` is the step from which a case went aside (merged, under review, withdrawn). `proposals` are
    the first halves of two-person acts that wait for another person; what is decided there goes out of the mapping.
    `linked` are merged into this case, by whom and about whom say the next two, the last of them also about whom it
    was before it was corrected; a merged one was told `answered_with`.
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
    clocks: Mapping[Clock, Running] = field(default_factory=lambda: MappingProxyType({}))
    stops: tuple[Stop, ...] = ()
    round: int = 1
    reopened_at: datetime | None = None
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
    rectifications: Mapping[UUID, Rectification] = field(default_factory=lambda: MappingProxyType({}))
    plans_owed: int = 0
    reply: UUID | None = None
    replies: frozenset[UUID] = frozenset()
    reworks: int = 0
    deliveries_failed: int = 0
    replied_at: datetime | None = None
    revisit_days: tuple[date, ...] = ()
    revisited: bool = False
    keeping: Keeping = Keeping()
    sealed: bool = False
    before: Step | None = None
    proposals: Mapping[UUID, Event] = field(default_factory=_nothing)
    supplement: UUID | None = None
    supplement_due: Due | None = None
    extensions: Mapping[UUID, Extension] = field(default_factory=_nothing)
    extended: int = 0
    recusals: Mapping[UUID, Recusal] = field(default_factory=_nothing)
    calls: Mapping[UUID, Call] = field(default_factory=_nothing)
    returning: Returning | None = None
    designated: bool = False
    forwards: int = 0
    supervisions: Mapping[UUID, Supervision] = field(default_factory=_nothing)
    reminded: frozenset[tuple[Clock, datetime]] = frozenset()
    review: UUID | None = None
    review_until: Due | None = None
    review_level: int = 0
    reviewers: frozenset[PersonKey] = frozenset()
    final: bool = False
    registration: Event | None = None
    primary: UUID | None = None
    answered_with: UUID | None = None
    linked: frozenset[UUID] = frozenset()
    joined_by: frozenset[PersonKey] = frozenset()
    also_about: tuple[Respondent, ...] = ()
    statements: Mapping[UUID, Statement] = field(default_factory=_nothing)
    stated: frozenset[PersonKey] = frozenset()
    published: bool = False

    def due(self, clock: Clock) -> Due | None:
        """Give until when there is time by one of the clocks; None where it does not run, or nobody can know."""
        running = self.clocks.get(clock)
        return None if running is None else running.due

    @property
    def paused(self) -> bool:
        """Say whether the clock stands still now."""
        return any(stop.end is None for stop in self.stops)


TERMINAL: Final = frozenset(
    {
        Step.CLOSED,
        Step.REFUSED,
        Step.TRANSFERRED_OUT,
        Step.MERGED,
        Step.WITHDRAWN,
        Step.TERMINATED,
        Step.ARCHIVED,
    }
)
OPEN: Final = frozenset(Step) - TERMINAL
BEFORE_REPLY: Final = OPEN - {Step.REPLIED, Step.UNDER_REVIEW}
"""Where the complainant still waits for the answer."""

PROMISE: Final[Mapping[Step, Clock]] = MappingProxyType(
    {
        Step.REGISTERED: Clock.ACCEPT,
        Step.AWAITING_SUPPLEMENT: Clock.ACCEPT,
        **dict.fromkeys(BEFORE_REPLY - {Step.REGISTERED, Step.AWAITING_SUPPLEMENT}, Clock.HANDLE),
        Step.REPLIED: Clock.REVISIT,
        Step.UNDER_REVIEW: Clock.REVIEW,
    }
)
"""The one clock by which the complainant waits at each step of an open case."""


def started(case: Case, at: datetime, since: datetime | None = None, /, **clocks: tuple[Code, Due | None]) -> Case:
    """Give the case with clocks, by their small names, set at a moment, running from it or from `since` (UTC)."""
    begun = since or at
    set_now = {Clock(name): Running(term=term, since=begun, set_at=at, due=due) for name, (term, due) in clocks.items()}
    return replace(case, clocks=MappingProxyType({**case.clocks, **set_now}))


def handling_term(case: Case) -> Code:
    """Give the policy's term by which the case is answered: that of its complexity, the simple one if it had none."""
    running = case.clocks.get(Clock.HANDLE)
    return "complaint.handle.simple" if running is None else running.term


def at_step(case: Case | None, *allowed: Step) -> Case:
    """Give the case if it stands at one of these steps; raises OutOfTurn."""
    if case is None or case.step not in allowed:
        raise OutOfTurn(step=None if case is None else case.step, allowed=[str(step) for step in allowed])
    return case
