"""What is told of a review to whom: never who rated, or which person was rated; to the unit not what was noticed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from domain.complaint.obstacles import Obstacle
from domain.decider import Role
from domain.handling import Facts
from domain.review import Corroborated, Review, Submitted
from projections.review_loop import next_due
from projections.reviews import ReviewRow
from projections.tables import Entry
from service.forms.bad_reviews import REVIEW_FORMS
from service.known_reviews import UNIT_EYES, knows, review_of
from service.parts import Parts
from service.review_steps import review_steps, under_way
from service.web.deps import Caller
from service.web.steps import told as to_take

SHOWN: Final = (
    "version", "hall", "department", "window", "item", "served_at", "grade", "codes", "has_text", "identity_mode",
    "channel", "rated_at", "seconds_since_service", "corroborated", "corroborated_at", "follow_up_until",
    "follow_up_until_provisional", "follow_up_grade", "follow_up_codes", "follow_up_has_text", "followed_up_at",
    "stage", "stage_since", "changed_at", "accepted_at", "lead", "due", "due_clock", "due_provisional",
    "contact_due", "contact_due_provisional", "verify_due", "verify_due_provisional", "appeal_until",
    "appeal_until_provisional", "contacted_at", "verified_at", "verdict", "mistake_confirmed", "appealed_at",
    "appeal_ground", "appeals", "excluded", "excluded_at", "exclude_reason", "told", "objection_until",
    "objection_until_provisional", "objected_at", "reinstated_at", "waiting_for", "proposal_until", "planned_until",
    "settled", "settled_at", "replied_at", "revisited_at", "satisfied", "wants_follow_up", "reworks", "closed_at",
    "supervision_level",
)  # fmt: skip
"""What is told of a review: named one by one, so that who rated, or which person was rated, never slips in."""
NOTICED: Final = ("flags", "detectors", "checks", "checked_at", "genuine")
"""What detectors noticed, and what who rated said when asked: for whoever looks from outside the unit."""
SAME_NETWORK: Final = "corroborated_where_written"


def summary(row: ReviewRow, role: Role) -> dict[str, Any]:
    """Give what is shown of a review to somebody in a role."""
    row, shown = as_seen(row, role), SHOWN if role in UNIT_EYES else (*SHOWN, *NOTICED)
    return {"id": row.review, **{name: getattr(row, name) for name in shown}}


def as_seen(row: ReviewRow, role: Role) -> ReviewRow:
    """Give a row with what somebody in a role may know: the unit sees the next limit of the work, not of a check."""
    if role not in UNIT_EYES:
        return row
    row = row.but({"checks": (), "checked_at": None, "genuine": None, "flags": (), "detectors": ()})
    return row.but(next_due(row, row.stage))


def steps_for(who: Caller, row: ReviewRow, state: Review, facts: Facts) -> list[Obstacle]:
    """Say for every command of staff on a review what stands in the way of somebody, those in turn first."""
    # The casebook decides no earlier than the last event either.
    at = max(moment for moment in (who.user.now, row.changed_at) if moment is not None)
    found = review_steps(state, who.actor, at, replace(facts, itself=row.review))
    return [one for one in found if one.command in REVIEW_FORMS]


def same_network(entries: Iterable[Entry]) -> bool | None:
    """Say whether a rating was confirmed from the network where staff had written it down.

    None where it was not confirmed, or nobody knows from where. Many people share the network of a hall, so that this
    proves nothing; a human looks.
    """
    first = confirmed = None
    for entry in entries:
        if isinstance(entry.event, Submitted):
            first = entry.event.evidence.network
        elif isinstance(entry.event, Corroborated):
            confirmed = entry.event.network
    return None if first is None or confirmed is None else first == confirmed


def whole(parts: Parts, who: Caller, row: ReviewRow, entries: Sequence[Entry], facts: Facts) -> dict[str, Any]:
    """Give a review with its steps for somebody, and the ids that the next commands name.

    The complaint made of it is named only to who may know of that one.
    """
    state = review_of(entries, row.review)
    current = under_way(state)
    if who.actor.role in UNIT_EYES:
        current = {name: ids for name, ids in current.items() if name not in NOTICED}
    linked = row.complaint if row.complaint is not None and knows(parts.pool, who.viewer, row.complaint) else None
    noticed = {} if who.actor.role in UNIT_EYES else {SAME_NETWORK: same_network(entries)}
    return {
        **summary(row, who.actor.role),
        **noticed,
        "complaint": linked,
        **to_take(steps_for(who, row, state, facts)),
        "current": current,
    }
