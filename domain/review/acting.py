"""Who may act on a review: in a role really held, and neither rated by it nor on its other side (domain.md §6.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.decider import Actor, Code, Command, Digest, Role
from domain.errors import (
    NotYourCase,
    NotYourRole,
    OwnRating,
    OwnRecord,
    OwnWorkDecided,
    OwnWorkRevisited,
    Refused,
    UnitRated,
    Unknown,
)
from domain.handling import Facts, keep_apart, permit, post_of
from domain.review.state import Review
from domain.rulebook import Policy

OF_A_UNIT: Final = frozenset({Role.VERIFIER, Role.HANDLER, Role.UNIT_HEAD})
"""Who works on a bad review for the unit that has the order."""


def is_rated(review: Review, by: Actor, facts: Facts) -> bool:
    """Say whether somebody, or whom they act for, served the visit, or at that window then."""
    served = review.submitted.attribution
    return served is not None and any(
        person == served.staff
        or (served.window is not None and facts.register.serves(person, served.window, review.served_at))
        for person in by.persons
    )


def not_rated(review: Review, by: Actor, facts: Facts) -> None:
    """Refuse whoever was rated; raises OwnRating."""
    if is_rated(review, by, facts):
        raise OwnRating


def in_own_cause(review: Review, by: Actor, name: Code, facts: Facts) -> None:
    """Let only whoever was rated speak as the other side, and nobody who wrote the rating down.

    Raises NotYourRole, OwnRecord.
    """
    if not is_rated(review, by, facts):
        raise NotYourRole(role=by.role, command=f"review/{name}")
    keep_apart(by, review.authors, OwnRecord)


def admit(review: Review, command: Command, name: Code, facts: Facts) -> Policy:
    """Let somebody give a command whom the policy lets, who was not rated, did not rate and did not write it down.

    Gives the policy. Raises NoPolicy, NotYourRole, OwnRating, OwnRecord.
    """
    policy = permit(command.by, review.profile, f"review/{name}", command.at, facts)
    not_rated(review, command.by, facts)
    keep_apart(command.by, review.authors, OwnRecord)
    return policy


def by_the_worker(review: Review, command: Command, name: Code, facts: Facts) -> Policy:
    """Let somebody do a piece of the work that a bad review asks for; who judged it takes no part in it afterwards.

    Whoever handles for a unit, heads it or verifies for it does so in the one that has the work order.
    Raises NoPolicy, NotYourRole, NotYourCase, OwnRating, OwnRecord, OwnWorkDecided, OwnWorkRevisited.
    """
    by = command.by
    policy = admit(review, command, name, facts)
    keep_apart(by, review.deciders, OwnWorkDecided)
    keep_apart(by, review.revisitors, OwnWorkRevisited)
    of_the_unit(review, by, command.at, facts)
    return policy


def of_the_unit(review: Review, by: Actor, at: datetime, facts: Facts) -> None:
    """Refuse whoever acts for another unit than the one that has the work order; raises NotYourCase.

    A verifier may also be the hall's own, of no unit at all. Where a unit was merged, its successor has its duties.
    """
    if by.role not in OF_A_UNIT:
        return
    lead = None if review.accepted is None else review.accepted.lead
    own = post_of(by, at, facts).department
    if own is None and by.role is Role.VERIFIER:
        return
    if own is None or lead is None or facts.register.successor(own, at) != facts.register.successor(lead, at):
        raise NotYourCase(department=lead)


def not_of_the_unit(review: Review, by: Actor, at: datetime, facts: Facts, refusal: type[Refused]) -> None:
    """Refuse whoever holds a post in the unit that was rated, or in the one that has the work order."""
    register = facts.register
    posts = (post for person in by.persons for post in register.held_by(person, at))
    own = {register.successor(post.department, at) for post in posts if post.department is not None}
    if own & {register.successor(inside, at) for inside in review.departments}:
        raise refusal(departments=sorted(review.departments))


def by_the_panel(review: Review, command: Command, name: Code, facts: Facts) -> Policy:
    """Let an outside decider act: not of the unit, and with no part in the work, the appeal, a revisit or a check.

    Raises NoPolicy, NotYourRole, OwnRating, OwnRecord, UnitRated, OwnWorkDecided.
    """
    policy = admit(review, command, name, facts)
    not_of_the_unit(review, command.by, command.at, facts, UnitRated)
    keep_apart(command.by, review.workers | review.appellants | review.revisitors, OwnWorkDecided)
    return policy


def by_an_outsider(review: Review, command: Command, name: Code, facts: Facts) -> Policy:
    """Let somebody ask who rated: not of the unit, and with no part in the work, the appeal or its decision.

    Raises NoPolicy, NotYourRole, OwnRating, OwnRecord, OwnWorkRevisited.
    """
    policy = admit(review, command, name, facts)
    keep_apart(command.by, review.workers | review.deciders | review.appellants, OwnWorkRevisited)
    not_of_the_unit(review, command.by, command.at, facts, OwnWorkRevisited)
    return policy


def by_who_rated(review: Review, command: Command, own_link: Digest, name: Code, facts: Facts) -> Policy:
    """Let only whoever rated act, with the own link; a wrong one and a review that does not exist look alike.

    Raises Unknown, NotYourRole, NoPolicy.
    """
    if own_link != review.submitted.own_link:
        raise Unknown
    # Whatever a policy says: nobody else speaks for them.
    if command.by.role is not Role.CITIZEN:
        raise NotYourRole(role=command.by.role)
    return permit(command.by, review.profile, f"review/{name}", command.at, facts)
