"""What goes outside is what was signed; it is added to, completed after a crash, and never mixed with another log."""

from __future__ import annotations

import base64
import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from projections.merkle import EMPTY_ROOT, HASH_BYTES, Frontier, root_of
from projections.seals import Tree
from service.held import held
from service.keeper import HookFails, Keeper, run_hook
from service.outside import CHECKPOINTS, KEY, LEAVES, Appended, OutsideFails, append, epochs
from service.parts import Parts, open_parts
from service.sealer import seal
from service.settings import Settings
from service.signing import BadNote, Signer, opened
from tests.service.sealed_log import SealedLog, sealed_log
from tests.service.watching import until

pytestmark = pytest.mark.postgres


@pytest.fixture
def kept(database: str, tmp_path: Path) -> Iterator[SealedLog]:
    """A log with a place outside."""
    with sealed_log(database, tmp_path) as found:
        yield found


def outside(place: Path) -> dict[str, bytes]:
    """Read everything that is held outside."""
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


def test_what_is_held_outside_can_be_read_without_us(kept: SealedLog) -> None:
    """32 bytes for each event, and a note under the key beside it for each checkpoint."""
    kept.cycle(3, 300)
    kept.grow(7)
    kept.sign()
    kept.grow(1)
    assert kept.keep() == Appended(leaves=8, checkpoints=2)
    assert kept.keep() == Appended(leaves=0, checkpoints=0)
    leaves = (kept.folder / "epoch-1" / LEAVES).read_bytes()
    hashes = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
    assert hashes == kept.hashes()
    vkey = (kept.folder / KEY).read_text(encoding="utf-8").strip()
    sizes = []
    for line in (kept.folder / "epoch-1" / CHECKPOINTS).read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        origin, size, root, *_ = opened(told["note"], [vkey]).splitlines()
        assert origin == f"bihuan/{kept.log_id}"
        assert Signer(kept.log_id, bytes(range(32))).vkey == vkey
        sizes.append(int(size))
        assert told["size"] == sizes[-1]
        assert root == base64.b64encode(root_of(hashes[: sizes[-1]])).decode()
    assert sizes == [3, 303, 310, 311]


def test_the_edge_of_the_tree_at_any_size(kept: SealedLog) -> None:
    """From where it was cut off it goes on to the same roots."""
    kept.grow(600)
    hashes, tree = kept.hashes(), Tree(kept.connection)
    for size in (0, 1, 2, 255, 256, 257, 511, 512, 599, 600):
        edge = tree.edge(size)
        assert (edge.size, edge.root()) == (size, root_of(hashes[:size]) if size else EMPTY_ROOT)
        whole = Frontier()
        for one in hashes[:size]:
            whole.append(one)
        for one in hashes[size : size + 3]:
            edge.append(one)
            whole.append(one)
        assert edge.root() == whole.root()


@pytest.mark.parametrize("name", [LEAVES, CHECKPOINTS, KEY])
def test_a_torn_tail_is_completed_at_every_byte(kept: SealedLog, name: str) -> None:
    """What stands there is never rewritten: every beginning of a file leads to the same file."""
    kept.cycle(3)
    before = outside(kept.place)
    path = next(kept.place.rglob(name))
    kept.cycle(2, 2)
    whole = outside(kept.place)
    begun = len(before[str(path.relative_to(kept.place))])
    data = path.read_bytes()
    for length in range(0 if name == KEY else begun, len(data)):
        path.write_bytes(data[:length])
        inode = path.stat().st_ino
        kept.keep()
        assert outside(kept.place) == whole, length
        assert path.stat().st_ino == inode


def test_a_crash_between_the_files_is_completed(kept: SealedLog) -> None:
    """Leaves come before the checkpoint that covers them, and both may be cut at once."""
    kept.cycle(3)
    start = outside(kept.place)
    kept.cycle(4)
    whole = outside(kept.place)
    leaves, lines = (f"{kept.log_id}/epoch-1/{name}" for name in (LEAVES, CHECKPOINTS))
    for cut in range(len(start[leaves]), len(whole[leaves]) + 1):
        (kept.place / leaves).write_bytes(whole[leaves][:cut])
        (kept.place / lines).write_bytes(start[lines] + whole[lines][len(start[lines]) :][: cut % 100])
        kept.keep()
        assert outside(kept.place) == whole, cut


