"""Small ledgers for tests: a mapping of a desk that knows all kinds of changes, and files in its manner."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import psycopg

from domain.sealed import Sealed
from projections.codec import decode
from service.imports.mapping import Ledger, read
from service.imports.table import Counts, import_table
from service.parts import Parts

HEADER: Final = ("no", "at", "mod", "state", "group", "who", "by", "text")
DESK: Final = r"""
ledger = "desk"
case = "no"
rows = "changes"

[source]
null = ["?"]

[times]
formats = ["%Y-%m-%d %H:%M"]
zone = "UTC"

[site]
code = "DESK"
name_zh = "服务台"
name_en = "Desk"
level = "district"

[departments]
column = "group"
match = 'Group (\d+)'
code = 'DESK.G\1'

[changes]
time = "at"
order = ["mod"]
stage = "state"
means = "state"
actor = "by"

[changes.stages]
"New" = "register"
"Active" = "accept"
"Awaiting User" = { command = "pause-clock", reason = "AWAITING_USER" }
"Awaiting Vendor" = { command = "pause-clock", reason = "AWAITING_VENDOR" }
"Resolved" = "reply"
"Closed" = "close"
"Noted" = "ignore"

[commands.register.fields]
external_ref = "no"
narrative = "text"

[commands.reply.fields]
content = "text"

[commands.assign.fields]
department = "group"
handler = "who"
"""


def desk(*changed: tuple[str, str]) -> Ledger:
    """The mapping of the desk, with parts of it replaced."""
    text = DESK
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    return read("desk.toml", text)


def table(path: Path, *rows: str) -> Path:
    """A file of the desk: each row a line like `1 01-02 10:00 0 New G1 P1 B1 text`; the rest of a row may be left out.

    Spaces inside of a value are written as `_`, groups as G1.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        written = csv.writer(file)
        written.writerow(HEADER)
        for row in rows:
            number, day, clock, *rest = row.split()
            values = [one.replace("_", " ") for one in rest] + ["?"] * (6 - len(rest))
            if values[2].startswith("G"):
                values[2] = f"Group {values[2][1:]}"
            written.writerow([number, f"2020-{day} {clock}", *values])
    return path


def taken(parts: Parts, path: Path, ledger: Ledger, *rows: str) -> Counts:
    """Import these rows."""
    return import_table(parts, table(path, *rows), ledger)


def opened_log(dsn: str, parts: Parts) -> list[tuple[Any, ...]]:
    """The complaint events as they are meant: sealed values opened, and without what differs in every sealing.

    In the order of streams and versions: whose turn comes first in the log is no part of a case. Complainants are
    random keys, so each is told by the first case in which it stands.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = connection.execute(
            "select stream_id, version, name, state, command_id from events where name like 'complaint.%'"
            " order by stream_id, version"
        ).fetchall()
    first: dict[Any, Any] = {}
    found = []
    for stream, version, name, state, command in rows:
        event, metadata = decode(name, state)
        fields = {key: _opened(parts, key, getattr(event, key)) for key in event.__dataclass_fields__}
        if "complainant" in fields:
            fields["complainant"] = first.setdefault(fields["complainant"], stream)
        found.append((stream, version, name, command, metadata.command, metadata.source, tuple(fields.items())))
    return found


def _opened(parts: Parts, kind: str, value: object) -> object:
    if isinstance(value, Sealed):
        return parts.vault.open(kind, value)
    return value


def kinds(log: Iterable[tuple[Any, ...]]) -> list[str]:
    """The names of the events, short."""
    return [name.removeprefix("complaint.").rpartition(".")[0] for _, _, name, *_ in log]
