"""Every event as a plain sentence in Chinese and English; no person, and nothing sealed, stands in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from domain.decider import Event
from projections.telling import (
    bad_reviews,
    contacts,
    ending,
    linking,
    log,
    loop,
    notices,
    privacy,
    reviewing,
    reviews,
    rules,
    timing,
    units,
    watching,
)
from projections.telling.teller import Language, Teller
from projections.words import word

__all__ = ["TOLD_BESIDE", "Language", "Teller", "say"]

TOLD_BESIDE: Final = ("received_at", "happened_at", "delivered_at", "served_at")
"""Fields of events that hold another time than that of the record (docs/decisions/0013)."""

PHASES: Final[Sequence[Callable[[Teller, Event], tuple[str, str] | None]]] = (
    loop.told,
    rules.told,
    privacy.told,
    watching.told,
    contacts.told,
    ending.told,
    reviewing.told,
    timing.told,
    units.told,
    linking.told,
    notices.told,
    log.told,
    reviews.told,
    bad_reviews.told,
)
"""Each tells the events it knows, and gives None for all others."""


def say(teller: Teller, event: Event) -> str:
    """Give the sentence of an event, with the times it tells besides that of the record."""
    # An office is called by the name it had then.
    teller = replace(teller, moment_told=event.at)
    chinese, english = told(teller, event)
    said = chinese if teller.language is Language.CHINESE else english
    for field in TOLD_BESIDE:
        moment = getattr(event, field, None)
        if moment is not None:
            said += word(f"told_{field}", teller.language) + teller.moment(moment)
    return said


def told(teller: Teller, event: Event) -> tuple[str, str]:
    """Give the sentence of an event in both languages."""
    for phase in PHASES:
        if (sentences := phase(teller, event)) is not None:
            return sentences
    # tests/projections/test_histories.py finds any event that would come here.
    raise NotImplementedError(type(event).__name__)
