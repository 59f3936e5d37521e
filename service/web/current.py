"""What a case has under way, by the ids that the next command names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from domain.complaint.proposals import Proposed
from projections.runner import Entry
from service.known import state_of

CREATING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ReplySubmitted": "reply",
        "RectificationPlanned": "rectification",
        "EvidenceRecorded": "evidence",
        "ErasureRequested": "erasure_request",
        "RefusalProposed": "proposal",
        "TerminationProposed": "proposal",
        "UnmergeProposed": "proposal",
        "PublicationProposed": "proposal",
        "DisclosureProposed": "proposal",
        "SupplementRequested": "supplement",
        "ClockPaused": "pause",
        "ExtensionRequested": "extension",
        "UnitCalledIn": "call",
        "AssignmentReturnRequested": "request",
        "RecusalRequested": "recusal",
        "SupervisionIssued": "supervision",
        "StatementInvited": "statement",
        "ReviewRequested": "review",
        "Split": "children",
    }
)
"""Which events create something, by the names the API tells them, and the field that names it in the next command."""


def made(events: Iterable[object]) -> dict[str, Any]:
    """Name what a command created, so that the next one can refer to it."""
    return {
        field: getattr(event, field) for event in events if (field := CREATING.get(type(event).__name__)) is not None
    }


def current(entries: Iterable[Entry]) -> dict[str, Any]:
    """Give the ids that deciding commands name: of all that waits for a decision, an answer or an end."""
    case = state_of(entries)
    if case is None:
        return {}
    return {
        "reply": case.reply,
        "rectifications": list(case.rectifications),
        "evidence": sorted(case.evidence),
        "proposals": [
            {"proposal": key, "confirm": one.confirm}
            for key, one in case.proposals.items()
            if isinstance(one, Proposed)
        ],
        "supplement": case.supplement,
        "pauses": [stop.pause for stop in case.stops if stop.end is None],
        "extensions": [key for key, one in case.extensions.items() if one.approved is None],
        "calls": [key for key, one in case.calls.items() if not one.answered],
        "request": None if case.returning is None else case.returning.request,
        "recusals": [key for key, one in case.recusals.items() if one.granted is None],
        "supervisions": [key for key, one in case.supervisions.items() if not one.lifted],
        "statements": [key for key, one in case.statements.items() if not one.made],
        "erasure_request": case.keeping.request,
        "review": case.review,
        "primary": case.primary,
        "linked": sorted(case.linked),
    }
