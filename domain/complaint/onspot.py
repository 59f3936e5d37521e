"""A matter that can be settled at the counter is settled there: accepted, found and answered in one go.

Source: domain.md §6.3 (P8 现场处理, P9 尽可能当场); the complainant confirms it, and nobody approves it beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.acting import admit
from domain.complaint.inquiry import FindingRecorded
from domain.complaint.intake import Accepted, Complexity, HandlingClass, Severity
from domain.complaint.replying import Replied
from domain.complaint.state import Case, Clock, Finding, Step, at_step
from domain.decider import Code, Command, Event, For
from domain.errors import NotSettledHere, UnknownReference, WrittenReplyOwed
from domain.handling import Facts, Method, Proof
from domain.sealed import Sealed, TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOnSpot(Command):
    """Settle the matter at the counter; the complainant confirms it."""

    reply: UUID
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
    """Settle a matter at the counter, if nobody there is concerned and nothing is left to be put right.

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, UnknownReference, NotSettledHere,
    WrittenReplyOwed.
    """
    at, by = command.at, command.by
    there = at_step(case, *TURNS["resolve-on-spot"])
    profile, basis = there.profile, facts.basis(there.profile, at)
    admit(there, command, "resolve-on-spot", facts)
    category = command.category or there.category
    if category is not None and category not in facts.rulebook.categories:
        raise UnknownReference(kind="category", value=category)
    if command.finding.asks_for_rectification:
        # A rectification has a handler, a date and somebody who verifies it; at the counter there is none of them.
        raise NotSettledHere(finding=command.finding)
    if there.written:
        raise WrittenReplyOwed(method=Method.COUNTER)
    handle_due = facts.limit(profile, f"complaint.handle.{Complexity.SIMPLE}", at)
    accepted = Accepted(
        at=at,
        by=by,
        category=category,
        severity=Severity.ORDINARY,
        complexity=Complexity.SIMPLE,
        handling_class=HandlingClass.ON_SPOT,
        late=facts.late(profile, there.due(Clock.ACCEPT), at),
        assign_due=None,
        handle_due=handle_due,
        basis=basis,
    )
    found = FindingRecorded(
        at=at,
        by=by,
        finding=command.finding,
        facts=command.facts,
        facts_measured=command.facts_measured,
        responsibility=(),
        evidence=(),
        rectification_required=False,
    )
    replied = Replied(
        at=at,
        by=by,
        reply=command.reply,
        method=Method.COUNTER,
        content=command.content,
        content_measured=command.content_measured,
        late=facts.late(profile, handle_due, at),
        review_request_until=facts.limit(profile, "complaint.review_request_window", at),
        revisit_due=facts.limit(
            profile, "complaint.revisit", at, since=at if handle_due is None else max(at, handle_due.at)
        ),
        basis=basis,
        confirmed=command.confirmed,
    )
    return [accepted, found, replied]
