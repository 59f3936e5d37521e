"""What is measured with is a log like any other: it decodes, tells whole stories, carries every projection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from domain import complaint, review
from domain.complaint.state import Case, Step
from domain.review import Review, Stage
from projections import PROJECTIONS
from projections.docket import DOCKET
from projections.leaf import Leaf
from projections.merkle import root_of
from projections.reviews import REVIEWS
from projections.runner import Runner
from projections.seals import Tree
from projections.tables import Entry, entry
from tests.benchmarks.generating import Generated, fill, sampled

LOG: Final = UUID(int=1)
LONG: Final = 12_000
"""Events of a small hall: enough for stories to come to their end."""


def entries(count: int) -> Iterator[Entry]:
    """Give the first events, decoded."""
    for one in islice(Generated(LOG, cases_a_day=20).leaves(), count):
        yield entry((one.position, one.stream_id, one.version, one.name, one.recorded_at, one.state))


def test_the_same_seed_gives_the_same_bytes() -> None:
    """A shorter log is the beginning of a longer one; another seed gives another."""

    def some(seed: int, count: int) -> list[Leaf]:
        return list(islice(Generated(LOG, seed).leaves(), count))

    assert some(1, 3000)[:2000] == some(1, 2000) != some(2, 2000)


def test_every_story_is_one_that_can_be_told() -> None:
    """Every event decodes, streams are dense, times ascend, and each case is folded as its rules do it."""
    cases: dict[UUID, Case | None] = {}
    ratings: dict[UUID, Review | None] = {}
    versions = Counter[UUID]()
    before = None
    for one in entries(LONG):
        versions[one.stream] += 1
        assert one.version == versions[one.stream]
        assert before is None or before <= one.recorded_at
        before = one.recorded_at
        assert one.event.at <= one.recorded_at
        if isinstance(one.event, complaint.Registered) or one.stream in cases:
            cases[one.stream] = complaint.COMPLAINT.evolve(cases.get(one.stream), one.event)  # type: ignore[arg-type]
        if isinstance(one.event, review.Submitted) or one.stream in ratings:
            ratings[one.stream] = review.REVIEW.evolve(ratings.get(one.stream), one.event)  # type: ignore[arg-type]
    stages = Counter(rating.stage for rating in ratings.values() if rating is not None)
    assert stages[Stage.COUNTED] > 20 * stages[Stage.BAD_CLOSED] > 0
    steps = Counter(case.step for case in cases.values() if case is not None)
    assert {Step.IN_PROGRESS, Step.WITHDRAWN, Step.CLOSED} < set(steps)
    assert len({case.complaint_no for case in cases.values() if case is not None}) == len(cases)


@pytest.mark.postgres
def test_a_filled_log_carries_every_projection(database: str) -> None:
    """Its rows have the leaves that the database computes, and its tree has their root."""
    log_id = fill(database, LONG)
    assert sampled(database) == 1000
    hashes = [one.digest() for one in islice(Generated(log_id).leaves(), LONG)]
    with psycopg.connect(database, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        assert runner.catch_up() == LONG
        assert Tree(connection).root() == root_of(hashes)
        found = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(DOCKET.table))).fetchone()
        assert found == connection.execute("select count(*) from claims where kind = 'complaint_no'").fetchone()
        assert REVIEWS.position(connection) == LONG
        rated = sql.SQL("select count(*) filter (where rated_position is not null), sum(invitations)::int from {}")
        of_visits = connection.execute(rated.format(sql.Identifier(REVIEWS.table))).fetchone()
        links: dict[str, int] = dict(connection.execute("select kind, count(*) from claims group by 1").fetchall())
        assert of_visits == (links["own_link"], links["review_token"])
    with pytest.raises(ValueError, match="empty"):
        fill(database, 1)
