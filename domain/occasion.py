"""One served visit: frozen with who served where, and what a review may rate, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias, assert_never, get_args
from uuid import UUID, uuid5

from domain.deadlines import Due, kept_promise
from domain.decider import NAMESPACE, Code, Command, Decider, Digest, Event, For, Instant, PersonKey, Role
from domain.errors import (
    AlreadyReviewed,
    AlreadyThere,
    InvitationUnknown,
    InvitationUsed,
    NobodyServed,
    NotYourRole,
    TooEarly,
    TooLate,
    Unknown,
    UnknownReference,
)
from domain.handling import Basis, Facts, permit
from domain.review.submitting import Attribution, Opinion, Rated, rated, work_order
from domain.rulebook import Profile
from domain.sealed import Sealed

LIMIT: Final[Code] = "review.window"


class ServiceChannel(StrEnum):
    """Where somebody was served (proChannel)."""

    ONLINE = "online"
    ON_SITE = "on_site"


class Medium(StrEnum):
    """How somebody is invited to rate."""

    QR = "qr"
    SMS = "sms"
    KIOSK = "kiosk"
    WEB = "web"


def stream(project_no: Code, service_number: int) -> UUID:
    """Give the stream of a visit: one for each service of a project (一次一评, domain.md §2)."""
    return uuid5(NAMESPACE, f"occasion:{project_no}:{service_number}")


def review_of(occasion: UUID) -> UUID:
    """Give the stream of the one review that a visit can have."""
    return uuid5(occasion, "review")


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Event):
    """Somebody was served: until `review_until` they may rate it.

    `attribution` is frozen here, whoever works at the window later. Of a ledger's visit the time and all of it may be
    unknown, and nobody is asked to rate it.
    """

    hall: Code
    profile: Profile
    project_no: Code
    service_number: int
    channel: ServiceChannel | None
    served_at: Instant | None
    seconds: int | None
    attribution: Attribution | None
    applicant: PersonKey | None
    agent: PersonKey | None
    name: Sealed | None
    phone: Sealed | None
    review_until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited(Event):
    """Somebody was invited to rate the visit; `token` is the SHA-256 of a random one-time token."""

    invitation: UUID
    medium: Medium
    token: Digest
    until: Due | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed(Event):
    """The visit was rated; with which invitation, if with one."""

    review: UUID
    token: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Event):
    """The time to rate is over and nobody did; that is no rating, and never becomes one (domain.md F2)."""


OccasionEvent: TypeAlias = Opened | Invited | Reviewed | Expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Command):
    """Record a served visit; without `staff` whoever alone held a post at the window then."""

    hall: Code
    profile: Profile
    project_no: Code
    service_number: int
    channel: ServiceChannel | None
    served_at: datetime | None
    seconds: int | None
    window: Code | None
    department: Code | None
    item: Code | None
    staff: PersonKey | None
    applicant: PersonKey | None
    agent: PersonKey | None
    name: Sealed | None
    phone: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(Command):
    """Invite to rate."""

    invitation: UUID
    medium: Medium
    token: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(Command):
    """Rate the visit, with an invitation, or as staff write down what somebody says."""

    token: Digest | None
    opinion: Opinion


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(Command):
    """End the time to rate."""


OccasionCommand: TypeAlias = Open | Invite | Submit | Expire


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A served visit as its rules see it."""

    opened: Opened
    invitations: frozenset[Digest] = frozenset()
    reviewed: Reviewed | None = None
    expired: bool = False


