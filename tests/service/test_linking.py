"""Several streams in one decision, on a real database: raced, split, and given in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from domain import complaint, register, rulebook
from domain.complaint import COMPLAINT, Case, Close, Step
from domain.complaint.linking import Link, Merge, Merged
from domain.complaint.revisiting import Outcome
from domain.complaint.splitting import Split
from domain.decider import Event, Recorded
from domain.errors import CannotMerge, LinkedUnserved, OutOfTurn, PointsMisallotted, Refused
from service.casebook import Ask, Asked, claims
from service.desk import Wish
from service.forms.intake import RegisterForm
from service.forms.linking import MergeForm, SplitForm
from service.gathering import rows_of
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.controls import LOOP, REGISTERED
from tests.hall import DESK, REGISTER_EVENTS, RULEBOOK_EVENTS
from tests.specification import METADATA

pytestmark = pytest.mark.postgres
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over a log that holds the example hall."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        keep(opened, register.STREAM, REGISTER_EVENTS)
        keep(opened, rulebook.STREAM, RULEBOOK_EVENTS)
        yield opened


def keep(parts: Parts, stream: UUID, events: Sequence[Event]) -> UUID:
    """Put a history into the log as it is."""
    recorded = [Recorded(stream=stream, version=n, event=event, metadata=METADATA) for n, event in enumerate(events, 1)]
    parts.book.log.save(
        *recorded,
        command_ids=[uuid4()] * len(recorded),
        claims=[claim for one in recorded for claim in claims(one)],
    )
    return stream


def asked(name: str, moment: datetime | None = None) -> Asked:
    """How a test asks."""
    return Asked(command_id=uuid4(), source="test", name=name, moment=moment)


def stands(parts: Parts, case: UUID) -> Case:
    """Where a case stands now."""
    found = COMPLAINT.fold(row[2] for row in rows_of(parts.pool, [case]))  # type: ignore[misc]  # of one complaint
    assert found is not None
    return found


def numbered(number: int) -> complaint.Registered:
    """A complaint under a number of its own."""
    return replace(REGISTERED, complaint_no=f"TS-GXQ-20260213-{number:05d}-X")


def test_no_case_is_ever_merged_into_a_closed_one(parts: Parts) -> None:
    """Eight threads: seven join their case to a primary, one closes it. Whoever is second is told why not."""
    seen: Counter[Step] = Counter()
    with ThreadPoolExecutor(8) as threads:
        for turn in range(12):
            primary = keep(parts, uuid4(), [numbered(1 + turn * 10), *LOOP[1:-1]])
            children = [keep(parts, uuid4(), [numbered(2 + turn * 10 + n)]) for n in range(7)]
            start = Barrier(8)

            def merge(child: UUID, primary: UUID = primary, start: Barrier = start) -> None:
                start.wait()
                parts.book.transact(COMPLAINT, child, merging(primary), asked("merge"))

            def close(primary: UUID, start: Barrier = start) -> None:
                start.wait()
                command = Close(at=NOON, by=DESK, outcome=Outcome.RESOLVED)
                parts.book.transact(COMPLAINT, primary, command, asked("close"))

            given: list[Callable[[], None]] = [lambda child=child: merge(child) for child in children]  # type: ignore[misc]
            given.insert(turn % 8, lambda primary=primary: close(primary))  # type: ignore[misc]
            refused = list(threads.map(refusal, given))
            after, merged = (
                stands(parts, primary),
                {child for child in children if stands(parts, child).step is Step.MERGED},
            )
            seen[after.step] += 1
            assert after.linked == merged
            assert (after.step is Step.CLOSED) == (not merged)
            kinds = {type(one) for one in refused if one is not None}
            assert kinds <= ({CannotMerge} if after.step is Step.CLOSED else {LinkedUnserved})
    assert seen.total() == 12


def merging(primary: UUID) -> Merge:
    """The wish to join a case to a primary."""
    return Merge(at=NOON, by=DESK, primary=primary, link=Link.DUPLICATE, similarity=None, reason=None)


def refusal(act: Callable[[], None]) -> Refused | None:
    """Why something was refused, if it was."""
    try:
        act()
    except Refused as refused:
        return refused
    return None


def test_numbers_stay_dense_when_a_split_races_with_registrations(parts: Parts) -> None:
    """Four threads split, four register: every number of the day once, and no point in two cases."""
    wholes = [register_one(parts, points=4) for _ in range(4)]
    start = Barrier(8)

    def split(case: UUID) -> None:
        start.wait()
        parts.desk.act(case, SPLIT, DESK, asked("split", NOON))

    def complain(_: int) -> None:
        start.wait()
        for _ in range(6):
            register_one(parts)

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(split, case) for case in wholes] + [threads.submit(complain, n) for n in range(4)]
        for one in done:
            one.result()
    with parts.pool.connection() as connection:
        rows = connection.execute("select key from claims where kind = 'complaint_no' order by key").fetchall()
    numbers = [int(key.split("-")[3]) for (key,) in rows]
    assert numbers == list(range(1, 4 + 4 * 2 + 4 * 6 + 1))
    for whole in wholes:
        children = next(row[2] for row in rows_of(parts.pool, [whole]) if isinstance(row[2], Split)).children
        assert [stands(parts, child.case).points for child in children] == [1, 2]
        assert stands(parts, whole).points == 1


SPLIT = SplitForm.model_validate(
    {
        "parts": [
            {"points": [2], "narrative": "另反映税务窗口拒绝受理。", "respondent": {"department": "tax"}},
            {"points": [3, 4], "narrative": "又反映收费不开票。", "desired_outcome": "退还多收的费用。"},
        ]
    }
)


def register_one(parts: Parts, points: int = 1) -> UUID:
    """A complaint as somebody tells it, at noon."""
    form = RegisterForm(hall="GXQ", narrative="3号窗口两次让我回去补材料。", phone="13800000000", points=points)
    return parts.desk.register(form, None, asked("register", NOON)).case


def test_each_part_is_sealed_under_a_key_of_its_own(parts: Parts) -> None:
    """Name and phone stay those of the person; erasing one case takes nothing from another; a repeat makes nothing."""
    whole = register_one(parts, points=4)
    once = asked("split", NOON)
    done = parts.desk.act(whole, SPLIT, DESK, once)
    first, second = (event for event in done.events if isinstance(event, complaint.Registered))
    assert first.narrative is not None
    assert second.narrative is not None
    assert parts.vault.open("narrative", first.narrative) == "另反映税务窗口拒绝受理。"
    assert second.desired_outcome is not None
    assert parts.vault.open("desired_outcome", second.desired_outcome) == "退还多收的费用。"
    assert first.phone is not None
    assert parts.vault.open("phone", first.phone) == "13800000000"
    own = stands(parts, whole).registration
    assert isinstance(own, complaint.Registered)
    assert own.narrative is not None
    assert len({own.narrative.key_id, first.narrative.key_id, second.narrative.key_id}) == 3
    with parts.pool.connection() as connection:
        owners = connection.execute(
            "select owner from vault.keys where key_id = any(%s)", ([first.narrative.key_id, second.narrative.key_id],)
        ).fetchall()
    children = [one.case for event in done.events if isinstance(event, Split) for one in event.children]
    assert sorted(owner for (owner,) in owners) == sorted(children)
    again = parts.desk.act(whole, SPLIT, DESK, once)
    assert (again.repeated, again.events) == (True, done.events)


def test_a_refused_split_gives_its_keys_back(parts: Parts) -> None:
    """Nothing is written, and no key is lost to a case that never was."""
    whole = register_one(parts)
    with parts.pool.connection() as connection:
        before = connection.execute("select count(*) from vault.keys where owner is not null").fetchone()
        with pytest.raises(PointsMisallotted):
            parts.desk.act(whole, SPLIT, DESK, asked("split", NOON))
        assert connection.execute("select count(*) from vault.keys where owner is not null").fetchone() == before
    assert stands(parts, whole).points == 1


def test_in_one_batch_each_sees_what_the_others_did_to_another_stream(parts: Parts) -> None:
    """Two join the same primary, the second after the first; a third finds it merged itself."""
    primary, third = keep(parts, uuid4(), [numbered(1)]), keep(parts, uuid4(), [numbered(2)])
    children = [keep(parts, uuid4(), [numbered(3 + n)]) for n in range(3)]
    asks: list[Ask[complaint.Command]] = [
        Ask(stream=child, command=merging(primary), asked=asked("merge")) for child in children[:2]
    ]
    asks.append(Ask(stream=children[2], command=merging(children[0]), asked=asked("merge")))
    asks.append(Ask(stream=primary, command=merging(third), asked=asked("merge")))
    first, second, late, whole = parts.book.transact_many(COMPLAINT, asks)
    assert not isinstance(first, Refused)
    assert not isinstance(second, Refused)
    assert isinstance(first.events[0], Merged)
    assert isinstance(late, CannotMerge)
    assert isinstance(whole, CannotMerge), "what others are joined to is not joined itself"
    assert stands(parts, primary).linked == set(children[:2])


def test_splits_and_registrations_share_a_batch(parts: Parts) -> None:
    """Numbers are counted on, whoever takes them."""
    whole = register_one(parts, points=4)
    told = RegisterForm(hall="GXQ", narrative="又一件。")
    wishes = [
        Wish(form=told, by=None, asked=asked("register", NOON)),
        Wish(form=SPLIT, by=DESK, asked=asked("split", NOON), case=whole),
        Wish(form=told, by=None, asked=asked("register", NOON)),
    ]
    outcomes = parts.desk.many(wishes)
    found = [event for done in outcomes if not isinstance(done, Refused) for event in done.events]
    numbers = [event.complaint_no.split("-")[3] for event in found if isinstance(event, complaint.Registered)]
    assert numbers == ["00002", "00003", "00004", "00005"]
    with pytest.raises(OutOfTurn):
        parts.desk.act(uuid4(), MergeForm(primary=whole, link=Link.JOINT), DESK, asked("merge"))
