"""Any folder will do for the embedded database, and nothing in it that is somebody else's is touched."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.embedded import Embedded, EmbeddedFailed, attach
from service.postgres_home import Home
from tests.service.embedded.persons import ask, binaries, keep, kept, needs_root

pytestmark = pytest.mark.acceptance


@binaries
def test_a_deep_home_has_its_socket_in_a_short_place(tmp_path: Path, short_tmp: Path, bindir: Path | None) -> None:
    """A path of more than a hundred bytes does not fit a socket; the short folder goes away with the server."""
    home = tmp_path / ("深" * 20) / ("d" * 60) / "postgres"
    with Embedded(home, bindir=bindir) as server:
        keep(server.dsn, 1)
        (folder,) = short_tmp.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert attach(home) == server.dsn
    assert not list(short_tmp.iterdir())


@pytest.mark.parametrize("name", ["a,b", 'a"b', "a'b", "a\\b", "a b", "窗口"])
def test_any_name_of_a_folder_will_do(tmp_path: Path, short_tmp: Path, name: str) -> None:
    """Commas and quotes, which would split lists, and spaces and Chinese, which do not."""
    with Embedded(tmp_path / name) as server:
        assert ask(server.dsn, "SELECT 1") == 1
    assert not list(short_tmp.iterdir())


def _symlink(folder: Path) -> None:
    target = folder.parent / "target"
    target.mkdir(mode=0o700)
    folder.symlink_to(target)


def _open_to_others(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def _of_another(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)


def _file(folder: Path) -> None:
    folder.touch()


@pytest.mark.parametrize("plant", [_symlink, _open_to_others, pytest.param(_of_another, marks=needs_root), _file])
def test_a_socket_folder_laid_by_somebody_else_is_refused(
    tmp_path: Path, short_tmp: Path, plant: Callable[[Path], None]
) -> None:
    """In the folder for temporary files others may have been faster."""
    home = tmp_path / ("d" * 100)
    plant(Home.at(home).socket_folder(os.geteuid()))
    with pytest.raises(EmbeddedFailed, match="remove it, or set TMPDIR"):
        Embedded(home).start()
    assert not [path for path in short_tmp.rglob("*") if path.is_socket()]


def test_a_folder_used_for_other_things_is_left_alone(tmp_path: Path) -> None:
    """A home folder given by mistake is neither closed to others nor written to."""
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(EmbeddedFailed, match="folder of its own"):
        Embedded(tmp_path).start()
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_open_to_others_is_closed(bare: Path) -> None:
    """Somebody made it beforehand."""
    bare.mkdir(mode=0o755)
    with Embedded(bare):
        assert bare.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_no_database_is_left_alone(bare: Path) -> None:
    """Nothing is written over what we did not write."""
    (bare / "pgdata").mkdir(parents=True, mode=0o700)
    bare.chmod(0o700)
    (bare / "pgdata" / "thesis.txt").write_text("all of it", encoding="utf-8")
    with pytest.raises(EmbeddedFailed, match="move it away"):
        Embedded(bare).start()
    assert (bare / "pgdata" / "thesis.txt").read_text(encoding="utf-8") == "all of it"


def test_a_copy_of_a_folder_is_a_home_of_its_own(home: Path, tmp_path: Path) -> None:
    """The pid file copied with it names the server of the original, which is left alone."""
    copy = tmp_path / "copy"
    with Embedded(home) as server:
        keep(server.dsn, 1)
        ask(server.dsn, "SELECT pg_switch_wal()")
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns(".s.PGSQL*"))
        with Embedded(copy, route=None) as other:
            assert kept(other.dsn) == 1
            keep(other.dsn, 2)
        assert server.alive()
        assert kept(server.dsn) == 1
