"""Print which role comes in where, as it was measured at a running hall: docs/roles.md.

`python -m tests.matrix`. It starts a server of its own, carries cases to every step, and knocks at every door with
every role; nothing of it remains.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import fill
from typing import Final

import psycopg
import structlog
from psycopg.conninfo import make_conninfo

from domain.decider import Code, Role
from service.database import migrate
from service.embedded import Embedded
from service.transition_reasons import ADDED, DIFFERS
from tests.service.web import house
from tests.service.web.doors import OTHERWISE, PUBLIC, ROLES, STRANGER, Door, Who, command_of
from tests.service.web.review_turns import review_command_of
from tests.service.web.walking import UNLIMITED, Walk

COLUMNS: Final[Mapping[Who, str]] = {
    STRANGER: "nobody",
    Role.CITIZEN: "CIT",
    Role.INTAKE: "INT",
    Role.DISPATCHER: "DIS",
    Role.HANDLER: "HAN",
    Role.UNIT_HEAD: "UNI",
    Role.REVIEWER: "REV",
    Role.REVISIT_OFFICER: "RVO",
    Role.SUPERVISOR: "SUP",
    Role.PRIVACY_OFFICER: "PRI",
    Role.AUDITOR: "AUD",
    Role.SYSTEM: "SYS",
    Role.PUBLIC: "PUB",
    Role.ADMINISTRATOR: "ADM",
    Role.RESPONDENT: "RES",
    Role.VERIFIER: "VER",
    Role.PANEL: "PAN",
}
"""What stands above each column."""

HEAD: Final = """# Roles and routes

Measured at a running hall by `python -m tests.matrix`; a test measures it again and compares. Every route of the API
was tried with every role, each command at a step where it is in turn. `✓`: came in, and it was done. `(✓)`: came in,
and was refused for another reason than who asks. `–`: turned away, with 403 where the case may be known of, with 404
where it may not, with 401 without an account; and nothing was written.

`nobody` is somebody without an account, who gives number and query code, a token or a link where a route takes them.
The other columns are accounts:
{columns}.
Nobody is given a post as citizen, public or system; for this table they had one all the same.

Pages lead to the same commands; who may open them is tested beside them.
"""
COMMANDS_HEAD: Final = """
## Commands on a case: POST /api/v1/complaints/{case_id}/…

Who comes in is named by domain.md §6.3 or, where a reason stands there, by [transitions.md](transitions.md). What it
allows to citizens (`CIT`) and to the other side (`RES`) is done without knowing the case, by the routes below; a new
query code is had at a counter.
"""
REVIEW_HEAD: Final = """
## Commands on a review: POST /api/v1/reviews/{review_id}/…

Whoever was rated (`RES`) is let in by two of them, in whichever post they hold, and told nothing else of the review.
Besides, persons are kept apart: who worked on it decides nothing, who decided once does not decide again.
"""
OTHER_HEAD: Final = """
## Other routes for accounts
"""
PUBLIC_HEAD: Final = """
## Routes that need no account
"""


def table(measured: Mapping[Door, frozenset[Who]]) -> str:
    """Give the whole text for what was measured."""
    columns = fill(", ".join(f"`{short}` {who}" for who, short in COLUMNS.items() if who is not STRANGER), width=120)
    commands = {command: door for door in measured if (command := command_of(door)) is not None}
    steps = {door: review_command_of(door) for door in measured}
    of_reviews = {name: door for door, name in steps.items() if name is not None}
    others = ROLES.keys() - of_reviews.values()
    return "\n".join(
        (
            HEAD.format(columns=columns),
            COMMANDS_HEAD.lstrip(),
            *_rows((f"`{name}`", door, measured[door], _source(name)) for name, door in commands.items()),
            REVIEW_HEAD,
            *_rows((f"`{name}`", door, measured[door], ROLES[door][1]) for name, door in of_reviews.items()),
            OTHER_HEAD,
            *_rows((_spelled(door), door, measured[door], ROLES[door][1]) for door in measured if door in others),
            PUBLIC_HEAD,
            *_rows((_spelled(door), door, measured[door], PUBLIC[door]) for door in measured if door in PUBLIC),
            "",
        )
    )


def _source(command: Code) -> str:
    if command in ADDED:
        return ADDED[command][1]
    reasons = [DIFFERS[command, kind][1] for kind in ("role", "no role") if (command, kind) in DIFFERS]
    return " ".join(["§6.3", *dict.fromkeys(reasons)])


def _spelled(door: Door) -> str:
    return f"`{door[0]} {door[1].replace(':path', '')}`"


def _rows(rows: Iterable[tuple[str, Door, frozenset[Who], str]]) -> Iterable[str]:
    yield f"| | {' | '.join(COLUMNS.values())} | why |"
    yield "|---|" + "---|" * (len(COLUMNS) + 1)
    for name, door, came, why in rows:
        mark = "(✓)" if door in OTHERWISE else "✓"
        yield f"| {name} | {' | '.join(mark if who in came else '–' for who in COLUMNS)} | {why} |"


def main() -> None:
    """Measure at a hall of its own, and write the table to standard output, in UTF-8 whatever the machine prefers."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with (
        tempfile.TemporaryDirectory(prefix="bihuan-matrix-") as home,
        Embedded(Path(home) / "postgres", settings={"fsync": "off"}) as embedded,
    ):
        with psycopg.connect(embedded.dsn, autocommit=True) as connection:
            connection.execute("create database template_bihuan")
        migrate(make_conninfo(embedded.dsn, dbname="template_bihuan"))
        template = house.build(embedded.dsn, Path(home) / "hall")
        with house.copy(template, UNLIMITED) as hall:
            told = table(Walk(hall).measured())
    sys.stdout.buffer.write(told.encode())


if __name__ == "__main__":
    main()
