"""A matter that can be settled at the counter is settled there: accepted, found and answered in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from domain.complaint.state import Case, Finding, Step
from domain.decider import Code, Command, Event, For
from domain.handling import Facts, Proof
from domain.sealed import Sealed, TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOnSpot(Command):
    """Settle the matter at the counter; the complainant confirms it."""

    category: Code | None
    finding: Finding
    facts: Sealed
    facts_measured: TextFacts
    content: Sealed
    content_measured: TextFacts
    confirmed: Proof


OnSpotCommand: TypeAlias = ResolveOnSpot

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType({"resolve-on-spot": frozenset({Step.REGISTERED})})
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: OnSpotCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError
