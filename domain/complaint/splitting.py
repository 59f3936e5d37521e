"""One narrative that tells of several grievances is split: each point lies in exactly one case (§14 case 18).

The new cases were received when the first one was, and their complainant has the one receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.acting import admit, concerned
from domain.complaint.intake import Registered
from domain.complaint.state import Case, Respondent, Step, at_step
from domain.decider import Code, Command, Event, For
from domain.errors import AlreadyThere, PointsMisallotted, UnknownReference
from domain.handling import Facts
from domain.sealed import Sealed, TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted:
    """Which points of the parent a new case took over, counted from 1."""

    case: UUID
    complaint_no: Code
    points: tuple[int, ...]


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Event):
    """Several grievances were parted; each point lies in exactly one case, this one keeps the rest."""

    children: tuple[Allotted, ...]
    kept: tuple[int, ...]


SplittingEvent: TypeAlias = Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A new case to be made of some points of the parent, counted from 1; its text is sealed under its own key."""

    case: UUID
    points: tuple[int, ...]
    narrative: Sealed
    narrative_facts: TextFacts
    desired_outcome: Sealed | None
    category: Code | None
    respondent: Respondent


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCase(Command):
    """Part the grievances of the case into linked cases."""

    parts: tuple[Part, ...]


SplittingCommand: TypeAlias = SplitCase

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType({"split": frozenset({Step.REGISTERED, Step.ACCEPTED})})
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: SplittingCommand, facts: Facts) -> list[Event | For]:
    """Answer the wish to split a case; nothing that was told gets lost, and nobody who told it.

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, PointsMisallotted, UnknownReference, AlreadyThere,
    and ValueError where the numbers of the new cases are not among the facts.
    """
    at, by, parts = command.at, command.by, command.parts
    there = at_step(case, *TURNS["split"])
    admit(there, command, "split", facts)
    kept = _kept(there, parts)
    if len({part.case for part in parts} | {facts.itself}) != len(parts) + 1:
        raise AlreadyThere(case=facts.itself)
    for part in parts:
        if part.category is not None and part.category not in facts.rulebook.categories:
            raise UnknownReference(kind="category", value=part.category)
    registered = there.registration
    if not isinstance(registered, Registered) or facts.itself is None or len(facts.complaint_nos) != len(parts):
        message = "the case itself, and one number for each part, must be among the facts"
        raise ValueError(message)
    numbered = list(zip(parts, facts.complaint_nos, strict=True))
    return [
        Split(
            at=at,
            by=by,
            children=tuple(
                Allotted(case=part.case, complaint_no=number, points=part.points) for part, number in numbered
            ),
            kept=kept,
        ),
        *(For(part.case, _child(there, registered, part, number, command, facts)) for part, number in numbered),
    ]


def _kept(case: Case, parts: tuple[Part, ...]) -> tuple[int, ...]:
    """Give the points that stay; raises PointsMisallotted."""
    given = [point for part in parts for point in part.points]
    every = set(range(1, case.points + 1))
    kept = tuple(sorted(every.difference(given)))
    whole = len(set(given)) == len(given) and every.issuperset(given) and all(part.points for part in parts)
    if not (parts and kept and whole):
        raise PointsMisallotted(points=case.points)
    return kept


def _child(
    case: Case, registered: Registered, part: Part, number: Code, command: SplitCase, facts: Facts
) -> Registered:
    at, by = command.at, command.by
    received = registered.received_at or registered.at
    # Who complained and how is told as it was; what is told of is the part alone, under a key of its own.
    return replace(
        registered,
        at=at,
        by=by,
        complaint_no=number,
        category=part.category or case.category,
        respondent=part.respondent,
        subject=None,
        narrative=part.narrative,
        narrative_facts=part.narrative_facts,
        desired_outcome=part.desired_outcome,
        similar=(),
        points=len(part.points),
        by_respondent=concerned(part.respondent, by.persons, (*case.noticed, at), facts),
        accept_due=facts.limit(case.profile, "complaint.accept_decision", at, since=received),
        basis=facts.basis(case.profile, at),
        received_at=received,
        split_from=facts.itself,
        also_by=tuple(sorted(case.made_by)),
    )


def evolve(case: Case, event: SplittingEvent) -> Case:
    """Take one event in; never refuses."""
    return replace(case, points=len(event.kept))
