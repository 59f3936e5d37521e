"""Who kept a checkpoint sees with it what was taken from a log, replaced in it, or told differently elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from service.verifier import main
from tests.service.changed_files import HALL, MAKE, OTHER_KEY, Made, of, put, renumbered, state, written
from tests.service.sealed_files import Hall, compact, example, lines, restored

Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Give a way to verify a file against notes that are held: status and output, without the paths."""

    def run(made: Made, *notes: str) -> tuple[int, str]:
        (tmp_path / "file").write_bytes(written(made))
        options = []
        for number, note in enumerate(notes):
            (tmp_path / f"held{number}").write_text(note, encoding="utf-8")
            options += ["--checkpoint", str(tmp_path / f"held{number}")]
        status = main([str(tmp_path / "file"), "--key", HALL.vkey, *options])
        return status, "".join(capsys.readouterr()).replace(f"{tmp_path}/", "")

    return run


FORKED = of([*HALL.rows[:4], state(5, compact({"m": {}, "e": {"sha256": "0" * 64}})), *HALL.rows[5:]])
"""A hall that tells somebody else another story from position 5 on."""


@pytest.mark.parametrize("kind", ["log", "log.gz"])
def test_a_log_that_only_grew_fits_all_that_is_held(verify: Verify, kind: str) -> None:
    """At every size, also of nothing, and two of the same size."""
    sizes = [0, 1, 3, 4, 4, 11]
    status, said = verify(MAKE[kind](), *(HALL.checkpoint(size) for size in sizes))
    assert status == 0
    assert said.count("fits") == len(sizes)


def test_where_a_log_was_altered_is_told_from_two_checkpoints(verify: Verify) -> None:
    """Between the last that fits and the first that does not; what is held in between narrows it down."""
    status, said = verify(FORKED.export(), HALL.checkpoint(3), HALL.checkpoint(8), HALL.checkpoint(11))
    altered = "file: WRONG: held1: events 4..8 are missing or were altered: your checkpoint of 8 events"
    assert (status, said.startswith(altered), said.count("\n")) == (1, True, 1)
    assert "events 5..5 are" in verify(FORKED.export(4), HALL.checkpoint(8), HALL.checkpoint(5))[1]


def test_a_log_that_ends_too_early_is_told_with_what_is_missing(verify: Verify) -> None:
    """The end was cut off, and what is left sealed anew."""
    status, said = verify(of(HALL.rows[:9]).export(), HALL.checkpoint(4), HALL.checkpoint(11))
    assert (status, "held1: events are missing: 10..11 of your checkpoint of 11 events" in said) == (1, True)


@pytest.mark.parametrize("later", [0, 3, 10])
def test_a_log_that_was_taken_back_says_so_to_who_holds_a_later_checkpoint(verify: Verify, later: int) -> None:
    """Whether the log is longer again by now or not; who holds an earlier one is told too, and nothing is wrong."""
    hall = restored(4, later=later)
    taken_back = "the log was taken back to position 4 (epoch 2, recorded 2026-02-13T10:30:05Z)"
    status, said = verify(hall.export(), HALL.checkpoint(3), HALL.checkpoint(8))
    assert status == 1
    assert f"held1: {taken_back}: events 5..8 of your checkpoint of epoch 1 are gone or replaced\n" in said
    status, said = verify(hall.export(), HALL.checkpoint(4), hall.checkpoint())
    assert (status, said.count("fits")) == (0, 2)
    assert taken_back in said


def test_going_back_explains_nothing_that_it_did_not_do(verify: Verify) -> None:
    """An event that was said to be kept is another one, or the checkpoint is of the epoch that began then, or later."""
    kept = restored(4)
    forged = of([HALL.rows[0], state(2, "{}"), *kept.rows[2:]])
    assert "events 1..3 are missing or were altered" in verify(forged.export(), HALL.checkpoint(3))[1]
    for epoch in (2, 3):
        later = example(rows=HALL.rows, epoch=epoch)
        assert "events 1..8 are missing or were altered" in verify(kept.export(), later.checkpoint(8))[1]
        assert "events are missing: 9..11" in verify(kept.export(), later.checkpoint(11))[1]


