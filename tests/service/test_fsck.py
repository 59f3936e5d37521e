"""An audit says nothing of a clean log, and of an altered one what was done first, and where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.exports.log import sealed_now
from service.fsck import fsck
from service.held import held
from service.outside import append
from tests.service.fresh import fresh_database
from tests.service.old_hall import old_hall
from tests.service.sealed_log import SealedLog, sealed_log
from tests.service.tampering import DOWN, EXCHANGE, PUT_IN, REHASH, TAMPERED, UP, edit, together

pytestmark = pytest.mark.postgres


@pytest.fixture
def kept(database: str, tmp_path: Path) -> Iterator[SealedLog]:
    """Twelve events, sealed and kept outside by four, and three more that are not sealed yet."""
    with sealed_log(database, tmp_path) as found:
        found.cycle(4, 4, 4)
        yield found


@pytest.mark.parametrize(("statements", "said"), TAMPERED.values(), ids=TAMPERED)
def test_what_was_altered_is_named_with_its_position(kept: SealedLog, statements: str, said: str) -> None:
    """By the database alone; a copy outside says the same, and a little more."""
    assert kept.first() == kept.first(kept.place) == ""
    kept.alter(statements)
    said = said.format(log=kept.log_id)
    assert kept.first() == said
    assert kept.first(kept.place) == said


NOT_ITS_OWN: Final = (
    "position 7: the row does not give the hash that is stored with it: it was changed, or put in past the program"
)
UNSEALED: Final = {
    "edited": (edit("state = '{}'"), NOT_ITS_OWN),
    "taken out": (
        "delete from events where position = 7",
        "position 7: event 7 was taken out: nothing stands in that place",
    ),
    "closed up": (together("delete from events where position = 7", UP.format(7)), NOT_ITS_OWN),
    "put in": (together(DOWN.format(7), PUT_IN.format(7)), NOT_ITS_OWN),
    "exchanged": (EXCHANGE.format(7, 9), NOT_ITS_OWN),
    "moved in time, hash made anew": (
        together(edit("recorded_at = recorded_at - interval '1 hour'"), REHASH),
        "position 7: it was recorded at a time before that of the event before it",
    ),
    "edited, hash made anew": (together(edit("state = '{}'"), REHASH), ""),
}


@pytest.mark.parametrize(("statements", "said"), UNSEALED.values(), ids=UNSEALED)
def test_what_is_not_sealed_yet_is_checked_as_far_as_it_goes(
    database: str, tmp_path: Path, statements: str, said: str
) -> None:
    """A row by itself, and by its neighbours; what is rewritten in time shows nowhere, as the threat model says."""
    with sealed_log(database, tmp_path) as found:
        found.grow(12)
        found.alter("truncate seals_1", "update projection_positions set position = 0", statements)
        assert found.first() == said


FORGED: Final = """
insert into events select 13, {stream}, {version}, name, {time}, gen_random_uuid(), {seq}, state, {hash} from events
where position = 12;
"""
GOOD: Final = {
    "stream": "gen_random_uuid()", "version": "1", "time": "recorded_at", "seq": "0", "hash": "sha256('x')",
}  # fmt: skip
APPENDED: Final = {
    "a made-up hash": (
        {}, NOT_ITS_OWN.replace("position 7", "position 13"),
    ),
    "a version that is not next": ({"version": "3"}, "position 13: the version is not the next one of its stream"),
    "a stream that goes on elsewhere": (
        {"stream": "stream_id", "version": "3"}, "position 13: the version is not the next one of its stream",
    ),
    "a place that is not next": ({"seq": "1"}, "position 13: the place in its command is not the next one"),
    "a time before the last": (
        {"time": "recorded_at - interval '1 microsecond'"},
        "position 13: it was recorded at a time before that of the event before it",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), APPENDED.values(), ids=APPENDED)
def test_what_was_appended_past_the_program_shows_by_its_traces(
    kept: SealedLog, changes: dict[str, str], said: str
) -> None:
    """Unless it is forged perfectly."""
    kept.alter(FORGED.format(**{**GOOD, **changes}))
    if changes:
        kept.alter(REHASH)
    assert kept.first() == kept.first(kept.place) == said


def test_what_was_appended_perfectly_looks_like_any_other(kept: SealedLog) -> None:
    """The threat model says so: the person it names, and whoever reads it, must see it."""
    kept.alter(FORGED.format(**GOOD), REHASH)
    assert kept.first(kept.place) == ""
    assert kept.check().events == 13


def test_an_end_that_was_cut_off_before_it_was_sealed_shows_by_who_read_it(kept: SealedLog) -> None:
    """And by names that were claimed for it."""
    kept.alter("update projection_positions set position = 14 where name = 'docket'")
    assert kept.first() == "position 13: the log ends at 12, though 14 events were read from it"
    kept.alter("update projection_positions set position = 12 where name = 'docket'")
    kept.connection.execute("insert into claims values ('complaint_no', 'x', gen_random_uuid())")
    assert kept.first().startswith("1 names are claimed for what is not in the log")


@pytest.mark.parametrize("name", ["taken out and closed up", "two taken out and closed up", "put in", "exchanged"])
def test_what_follows_from_it_is_not_told_as_something_else(kept: SealedLog, name: str) -> None:
    """The log is shorter because an event was taken out, not because its end was cut off."""
    kept.alter(TAMPERED[name][0])
    said = [str(one) for one in kept.check(kept.place).findings]
    assert said[0] == TAMPERED[name][1]
    assert not [one for one in said if "ends at" in one or "the checkpoint" in one]


# Clean logs of any shape.


def test_nothing_is_reported_on_a_hall_at_work(database: str, tmp_path: Path) -> None:
    """With commands of several events, on several streams, and names that are claimed."""
    with old_hall(database, tmp_path / "home") as hall:
        for _ in range(3):
            hall.carry(hall.complain())
        hall.erase(hall.carry(hall.complain()))
        signed = sealed_now(hall.parts)
        with psycopg.connect(database, autocommit=True) as connection:
            append(connection, hall.parts.signer.vkey, signed, tmp_path)
            outside = held(tmp_path, hall.parts.recorder.log_id)
            report = fsck(connection, hall.parts.recorder.log_id, hall.parts.signer.vkey, outside)
    assert report.findings == []
    assert report.events == report.sealed == report.leaves_outside == signed.checkpoint.size > 50


def test_nothing_is_reported_on_a_clean_log(server: str, tmp_path: Path) -> None:
    """However it grew, was signed, kept outside in portions, and taken back."""

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 300), st.sampled_from(["", "sign", "keep", "back"])), max_size=6))
    def clean(steps: list[tuple[int, str]]) -> None:
        folder = tmp_path / uuid4().hex
        folder.mkdir()
        with fresh_database(server) as dsn, sealed_log(dsn, folder) as found:
            number = 1
            for count, then in steps:
                found.grow(count)
                match then:
                    case "sign":
                        found.sign()
                    case "keep":
                        found.keep()
                    case "back":
                        number += 1
                        size = found.sign().checkpoint.size
                        found.take_back(size // 2)
                        found.restored(size // 2, number)
            if steps:
                found.keep()
                report = found.check(found.place)
                assert report.findings == []
                assert report.leaves_outside == report.events == len(found.hashes())
            report = found.check()
            assert (report.findings, report.sealed) == ([], report.events)

    clean()