@pytest.mark.parametrize("made", [0, 1, 2])
def test_a_crash_at_the_very_beginning_is_completed(kept: SealedLog, made: int) -> None:
    """Folders that are still empty."""
    kept.cycle(3)
    whole = outside(kept.place)
    shutil.rmtree(kept.folder)
    for folder in (kept.folder, kept.folder / "epoch-1")[:made]:
        folder.mkdir()
    kept.keep()
    assert outside(kept.place) == whole


def refused(log: SealedLog, match: str) -> None:
    """See that nothing is added, and why."""
    before = outside(log.place)
    with pytest.raises(OutsideFails, match=match) as error:
        log.keep()
    assert "audit fsck" in str(error.value)
    assert outside(log.place) == before


def test_nothing_is_added_to_another_history(kept: SealedLog) -> None:
    """The last checkpoint there must be one of this log."""
    kept.cycle(4, 4)
    kept.alter("update events set recorded_at = recorded_at - interval '1 microsecond' where position = 3")
    kept.rewrite()
    shutil.rmtree(kept.home)
    kept.grow(2)
    refused(kept, "another history, by its checkpoint of 8 events")


def test_nothing_is_added_beyond_the_end_of_the_log(kept: SealedLog) -> None:
    """The place outside holds more than the log has."""
    kept.cycle(4, 4)
    kept.take_back(4)
    shutil.rmtree(kept.home)
    refused(kept, "another history, by its checkpoint of 8 events")
    kept.grow(6)
    refused(kept, "another history, by its checkpoint of 8 events")


def test_leaves_without_a_checkpoint_are_compared_too(kept: SealedLog) -> None:
    """A crash left them there, and the log must still have them."""
    kept.cycle(4, 4)
    lines = kept.folder / "epoch-1" / CHECKPOINTS
    lines.write_bytes(lines.read_bytes().splitlines(keepends=True)[0])
    kept.take_back(4)
    shutil.rmtree(kept.home)
    refused(kept, "8 events, more than the 4 that are sealed here")
    kept.grow(6)
    refused(kept, "another event at position 5")


def test_a_torn_leaf_of_another_event_is_not_completed(kept: SealedLog) -> None:
    """Not even when a single byte of it stands there."""
    kept.cycle(4)
    with (kept.folder / "epoch-1" / LEAVES).open("ab") as file:
        file.write(b"\0")
    kept.grow(1)
    while kept.hashes()[-1][0] == 0:
        kept.grow(1)
    before = (kept.folder / "epoch-1" / LEAVES).read_bytes()
    kept.alter("update seals_1 set hashes = overlay(hashes placing '\\x01' from 129 for 1) where level = 0")
    with pytest.raises(OutsideFails):
        kept.keep()
    assert (kept.folder / "epoch-1" / LEAVES).read_bytes() == before


@pytest.mark.parametrize("line", [b'{"size": 99', b"x", b'{"size": 9, "note": "y"}\n'])
def test_a_torn_line_of_no_checkpoint_is_not_completed(kept: SealedLog, line: bytes) -> None:
    """Somebody else wrote it."""
    kept.cycle(4)
    path = kept.folder / "epoch-1" / CHECKPOINTS
    path.write_bytes(path.read_bytes() + line)
    before = path.read_bytes()
    kept.grow(2)
    leaves = (kept.folder / "epoch-1" / LEAVES).read_bytes()
    with pytest.raises((OutsideFails, BadNote), match=r"checkpoint|note"):
        kept.keep()
    assert path.read_bytes() == before
    assert (kept.folder / "epoch-1" / LEAVES).read_bytes() == leaves


