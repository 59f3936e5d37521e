"""Several processes come to one home: one runs the server, the others use it."""

import os
import threading
from pathlib import Path

import pytest

from service.embedded import AlreadyOwned, Embedded, EmbeddedFailed, attach, open_database
from service.postgres_home import take
from tests.service.embedded.persons import Person, ask, gone, keep, kept

pytestmark = pytest.mark.acceptance


def test_a_home_in_use_is_refused_with_the_pid_of_its_owner(home: Path, myself: Person) -> None:
    """At once, and the server that runs does not notice."""
    with myself.runs(home) as running:
        dsn = running.reports()["dsn"]
        with pytest.raises(AlreadyOwned, match=f"process {running.process.pid} already runs"):
            Embedded(home).start()
        assert ask(dsn, "SELECT 1") == 1


def test_another_process_attaches_to_a_running_server(home: Path, myself: Person) -> None:
    """`bihuan history` in a second shell talks to the server of `bihuan serve`, and leaves it running."""
    assert attach(home) is None
    with myself.runs(home) as running:
        report = running.reports()
        assert attach(home) == report["dsn"]
        with open_database(home) as dsn:
            assert dsn == report["dsn"]
            keep(dsn, 1)
        assert kept(report["dsn"]) == 1
    assert attach(home) is None
    with open_database(home) as dsn:  # nobody is there any more: its own server, for this once
        assert kept(dsn) == 1
    assert gone(home)()


def test_somebody_who_only_looks_keeps_nobody_out(home: Path) -> None:
    """Whoever tries to attach holds the owner's lock for an instant."""
    looking = take(home / "owner.lock")
    assert looking is not None
    leave = threading.Timer(0.1, os.close, [looking])
    leave.start()
    with Embedded(home) as server:
        assert ask(server.dsn, "SELECT 1") == 1
    leave.join()


def test_processes_that_come_at_once_all_get_the_same_database(bare: Path, myself: Person) -> None:
    """On a home that is not even made yet, one starts the server, the others attach."""
    with (
        myself.runs(bare, "open") as first,
        myself.runs(bare, "open") as second,
        myself.runs(bare, "open") as third,
    ):
        asked = [running.reports()["dsn"] for running in (first, second, third)]
        assert len(set(asked)) == 1
        keep(asked[0], 1)
        assert [kept(dsn) for dsn in asked] == [1, 1, 1]
        owner = (bare / "owner.lock").read_text(encoding="ascii")
        processes = [first, second, third]
        for running in sorted(processes, key=lambda running: str(running.process.pid) == owner):
            assert kept(asked[0]) == 1
            running.end()


def test_who_waits_takes_over_when_the_owner_vanishes(bare: Path, myself: Person) -> None:
    """An owner that dies before its server answers leaves the way free."""
    bare.mkdir(mode=0o700)
    owner = take(bare / "owner.lock")
    assert owner is not None
    with myself.runs(bare, "open") as running:
        assert "waiting for it" in running.hears()
        os.close(owner)
        assert ask(running.reports()["dsn"], "SELECT 1") == 1


def test_waiting_for_another_owner_has_an_end(bare: Path) -> None:
    """One that never gets anywhere is named."""
    bare.mkdir(mode=0o700)
    owner = take(bare / "owner.lock")
    assert owner is not None
    os.write(owner, b"4711")
    with pytest.raises(EmbeddedFailed, match="process 4711"), open_database(bare, patience=0):
        pytest.fail("there is no database to be had")
    os.close(owner)


def test_a_server_started_behind_our_back_is_not_disturbed(home: Path) -> None:
    """Also when somebody has deleted the locks: two servers on the same data would ruin them."""
    with Embedded(home) as server:
        keep(server.dsn, 1)
        (home / "server.lock").unlink()
        (home / "owner.lock").unlink()
        with pytest.raises(EmbeddedFailed, match=f"process {server.pid} serves"):
            Embedded(home).start()
        assert kept(server.dsn) == 1
