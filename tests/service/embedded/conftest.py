"""Homes to run a server in, and the people who run it."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import service.credentials
from service.credentials import Account, Route, command
from service.embedded import Embedded
from tests.service.embedded.persons import ROOT, Person

PROGRAM = Path(__file__).with_name("supervised.py")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Where a server may live; there is nothing yet."""
    return tmp_path / "postgres"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path | None], Path]:
    """Homes to copy from, one for each set of binaries, made when first asked for."""
    homes: dict[Path | None, Path] = {}

    def make(bindir: Path | None) -> Path:
        if bindir not in homes:
            homes[bindir] = tmp_path_factory.mktemp("made") / "postgres"
            Embedded(homes[bindir], bindir=bindir).start().stop()
        return homes[bindir]

    return make


@pytest.fixture
def home(request: pytest.FixtureRequest, bare: Path, made: Callable[[Path | None], Path]) -> Path:
    """Where a server has run before and was stopped."""
    bindir = request.getfixturevalue("bindir") if "bindir" in request.fixturenames else None
    subprocess.run(["cp", "-a", made(bindir), bare], check=True)
    return bare


@pytest.fixture
def short_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of a short name, for sockets whose own place is too deep."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def myself(tmp_path: Path) -> Person:
    """The person who runs the tests."""
    top = Path(service.credentials.__file__).parent.parent
    return Person(code=PROGRAM, ground=tmp_path, path=os.pathsep.join([str(top), *sys.path]))


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Path]:
    """A copy of the program that everybody may read, outside any home of root."""
    with tempfile.TemporaryDirectory(prefix="bihuan-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "service").mkdir()
        top = Path(service.credentials.__file__).parent
        for name in ("__init__", "credentials", "embedded", "postgres_home"):
            shutil.copy(top / f"{name}.py", place / "service")
        shutil.copy(PROGRAM, place)
        yield place


def as_account(elsewhere: Path, uid: int, gid: int) -> Person:
    """Another person, with the interpreter they can run; skip where there is none for them."""
    packages = [path for path in sys.path if path.endswith("site-packages")]
    person = Person(
        code=elsewhere / "supervised.py",
        ground=Path(tempfile.mkdtemp(dir=elsewhere)),
        account={"user": uid, "group": gid, "extra_groups": []},
        path=os.pathsep.join([str(elsewhere), *packages]),
    )
    os.chown(person.ground, uid, gid)
    same = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    for person.interpreter in (sys.executable, same):
        with suppress(OSError):
            trial = subprocess.run(
                [person.interpreter, "-c", "import service.embedded as e, sys; sys.exit(not e.available())"],
                env={"PYTHONPATH": person.path},
                cwd="/",
                capture_output=True,
                check=False,
                **person.account,
            )
            if trial.returncode == 0:
                return person
    pytest.skip(f"needs {same} or another interpreter and packages that uid {uid} can read")


@pytest.fixture
def ordinary(elsewhere: Path, myself: Person) -> Person:
    """Somebody with a name and no privileges: whoever runs the tests, or nobody if that is root."""
    if not ROOT:
        return myself
    nobody = pwd.getpwnam("nobody")
    return as_account(elsewhere, nobody.pw_uid, nobody.pw_gid)


@pytest.fixture
def nameless(elsewhere: Path) -> Person:
    """A uid that no passwd entry names, as containers give them."""
    if not ROOT:
        pytest.skip("needs root")
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    uid = next(uid for uid in range(54321, 65000) if uid not in taken)
    return as_account(elsewhere, uid, uid)


@pytest.fixture
def namespaces() -> None:
    """Skips where this account may not make user namespaces."""
    account = Account(route=Route.NAMESPACE, uid=os.geteuid(), gid=os.getegid())
    trial = command(account, Path("/"), ["/bin/true"], parent=os.getpid())
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("needs user namespaces")


@pytest.fixture
def bystander() -> Iterator[int]:
    """The pid of a living process that has nothing to do with any of this."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()
