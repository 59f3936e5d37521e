"""The master key is made once, stays whole whatever crashes, and is kept from others' eyes."""

from __future__ import annotations

import base64
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from service.master import Damaged, LocalMaster, MasterKeyError, MasterUnavailable, ident_of
from tests.service.vaults import Death, Killed

KEY = bytes(range(32))
WORD = base64.b64encode(KEY).decode()
OTHER = base64.urlsafe_b64encode(bytes(range(200, 232))).rstrip(b"=").decode()


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """Eight processes that start at once find one key; nobody else can read it."""
    together = threading.Barrier(8)

    def start(_: int) -> str:
        together.wait(30)
        return LocalMaster(tmp_path / "home", {}).ident

    with ThreadPoolExecutor(8) as threads:
        idents = set(threads.map(start, range(8)))
    assert len(idents) == 1
    assert (tmp_path / "home" / "master.key").stat().st_mode & 0o777 == 0o600


def test_what_is_wrapped_unwraps_again(tmp_path: Path) -> None:
    """After a restart too; a changed bit is damage, an unknown master is asked for by name."""
    ident, wrapped = LocalMaster(tmp_path, {}).wrap(KEY)
    again = LocalMaster(tmp_path, {})
    assert again.unwrap(ident, wrapped) == KEY
    assert KEY not in wrapped
    with pytest.raises(Damaged, match="keys import"):
        again.unwrap(ident, wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
    with pytest.raises(MasterUnavailable, match="0123456789abcdef"):
        again.unwrap("0123456789abcdef", wrapped)


def test_the_variable_comes_before_the_file(tmp_path: Path) -> None:
    """Several keys may stand in it, the first is used; what a file wrapped before still opens; no file is made."""
    environ = {"BIHUAN_MASTER_KEY": f"{OTHER}, {WORD}"}
    given = LocalMaster(tmp_path / "none", environ)
    assert given.ident == ident_of(bytes(range(200, 232)))
    assert given.unwrap(*LocalMaster(tmp_path, {"BIHUAN_MASTER_KEY": WORD}).wrap(KEY)) == KEY
    assert given.renew() == given.ident
    assert not (tmp_path / "none" / "master.key").exists()
    before = LocalMaster(tmp_path / "file", {}).wrap(KEY)
    assert LocalMaster(tmp_path / "file", environ).unwrap(*before) == KEY


@pytest.mark.parametrize("word", ["secret-word", base64.b64encode(bytes(31)).decode(), WORD[:-2] + "!="])
def test_a_malformed_variable_is_refused_without_repeating_it(tmp_path: Path, word: str) -> None:
    """The sentence says how to make a good one."""
    with pytest.raises(MasterKeyError, match="openssl rand -base64 32") as caught:
        LocalMaster(tmp_path, {"BIHUAN_MASTER_KEY": word})
    assert word not in str(caught.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The sentence says how to close it."""
    LocalMaster(tmp_path, {})
    (tmp_path / "master.key").chmod(0o640)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        LocalMaster(tmp_path, {})


@pytest.mark.parametrize("change", ["cut", "empty", "list", "swapped", "current"])
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, change: str) -> None:
    """A new key never takes the place of one that cannot be read; the error does not carry the file."""
    LocalMaster(tmp_path, {})
    file = tmp_path / "master.key"
    content = file.read_text(encoding="ascii")
    ident = LocalMaster(tmp_path, {}).ident
    damaged = {
        "cut": content[:-20],
        "empty": "",
        "list": "[]",
        "swapped": content.replace(next(k for k in content.split('"') if len(k) == 44), WORD),
        "current": content.replace(f'"current": "{ident}"', '"current": "0123456789abcdef"'),
    }[change]
    file.write_text(damaged, encoding="ascii")
    with pytest.raises(MasterKeyError, match="damaged") as caught:
        LocalMaster(tmp_path, {})
    assert caught.value.__context__ is None
    assert file.read_text(encoding="ascii") == damaged


def test_a_rotation_keeps_the_old_key_and_is_seen_by_others(tmp_path: Path) -> None:
    """Another process wraps under the new key from then on, and opens what lies under either."""
    one, other = LocalMaster(tmp_path, {}), LocalMaster(tmp_path, {})
    old = one.wrap(KEY)
    new = one.renew()
    assert one.renew() == new  # not settled: the same rotation
    assert other.wrap(KEY)[0] == new != old[0]
    assert other.unwrap(*old) == KEY
    one.settle()
    assert other.renew() not in {new, old[0]}
    assert LocalMaster(tmp_path, {}).unwrap(*old) == KEY


def test_adopted_keys_open_and_do_not_wrap(tmp_path: Path) -> None:
    """Keys from an export stand beside the current one; a key under a false id is refused."""
    lost = LocalMaster(tmp_path / "lost", {})
    wrapped = lost.wrap(KEY)
    fresh = LocalMaster(tmp_path / "fresh", {})
    ident = fresh.ident
    with pytest.raises(MasterKeyError):
        fresh.adopt({"0123456789abcdef": KEY})
    assert [fresh.adopt(lost.material()), fresh.adopt(lost.material())] == [1, 0]
    again = LocalMaster(tmp_path / "fresh", {})
    assert again.unwrap(*wrapped) == KEY
    assert again.ident == ident


def test_a_crash_at_any_step_of_writing_leaves_the_old_or_the_new_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before, within or after each call that touches the disk, the file is whole and nothing is lost."""
    wrapped = LocalMaster(tmp_path, {}).wrap(KEY)
    for step in count(1):
        death = Death(step)
        with monkeypatch.context() as patched:
            for owner, name in ((os, "open"), (os, "fsync"), (Path, "unlink"), (Path, "replace")):
                patched.setattr(owner, name, death.around(getattr(owner, name)))
            with suppress(Killed):
                LocalMaster(tmp_path, {}).renew()
        after = LocalMaster(tmp_path, {})
        assert after.unwrap(*wrapped) == KEY
        after.settle()
        if not death.came:
            break
    # The lock is opened; the file unlinked, opened, flushed and renamed; the folder opened and flushed: each with a
    # death before and after it. The last one lives.
    assert step == 2 * 7 + 1
    assert not (tmp_path / "master.new").exists()
