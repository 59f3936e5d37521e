"""For what each role may open sealed values, and what a restriction asks besides; for API and pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain.access import Purpose
from domain.decider import Code, Role
from domain.errors import NotYourRole, WarrantMissing
from projections.docket import DocketRow

PURPOSES: Final[Mapping[Role, Purpose]] = MappingProxyType(
    {
        Role.INTAKE: Purpose.HANDLING,
        Role.DISPATCHER: Purpose.HANDLING,
        Role.HANDLER: Purpose.HANDLING,
        Role.UNIT_HEAD: Purpose.HANDLING,
        Role.VERIFIER: Purpose.HANDLING,
        # Deciders judge by the words; whose they are must not weigh with them.
        Role.PANEL: Purpose.HANDLING,
        Role.REVISIT_OFFICER: Purpose.REVISIT,
        Role.SUPERVISOR: Purpose.SUPERVISION,
        Role.AUDITOR: Purpose.SUPERVISION,
    }
)
"""For what each role may open sealed values; who is not named opens none."""
IDENTITY: Final = frozenset({"name", "phone", "email", "guardian"})
SEES_IDENTITY: Final = frozenset(
    {Role.INTAKE, Role.DISPATCHER, Role.HANDLER, Role.VERIFIER, Role.REVISIT_OFFICER, Role.SUPERVISOR}
)


def purpose_of(role: Role, row: DocketRow, fields: frozenset[str], warrant: Code | None) -> Purpose:
    """Give for what somebody opens these fields of a case they may know of.

    Auditors open a restricted case under a warrant, by the number of its document, and then the identity too
    (domain.md §11.2). Raises NotYourRole, WarrantMissing.
    """
    if role not in PURPOSES or (warrant is not None and role is not Role.AUDITOR):
        raise NotYourRole(role=role, command="open")
    if warrant is not None:
        return Purpose.WARRANT
    if row.restricted and role is Role.AUDITOR:
        raise WarrantMissing
    return purpose_of_review(role, fields)


def purpose_of_review(role: Role, fields: frozenset[str]) -> Purpose:
    """Give for what somebody opens these fields of a review they may know of. Raises NotYourRole."""
    purpose = PURPOSES.get(role)
    if purpose is None or (fields & IDENTITY and role not in SEES_IDENTITY):
        raise NotYourRole(role=role, command="open")
    return purpose
