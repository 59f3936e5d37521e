"""What an invitation offers to rate, told before anything is typed, so that nobody writes for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from domain.complaint.state import IdentityMode
from domain.decider import Actor, PersonKey, Role
from domain.errors import InvitationUnknown
from domain.grade import Grade
from domain.occasion import OCCASION, Invited, Medium, OccasionEvent, Opened, Submit
from domain.review import Evidence, Opinion, ReviewChannel
from service.gathering import rows_of
from service.reviewing import Reviews, digest_of

UNSAID: Final = Opinion(
    grade=Grade.BASICALLY_SATISFIED,
    codes=(),
    text=None,
    text_facts=None,
    similar=(),
    identity_mode=IdentityMode.ANONYMOUS,
    channel=ReviewChannel.OTHER,
    evidence=Evidence(terminal=None, device=None, network=None, input_ms=None, claimed_at=None, staff_terminal=False),
    own_link=None,
)
"""A rating that nobody gives: with it the rules are asked whether one would be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A visit that may be rated now."""

    visit: UUID
    opened: Opened


def offered(reviews: Reviews, token: str) -> Offer:
    """Give what a token offers to rate.

    The rules answer as they would answer the rating itself. Raises InvitationUnknown, InvitationUsed, AlreadyReviewed,
    TooLate, NoPolicy.
    """
    visit, events = _read(reviews, token)
    state = OCCASION.fold(events)
    if state is None:
        raise InvitationUnknown
    somebody = Actor(person=PersonKey(uuid4()), role=Role.CITIZEN)
    _, now = reviews.book.register_now()
    OCCASION.decide(state, Submit(at=now, by=somebody, token=digest_of(token), opinion=UNSAID), reviews.book.facts())
    return Offer(visit=visit, opened=state.opened)


def medium_of(reviews: Reviews, token: str) -> Medium | None:
    """Give by what a token came to whoever was served; raises InvitationUnknown."""
    _, events = _read(reviews, token)
    digest = digest_of(token)
    return next((one.medium for one in events if isinstance(one, Invited) and one.token == digest), None)


def _read(reviews: Reviews, token: str) -> tuple[UUID, list[OccasionEvent]]:
    visit = reviews.invited(token)
    return visit, [row[2] for row in rows_of(reviews.book.pool, [visit])]  # type: ignore[misc]  # of one visit
