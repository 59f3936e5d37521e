"""A review of which a complaint was made: each goes on for itself, because each gives other rights (domain.md §7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.decider import Code, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintLinked(Event):
    """Who rated made a complaint of it."""

    complaint: UUID


def reference(review: UUID) -> Code:
    """Give by what a complaint names the review it was made of."""
    return f"review:{review}"
