"""A review as its rules see it: what was said, how far a bad one is handled, and who took which part in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain.complaint.state import Running
from domain.deadlines import Due
from domain.decider import Code, PersonKey, Role
from domain.errors import OutOfTurn, Unknown
from domain.escalation import Supervision
from domain.proposing import Proposal
from domain.review.submitting import Accepted, Appended, Submitted


class Stage(StrEnum):
    """Where a review stands (domain.md §7.1); all but the first are stages of a contested or a bad one."""

    COUNTED = "counted"
    BAD_OPEN = "bad_open"
    BAD_CONTACTED = "bad_contacted"
    BAD_VERIFIED = "bad_verified"
    RECTIFYING = "rectifying"
    RECTIFIED = "rectified"
    REVISITED = "revisited"
    BAD_CLOSED = "bad_closed"
    UNDER_APPEAL = "under_appeal"
    EXCLUDED = "excluded"


class Clock(StrEnum):
    """Which limit of a review runs (domain.md §5, `bad.*`); some run beside each other."""

    CONTACT = "contact"
    VERIFY = "verify"
    APPEAL = "appeal"
    TELL = "tell"
    OBJECTION = "objection"
    RECTIFY = "rectify"
    REPLY = "reply"
    REVISIT = "revisit"
    CHECK = "check"


TERMS: Final[Mapping[Clock, Code]] = MappingProxyType(
    {
        Clock.CONTACT: "bad.contact",
        Clock.VERIFY: "bad.verify",
        Clock.APPEAL: "bad.appeal_decide",
        Clock.TELL: "bad.tell",
        Clock.OBJECTION: "bad.appeal_decide",
        Clock.REPLY: "bad.reply",
        Clock.REVISIT: "bad.revisit",
        Clock.CHECK: "review.check",
    }
)
"""By which term of the policy each limit is counted; that of rectifying depends on the verdict."""


class Verdict(StrEnum):
    """What the verification of a bad review came to (domain.md §7.2)."""

    VALID_CLEAR = "valid_clear"
    VALID_COMPLEX = "valid_complex"
    NO_LEGAL_BASIS = "no_legal_basis"
    MISTAKEN = "mistaken"
    MALICIOUS = "malicious"
    UNVERIFIABLE = "unverifiable"

    @property
    def valid(self) -> bool:
        """Say whether something has to be put right."""
        return self in {Verdict.VALID_CLEAR, Verdict.VALID_COMPLEX}

    @property
    def contests(self) -> bool:
        """Say whether this would take the review out of the figures, which only two outside deciders may."""
        return self in {Verdict.MISTAKEN, Verdict.MALICIOUS}

    @property
    def term(self) -> Code:
        """Give the term by which it is put right or explained; an explanation needs no longer than what is clear."""
        return "bad.rectify.complex" if self is Verdict.VALID_COMPLEX else "bad.rectify.simple"


class Satisfied(StrEnum):
    """What somebody says of what was done about their bad review."""

    YES = "yes"
    NO = "no"
    DECLINED = "declined"


class Settled(StrEnum):
    """In what way a bad review was settled."""

    RECTIFIED = "rectified"
    EXPLAINED = "explained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something a detector noticed about a review; a human clears it, or has the review excluded."""

    detector: Code
    cleared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review as its rules see it.

    `appeal` and `objection` are the ones being decided on; `appeals` counts those that were decided. `tell_days`,
    `contact_days`, `revisit_days` and `check_days` are the local days of attempts to reach who rated. `checks` are the
    draws that chose the review for a check, with whether that was done. `deciders` proposed, declined or confirmed
    anything; those of them who did so on the appeal are `used`, and leave the objection to others.
    """

    submitted: Submitted
    appended: Appended | None = None
    corroborated: bool = False
    accepted: Accepted | None = None
    complaint: UUID | None = None
    contact_days: tuple[date, ...] = ()
    reached: bool = False
    evidence: frozenset[UUID] = frozenset()
    verdict: Verdict | None = None
    mistake_confirmed: bool = False
    appeal: UUID | None = None
    appeals: int = 0
    excluded: bool = False
    excluded_at: datetime | None = None
    told: bool = False
    tell_days: tuple[date, ...] = ()
    objection_until: Due | None = None
    objection: UUID | None = None
    objected: bool = False
    planned: bool = False
    settled: Settled | None = None
    replied: bool = False
    revisit_days: tuple[date, ...] = ()
    revisited: Satisfied | None = None
    reworks: int = 0
    closed: bool = False
    checks: Mapping[UUID, bool] = field(default_factory=lambda: MappingProxyType({}))
    check_days: tuple[date, ...] = ()
    clocks: Mapping[Clock, Running] = field(default_factory=lambda: MappingProxyType({}))
    reminded: frozenset[tuple[Clock, datetime]] = frozenset()
    orders: Mapping[UUID, Supervision] = field(default_factory=lambda: MappingProxyType({}))
    flags: Mapping[UUID, Flag] = field(default_factory=lambda: MappingProxyType({}))
    proposals: Mapping[UUID, Proposal] = field(default_factory=lambda: MappingProxyType({}))
    workers: frozenset[PersonKey] = frozenset()
    appellants: frozenset[PersonKey] = frozenset()
    deciders: frozenset[PersonKey] = frozenset()
    used: frozenset[PersonKey] = frozenset()
    revisitors: frozenset[PersonKey] = frozenset()

    @property
    def stage(self) -> Stage:
        """Say where it stands."""
        if self.excluded:
            return Stage.EXCLUDED
        if self.appeal is not None:
            return Stage.UNDER_APPEAL
        if self.accepted is None:
            return Stage.COUNTED
        if self.closed:
            return Stage.BAD_CLOSED
        if self.revisited is not None:
            return Stage.REVISITED
        if self.settled is not None:
            return Stage.RECTIFIED
        if self.planned:
            return Stage.RECTIFYING
        if self.verdict is not None:
            return Stage.BAD_VERIFIED
        return Stage.BAD_CONTACTED if self.contact_days else Stage.BAD_OPEN

    @property
    def profile(self) -> Code:
        """Give by which policy it goes."""
        return self.submitted.profile

    @property
    def known(self) -> bool:
        """Say whether who rated gave a name, so that they are called and asked afterwards (domain.md §14 case 14)."""
        return self.submitted.reviewer is not None

    @property
    def served_at(self) -> datetime:
        """Give when the rated service was, or when it was rated where nobody knows, or a clock ran ahead (UTC)."""
        first = self.submitted
        return first.at - timedelta(seconds=max(0, first.seconds_since_service or 0))

    @property
    def departments(self) -> frozenset[Code]:
        """Give the departments whose people are inside: the one that served, and the one that has the work order."""
        served = self.submitted.attribution
        lead = () if self.accepted is None else (self.accepted.lead,)
        return frozenset(lead if served is None else (*lead, served.department))

    @property
    def authors(self) -> frozenset[PersonKey]:
        """Give who rated, as far as that is known, and who wrote it down for them."""
        first = self.submitted
        wrote = frozenset() if first.by.role is Role.SYSTEM else first.by.persons
        return wrote if first.reviewer is None else wrote | {first.reviewer}

    def due(self, clock: Clock) -> Due | None:
        """Give a limit, as far as it was set."""
        running = self.clocks.get(clock)
        return None if running is None else running.due


def at_stage(review: Review | None, *allowed: Stage) -> Review:
    """Give the review if it stands at one of these stages; raises Unknown, OutOfTurn."""
    if review is None:
        raise Unknown
    if review.stage not in allowed:
        raise OutOfTurn(step=review.stage, allowed=[str(stage) for stage in allowed])
    return review


def started(review: Review, at: datetime, /, **limits: Due | None) -> Review:
    """Give the review with limits, by their small names, set at a moment (UTC); None sets none."""
    set_now = {
        Clock(name): Running(term=_term(review, Clock(name)), since=at, set_at=at, due=due)
        for name, due in limits.items()
        if due is not None
    }
    return replace(review, clocks=MappingProxyType({**review.clocks, **set_now}))


def _term(review: Review, clock: Clock) -> Code:
    if clock is Clock.RECTIFY:
        return (review.verdict or Verdict.VALID_CLEAR).term
    return TERMS[clock]


def in_hand(review: Review) -> tuple[Clock, ...]:
    """Give the limits that somebody still has to keep where the review stands now."""
    match review.stage:
        case Stage.BAD_OPEN | Stage.BAD_CONTACTED:
            wanted: tuple[Clock, ...] = (Clock.VERIFY,) if review.contact_days else (Clock.CONTACT, Clock.VERIFY)
        case Stage.UNDER_APPEAL:
            # The time to contact who rated does not stand still for an appeal (domain.md §7.2).
            uncalled = review.verdict is None and not review.contact_days
            wanted = (Clock.CONTACT, Clock.APPEAL) if uncalled else (Clock.APPEAL,)
        case Stage.BAD_VERIFIED | Stage.RECTIFYING:
            wanted = (Clock.RECTIFY,)
        case Stage.RECTIFIED:
            wanted = (Clock.REVISIT,) if review.replied else (Clock.REPLY, Clock.REVISIT)
        case Stage.EXCLUDED:
            untold = () if review.told else (Clock.TELL,)
            wanted = untold if review.objection is None else (*untold, Clock.OBJECTION)
        case _:
            wanted = ()
    if not all(review.checks.values()):
        wanted = (*wanted, Clock.CHECK)
    return tuple(clock for clock in wanted if clock in review.clocks)
