"""The five grades of satisfaction; never a number inside, because two standards count in opposite directions."""

from __future__ import annotations

from enum import StrEnum


class Grade(StrEnum):
    """How satisfied somebody was (domain.md §3); the last two are bad (差评)."""

    VERY_SATISFIED = "very_satisfied"
    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very_dissatisfied"

    @property
    def bad(self) -> bool:
        """Say whether a review of this grade is a bad one, which is followed up."""
        return self in {Grade.DISSATISFIED, Grade.VERY_DISSATISFIED}
