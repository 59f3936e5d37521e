"""What was said of a visit: rated once, added to once, and a bad rating opens a work order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.code_sets import CodeSetRef
from domain.complaint.state import IdentityMode
from domain.deadlines import Due
from domain.decider import THE_SYSTEM, Actor, Code, Digest, Event, Instant, PersonKey, Role
from domain.errors import CodeNotOfGrade, ReasonMissing, UnknownReference
from domain.grade import Grade
from domain.handling import Basis, Facts
from domain.rulebook import Profile
from domain.sealed import Sealed, Similar, TextFacts

DETAILS: Final[Code] = "eval-detail"
"""The set of codes that reviewers tick (evalDetail, domain.md §7.3)."""


class ReviewChannel(StrEnum):
    """By what a rating was given (评价渠道); numbers of it stand in adapters only, because provinces differ."""

    COMPUTER = "computer"
    MOBILE = "mobile"
    QR = "qr"
    TABLET = "tablet"
    TERMINAL = "terminal"
    PHONE = "phone"
    SMS = "sms"
    PAPER = "paper"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Who served, as it was then: department, window, item and person, as far as they are known."""

    department: Code
    window: Code | None
    item: Code | None
    staff: PersonKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """By what a rating was given, without a name: for a human who looks for forged ones (domain.md §9.3).

    `device` and `network` are random keys that only the erasable table of marks ties to a device or an address;
    `claimed_at` is a terminal's own time (UTC), `input_ms` how long the form was open.
    """

    terminal: Code | None
    device: UUID | None
    network: UUID | None
    input_ms: int | None
    claimed_at: Instant | None
    staff_terminal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What somebody says of a visit; `own_link` is the SHA-256 of the link with which they come back to it."""

    grade: Grade
    codes: tuple[Code, ...]
    text: Sealed | None
    text_facts: TextFacts | None
    similar: tuple[Similar, ...]
    identity_mode: IdentityMode
    channel: ReviewChannel
    evidence: Evidence
    own_link: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """The visit that is rated, as its own stream says."""

    occasion: UUID
    hall: Code
    profile: Profile
    attribution: Attribution | None
    served_at: datetime | None
    applicant: PersonKey | None


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(Event):
    """A visit was rated (评价); the rating never changes.

    `corroborated`: it came with an invitation of its own. What staff write down is not, until who was served says so.
    `seconds_since_service` is by our clock, and negative where a case system's runs ahead.
    """

    occasion: UUID
    hall: Code
    profile: Profile
    attribution: Attribution | None
    grade: Grade
    codes: tuple[Code, ...]
    code_set: CodeSetRef | None
    text: Sealed | None
    text_facts: TextFacts | None
    similar: tuple[Similar, ...]
    identity_mode: IdentityMode
    channel: ReviewChannel
    evidence: Evidence
    token: Digest | None
    own_link: Digest | None
    reviewer: PersonKey | None
    corroborated: bool
    seconds_since_service: int | None
    follow_up_until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended(Event):
    """The one follow-up (追评) was added; the first rating stays as it is."""

    grade: Grade | None
    codes: tuple[Code, ...]
    code_set: CodeSetRef | None
    text: Sealed | None
    text_facts: TextFacts | None
    similar: tuple[Similar, ...]
    channel: ReviewChannel
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Corroborated(Event):
    """Who was served says that the rating written down by staff is theirs.

    `network` is a random key as in Evidence: whether it came from where staff had written it down, a human may ask.
    """

    network: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    """A bad rating became a work order (受理) of the department that served.

    Only who is known by name is called: `contact_due` is None for others (domain.md §14 case 14). `appeal_until` is how
    long the department may say that the rating is not about it, or not real; `verify_due` is for the verdict.
    """

    grade: Grade
    lead: Code
    contact_due: Due | None
    appeal_until: Due | None
    basis: Basis
    verify_due: Due | None = None


def rated(opinion: Opinion, visit: Rated, token: Digest | None, *, at: datetime, by: Actor, facts: Facts) -> Submitted:
    """Give the rating; raises ReasonMissing, CodeNotOfGrade, UnknownReference."""
    ours = visit.profile is Profile.HALL
    code_set = ticked(opinion.grade, opinion.codes, facts, anew=ours)
    if ours:
        reasoned(opinion.grade, opinion.codes, opinion.text_facts)
    by_themselves = by.role is Role.CITIZEN
    known = by.person if by_themselves else visit.applicant
    since = visit.served_at
    return Submitted(
        at=at,
        by=by,
        occasion=visit.occasion,
        hall=visit.hall,
        profile=visit.profile,
        attribution=visit.attribution,
        grade=opinion.grade,
        codes=opinion.codes,
        code_set=code_set,
        text=opinion.text,
        text_facts=opinion.text_facts,
        similar=opinion.similar,
        identity_mode=opinion.identity_mode,
        channel=opinion.channel,
        evidence=opinion.evidence,
        token=token,
        own_link=opinion.own_link,
        reviewer=known if opinion.identity_mode is IdentityMode.REAL_NAME else None,
        corroborated=by_themselves or not ours,
        seconds_since_service=None if since is None else int((at - since).total_seconds()),
        follow_up_until=facts.limit(visit.profile, "review.followup_window", at),
        basis=facts.basis(visit.profile, at),
    )


def ticked(grade: Grade | None, codes: tuple[Code, ...], facts: Facts, *, anew: bool = True) -> CodeSetRef | None:
    """Give the set that codes were ticked from; raises UnknownReference, CodeNotOfGrade.

    `anew`: only those still in use are ticked now; what a ledger tells may be older than that.
    """
    if not codes:
        return None
    code_set = facts.rulebook.code_sets.get(DETAILS)
    for code in codes:
        found = None if code_set is None else code_set.code(code)
        if found is None or (anew and not found.in_use) or codes.count(code) > 1:
            raise UnknownReference(kind=DETAILS, value=code)
        if found.grade is not grade:
            raise CodeNotOfGrade(codes=code)
    return None if code_set is None else code_set.ref


def reasoned(grade: Grade, codes: tuple[Code, ...], measured: TextFacts | None) -> None:
    """Refuse a bad rating without a reason (差评必须勾选详情或填写文字评价, N1); raises ReasonMissing."""
    if grade.bad and not codes and not (measured is not None and measured.has_text):
        raise ReasonMissing


def work_order(review: Submitted, grade: Grade, at: datetime, facts: Facts) -> list[Accepted]:
    """Give the work order that a bad grade opens by itself at a moment (UTC), whether first or as a follow-up.

    A ledger's has none: it is only counted.
    """
    if not grade.bad or review.attribution is None or review.profile is not Profile.HALL:
        return []
    return [
        Accepted(
            at=at,
            by=THE_SYSTEM,
            grade=grade,
            lead=review.attribution.department,
            contact_due=facts.limit(review.profile, "bad.contact", at) if review.reviewer is not None else None,
            appeal_until=facts.limit(review.profile, "bad.appeal_window", at),
            verify_due=facts.limit(review.profile, "bad.verify", at),
            basis=facts.basis(review.profile, at),
        )
    ]
