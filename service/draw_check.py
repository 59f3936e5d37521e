"""Draws again what was drawn, a second way: from the stored bytes of the log alone, with nothing of the rules.

Whoever does not trust the program reads this page, or writes another one from docs/verifying.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import psycopg

_DRAWS: Final = """
select stream_id from events where name = 'review.draw-announced.1'
and (%(draw)s::uuid is null or stream_id = %(draw)s) order by position
"""
_STEPS: Final = """
select name, position, recorded_at, convert_from(state, 'UTF8')::jsonb -> 'e' from events
where stream_id = %s order by version
"""
# One look at the log in its order: a flag counts that was raised, and not cleared, before the seed was told.
_MEMBERS: Final = """
with told as materialized (
    select position, stream_id, name, convert_from(state, 'UTF8')::jsonb -> 'e' as e from events
    where position < %(before)s
    and name in ('review.submitted.1', 'review.flagged.1', 'review.flag-cleared.1')
), cleared as (
    select e ->> 'flag' as flag from told where name = 'review.flag-cleared.1'
), flagged as (
    select distinct stream_id from told
    where name = 'review.flagged.1' and e ->> 'flag' not in (select flag from cleared)
)
select t.stream_id, t.e ->> 'grade' = 'very_satisfied' and t.stream_id in (select stream_id from flagged), t.position
from told t where t.name = 'review.submitted.1' and t.e ->> 'hall' = %(hall)s and t.e ->> 'profile' = %(profile)s
and t.e ->> 'reviewer' is not null
and (t.e ->> 'at')::timestamptz >= %(begins)s::timestamptz and (t.e ->> 'at')::timestamptz < %(ends)s::timestamptz
"""
_SIGNED: Final = "select signed_at from checkpoints where size = %s"
_OWED: Final = """
select stream_id from events where name = 'review.check-owed.1' and stream_id = any(%s)
and convert_from(state, 'UTF8')::jsonb -> 'e' ->> 'draw' = %s
"""
_EXCLUDED: Final = "select distinct stream_id from events where name = 'review.excluded.1' and stream_id = any(%s)"


@dataclass(frozen=True, slots=True)
class Checked:
    """A draw that was drawn again: how far it is, what is wrong with it, and how many checks it still has to owe."""

    draw: UUID
    hall: str
    begins: str
    ends: str
    state: str
    members: int
    drawn: int
    waiting: int
    wrong: tuple[str, ...]


def check(connection: psycopg.Connection, draw: UUID | None = None) -> Iterator[Checked]:
    """Check one draw, or all that were announced, the oldest first; whether the log itself is whole says `fsck`."""
    for (stream,) in connection.execute(_DRAWS, {"draw": draw}).fetchall():
        yield _checked(connection, stream)


def _checked(connection: psycopg.Connection, draw: UUID) -> Checked:
    steps: dict[str, tuple[int, datetime, dict[str, Any]]] = {}
    wrong: list[str] = []
    for name, position, recorded_at, told in connection.execute(_STEPS, (draw,)).fetchall():
        if name in steps:
            wrong.append(f"position {position}: it was done twice")
        steps.setdefault(name, (position, recorded_at, told))
    _, _, announced = steps["review.draw-announced.1"]
    opened, drawn = steps.get("review.seed-opened.1"), steps.get("review.drawn.1")
    if _moment(announced["at"]) > _moment(announced["begins"]):
        wrong.append("it was announced when the time it covers had begun")
    found: list[tuple[UUID, bool, int]] = []
    picked: Sequence[str] = ()
    waiting = 0
    if opened is not None:
        wrong += _of_the_seed(announced, opened[2])
    elif drawn is not None:
        wrong.append("it was drawn, and no seed was told")
    if opened is not None and drawn is not None:
        position, recorded_at, told = drawn
        wrong += _of_the_moment(connection, opened[0], position, recorded_at, told)
        span = {name: announced[name] for name in ("hall", "profile", "begins", "ends")}
        found = connection.execute(_MEMBERS, {**span, "before": opened[0]}).fetchall()
        early = sum(1 for *_, position in found if position < steps["review.draw-announced.1"][0])
        if early:
            wrong.append(f"{early} members stand in the log before it was announced")
        wrong += _of_the_choice(found, announced, opened[2]["seed"], told)
        picked = told["drawn"]
        waiting = _waiting(connection, draw, picked)
    return Checked(
        draw=draw,
        hall=announced["hall"],
        begins=announced["begins"],
        ends=announced["ends"],
        state="drawn" if drawn else "opened" if opened else "announced",
        members=len(found),
        drawn=len(picked),
        waiting=waiting,
        wrong=tuple(wrong),
    )


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _of_the_seed(announced: dict[str, Any], opened: dict[str, Any]) -> Iterator[str]:
    if sha256(b"bihuan-draw-1\n" + bytes.fromhex(opened["seed"])).hexdigest() != announced["commitment"]:
        yield "the seed is not the one that was committed to"
    if _moment(opened["at"]) < _moment(announced["ends"]):
        yield "the seed was told before the time was over"


def _of_the_moment(
    connection: psycopg.Connection, opened: int, position: int, recorded_at: datetime, told: dict[str, Any]
) -> Iterator[str]:
    row = connection.execute(_SIGNED, (told["checkpoint"],)).fetchone()
    if row is None:
        yield f"there is no checkpoint of {told['checkpoint']} leaves"
    elif row[0] > recorded_at:
        yield f"the checkpoint of {told['checkpoint']} leaves was signed after the draw"
    if not opened <= told["checkpoint"] < position:
        yield f"the checkpoint of {told['checkpoint']} leaves had not published the seed before the draw"
    if told["before"] != opened:
        yield f"it took what was recorded before position {told['before']}, and the seed was told at {opened}"


def _of_the_choice(
    found: Sequence[tuple[UUID, bool, int]], announced: dict[str, Any], seed: str, told: dict[str, Any]
) -> Iterator[str]:
    everybody = [review for review, *_ in found]
    noticed = [review for review, flagged, _ in found if flagged]
    for what, members, count, digest in (
        ("members", everybody, told["members"], told["members_digest"]),
        ("flagged members", noticed, told["flagged"], told["flagged_digest"]),
    ):
        if len(members) != count:
            yield f"the log has {len(members)} {what}, the draw tells of {count}"
        elif sha256(b"".join(sorted(one.bytes for one in members))).hexdigest() != digest:
            yield f"the log has other {what} than the draw"
    right = _lowest(seed, everybody, announced["all_permille"]) + _lowest(seed, noticed, announced["flagged_permille"])
    right = list(dict.fromkeys(right))
    if right != told["drawn"]:
        left_out, put_in = set(right) - set(told["drawn"]), set(told["drawn"]) - set(right)
        yield f"the seed gives other reviews: {len(left_out)} were left out, {len(put_in)} were put in"


def _lowest(seed: str, members: Sequence[UUID], permille: int) -> list[str]:
    """Give so many of a thousand, rounded up, with the lowest SHA-256 of seed and id."""
    salt = bytes.fromhex(seed)
    ranked = sorted(members, key=lambda one: sha256(salt + one.bytes).digest())
    return [str(one) for one in ranked[: (len(members) * permille + 999) // 1000]]


def _waiting(connection: psycopg.Connection, draw: UUID, picked: Sequence[str]) -> int:
    """Count the drawn reviews whose check is not owed, and that were not excluded, so that it still will be."""
    ids = [UUID(one) for one in picked]
    owed = {row[0] for row in connection.execute(_OWED, (ids, str(draw)))}
    excluded = {row[0] for row in connection.execute(_EXCLUDED, (ids,))}
    return len(set(ids) - owed - excluded)
