"""Print which command is in turn at which step, who may give it, and what it causes: docs/transitions.md.

`python -m service.transition_catalogue`. Steps come from the rules, roles from the hall's policy, and the events are
read off the source of the rules: whatever event the answer to a command constructs, itself or in what it calls.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Final, get_args

from domain import complaint, review
from domain.complaint.intake import REGISTRARS
from domain.complaint.obstacles import COMMANDS
from domain.complaint.state import Step
from domain.decider import Code
from domain.review.state import Stage
from projections.codec import NAMES
from service import profiles
from service.transition_reasons import ADDED, DIFFERS

COMPLAINTS: Final = "domain.complaint"
REVIEWS: Final = "domain.review"
OF_REVIEWS: Final[Mapping[str, Code]] = {"FlagReview": "flag"}
"""Commands on a review that are not called what their class is called."""
HEAD: Final = """# Transitions

Generated from the code by `python -m service.transition_catalogue`; a test compares the two, and compares them with
the table of the specification as somebody transcribed it without seeing the rules.

A command is in turn at the steps named; who may give it is data of the hall's policy; what follows is one or more of
the events. That a command is in turn does not mean that this person may give it: persons are kept apart besides
([decision 0013][told]), and each refusal says why. Commands of ledger cases stand in [importing](importing.md).

[told]: decisions/0013-what-is-told-later.md
"""

REVIEWS_HEAD: Final = """
## Reviews

From a bad rating to its end, and what takes a review out of the figures and brings it back. A rating opens it (`submit`
on a visit); closing, the work order and the rework are nobody's act, they follow. `citizen` acts with the own link.

| command | at the stages | who may | what it causes |
|---|---|---|---|"""
ADDED_HEAD: Final = """
## Commands that the specification does not list

| command | who may | why it is there |
|---|---|---|"""
DIFFERS_HEAD: Final = """
## Where the table differs from the specification

`no` stands before what the specification names and is not there; everything else is more than it names.

| command | | what | why |
|---|---|---|---|"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One command: at which steps it is in turn (none: it opens a case), who may give it, what it causes."""

    command: Code
    steps: tuple[StrEnum, ...]
    roles: tuple[str, ...]
    events: tuple[str, ...]


@dataclass(slots=True)
class _Module:
    """The functions of a module, and what its names mean elsewhere in the package."""

    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)


def turns() -> list[Turn]:
    """Give every command on a case of the hall, those of the loop first."""
    may = profiles.document("hall").may
    steps = {name: tuple(named) for name, named in _by_command().items()}
    named = {command.__name__: name for name, command in COMMANDS.items()} | {"Register": "register"}
    caused = _caused(COMPLAINTS, named)
    found = []
    for command, events in caused.items():
        roles = REGISTRARS if command == "register" else may.get(command, ())  # type: ignore[call-overload]
        found.append(
            Turn(
                command=command,
                steps=() if command == "register" else steps.get(command, tuple(Step)),
                roles=tuple(sorted(roles)),
                events=tuple(sorted(events)),
            )
        )
    order = ["register", *steps]
    return sorted(found, key=lambda turn: order.index(turn.command) if turn.command in order else len(order))


def review_turns() -> list[Turn]:
    """Give every command on a review of the hall, in the order of the loop."""
    may = profiles.document("hall").may
    stages: dict[Code, list[Stage]] = {}
    for stage, names in review.NEXT_STEPS.items():
        for name in names:
            stages.setdefault(name, []).append(stage)
    named = {
        one.__name__: OF_REVIEWS.get(one.__name__, re.sub(r"(?<!^)(?=[A-Z])", "-", one.__name__).lower())
        for one in get_args(review.ReviewCommand)
    }
    return [
        Turn(
            command=command,
            steps=tuple(stages[command]),
            roles=tuple(sorted(may.get(f"review/{command}", ()))),  # type: ignore[call-overload]  # as above
            events=tuple(sorted(events)),
        )
        for command, events in sorted(_caused(REVIEWS, named).items(), key=lambda one: list(review.TURNS).index(one[0]))
    ]


def _by_command() -> dict[Code, list[Step]]:
    found: dict[Code, list[Step]] = {}
    for step, names in complaint.NEXT_STEPS.items():
        for name in names:
            found.setdefault(name, []).append(step)
    return found


