"""Imports point one way, the rules stay pure, and no room grows past what one can hold in the head."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("domain", "projections", "service")
VAGUE = {"base", "common", "helper", "helpers", "kit", "manager", "misc", "util", "utils"}
OUTSIDE = {
    "asyncio", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil", "signal", "socket",
    "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
CLOCK_AND_CHANCE = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7"}
LONGEST = 400
LONGER: dict[str, str] = {  # path: why this room is not split
    "service/verifier.py": "one file, because it is handed out alone",
}

Law = Callable[[str], Iterator[str]]


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Every imported module with its line; for `from a import b` both a and a.b, as b may be a module."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name) for name in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield node.lineno, module
                yield from ((node.lineno, f"{module}.{name.name}") for name in names)


def called(source: str) -> Iterator[tuple[int, str, bool]]:
    """Every call: line, last part of the name, and whether it is a method (something stands before the dot)."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                yield node.lineno, name, False
            case ast.Call(func=ast.Attribute(attr=name)):
                yield node.lineno, name, True


def only_python(source: str) -> Iterator[str]:
    """A rule imports the standard library and other rules."""
    for line, module in imported(source):
        if module.split(".")[0] not in sys.stdlib_module_names | {"domain"}:
            yield f"{line}: imports {module}"


def no_outside(source: str) -> Iterator[str]:
    """A rule has no clock, no chance, no files: what it needs to know is in the command, the state or the facts."""
    for line, module in imported(source):
        if module.split(".")[0] in OUTSIDE:
            yield f"{line}: imports {module}"
    for line, name, is_method in called(source):
        if name in CLOCK_AND_CHANCE or (name in {"open", "input", "print"} and not is_method):
            yield f"{line}: calls {name}()"


def no_save(source: str) -> Iterator[str]:
    """Only the casebook writes to the log; everybody else hands it a command."""
    for line, name, is_method in called(source):
        if is_method and name == "save":
            yield f"{line}: calls .save()"


def only_standard_library(source: str) -> Iterator[str]:
    """The verifier is handed to people who have nothing but Python."""
    for line, module in imported(source):
        if module.split(".")[0] not in sys.stdlib_module_names:
            yield f"{line}: imports {module}"


def opening_sentence(source: str) -> Iterator[str]:
    """A module opens with one sentence a colleague would say aloud."""
    first = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0]
    if not first.endswith((".", "。", "?", "!")):
        yield "1: does not open with a sentence"


def no_coroutine(source: str) -> Iterator[str]:
    """Below the service everything is sync."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AsyncFunctionDef):
            yield f"{node.lineno}: async def {node.name}"


def never_refusing(source: str) -> Iterator[str]:
    """What happened, happened: a fold that refuses would make tomorrow's rule break yesterday's history."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef) and function.name.lstrip("_").startswith("evolve"):
            for node in ast.walk(function):
                if isinstance(node, ast.Raise | ast.Assert):
                    yield f"{node.lineno}: {function.name} refuses"


def no_mock(source: str) -> Iterator[str]:
    """Our own code is tested as it is."""
    for line, module in imported(source):
        if module.startswith(("unittest.mock", "mock", "pytest_mock")):
            yield f"{line}: imports {module}"


def short_enough(source: str) -> Iterator[str]:
    """A module can be held in the head."""
    if (lines := source.count("\n")) > LONGEST:
        yield f"{lines}: more than {LONGEST} lines; split it by phase, or say in LONGER why not"


def is_projection(source: str) -> bool:
    """Whether the module makes a projection, and so must not read another that does."""
    return any(name == "Projection" for _, name, _ in called(source))


def other_projections(source: str, projections: set[str]) -> Iterator[str]:
    """A projection reads the log, never another projection."""
    for line, module in imported(source):
        if module in projections:
            yield f"{line}: imports {module}"


def modules(*floors: str) -> list[Path]:
    """All modules below the named folders."""
    return sorted(path for floor in floors for path in (ROOT / floor).rglob("*.py"))


def breaches(law: Law, paths: list[Path]) -> list[str]:
    """What breaks the law, as `path:line: what`."""
    return [f"{path.relative_to(ROOT)}:{breach}" for path in paths for breach in law(path.read_text(encoding="utf-8"))]


def test_the_rules_import_only_python_and_each_other() -> None:
    """Nothing installed is needed to decide about a complaint."""
    assert breaches(only_python, modules("domain")) == []


def test_the_rules_know_no_clock_no_chance_and_no_files() -> None:
    """The same state, command and facts give the same decision for ever."""
    assert breaches(no_outside, modules("domain")) == []


def test_only_the_casebook_saves() -> None:
    """One function changes anything."""
    paths = [path for path in modules(*FLOORS) if path != ROOT / "service" / "casebook.py"]
    assert breaches(no_save, paths) == []


def test_the_verifier_stands_alone() -> None:
    """Somebody who does not trust us needs one file and Python."""
    assert breaches(only_standard_library, [path for path in modules("service") if path.name == "verifier.py"]) == []


def test_every_module_opens_with_a_sentence() -> None:
    """What a module is for can be read on its first line."""
    assert breaches(opening_sentence, modules(*FLOORS, "tests")) == []


def test_below_the_service_nothing_is_async() -> None:
    """There is one version of everything, and it is the sync one."""
    assert breaches(no_coroutine, modules("domain", "projections")) == []


def test_no_fold_refuses() -> None:
    """Every history that was ever stored can be read again."""
    assert breaches(never_refusing, modules("domain", "projections")) == []


