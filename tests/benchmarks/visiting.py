"""The ways a visit goes, for the log to measure with: rated or not, a bad rating handled; over many windows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final
from uuid import UUID

from domain import occasion, register, review
from domain.decider import THE_SYSTEM
from domain.register import WindowAdded, WindowKind
from domain.review.revisiting import Closed, Revisited
from service.gathering import INVITATION, OWN_LINK
from tests import bad_reviews, hall, visits
from tests.benchmarks.courses import LINKS, MARKS, RATING, VISIT, Step

WINDOWS: Final = 200
CLAIMED: Final[Mapping[str, tuple[str, re.Pattern[bytes]]]] = {
    "occasion.invited.1": (INVITATION, re.compile(rb'"token":"([0-9a-f]{64})"')),
    "review.submitted.1": (OWN_LINK, re.compile(rb'"own_link":"([0-9a-f]{64})"')),
}
"""Which link an event claims, by its stored name."""


def courses() -> tuple[tuple[int, tuple[Step, ...]], ...]:
    """Give the ways a visit goes with their weights beside the hundred of complaints: six visits for one complaint."""
    begun = (Step(visits.OPENED, VISIT), Step(visits.INVITED, VISIT))
    rated = (*begun, Step(visits.REVIEWED, VISIT), Step(visits.SUBMITTED, RATING, seq=1))
    badly = (*begun, Step(visits.REVIEWED, VISIT), Step(visits.BADLY, RATING, seq=1))
    of_one_command = {review.Accepted: 2, Revisited: 1, Closed: 2}
    handled = (
        Step(event, RATING, seq=of_one_command.get(type(event), 0))
        for event in bad_reviews.LOOP
        if not isinstance(event, review.Submitted)
    )
    return (75, (*begun, Step(visits.EXPIRED, VISIT))), (518, rated), (7, (*badly, *handled))


def windows(number: int) -> Sequence[WindowAdded]:
    """Give the entries of so many windows more."""
    return [
        WindowAdded(
            at=hall.ENTERED,
            by=THE_SYSTEM,
            entry=register.Window(
                code=f"W{place:03}",
                name_zh=f"{place}号窗口",
                name_en=f"Window {place}",
                site="GXQ",
                department="approval",
                kind=WindowKind.SERVICE,
            ),
        )
        for place in range(1, number + 1)
    ]


def values(day: str, number: int, chance: Random) -> tuple[dict[str, str], dict[str, UUID]]:
    """Give what fills the gaps of a visit, and its streams: they follow from the number of the case."""
    project_no = f"37GXQ{day.replace('-', '')}{number:05}"
    visit = occasion.stream(project_no, 1)
    streams = {VISIT: visit, RATING: occasion.review_of(visit)}
    links = {name: f"{chance.getrandbits(256):064x}" for name in LINKS}
    marks = {name: str(UUID(int=chance.getrandbits(128))) for name in MARKS}
    named = {name: str(stream) for name, stream in streams.items()}
    return {**links, **marks, **named, "project": project_no}, streams
