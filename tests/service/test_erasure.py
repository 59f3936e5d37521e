"""Erasing through the API: keys and marks go, numbers and proofs stay, and what was cut off is finished."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.old_hall import OldHall, old_hall

pytestmark = pytest.mark.postgres


@pytest.fixture
def hall(database: str, tmp_path: Path) -> Iterator[OldHall]:
    """A hall with closed complaints whose retention is over."""
    with old_hall(database, tmp_path) as found:
        yield found


def test_what_was_erased_opens_nowhere(hall: OldHall) -> None:
    """The history still tells what happened, and every value is erased."""
    case = hall.carry(hall.complain())
    assert hall.values(case) == ["欧阳·𬭎马克标", "13912345678", "三号窗口两次让我回去补材料，暗号梧桐七号。"]
    told = hall.erase(case)
    assert told["erased"]["person_kept"] is False
    assert hall.values(case) == [None, None, None]
