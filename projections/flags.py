"""One row per flag: what a detector noticed about a review, until a human has looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain.review import flagging
from projections.tables import Entry, Projection


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRow:
    """A flag; times are UTC. `names` and `values` are the features, in pairs."""

    flag: UUID
    review: UUID
    position: int
    detector: str
    score: int
    model: int
    names: tuple[str, ...]
    values: tuple[int, ...]
    flagged_at: datetime
    open: bool
    cleared_at: datetime | None
    cleared_position: int | None

    @property
    def features(self) -> Mapping[str, int]:
        """Give what it rests on."""
        return dict(zip(self.names, self.values, strict=True))


def evolve(row: FlagRow | None, entry: Entry) -> FlagRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, flagging.Flagged):
        return FlagRow(
            flag=event.flag,
            review=entry.stream,
            position=entry.position,
            detector=event.detector,
            score=event.score,
            model=event.model,
            names=tuple(one.name for one in event.features),
            values=tuple(one.value for one in event.features),
            flagged_at=event.at,
            open=True,
            cleared_at=None,
            cleared_position=None,
        )
    if row is None or not isinstance(event, flagging.FlagCleared):
        return row
    return replace(row, open=False, cleared_at=event.at, cleared_position=entry.position)


def key(entry: Entry) -> UUID | None:
    """Give the flag an event is about."""
    event = entry.event
    return event.flag if isinstance(event, flagging.Flagged | flagging.FlagCleared) else None


FLAGS: Final = Projection(
    name="flags",
    number=1,
    row=FlagRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType({"open": "open, position", "of_review": "review"}),
)