def test_nothing_of_ours_is_mocked() -> None:
    """A test of a mock would prove the mock."""
    assert breaches(no_mock, modules("tests")) == []


def test_no_module_has_a_vague_name() -> None:
    """A name says what is inside."""
    assert [path for path in modules(*FLOORS, "tests") if is_vague(path.relative_to(ROOT))] == []


def test_no_room_outgrows_the_head() -> None:
    """Rooms stay under the limit, and the list of exceptions holds nothing that needs none."""
    long = {str(path.relative_to(ROOT)) for path in modules(*FLOORS) if breaches(short_enough, [path])}
    assert long == set(LONGER)


def test_no_projection_reads_another() -> None:
    """Every projection can be rebuilt alone."""
    paths = [path for path in modules("projections") if is_projection(path.read_text(encoding="utf-8"))]
    names = {f"projections.{path.stem}" for path in paths}
    assert breaches(lambda source: other_projections(source, names), paths) == []


def is_vague(path: Path) -> bool:
    """Whether a folder or file of this path has a name that could hold anything."""
    return any(part in VAGUE or part.rsplit("_", 1)[-1] in VAGUE for part in path.with_suffix("").parts)


OPENING = '"""Says what it is for."""\n'


@pytest.mark.parametrize(
    ("law", "planted", "line"),
    [
        (only_python, "import pydantic", 1),
        (only_python, "from domain import register\nfrom service.casebook import Casebook", 2),
        (only_python, "def f():\n    import psycopg", 2),
        (no_outside, "import random", 1),
        (no_outside, "from time import monotonic", 1),
        (no_outside, "from datetime import datetime\ndatetime.now()", 2),
        (no_outside, "import datetime as d\nd.datetime.utcnow()", 2),
        (no_outside, "import uuid\nx = [uuid.uuid4() for _ in 'ab']", 2),
        (no_outside, "from datetime import date\ndef due(day=date.today()): ...", 2),
        (no_outside, "def policy():\n    return open('policy.toml').read()", 2),
        (no_save, "def hurry(app, case):\n    app.save(case)", 2),
        (only_standard_library, "import hashlib\nfrom domain import sealed", 2),
        (opening_sentence, "import json", 1),
        (opening_sentence, '"""Seals"""', 1),
        (opening_sentence, "# A comment is no docstring.", 1),
        (no_coroutine, "class Runner:\n    async def run(self): ...", 2),
        (never_refusing, "def evolve(case, event):\n    raise ValueError", 2),
        (never_refusing, "def _evolve_site(site, event):\n    if site:\n        assert event", 3),
        (no_mock, "from unittest import mock", 1),
        (no_mock, "import pytest\nfrom unittest.mock import patch", 2),
        (short_enough, OPENING + "\n" * LONGEST, LONGEST + 1),
        (lambda source: other_projections(source, {"projections.docket"}), "from projections import docket", 1),
        (lambda source: other_projections(source, {"projections.docket"}), "import projections.docket as d", 1),
    ],
)
def test_a_planted_breach_is_found_where_it_stands(law: Law, planted: str, line: int) -> None:
    """Each law sees what it forbids, and names the line."""
    assert [breach.split(":")[0] for breach in law(planted)][:1] == [str(line)]


@pytest.mark.parametrize(
    "law",
    [only_python, no_outside, no_save, only_standard_library, opening_sentence, no_coroutine, never_refusing, no_mock],
)
def test_a_blameless_module_breaks_no_law(law: Law) -> None:
    """Dates, ids and numbers may be worked with; only asking the world for them is forbidden."""
    blameless = (
        OPENING + "from datetime import datetime, time, timedelta\nfrom uuid import uuid5\n"
        "def due(at: datetime) -> datetime:\n    return datetime.combine(at.date(), time(17)) + timedelta(days=15)\n"
    )
    assert list(law(blameless)) == []


@pytest.mark.parametrize("name", ["service/utils.py", "domain/case_manager.py", "service/web/common/page.py"])
def test_a_vague_name_is_noticed(name: str) -> None:
    """Also as the last word of a longer name, and as a folder."""
    assert is_vague(Path(name))


def test_a_projection_is_known_by_what_it_makes() -> None:
    """The runner defines the type and is no projection itself."""
    assert is_projection('DOCKET = Projection(name="docket")')
    assert not is_projection("class Projection: ...")


LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import contracts of pyproject.toml over the three floors in this folder."""
    return subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.acceptance
def test_data_flows_one_way() -> None:
    """Every import contract of pyproject.toml is kept."""
    report = contracts(ROOT)
    assert report.returncode == 0, report.stdout + report.stderr


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("floor", "planted", "contract"),
    [
        ("domain", "import projections", "Data flows one way"),
        ("projections", "from service import casebook", "Data flows one way"),
        ("domain", "import pydantic", "The rules need only Python"),
        ("projections", "import fastapi", "What people read does not know how it is asked for"),
        ("projections", "import eventsourcing.domain", "Below the service only the codec meets the event library"),
    ],
)
def test_an_import_the_wrong_way_breaks_its_contract(tmp_path: Path, floor: str, planted: str, contract: str) -> None:
    """The contracts see what they forbid."""
    for package in FLOORS:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "service" / "casebook.py").touch()
    (tmp_path / floor / "planted.py").write_text(planted + "\n", encoding="utf-8")
    report = contracts(tmp_path)
    assert report.returncode == 1
    assert f"{contract} BROKEN" in report.stdout