def decide(occasion: Occasion | None, command: OccasionCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer what is asked of a visit.

    Raises NoPolicy, NotYourRole, AlreadyThere, Unknown, UnknownReference, NobodyServed, TooEarly, TooLate,
    InvitationUnknown, InvitationUsed, AlreadyReviewed, and what `rated` raises.
    """
    match command:
        case Open():
            return _open(occasion, command, facts)
        case Invite():
            return _invite(_there(occasion), command, facts)
        case Submit():
            return _submit(_there(occasion), command, facts)
        case Expire():
            return _expire(_there(occasion), command, facts)
        case _:
            assert_never(command)


def _there(occasion: Occasion | None) -> Occasion:
    if occasion is None:
        raise Unknown
    return occasion


def _open(occasion: Occasion | None, command: Open, facts: Facts) -> Sequence[Event | For]:
    at, by, served_at = command.at, command.by, command.served_at
    permit(by, command.profile, "occasion/open", at, facts)
    if command.hall not in facts.register.sites:
        raise UnknownReference(kind="hall", value=command.hall)
    moment = _since(served_at, at)
    attribution = _attribution(command, moment, facts)
    # Or a bad rating would be nobody's to answer.
    if attribution is None and command.profile is Profile.HALL:
        raise NobodyServed
    event = Opened(
        at=at,
        by=by,
        hall=command.hall,
        profile=command.profile,
        project_no=command.project_no,
        service_number=command.service_number,
        channel=command.channel,
        served_at=served_at,
        seconds=command.seconds,
        attribution=attribution,
        applicant=command.applicant,
        agent=command.agent,
        name=command.name,
        phone=command.phone,
        review_until=facts.limit(command.profile, LIMIT, at, since=moment),
        basis=facts.basis(command.profile, at),
    )
    if occasion is None:
        return [event]
    # The case system sends a visit again when it got no answer; another one under the same number is a mistake.
    if _same(occasion.opened, event, command):
        return []
    raise AlreadyThere(project_no=command.project_no, service_number=command.service_number)


def _same(there: Opened, again: Opened, command: Open) -> bool:
    """Compare what was told; what the rules and the register made of it then is kept, whatever they say now."""
    frozen, anew = there.attribution, again.attribution
    if frozen is not None and anew is not None:
        anew = replace(anew, department=command.department or frozen.department, staff=command.staff or frozen.staff)
    sealed = {"at": there.at, "by": there.by, "name": there.name, "phone": there.phone}
    rules = {"review_until": there.review_until, "basis": there.basis, "attribution": anew}
    return replace(again, **sealed, **rules) == there  # type: ignore[arg-type]  # fields of the event itself


def _attribution(command: Open, moment: datetime, facts: Facts) -> Attribution | None:
    """Freeze who served: a later transfer never moves a past review (domain.md §2)."""
    register, window, item = facts.register, command.window, command.item
    for kind, code, entries in (
        ("window", window, register.windows),
        ("item", item, register.items),
        ("department", command.department, register.departments),
    ):
        if code is not None and code not in entries:
            raise UnknownReference(kind=kind, value=code)
    department = command.department
    if department is None and window is not None:
        department = register.windows[window].department
    if department is None and item is not None:
        department = register.items[item].department
    if department is None:
        return None
    staff = command.staff
    if staff is None and window is not None:
        there = {code for code, post in register.posts.items() if post.window == window}
        own = {t.person for t in register.tenures if t.post in there and t.covers(moment)}
        lent = {d.deputy for d in register.deputyships if d.post in there and register.absent(d.deputy, d.post, moment)}
        staff = next(iter(own)) if len(own | lent) == 1 else None
    return Attribution(department=department, window=window, item=item, staff=staff)


def _invite(occasion: Occasion, command: Invite, facts: Facts) -> Sequence[Event | For]:
    at, by, there = command.at, command.by, occasion.opened
    permit(by, there.profile, "occasion/invite", at, facts)
    if command.token in occasion.invitations:
        return []
    if occasion.reviewed is not None:
        raise AlreadyReviewed
    if _over(occasion, at, facts):
        raise TooLate
    return [
        Invited(
            at=at,
            by=by,
            invitation=command.invitation,
            medium=command.medium,
            token=command.token,
            until=_limit(there, facts),
        )
    ]


def _submit(occasion: Occasion, command: Submit, facts: Facts) -> Sequence[Event | For]:
    at, by, there, token = command.at, command.by, occasion.opened, command.token
    permit(by, there.profile, "review/submit", at, facts)
    # Whoever was served has an invitation, and nobody else gives a rating with it.
    if token not in occasion.invitations and (token is not None or by.role is Role.CITIZEN):
        raise InvitationUnknown
    if token is not None and by.role is not Role.CITIZEN:
        raise NotYourRole(role=by.role, command="review/submit")
    if occasion.reviewed is not None:
        raise InvitationUsed if token is not None and token == occasion.reviewed.token else AlreadyReviewed
    if _over(occasion, at, facts):
        raise TooLate
    own = stream(there.project_no, there.service_number)
    review = review_of(own)
    visit = Rated(
        occasion=own,
        hall=there.hall,
        profile=there.profile,
        attribution=there.attribution,
        served_at=there.served_at,
        applicant=there.applicant,
    )
    submitted = rated(command.opinion, visit, token, at=at, by=by, facts=facts)
    return [
        Reviewed(at=at, by=by, review=review, token=token),
        For(review, submitted),
        *(For(review, one) for one in work_order(submitted, submitted.grade, at, facts)),
    ]


def _expire(occasion: Occasion, command: Expire, facts: Facts) -> Sequence[Event | For]:
    permit(command.by, occasion.opened.profile, "occasion/expire", command.at, facts)
    if occasion.reviewed is not None or occasion.expired:
        return []
    if not _over(occasion, command.at, facts):
        raise TooEarly
    return [Expired(at=command.at, by=command.by)]


def _over(occasion: Occasion, at: datetime, facts: Facts) -> bool:
    there = occasion.opened
    return occasion.expired or bool(facts.late(there.profile, _limit(there, facts), at))


def _since(served_at: datetime | None, at: datetime) -> datetime:
    # The clock of a case system may run ahead: that is kept, and nobody has longer to rate for it (§14 case 12).
    return at if served_at is None else min(served_at, at)


def _limit(there: Opened, facts: Facts) -> Due | None:
    """Give until when a visit may be rated; one that was provisional as the calendars of today have it, never earlier.

    It runs by the policy of the day it was told, and needs no event of its own: nobody waits for it (our design).
    """
    told = there.review_until
    if told is None or not told.provisional:
        return told
    since = _since(there.served_at, there.at)
    return kept_promise(told, facts.limit(there.profile, LIMIT, there.at, since=since) or told)


def evolve(occasion: Occasion | None, event: OccasionEvent) -> Occasion | None:
    """Take one event in; never refuses."""
    if isinstance(event, Opened):
        return Occasion(opened=event)
    if occasion is None:
        return None
    match event:
        case Invited(token=token):
            return replace(occasion, invitations=occasion.invitations | {token})
        case Reviewed():
            return replace(occasion, reviewed=event)
        case Expired():
            return replace(occasion, expired=True)
        case _:
            assert_never(event)


OCCASION: Final[Decider[Occasion | None, OccasionCommand, OccasionEvent, Facts]] = Decider(
    "occasion", None, decide, evolve, get_args(OccasionEvent)
)
