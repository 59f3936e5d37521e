"""What is over goes to the archive, with its number there and how long it is kept (domain.md §6.3 and §11.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from domain.complaint import revisiting
from domain.complaint.retention import retention_of
from domain.complaint.state import TERMINAL, Case, Step, at_step
from domain.deadlines import Due
from domain.decider import Code, Command, Digest, Event, For
from domain.errors import RectificationOpen, TooEarly
from domain.handling import Facts, permit

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived(Event):
    """The case went to the archive, with its number there and how long it is kept."""

    archive_no: Code
    retention_class: Code
    retention_until: Due | None
    package_sha256: Digest | None


ArchivingEvent: TypeAlias = Archived


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive(Command):
    """Archive the case; how long it is kept follows from how it ended."""

    package_sha256: Digest | None


ArchivingCommand: TypeAlias = Archive

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType({"archive": TERMINAL - {Step.ARCHIVED}})
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: ArchivingCommand, facts: Facts) -> list[Event | For]:
    """Archive what is over; while a review may still be asked for, or something is to be put right, it is not over.

    Raises OutOfTurn, NoPolicy, NotYourRole, RectificationOpen, TooEarly, LinkedUnserved.
    """
    at, by = command.at, command.by
    there = at_step(case, *TURNS["archive"])
    policy = permit(by, there.profile, "archive", at, facts)
    if there.step is Step.MERGED:
        revisiting.served(there, policy)
    unfinished = there.plans_owed or any(one.passed is None for one in there.rectifications.values())
    if there.step is Step.CLOSED and unfinished:
        raise RectificationOpen
    reviewable = there.step in {Step.REFUSED, Step.CLOSED} and not there.final
    if reviewable and there.review_until is not None and not facts.late(there.profile, there.review_until, at):
        raise TooEarly(until=there.review_until.at)
    retention = retention_of(there)
    return [
        Archived(
            at=at,
            by=by,
            archive_no=f"DA-{there.complaint_no}",
            retention_class=retention,
            retention_until=facts.limit(there.profile, f"retention.{retention}", at, since=there.keeping.ended_at),
            package_sha256=command.package_sha256,
        )
    ]


def evolve(case: Case, event: ArchivingEvent) -> Case:  # noqa: ARG001 - there is one event, and it says it all
    """Take one event in; never refuses."""
    return replace(case, step=Step.ARCHIVED, before=case.step)