def test_a_log_taken_back_twice_is_told_from_the_first_time_that_matters(verify: Verify) -> None:
    """Who holds a checkpoint of the second epoch is told of the third."""
    once = restored(4)
    rows = [*once.rows[:6], put(list(once.rows[4]), 0, 7)]
    rows[6] = [*rows[6][:2], 2, *rows[6][3:7], compact({"m": {}, "e": {"kept": 6, "epoch": 3}})]
    rows[6][4] = rows[5][4] + 1
    twice = example(rows=rows, epoch=3)
    assert "taken back to position 4 (epoch 2" in verify(twice.export(), HALL.checkpoint(11))[1].splitlines()[0]
    assert "taken back to position 6 (epoch 3" in verify(twice.export(), once.checkpoint(8))[1].splitlines()[0]


@pytest.mark.parametrize("kind", ["receipt", "history", "package", "checkpoint", "consistency"])
def test_two_roots_of_one_size_are_two_logs(verify: Verify, kind: str) -> None:
    """Whoever shows them has caught the hall; another size cannot be compared, and that is said."""
    status, said = verify(MAKE[kind](), HALL.checkpoint(), HALL.checkpoint(7))
    assert (status, said.count("fits"), said.count("cannot be compared")) == (0, 1, 1)
    status, said = verify(MAKE[kind](), HALL.checkpoint(7), FORKED.checkpoint())
    assert (status, "WRONG: " in said, "held1: two logs were signed" in said) == (1, True, True)


def test_what_a_proof_of_consistency_leaves_out_is_taken_from_what_is_held(verify: Verify) -> None:
    """So that the hall cannot choose what the proof begins with."""
    proof = HALL.consistency(5, notes=False)
    assert verify(proof, HALL.checkpoint(5), HALL.checkpoint(11))[0] == 0
    status, said = verify(proof, HALL.checkpoint(5))
    assert (status, "the checkpoint of 11 events is left out: give it" in said) == (2, True)
    status, said = verify(proof, FORKED.checkpoint(5), HALL.checkpoint(11))
    assert (status, "the proof does not lead to the root of 5 events" in said) == (1, True)
    # Two that are held and differ: the proof fits the one, and the other is not forgotten.
    assert verify(proof, HALL.checkpoint(5), FORKED.checkpoint(5), HALL.checkpoint(11))[0] == 1


@pytest.mark.parametrize(
    ("held", "status", "says"),
    [
        (OTHER_KEY.checkpoint(), 1, "your checkpoint held0: not signed by bihuan/"),
        (
            Hall(renumbered(HALL.rows), log=UUID(int=5)).checkpoint(),
            1,
            "your checkpoint held0: not signed",
        ),
        (HALL.promise(), 1, "your checkpoint held0: line 1 of the checkpoint, its origin, reads"),
        (HALL.checkpoint().replace("\n11\n", "\n12\n"), 1, "your checkpoint held0: the signature by"),
        ("notes of mine", 2, "held0 is no checkpoint"),
    ],
)
@pytest.mark.parametrize("kind", ["log", "receipt", "promise"])
def test_what_is_held_and_is_no_checkpoint_of_this_log_is_refused(
    verify: Verify, kind: str, held: str, status: int, says: str
) -> None:
    """Also where it could not be compared with anything."""
    assert verify(MAKE[kind](), held)[0] == status
    assert says in verify(MAKE[kind](), held)[1]


def test_a_checkpoint_held_counts_in_a_log_of_any_length(verify: Verify) -> None:
    """Roots grown leaf by leaf agree with what the standard defines, at every size of a longer log."""
    rows = [[n, *example().rows[0][1:2], n, *example().rows[0][3:]] for n in range(1, 80)]
    hall = of(rows)
    status, said = verify(lines(hall.export()), *(hall.checkpoint(size) for size in range(80)))
    assert (status, said.count("fits")) == (0, 80)
