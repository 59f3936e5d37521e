"""The columns of a visit and its review, and how they begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain import occasion
from domain.complaint.state import IdentityMode
from domain.deadlines import Due
from domain.grade import Grade
from domain.review import ReviewChannel, Stage
from domain.review.flagging import Genuine
from domain.review.state import Clock, Satisfied, Settled, Verdict
from domain.rulebook import Profile
from projections.limits import Limits, limit_of
from projections.tables import Entry


class VisitState(StrEnum):
    """Where a visit stands: it may be rated, was rated, or was not in its time."""

    OPEN = "open"
    REVIEWED = "reviewed"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class ReviewRow:
    """A visit and its review; times are UTC. Nothing in it says who was served, or who rated.

    `opened_position` and `rated_position` are those of the events that began the visit and rated it; `version` is that
    of the review's own stream, `changed_at` when that moved last. `known` says whether who rated gave a name. `work` is
    how far the work order is, whether or not the review is contested meanwhile. `due` is the next of the limits that
    somebody still has to keep. `appeal`, `objection`, `proposal`, `supervised`, `flags` and `checks` are those open.
    What was done about it before it went back to the unit (`reworks`) is in the history alone.
    """

    review: UUID
    occasion: UUID
    position: int
    version: int
    opened_position: int
    rated_position: int | None
    profile: Profile
    hall: str
    department: str | None
    window: str | None
    item: str | None
    staff: UUID | None
    opened_at: datetime
    served_at: datetime | None
    state: VisitState
    review_until: datetime | None
    review_until_provisional: bool
    invitations: int
    grade: Grade | None
    codes: tuple[str, ...]
    has_text: bool
    identity_mode: IdentityMode | None
    known: bool
    channel: ReviewChannel | None
    rated_at: datetime | None
    seconds_since_service: int | None
    corroborated: bool | None
    corroborated_at: datetime | None
    follow_up_until: datetime | None
    follow_up_until_provisional: bool
    follow_up_grade: Grade | None
    follow_up_codes: tuple[str, ...]
    follow_up_has_text: bool
    followed_up_at: datetime | None
    changed_at: datetime | None
    stage: Stage | None
    stage_since: datetime | None
    work: Stage | None
    accepted_at: datetime | None
    lead: str | None
    clocks: tuple[Clock, ...]
    clock_dues: tuple[datetime, ...]
    clocks_provisional: tuple[bool, ...]
    due: datetime | None
    due_clock: Clock | None
    due_provisional: bool
    contact_due: datetime | None
    contact_due_provisional: bool
    verify_due: datetime | None
    verify_due_provisional: bool
    appeal_until: datetime | None
    appeal_until_provisional: bool
    contacted_at: datetime | None
    verified_at: datetime | None
    verdict: Verdict | None
    mistake_confirmed: bool
    appealed_at: datetime | None
    appeal_ground: str | None
    appeal: UUID | None
    appeals: int
    excluded: bool
    excluded_at: datetime | None
    exclude_reason: str | None
    told: bool
    objection_until: datetime | None
    objection_until_provisional: bool
    objected_at: datetime | None
    objection: UUID | None
    reinstated_at: datetime | None
    proposal: UUID | None
    proposal_until: datetime | None
    waiting_for: str | None
    planned_until: datetime | None
    settled: Settled | None
    settled_at: datetime | None
    replied_at: datetime | None
    revisited_at: datetime | None
    satisfied: Satisfied | None
    wants_follow_up: bool | None
    reworks: int
    closed_at: datetime | None
    supervision_level: int
    supervised: tuple[UUID, ...]
    supervised_levels: tuple[int, ...]
    flags: tuple[UUID, ...]
    detectors: tuple[str, ...]
    checks: tuple[UUID, ...]
    checked_at: datetime | None
    genuine: Genuine | None
    complaint: UUID | None

    @property
    def limits(self) -> Limits[Clock]:
        """Give the columns that hold all limits that were set."""
        return self.clocks, self.clock_dues, self.clocks_provisional

    def limit(self, clock: Clock) -> tuple[datetime | None, bool]:
        """Give until when there is time by one of the clocks (UTC), and whether that may still move."""
        return limit_of(self.limits, clock)

    def but(self, changes: Mapping[str, Any]) -> ReviewRow:
        """Give the row with some columns changed, all copied at once as in the docket; raises TypeError for others."""
        columns = {**self.__dict__, **changes}
        if len(columns) > len(self.__dict__):
            raise TypeError(f"no columns of a review: {', '.join(sorted(changes.keys() - self.__dict__.keys()))}")
        row = object.__new__(ReviewRow)
        row.__dict__.update(columns)
        return row


def due_of(name: str, due: Due | None) -> dict[str, Any]:
    """Give the two columns of a limit."""
    return {name: None if due is None else due.at, f"{name}_provisional": due is not None and due.provisional}


def first_row(event: occasion.Opened, entry: Entry) -> ReviewRow:
    """Give the row of a visit that was just recorded."""
    served = event.attribution
    return ReviewRow(
        review=occasion.review_of(entry.stream),
        occasion=entry.stream,
        position=entry.position,
        version=0,
        opened_position=entry.position,
        rated_position=None,
        profile=event.profile,
        hall=event.hall,
        department=None if served is None else served.department,
        window=None if served is None else served.window,
        item=None if served is None else served.item,
        staff=None if served is None else served.staff,
        opened_at=event.at,
        served_at=event.served_at,
        state=VisitState.OPEN,
        invitations=0,
        grade=None,
        codes=(),
        has_text=False,
        identity_mode=None,
        known=False,
        channel=None,
        rated_at=None,
        seconds_since_service=None,
        corroborated=None,
        corroborated_at=None,
        follow_up_grade=None,
        follow_up_codes=(),
        follow_up_has_text=False,
        followed_up_at=None,
        changed_at=None,
        stage=None,
        stage_since=None,
        work=None,
        accepted_at=None,
        lead=None,
        clocks=(),
        clock_dues=(),
        clocks_provisional=(),
        due=None,
        due_clock=None,
        due_provisional=False,
        contacted_at=None,
        verified_at=None,
        verdict=None,
        mistake_confirmed=False,
        appealed_at=None,
        appeal_ground=None,
        appeal=None,
        appeals=0,
        excluded=False,
        excluded_at=None,
        exclude_reason=None,
        told=False,
        objected_at=None,
        objection=None,
        reinstated_at=None,
        proposal=None,
        proposal_until=None,
        waiting_for=None,
        planned_until=None,
        settled=None,
        settled_at=None,
        replied_at=None,
        revisited_at=None,
        satisfied=None,
        wants_follow_up=None,
        reworks=0,
        closed_at=None,
        supervision_level=0,
        supervised=(),
        supervised_levels=(),
        flags=(),
        detectors=(),
        checks=(),
        checked_at=None,
        genuine=None,
        complaint=None,
        **due_of("review_until", event.review_until),
        **due_of("follow_up_until", None),
        **due_of("contact_due", None),
        **due_of("verify_due", None),
        **due_of("appeal_until", None),
        **due_of("objection_until", None),
    )
