"""A look at what is there after the killing, beside what the writers had been answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final

import psycopg

from service.reviewing import digest_of
from tests.torture.ratings import rating_id
from tests.torture.writing import NOBODY, RACE, Acknowledged, Answered, Journal

TALLIES: Final = frozenset({"answered", "again", "rated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one look found; all but the first three count broken promises.

    `second` are visits with another first rating or tokens that worked again, `unpaired` halves of a rating,
    `forgotten` devices whose mark is gone; `told_otherwise` are ratings that got another answer when they were sent
    again, `unreadable` words that no longer open. `rows_wrong` are rows of `reviews` that are others when built anew.
    """

    answered: int
    again: int
    rated: int
    lost: int
    doubled: int
    torn: int
    holes: int
    clock_back: int
    leaves_wrong: int
    claims_wrong: int
    second: int
    unpaired: int
    forgotten: int
    told_otherwise: int = 0
    unreadable: int = 0
    rows_wrong: int = 0
    fsck: int = 0

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not any(getattr(self, field.name) for field in fields(self) if field.name not in TALLIES)


LOOK: Final = """
select position, command_id, recorded_at,
    coalesce(body->'e'->>'external_ref', body->'e'->'entry'->>'code'),
    leaf_hash = leaf_hash(log_id, position, stream_id, version, name, recorded_at, command_id, command_seq, state),
    case name
        when 'complaint.registered.1' then exists (
            select from claims c where c.kind = 'complaint_no' and c.key = body->'e'->>'complaint_no'
            and c.stream_id = e.stream_id)
        when 'occasion.invited.1' then exists (
            select from claims c where c.kind = 'review_token' and c.key = body->'e'->>'token'
            and c.stream_id = e.stream_id)
        when 'review.submitted.1' then exists (
            select from claims c where c.kind = 'own_link' and c.key = body->'e'->>'own_link'
            and c.stream_id = e.stream_id)
        else true
    end
from log, events e cross join lateral (select convert_from(state, 'UTF8')::jsonb as body) read
order by position
"""
RATINGS: Final = """
select name, command_id, stream_id, body->'e'->>'occasion', body->'e'->>'token', body->'e'->>'review',
    not exists (select from vault.subjects s where s.subject_key::text = body->'e'->'evidence'->>'device')
from events cross join lateral (select convert_from(state, 'UTF8')::jsonb as body) read
where name in ('occasion.reviewed.1', 'review.submitted.1') order by position
"""


def look(dsn: str, journals: list[Journal]) -> Found:
    """Compare what was answered with what is in the log; writers may go on meanwhile."""
    # First, so that the log knows them all.
    answers = [answer for journal in journals for answer in journal.read()]
    ratings = [rating for journal in journals for rating in journal.ratings()]
    with psycopg.connect(dsn) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        rows = connection.execute(LOOK).fetchall()
        said = connection.execute(RATINGS).fetchall()
    last = {command_id: position for position, command_id, *_ in rows}
    events = Counter(command_id for _, command_id, *_ in rows)
    refs = Counter(ref for *_, ref, _, _ in rows if ref is not None)
    rated = {row[2] for row in said if row[0] == "occasion.reviewed.1"}
    there = [a for a in answers if _kept(a, last.get(a.command_id), a.wanted.saying.visit in rated)]
    return Found(
        answered=len(answers),
        again=sum(answer.repeated for answer in answers),
        rated=len(ratings),
        lost=len(answers)
        - len(there)
        + sum(last.get(rating_id(digest_of(rating.token))) != rating.position for rating in ratings),
        doubled=sum(count - 1 for count in refs.values()) + len(answers) - len({a.wanted for a in answers}),
        torn=sum(events[a.command_id] != a.wanted.events for a in there if a.command_id != NOBODY),
        holes=sum(row[0] != number for number, row in enumerate(rows, 1)),
        clock_back=sum(later[2] < earlier[2] for earlier, later in pairwise(rows)),
        leaves_wrong=sum(not row[4] for row in rows),
        claims_wrong=sum(not row[5] for row in rows),
        second=_second(said, ratings),
        unpaired=len(
            {(str(row[1]), str(row[2]), row[5]) for row in said if row[0] == "occasion.reviewed.1"}
            ^ {(str(row[1]), row[3], str(row[2])) for row in said if row[0] == "review.submitted.1"}
        ),
        forgotten=sum(row[6] for row in said if row[0] == "review.submitted.1"),
    )


def _kept(answer: Answered, position: int | None, rated: bool) -> bool:  # noqa: FBT001  # one of a comparison's facts
    """Whether an answer holds: it is where it was said to be, or somebody else had really rated the visit."""
    if answer.command_id == NOBODY:
        return answer.wanted.place == RACE and rated
    return answer.position == position


def _second(said: Iterable[tuple[str, ...]], ratings: list[Acknowledged]) -> int:
    """Count visits with more than one first rating, tokens that worked more than once, and visits rated for two."""
    said = list(said)
    visits = Counter(row[2] for row in said if row[0] == "occasion.reviewed.1")
    reviews = Counter(row[3] for row in said if row[0] == "review.submitted.1")
    tokens = Counter(row[4] for row in said if row[0] == "review.submitted.1")
    told: dict[str, set[int]] = {}
    for rating in ratings:
        told.setdefault(rating.wanted.saying.project, set()).add(rating.position)
    places = Counter({project: len(positions) for project, positions in told.items()})
    return sum(count - 1 for counted in (visits, reviews, tokens, places) for count in counted.values())
