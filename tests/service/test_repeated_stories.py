"""Stories told by chance through the casebook: a command that comes again does nothing again, whatever it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

import pytest

from domain import register
from domain.complaint import COMPLAINT, Case, Command
from domain.errors import Refused
from projections.docket import fold
from projections.histories import read_stream
from projections.runner import Entry
from service.asking import Asked
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.domain.cast import MORE_EVENTS
from tests.domain.stories import Story, some_wish, stories
from tests.hall import key, later
from tests.projections.town import Town

pytestmark = pytest.mark.postgres


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over the hall of the stories."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        town = Town(opened.pool, opened.recorder.log_id)
        town.settle()
        town.append(register.STREAM, *MORE_EVENTS)
        yield opened


def count(parts: Parts) -> int:
    """Count what is on record."""
    return parts.recorder.max_notification_id() or 0


def test_what_was_asked_for_twice_happened_once(parts: Parts) -> None:
    """Granted or refused, by anybody, at any step: sent again it writes nothing, and the answer is the same."""
    town = Town(parts.pool, parts.recorder.log_id)
    answers: Counter[str] = Counter()
    for seed, told in enumerate(stories()[::30]):
        if told.case is None:
            continue
        chance, case = Random(seed), uuid5(key("repeated"), str(seed))
        # From anywhere in the story on, mostly from where it is still open.
        begun = told.history[: chance.choice(range(2, max(3, len(told.history) // 2)))]
        town.append(case, *begun)
        for n in range(25):
            story = Story(history=begun, case=state_of(parts, case), now=later(begun[-1].at, hours=n + 1))
            asked = some_wish(chance.choice, story)
            how = Asked(command_id=uuid5(case, str(n)), source="test", name="asked", moment=asked.at)
            outcome = twice(parts, case, asked, how)
            answers[outcome] += 1
        row = fold(read(parts, case))
        state = state_of(parts, case)
        assert row is not None
        assert state is not None
        assert (row.step, row.round) == (state.step, state.round)
    assert answers["granted"] > 20, answers
    assert answers["refused"] > 20, answers


def twice(parts: Parts, case: UUID, asked: Command, how: Asked) -> str:
    """Ask for the same twice, and find that the second time changed nothing."""
    try:
        first = parts.book.transact(COMPLAINT, case, asked, how)
    except Refused as refused:
        before = count(parts)
        with pytest.raises(type(refused)):
            parts.book.transact(COMPLAINT, case, asked, how)
        assert count(parts) == before
        return "refused"
    before = count(parts)
    again = parts.book.transact(COMPLAINT, case, asked, how)
    assert count(parts) == before
    if not first.events:
        return "nothing to do"
    assert (again.repeated, again.version, again.position) == (True, first.version, first.position)
    assert again.events == first.events
    return "granted"


def read(parts: Parts, case: UUID) -> list[Entry]:
    """Read a case as the docket does."""
    with parts.pool.connection() as connection:
        return read_stream(connection, case)


def state_of(parts: Parts, case: UUID) -> Case | None:
    """Give a case as the rules remember it."""
    return COMPLAINT.fold(entry.event for entry in read(parts, case))  # type: ignore[misc]  # of one complaint