def test_a_key_is_not_exchanged(kept: SealedLog) -> None:
    """Another installation with the same log id signs under another key."""
    kept.cycle(4)
    other = Signer(kept.log_id, bytes(32))
    signed = kept.sign()
    with pytest.raises(OutsideFails, match="the key of another installation"):
        append(kept.connection, other.vkey, signed, kept.place)


def test_what_the_tree_does_not_bear_out_is_not_taken_outside(kept: SealedLog) -> None:
    """A changed tile would otherwise be what the log is judged by later."""
    kept.cycle(4)
    kept.grow(4)
    signed = kept.sign()
    kept.alter("update seals_1 set hashes = overlay(hashes placing sha256('x') from 193)")
    before = outside(kept.place)
    with pytest.raises(OutsideFails, match="does not fit the log"):
        kept.keep(signed)
    kept.alter("update seals_1 set hashes = substr(hashes, 1, 160)")
    with pytest.raises(OutsideFails, match="hole at position"):
        kept.keep(signed)
    assert outside(kept.place) == before


def test_a_place_that_is_not_there_is_not_made(kept: SealedLog) -> None:
    """It may be a disk that is not mounted."""
    kept.place.rmdir()
    kept.grow(1)
    with pytest.raises(OutsideFails, match="Make it, or mount it"):
        kept.keep()
    assert not kept.place.exists()


def test_an_epoch_has_a_folder_of_its_own(kept: SealedLog) -> None:
    """What was given up stays where it is; the leaves that count follow on each other without a gap."""
    kept.cycle(5, 5)
    old = outside(kept.place)
    kept.take_back(5)
    kept.restored(5, 2)
    assert kept.keep() == Appended(leaves=1, checkpoints=1)
    kept.cycle(4)
    new = outside(kept.place)
    assert {name: data for name, data in new.items() if name in old} == old
    assert [(one.number, one.first, one.count) for one in epochs(kept.folder)] == [(1, 0, 10), (2, 5, 5)]
    assert (kept.folder / "epoch-2-after-5").is_dir()
    leaves = held(kept.place, kept.log_id).leaves({2: 5})
    assert [leaves.get(index) for index in range(11)] == [*kept.hashes(), None]


def test_an_epoch_that_was_missed_leaves_no_gap(kept: SealedLog) -> None:
    """The second time less is kept than the place outside holds of the first, or more."""
    kept.cycle(4, 4)
    kept.take_back(4)
    kept.restored(4, 2)
    kept.grow(10)
    kept.sign()
    kept.grow(3)
    kept.restored(15, 3)
    kept.grow(2)
    kept.keep()
    assert [one.folder.name for one in epochs(kept.folder)] == ["epoch-1", "epoch-3-after-4"]
    leaves = held(kept.place, kept.log_id).leaves({2: 4, 3: 15})
    assert [leaves.get(index) for index in range(22)] == [*kept.hashes(), None]


def test_a_place_that_begins_in_a_later_epoch_holds_everything(kept: SealedLog) -> None:
    """From the first event on."""
    kept.grow(6)
    kept.sign()
    kept.restored(6, 2)
    kept.keep()
    assert [(one.folder.name, one.count) for one in epochs(kept.folder)] == [("epoch-2-after-0", 7)]


def test_an_earlier_epoch_is_not_added_to(kept: SealedLog) -> None:
    """A log that was taken back behind a restore does not know its epoch any more."""
    kept.cycle(5)
    kept.restored(5, 2)
    kept.keep()
    kept.take_back(5)
    shutil.rmtree(kept.home)
    refused(kept, r"a later epoch \(2\) than the log knows \(1\)")


# The hook, and who keeps.

SCRIPT: Final = """#!/bin/sh
set -e
cat > {seen}.new
echo "$1" >> {seen}.new
env >> {seen}.new
mv {seen}.new {seen}
exit {status}
"""


def hook(folder: Path, status: int = 0) -> tuple[Path, Path]:
    """Write a program that keeps what it was given; gives where, too."""
    program, seen = folder / "hook", folder / "seen"
    program.write_text(SCRIPT.format(seen=seen, status=status), encoding="utf-8")
    program.chmod(stat.S_IRWXU)
    return program, seen


