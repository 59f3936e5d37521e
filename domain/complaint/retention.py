"""How long a case is kept after it ended, and what that hangs on (domain.md §11.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from domain.complaint.ending import Destination, TransferredOut
from domain.complaint.intake import Accepted, Severity
from domain.complaint.reviewing import ReviewDecided, ReviewResult
from domain.complaint.state import TERMINAL, Case, Step
from domain.decider import Event
from domain.handling import Facts
from domain.rulebook import Profile

SHORT: Final = frozenset({Step.REFUSED, Step.WITHDRAWN})
"""Ends after which the shortest retention runs (domain.md §11.3)."""


class Retention(StrEnum):
    """How long a case is kept after it ended; each is a limit `retention.<class>` of the policy (domain.md §11.3)."""

    ORDINARY = "ordinary"
    MAJOR = "major"
    REFUSED = "refused"


def ended(case: Case) -> bool:
    """Say whether nobody has the case in hand any more; a ledger case ends with its reply."""
    return case.step in TERMINAL or (case.profile == Profile.LEDGER and case.step is Step.REPLIED)


def retention_of(case: Case) -> Retention:
    """Give the class of retention: grave cases are kept longest, refused and withdrawn ones shortest."""
    if case.keeping.major:
        return Retention.MAJOR
    return Retention.REFUSED if case.keeping.ended_as in SHORT else Retention.ORDINARY


def retained_until(case: Case, at: datetime, facts: Facts) -> date | None:
    """Give the last local day on which a case must be kept, by the policy in force at `at` (UTC).

    None while the case is in hand, and where the rules name no retention for it.
    """
    if not ended(case):
        return None
    limit = facts.limit(case.profile, f"retention.{retention_of(case)}", at, since=case.keeping.ended_at)
    return None if limit is None else limit.day


def noted(before: Case | None, after: Case, event: Event) -> Case:
    """Remember what the retention hangs on: when and how the case ended, and how grave it is."""
    if _grave(event):
        after = replace(after, keeping=replace(after.keeping, major=True))
    if ended(after) and (before is None or not ended(before)):
        return replace(after, keeping=replace(after.keeping, ended_at=event.at, ended_as=after.step))
    return after


def _grave(event: Event) -> bool:
    """Say whether an event makes a case one that is kept longest (domain.md §11.3)."""
    match event:
        case Accepted(severity=severity):
            return severity is Severity.MAJOR
        case TransferredOut(to=to):
            return to is Destination.DISCIPLINE
        case ReviewDecided(result=result):
            return result is ReviewResult.OVERTURNED
        case _:
            return False
