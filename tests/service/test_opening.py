"""Who opens what, and for what: one rule for API and pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.access import Purpose
from domain.decider import Role
from domain.errors import NotYourRole, WarrantMissing
from projections.docket import DocketRow, fold
from service.opening import IDENTITY, PURPOSES, SEES_IDENTITY, purpose_of
from tests.controls import LOOP
from tests.projections.town import entries

STORY = frozenset({"narrative"})


def row(*, restricted: bool = False) -> DocketRow:
    """Give a case."""
    found = fold(entries(*LOOP))
    assert found is not None
    return replace(found, restricted=restricted)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("restricted", [False, True])
def test_a_role_opens_for_its_purpose_or_not_at_all(role: Role, *, restricted: bool) -> None:
    """Who has none opens nothing; a restricted case is opened by audit only with a warrant."""
    if role not in PURPOSES:
        with pytest.raises(NotYourRole):
            purpose_of(role, row(restricted=restricted), STORY, None)
    elif restricted and role is Role.AUDITOR:
        with pytest.raises(WarrantMissing):
            purpose_of(role, row(restricted=restricted), STORY, None)
    else:
        assert purpose_of(role, row(restricted=restricted), STORY, None) is PURPOSES[role]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("field", sorted(IDENTITY))
def test_who_complained_is_open_to_fewer(role: Role, field: str) -> None:
    """To those who speak with them."""
    fields = frozenset({"narrative", field})
    if role in SEES_IDENTITY:
        assert purpose_of(role, row(), fields, None) is PURPOSES[role]
    else:
        with pytest.raises(NotYourRole):
            purpose_of(role, row(), fields, None)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("restricted", [False, True])
def test_a_warrant_is_for_audit(role: Role, *, restricted: bool) -> None:
    """With it the identity opens too, and the purpose says so; nobody else can claim one."""
    fields = IDENTITY | STORY
    if role is Role.AUDITOR:
        assert purpose_of(role, row(restricted=restricted), fields, "ZD-2026-7") is Purpose.WARRANT
    else:
        with pytest.raises(NotYourRole):
            purpose_of(role, row(restricted=restricted), fields, "ZD-2026-7")