def test_a_hook_gets_the_note_and_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The note on standard input, the place as argument."""
    for name in ("BIHUAN_MASTER_KEY", "DATABASE_URL", "BIHUAN_SMTP", "PGPASSWORD"):
        monkeypatch.setenv(name, "not to be told")
    monkeypatch.setenv("OTHERWISE", "plain")
    program, seen = hook(tmp_path)
    run_hook(program, "the note\n", tmp_path / "outside")
    told = seen.read_text(encoding="utf-8")
    assert told.startswith(f"the note\n{tmp_path / 'outside'}\n")
    assert "not to be told" not in told
    assert "OTHERWISE=plain" in told
    run_hook(program, "the note\n", None)
    assert seen.read_text(encoding="utf-8").startswith("the note\n\n")


def test_a_hook_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its status, because it is not there, or because it does not end."""
    program, _ = hook(tmp_path, status=7)
    with pytest.raises(HookFails, match="hook ended with 7"):
        run_hook(program, "x\n", None)
    with pytest.raises(HookFails, match="cannot be run"):
        run_hook(tmp_path / "none", "x\n", None)
    program.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    monkeypatch.setattr("service.keeper.HOOK_SECONDS", 0.05)
    with pytest.raises(HookFails, match="did not come to an end"):
        run_hook(program, "x\n", None)
    program.write_text("#!/bin/sh\nexec <&-\nexit 0\n", encoding="utf-8")
    run_hook(program, "x\n" * 1_000_000, None)


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program with a place outside and a hook; the place is not there yet."""
    program, _ = hook(tmp_path)
    settings = Settings(home=tmp_path / "home", checkpoints=tmp_path / "elsewhere", checkpoint_hook=program)
    with open_parts(settings, database) as found:
        yield found


def grown(parts: Parts, kept: SealedLog, count: int) -> None:
    """Let the log grow, and sign it."""
    kept.grow(count)
    assert seal(kept.connection, parts.signer, parts.settings.home) is not None


def test_the_keeper_takes_each_checkpoint_once(parts: Parts, kept: SealedLog, tmp_path: Path) -> None:
    """And runs the hook for it."""
    keeper, seen = Keeper(parts), tmp_path / "seen"
    (tmp_path / "elsewhere").mkdir()
    assert keeper.look() is None
    grown(parts, kept, 3)
    signed = keeper.look()
    assert signed is not None
    assert seen.read_text(encoding="utf-8").startswith(signed.note)
    seen.unlink()
    assert keeper.look() is None
    assert not seen.exists()


def test_a_place_that_fails_is_tried_again(
    parts: Parts, kept: SealedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, nothing else stops, nothing new is needed for it; the hook waits for its turn and may fail too."""
    monkeypatch.setattr("service.keeper.PAUSE", 0.01)
    monkeypatch.setattr("service.keeper.LONGEST_PAUSE", 0.02)
    grown(parts, kept, 3)
    seen = tmp_path / "seen"
    with capture_logs() as said, Keeper(parts):
        until(lambda: reasons(said, "mount it") > 2, "the word about the place")
        grown(parts, kept, 3)
        assert not seen.exists()
        hook(tmp_path, status=3)
        (tmp_path / "elsewhere").mkdir()
        until(lambda: reasons(said, "ended with 3") > 2, "the word about the hook")
        hook(tmp_path)
        until(lambda: any(one["event"] == "taken outside" for one in said), "the checkpoint")
    leaves = tmp_path / "elsewhere" / str(kept.log_id) / "epoch-1" / LEAVES
    assert leaves.stat().st_size == 6 * HASH_BYTES


def reasons(said: list[Any], text: str) -> int:
    """Count how often this reason was told."""
    return sum(text in one.get("reason", "") for one in said)


def test_a_keeper_with_nowhere_to_go_does_nothing(database: str, tmp_path: Path) -> None:
    """Without settings there is no thread."""
    with open_parts(Settings(home=tmp_path), database) as found, Keeper(found) as keeper:
        assert not keeper.thread.is_alive()
