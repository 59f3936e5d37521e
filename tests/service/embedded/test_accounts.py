"""Root, ordinary users and uids without a name: each gets a server, or one sentence that says what to do."""

import os
import pwd
import sys
from pathlib import Path

import pytest

from service.credentials import Route
from service.embedded import Embedded, EmbeddedFailed, attach
from tests.service.embedded.persons import (
    Person,
    ask,
    binaries,
    keep,
    kept,
    needs_linux,
    needs_root,
    status,
)

CAP_DAC_READ_SEARCH, CAP_SETUID = 2, 7


pytestmark = pytest.mark.acceptance


@needs_root
@needs_linux
@binaries
@pytest.mark.usefixtures("namespaces")
def test_root_runs_it_in_a_user_namespace(bare: Path, bindir: Path | None) -> None:
    """Without a word from the caller: the server is nobody inside, holds no capability, and the files are root's."""
    with Embedded(bare, bindir=bindir) as server:
        assert Path(f"/proc/{server.pid}/uid_map").read_text(encoding="ascii").split()[1:] == ["0", "1"]
        assert status(server.pid, "CapEff") == ["0000000000000000"]
        assert (bare / "pgdata").stat().st_uid == 0
        keep(server.dsn, 1)


@needs_root
@binaries
def test_root_runs_it_as_another_account(bare: Path, bindir: Path | None) -> None:
    """The home of root stays closed to everybody; of root's rights the server keeps only that of passing through."""
    nobody = pwd.getpwnam("nobody").pw_uid
    with Embedded(bare, bindir=bindir, route=Route.ACCOUNT) as server:
        keep(server.dsn, 1)
        assert status(server.pid, "Uid") == [str(nobody)] * 4
        assert status(server.pid, "CapEff") == [f"{1 << CAP_DAC_READ_SEARCH:016x}"]
        assert bare.stat().st_mode & 0o777 == 0o700
        assert (bare.stat().st_uid, (bare / "password").stat().st_uid) == (0, 0)
        assert (bare / "pgdata").stat().st_uid == nobody
    with Embedded(bare, bindir=bindir) as server:  # not told again: the owner of the folder decides
        assert status(server.pid, "Uid") == [str(nobody)] * 4
        assert kept(server.dsn) == 1


@needs_root
@needs_linux
def test_root_without_namespaces_falls_back_to_another_account(bare: Path, myself: Person) -> None:
    """As in most containers, also in those that leave root no other capability than to pass through everything."""
    with myself.runs(bare, deny_namespaces=True, drop=[CAP_DAC_READ_SEARCH]) as running:
        report = running.reports()
        assert ask(report["dsn"], "SELECT 1") == 1
        assert status(report["pid"], "Uid") == [str(pwd.getpwnam("nobody").pw_uid)] * 4


@needs_root
@needs_linux
def test_where_neither_is_possible_one_sentence_says_so(bare: Path, myself: Person) -> None:
    """Root may neither make a namespace nor change its account."""
    with myself.runs(bare, deny_namespaces=True, drop=[CAP_SETUID]) as running:
        failed = running.reports()["failed"]
    assert failed.endswith("run as a named user or set DATABASE_URL")
    assert "\n" not in failed
    assert not (bare / "pgdata").exists()


@needs_root
@pytest.mark.usefixtures("namespaces")
def test_a_folder_of_root_is_not_opened_as_another_account(home: Path) -> None:
    """A database never has files of two owners."""
    with Embedded(home):
        pass
    with pytest.raises(EmbeddedFailed, match="belongs to uid 0"):
        Embedded(home, route=Route.ACCOUNT).start()


def test_an_ordinary_user_runs_it_as_themselves(ordinary: Person) -> None:
    """Twice, without namespace, and everything is theirs."""
    home = ordinary.ground / "postgres"
    for _ in range(2):
        with ordinary.runs(home, deny_namespaces=sys.platform.startswith("linux")) as running:
            keep(running.reports()["dsn"], 1)
    assert (home / "pgdata").stat().st_uid == (ordinary.account.get("user") or os.geteuid())


@needs_root
@needs_linux
def test_root_runs_what_belongs_to_a_user_as_that_user(ordinary: Person) -> None:
    """A sudo in between leaves no file behind that the user cannot use."""
    home = ordinary.ground / "postgres"
    with ordinary.runs(home) as running:
        keep(running.reports()["dsn"], 1)
    (home / "postgres.log").unlink()
    with Embedded(home) as server:
        keep(server.dsn, 2)
    with ordinary.runs(home) as running:
        assert kept(running.reports()["dsn"]) == 2


@needs_linux
def test_a_uid_without_a_name_runs_it_in_a_namespace(nameless: Person) -> None:
    """`initdb` wants a name, the namespace lends one."""
    with nameless.runs(nameless.ground / "postgres") as running:
        report = running.reports()
        if "failed" in report and "unshare" in report["failed"]:
            pytest.skip("needs user namespaces for everybody")
        assert ask(report["dsn"], "SELECT 1") == 1


@needs_linux
def test_a_uid_without_a_name_and_namespace_is_told_what_to_do(nameless: Person) -> None:
    """One sentence; a folder that is already there it can still serve, since only `initdb` asks for the name."""
    home = nameless.ground / "postgres"
    with nameless.runs(home, deny_namespaces=True) as running:
        assert running.reports()["failed"].endswith("run as a named user or set DATABASE_URL")
    with nameless.runs(home) as running:
        if "failed" in running.reports():
            pytest.skip("needs user namespaces for everybody")
    with nameless.runs(home, deny_namespaces=True) as running:
        assert ask(running.reports()["dsn"], "SELECT 1") == 1


@needs_root
def test_the_home_of_somebody_else_is_refused_with_advice(bare: Path, ordinary: Person) -> None:
    """A user who may not write there learns what would help."""
    closed = ordinary.ground / "closed"
    closed.mkdir(mode=0o700)
    with ordinary.runs(closed / "postgres") as running:
        assert "choose another with BIHUAN_HOME, or set DATABASE_URL" in running.reports()["failed"]
    assert attach(bare) is None
