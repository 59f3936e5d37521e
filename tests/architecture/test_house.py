"""Set-up, locks and settings keep what the README promises to a stranger."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = ("requirements.lock", "dev.lock", "bench.lock")
TOP: Final = {"domain", "projections", "service", "tests", "docs", "pyproject.toml", "Makefile", *LOCKS} | {
    "README.md",
    "CHANGELOG.md",
}
LARGEST: Final = 500_000  # bytes
BINARY: Final = {".png", ".ico", ".woff2", ".xlsx", ".zip", ".gz"}

Pins = dict[str, set[str]]
"""Versions by name: one, or several for different Pythons."""


def text(name: str) -> str:
    """Read a file at the top of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def settings() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads(text("pyproject.toml"))


def ours() -> list[Path]:
    """The project's own files: those git has or would take; without git, all that is not hidden, built or cached."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        left_out = re.compile(r"\.|__pycache__$|build$|dist$|htmlcov$|.*\.egg-info$")
        found = [path for path in ROOT.rglob("*") if not any(map(left_out.match, path.relative_to(ROOT).parts))]
    return sorted(path for path in found if path.is_file())


def pins(lock: str) -> Pins:
    """The versions a lock holds, by canonical name."""
    found: Pins = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", lock, re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def unhashed(lock: str) -> list[str]:
    """Requirements that are not pinned with `==`, or whose entry holds no sha256."""
    entries = re.sub(r"\\\n", " ", lock).splitlines()
    return [
        entry.split()[0]
        for entry in entries
        if entry.strip() and not entry.lstrip().startswith("#") and not ("==" in entry and "--hash=sha256:" in entry)
    ]


def places(lock: str) -> list[str]:
    """Addresses and paths: a lock holds neither, so that it works with any index and in any folder."""
    return [line for line in lock.splitlines() if re.search(r"://|file:|(^|[\s=@])[/~]\S|^\s*-(?!-hash=)", line)]


def unmet(requirements: list[str], held: Pins) -> list[str]:
    """Requirements without a pin, or whose pins lie outside the range."""
    return [
        requirement
        for requirement in requirements
        if not (versions := held.get(canonicalize_name(Requirement(requirement).name), set()))
        or not all(Requirement(requirement).specifier.contains(version) for version in versions)
    ]


def unreasoned(toml: str) -> list[str]:
    """Rules of the linter that are switched off, and types that are not looked for, with no reason on their line."""
    switched_off = re.compile(r'^(?:\s+"[A-Z]{1,4}\d*",?|ignore_missing_imports = true)\s*(?:#(.*))?$')
    return [
        line.strip()
        for line in toml.splitlines()
        if (found := switched_off.match(line)) and len((found[1] or "").split()) < 2
    ]


def machine_places(content: str) -> list[str]:
    """Paths of one machine and addresses of package indexes."""
    found = re.findall(
        r"""(?<![\w./*])/(?:root|home|work|Users)/[A-Za-z]\S*|\b\S*pypi\.org\b|pythonhosted\.org""", content
    )
    return [str(one) for one in found]


def untidy(content: str) -> list[str]:
    """Lines that end in blanks, and a last line without its end."""
    lines = content.split("\n")
    blanks = [f"{number}: blanks at the end" for number, line in enumerate(lines, 1) if line != line.rstrip()]
    return blanks + ([] if lines[-1] == "" or content == "" else [f"{len(lines)}: no end of line"])


def installed_imports(source: str) -> Iterator[str]:
    """Top-level names of other people's packages that a module imports."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module)):
                names = [module]
        for name in names:
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top not in {"domain", "projections", "service", "tests"}:
                yield top


def undeclared(paths: list[Path], declared: set[str]) -> list[str]:
    """Imports whose distribution pyproject.toml does not ask for: they work only by the grace of a dependency."""
    providers = packages_distributions()
    return [
        f"{path.relative_to(ROOT)}: {top}"
        for path in paths
        for top in installed_imports(path.read_text(encoding="utf-8"))
        if not declared & {canonicalize_name(name) for name in providers.get(top, [top])}
    ]


def names_of(requirements: list[str]) -> set[str]:
    """Canonical names of requirements."""
    return {canonicalize_name(Requirement(requirement).name) for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes(lock: str) -> None:
    """What is installed is what was chosen."""
    assert len(pins(text(lock))) > 20
    assert unhashed(text(lock)) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_path(lock: str) -> None:
    """A lock works with any package index and in any folder."""
    assert places(text(lock)) == []


def test_locks_agree_with_each_other() -> None:
    """One .venv can hold what all three pin."""
    run, dev, bench = (pins(text(lock)) for lock in LOCKS)
    assert run.items() <= dev.items()
    assert run.items() <= bench.items()
    assert {name for name in dev.keys() & bench.keys() if dev[name] != bench[name]} == set()


def test_locks_hold_what_the_project_asks_for() -> None:
    """Whoever changes pyproject.toml runs `make locks`."""
    project = settings()["project"]
    run, dev, bench = (pins(text(lock)) for lock in LOCKS)
    assert unmet(project["dependencies"], run) == []
    assert unmet(project["optional-dependencies"]["dev"], dev) == []
    assert unmet(project["optional-dependencies"]["bench"], bench) == []


def test_what_is_imported_is_asked_for() -> None:
    """No import works only because a dependency of a dependency happens to bring it."""
    project = settings()["project"]
    run = names_of(project["dependencies"])
    floors = [path for floor in ("domain", "projections", "service") for path in (ROOT / floor).rglob("*.py")]
    assert undeclared(floors, run) == []
    extras = names_of(project["optional-dependencies"]["dev"] + project["optional-dependencies"]["bench"])
    assert undeclared(list((ROOT / "tests").rglob("*.py")), run | extras) == []


def test_every_switched_off_rule_has_its_reason_beside_it() -> None:
    """A rule nobody can defend is switched on again."""
    assert unreasoned(text("pyproject.toml")) == []


def test_nothing_else_is_at_the_top() -> None:
    """The tree shows the way data flows; it has no attic."""
    tops = {path.relative_to(ROOT).parts[0] for path in ours()}
    assert {top for top in tops if not top.startswith(".")} <= TOP


def test_no_file_names_this_machine() -> None:
    """The project works in any folder and with any package index."""
    found = {path: machine_places(path.read_text(encoding="utf-8")) for path in ours() if path.suffix not in BINARY}
    assert {str(path.relative_to(ROOT)): words for path, words in found.items() if words} == {}


def test_files_are_tidy_and_small() -> None:
    """Every text file ends its lines cleanly; nothing large slips into the history for ever."""
    texts = [path for path in ours() if path.suffix not in BINARY]
    found = {str(path.relative_to(ROOT)): untidy(path.read_bytes().decode("utf-8")) for path in texts}
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert [path for path in ours() if path.stat().st_size > LARGEST] == []


def test_ci_runs_what_the_readme_says() -> None:
    """A green run means that a stranger's two commands work."""
    run = text(".ci/run")
    assert run.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in run
    for command in ("make check", "make test"):
        assert re.search(rf"^{command}\b", run, re.MULTILINE)
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_every_target_the_readme_names_exists() -> None:
    """The README's two commands, and any other it mentions, can be typed."""
    named = set(re.findall(r"\bmake ([a-z]+)\b", text("README.md")))
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_pre_commit_does_nothing_of_its_own() -> None:
    """Every hook is a line of `make check`."""
    checked = re.findall(r"^\t(\$\(python\) .*)$", text("Makefile").split("\ncheck:")[1].split("\n\n")[0], re.MULTILINE)
    entries = re.findall(r"^ +entry: (.*)$", text(".pre-commit-config.yaml"), re.MULTILINE)
    assert entries
    assert {entry.replace(".venv/bin/python -m", "$(python)") for entry in entries} <= set(checked)


GOOD_LOCK: Final = """\
anyio==4.11.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via fastapi
uvloop==0.22.1 ; sys_platform != 'win32' \\
    --hash=sha256:cc
    # via
    #   -c requirements.lock
    #   bihuan (pyproject.toml)
"""


def test_a_lock_with_a_fault_is_noticed() -> None:
    """A missing hash, a loose pin, an address, a path and an option are each seen; a good lock passes."""
    assert unhashed(GOOD_LOCK) == []
    assert places(GOOD_LOCK) == []
    assert pins(GOOD_LOCK) == {"anyio": {"4.11.0"}, "uvloop": {"0.22.1"}}
    assert unhashed(GOOD_LOCK + "rich==14.2.0\n") == ["rich==14.2.0"]
    assert unhashed(GOOD_LOCK + "rich>=14.2.0 \\\n    --hash=sha256:dd\n") == ["rich>=14.2.0"]
    for planted in (
        "--index-url https://index.example/simple",
        "rich @ file:rich.whl",
        "-r /srv/other.lock",
        "--find-links wheels",
        "    # via -r ~/requirements.in",
    ):
        assert places(GOOD_LOCK + planted + "\n") == [planted]


def test_a_lock_left_behind_is_noticed() -> None:
    """A new requirement and a raised bound are both unmet until the locks are made anew."""
    held = pins(GOOD_LOCK)
    assert unmet(["anyio>=4", "uvloop>=0.22; sys_platform != 'win32'"], held) == []
    assert unmet(["anyio>=5", "segno"], held) == ["anyio>=5", "segno"]


def test_a_missing_reason_is_noticed() -> None:
    """A single word is no reason."""
    assert unreasoned('    "S101", # pytest is made of asserts\n    "postgres: needs a database",\n') == []
    assert unreasoned('    "S101",\n    "D", # no\n') == ['"S101",', '"D", # no']
    assert unreasoned("ignore_missing_imports = true\n") == ["ignore_missing_imports = true"]


def test_a_place_on_one_machine_is_noticed() -> None:
    """Paths and package hosts are found in prose, code and settings; routes of the API are not mistaken for them."""
    for planted in ("see /" + "root/data", '"/' + "home/li/keys", "at files.python" + "hosted.org", "pypi" + ".org"):
        assert machine_places(planted), planted
    assert machine_places("GET /api/v1/work/1, docs/home/page.md, <a href='/work'>, ../shared") == []


def test_an_untidy_file_is_noticed() -> None:
    """Blanks at the end, foreign line ends and a cut last line are found."""
    assert untidy("one\ntwo\n") == []
    assert untidy("one \ntwo") == ["1: blanks at the end", "2: no end of line"]
    assert untidy("one\r\n") == ["1: blanks at the end"]


def test_an_import_by_grace_is_noticed() -> None:
    """psutil is there because something else needs it; whoever imports it has to ask for it."""
    assert list(
        installed_imports("import json\nimport psutil\nfrom domain import sealed\nfrom rich.table import Table")
    ) == [
        "psutil",
        "rich",
    ]
    module = ROOT / "tests" / "architecture" / "test_house.py"
    assert undeclared([module], {"pytest"}) == ["tests/architecture/test_house.py: packaging"] * 2