@cache
def _modules(package: str) -> Mapping[str, _Module]:
    found = {}
    for file in files(package).iterdir():
        if not file.name.endswith(".py"):
            continue
        name = file.name.removesuffix(".py")
        module = _Module()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                module.functions.setdefault(node.name, node)
            elif isinstance(node, ast.ImportFrom) and node.module == package:
                module.modules |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
                for alias in node.names:
                    module.imported[alias.asname or alias.name] = (str(node.module).rsplit(".", 1)[1], alias.name)
        found[name] = module
    return found


def _caused(package: str, named: Mapping[str, Code]) -> dict[Code, set[str]]:
    """Give the names of the events that each command may cause; `named` are the commands by their classes."""
    found: dict[Code, set[str]] = {}
    for home, module in _modules(package).items():
        decide = module.functions.get("decide")
        if decide is None or home in {"__init__", "ledger", "drawing"}:
            continue
        arms = {
            pattern.cls.id: arm.body
            for arm in ast.walk(decide)
            if isinstance(arm, ast.match_case)
            for pattern in ast.walk(arm.pattern)
            if isinstance(pattern, ast.MatchClass) and isinstance(pattern.cls, ast.Name) and pattern.cls.id in named
        }
        for command, body in arms.items() or ((_alone(package, home, named), decide.body),):
            found.setdefault(named[command], set()).update(_read(package, home, body, set()))
    return found


def _alone(package: str, home: str, named: Mapping[str, Code]) -> str:
    """Give the one command of a phase that tells no two apart."""
    module = import_module(f"{package}.{home}")
    return next(name for name in named if getattr(getattr(module, name, None), "__module__", "") == module.__name__)


def _read(package: str, module: str, body: list[ast.stmt], seen: set[tuple[str, str]]) -> set[str]:
    """Give the events that a piece of code constructs, in what it calls too."""
    known = {event.__name__ for event in NAMES.values() if event.__module__.startswith(package)}
    modules = _modules(package)
    events: set[str] = set()
    for node in (node for statement in body for node in ast.walk(statement)):
        if not isinstance(node, ast.Call):
            continue
        for home, name in _meant(modules, module, node.func):
            if name in known:
                events.add(name)
            elif (home, name) not in seen and name in modules[home].functions:
                seen.add((home, name))
                events |= _read(package, home, modules[home].functions[name].body, seen)
    return events


def _meant(modules: Mapping[str, _Module], module: str, called: ast.expr) -> Iterator[tuple[str, str]]:
    here = modules[module]
    if isinstance(called, ast.Name):
        yield here.imported.get(called.id, (module, called.id))
    elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in here.modules:
        yield called.value.id, called.attr


def _row(turn: Turn, steps: type[StrEnum]) -> str:
    at = ", ".join(f"`{step}`" for step in turn.steps) or "(opens a case)"
    if len(turn.steps) == len(steps):
        at = "any"
    return f"| `{turn.command}` | {at} | {', '.join(turn.roles) or 'nobody yet'} | {', '.join(turn.events)} |"


def catalogue() -> str:
    """Give the whole text."""
    lines = ["| command | at the steps | who may | what it causes |", "|---|---|---|---|"]
    lines += [_row(turn, Step) for turn in turns()]
    of_reviews = [_row(turn, Stage) for turn in review_turns()]
    added = [f"| `{command}` | {', '.join(roles)} | {reason} |" for command, (roles, reason) in ADDED.items()]
    differs = [
        f"| `{command}` | {kind} | {', '.join(words)} | {reason} |"
        for (command, kind), (words, reason) in DIFFERS.items()
    ]
    parts = ["\n".join(lines), ADDED_HEAD, "\n".join(added), DIFFERS_HEAD, "\n".join(differs)]
    parts += [REVIEWS_HEAD, "\n".join(of_reviews)]
    return HEAD + "\n" + "\n".join(parts) + "\n"


def main() -> None:
    """Write the table to standard output, in UTF-8 whatever the machine prefers."""
    sys.stdout.buffer.write(catalogue().encode())


if __name__ == "__main__":
    main()
