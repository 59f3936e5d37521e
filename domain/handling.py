"""What complaints and bad reviews share: facts for a decision, persons kept apart, attempts counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.deadlines import Due, Pause, due, is_late
from domain.decider import Actor, Code, PersonKey, Role
from domain.errors import NoPolicy, NotYetHappened, NotYourRole, Refused, UnknownReference
from domain.register import Post, Register
from domain.rulebook import Policy, PolicyRef, Rulebook
from domain.sealed import Similar

HALL_ZONE = ZoneInfo("Asia/Shanghai")
"""Where days are counted while no policy says otherwise."""


class Method(StrEnum):
    """How a person was reached, or a reply delivered."""

    COUNTER = "counter"
    PHONE = "phone"
    VISIT = "visit"
    MESSAGE = "message"
    WEB = "web"
    LETTER = "letter"

    @property
    def written(self) -> bool:
        """Say whether this leaves the person something to read."""
        return self in {Method.MESSAGE, Method.WEB, Method.LETTER}

    @property
    def by_machine(self) -> bool:
        """Say whether this is delivered without anybody's hand, so that only a machine knows whether it arrived."""
        return self in {Method.MESSAGE, Method.WEB}


class ContactResult(StrEnum):
    """What came of an attempt to reach a person."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    DECLINED = "declined"


class Proof(StrEnum):
    """How it is known that a complainant really said so."""

    QUERY_CODE = "query_code"
    SIGNATURE = "signature"
    MESSAGE_CODE = "message_code"
    RECORDED_CALL = "recorded_call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The rules a result was computed by.

    `rulebook` is the version of the rulebook stream at the decision: a prefix of that stream holds the policy and every
    calendar that was used.
    """

    policy: PolicyRef | None
    rulebook: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the casebook gathers before a decision; a frozen value.

    `itself` is the stream the command is given on, `others` the states of the other streams it is decided on, and
    `complaint_nos` one number for each case that it registers.
    """

    register: Register = field(default_factory=Register)
    rulebook: Rulebook = field(default_factory=Rulebook)
    register_version: int = 0
    rulebook_version: int = 0
    complaint_no: Code | None = None
    similar: tuple[Similar, ...] = ()
    itself: UUID | None = None
    others: Mapping[UUID, object] = field(default_factory=lambda: MappingProxyType({}))
    complaint_nos: tuple[Code, ...] = ()

    def zone(self, profile: Code, at: datetime) -> ZoneInfo:
        """Give the zone in which days are counted."""
        policy = self.rulebook.policy(profile, at)
        return HALL_ZONE if policy is None else policy.zone_info()

    def day(self, profile: Code, at: datetime) -> date:
        """Give the local day of a moment."""
        return at.astimezone(self.zone(profile, at)).date()

    def basis(self, profile: Code, at: datetime) -> Basis:
        """Say which rules are in force at a moment (UTC)."""
        policy = self.rulebook.policy(profile, at)
        ref = None if policy is None else PolicyRef(profile=policy.profile, version=policy.version)
        return Basis(policy=ref, rulebook=self.rulebook_version)

    def limit(
        self,
        profile: Code,
        key: Code,
        at: datetime,
        *,
        since: datetime | None = None,
        pauses: Iterable[Pause] = (),
        extra: int = 0,
    ) -> Due | None:
        """Compute a limit of the policy in force at `at`, running from `since` or from then (UTC).

        None while the rules for it are unknown.
        """
        policy = self.rulebook.policy(profile, at)
        term = None if policy is None else policy.term(key)
        if policy is None or term is None:
            return None
        return due(
            term,
            since or at,
            self.rulebook.calendar,
            policy.zone_info(),
            office_hours=policy.office_hours,
            pauses=tuple(pauses),
            extra=extra,
        )

    def late(self, profile: Code, limit: Due | None, at: datetime) -> bool | None:
        """Say whether something done at a moment (UTC) is late; None where nobody can know."""
        return is_late(limit, at, self.rulebook.calendar, self.zone(profile, at))


def end_of(day: date, zone: ZoneInfo) -> Due:
    """Give a date somebody set as a limit: on time until the last instant of that local day."""
    return Due(at=datetime.combine(day, time.max, zone).astimezone(UTC), day=day, provisional=False)


def not_later(happened_at: datetime | None, at: datetime) -> datetime | None:
    """Give when something happened that is recorded at `at` (both UTC), if that was told; raises NotYetHappened.

    It is kept beside: limits and attempts go by the time of the record, or anybody could be on time afterwards.
    """
    if happened_at is not None and happened_at > at:
        raise NotYetHappened(happened_at=happened_at)
    return happened_at


def permit(by: Actor, profile: Code, command: Code, at: datetime, facts: Facts) -> Policy:
    """Give the policy if it lets this actor give this command in a post really held; citizens and timers hold none.

    Raises NoPolicy, NotYourRole.
    """
    policy = facts.rulebook.policy(profile, at)
    if policy is None:
        raise NoPolicy(profile=profile)
    if not policy.allows(command, by.role):
        raise NotYourRole(role=by.role, command=command)
    if by.role not in {Role.SYSTEM, Role.CITIZEN}:
        post_of(by, at, facts)
    return policy


def post_of(by: Actor, at: datetime, facts: Facts) -> Post:
    """Give the post an actor acts in; raises NotYourRole if it is not held at that moment or has another role.

    Whoever is complained of speaks as respondent in whichever post they hold: there is no post for that.
    """
    if by.post is None or not facts.register.holds(by.person, by.post, at):
        raise NotYourRole(role=by.role, post=by.post)
    # Who stands in for somebody says so, or their separation could not be told.
    if facts.register.absent(by.person, by.post, at) not in {None, by.on_behalf_of}:
        raise NotYourRole(role=by.role, post=by.post)
    post = facts.register.posts[by.post]
    if by.role not in {post.role, Role.RESPONDENT}:
        raise NotYourRole(role=by.role, post=by.post)
    return post


def listed(policy: Policy, name: Code, code: Code) -> None:
    """Refuse a code that does not stand in the policy's list of this name; raises UnknownReference."""
    if code not in policy.codes(name):
        raise UnknownReference(kind=name, value=code)


def keep_apart(by: Actor, others: frozenset[PersonKey], refusal: type[Refused]) -> None:
    """Refuse when a person, or whom they act for, took part on the other side (domain.md §6.4)."""
    if by.persons & others:
        raise refusal


def tried_enough(days: tuple[date, ...], policy: Policy) -> bool:
    """Say whether attempts (one local day each) suffice to call a person unreachable (our design)."""
    return len(days) >= policy.attempts_required and len(set(days)) >= policy.attempt_days_required
