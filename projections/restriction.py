"""What a docket row tells of erasure and restriction, and who still knows of a restricted case (domain.md §11.2)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, assert_never

from domain import complaint
from domain.complaint.privacy import PrivacyEvent
from domain.complaint.state import ErasureResult
from domain.decider import Role


class Erasure(StrEnum):
    """How far a wish to have personal data erased has come."""

    REQUESTED = "requested"
    RESTRICTED = "restricted"
    REFUSED = "refused"
    GRANTED = "granted"
    WITNESSED = "witnessed"
    ERASED = "erased"


PENDING: Final = (Erasure.REQUESTED, Erasure.RESTRICTED, Erasure.GRANTED, Erasure.WITNESSED)
"""What somebody has still to decide, to witness or to carry out."""

DECIDED: Final[Mapping[ErasureResult, Erasure]] = MappingProxyType(
    {
        ErasureResult.GRANTED: Erasure.GRANTED,
        ErasureResult.RESTRICTED: Erasure.RESTRICTED,
        ErasureResult.REFUSED: Erasure.REFUSED,
    }
)


def erasing(event: PrivacyEvent) -> dict[str, Any]:
    """Give what an event changes in a row."""
    match event:
        case complaint.ErasureRequested(erasure_request=request):
            return {"erasure": Erasure.REQUESTED, "erasure_request": request}
        case complaint.ErasureDecided(result=result):
            return {"erasure": DECIDED[result]}
        case complaint.ProcessingRestricted(restricted_until=until):
            return {"restricted": True, "restricted_until": until}
        case complaint.RestrictionLifted(reason=reason):
            ended = Erasure.REFUSED if reason is complaint.privacy.Lifting.REQUEST_REFUSED else None
            return {"erasure": ended, "restricted": False, "restricted_until": None}
        case complaint.ErasureWitnessed():
            return {"erasure": Erasure.WITNESSED}
        case complaint.Erased():
            return {"erasure": Erasure.ERASED, "restricted": False, "restricted_until": None}
        case _:
            assert_never(event)


KNOW_OF_ALL: Final = frozenset({Role.CITIZEN, Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SYSTEM})
"""Who goes on knowing of a restricted case: whose data they are, who decides on it, audit and archive."""

HAVE_IN_HAND: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.DISPATCHER: "true",
        Role.HANDLER: "(handler is null or handler = any(%(persons)s))",
        Role.UNIT_HEAD: "true",
        Role.REVIEWER: "true",
        Role.REVISIT_OFFICER: "true",
        Role.SUPERVISOR: "true",
    }
)
"""Who, of those that may know of it anyway, carries a case on that is in hand: a statutory duty does not rest."""

STILL_OPEN: Final = "(step = any(%(open)s) and not (profile = 'ledger' and step = 'replied'))"


def unrestricted(role: Role) -> str:
    """Give the part of the condition on who may know of a case that hides restricted ones; `open` are open steps."""
    if role in KNOW_OF_ALL:
        return "true"
    return f"(not restricted or ({HAVE_IN_HAND.get(role, 'false')} and {STILL_OPEN}))"
