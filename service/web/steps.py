"""Which steps of a case somebody can take, and what stands in the way of the others: for the API and the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from domain.complaint.obstacles import Obstacle, obstacles
from domain.handling import Facts
from projections.docket import DocketRow
from projections.histories import read_stream
from projections.runner import Entry
from service.forms import FORMS
from service.known import state_of
from service.parts import Parts
from service.web.deps import Caller


def with_primary(parts: Parts, row: DocketRow, facts: Facts) -> Facts:
    """Give the facts with the case that this one was merged into, if it was: some steps are decided with that one."""
    if row.primary is None:
        return facts
    with parts.pool.connection() as connection:
        entries = read_stream(connection, row.primary)
    primary = state_of(entries)
    return replace(facts, others=MappingProxyType({row.primary: primary}))


def steps(row: DocketRow, entries: Sequence[Entry], who: Caller, facts: Facts) -> list[Obstacle]:
    """Say for every command that can be asked for what stands in the way of somebody, those in turn first.

    For a merged case the facts come from `with_primary`.
    """
    case = state_of(entries)
    # The casebook decides no earlier than the last event either.
    at = max(who.user.now, row.changed_at)
    found = () if case is None else obstacles(case, who.actor, at, facts)
    return [one for one in found if one.command in FORMS]


def told(found: Sequence[Obstacle]) -> dict[str, Any]:
    """Give the steps that are allowed, and for the others why they are not, and what can be done instead."""
    return {
        "next_steps": [one.command for one in found if one.refusal is None],
        "not_now": [
            {
                "command": one.command,
                "code": one.refusal.code,
                "message": one.refusal.message(),
                "then": one.refusal.then,
            }
            for one in found
            if one.refusal is not None
        ],
    }
