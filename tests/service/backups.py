"""A hall that is backed up, and what it tells about itself before and after it was brought back."""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient

from domain.decider import THE_SYSTEM, PersonKey
from domain.notice import NOTICE, Carriage, Queue, notice_of
from domain.register import Register
from domain.sealed import sealed_values
from projections import PROJECTIONS
from projections.histories import Language, history, read_stream
from projections.runner import Runner
from projections.seals import Tree
from service.asking import Asked
from service.backup import ERASABLE, KEPT, MANIFEST, OF_KEYS, VAULT, WHOLE, Manifest, take
from service.database import migrate
from service.embedded import Embedded
from service.main import create_app
from service.parts import Parts
from service.settings import Settings
from service.signing import Signer
from tests.conftest import FAST, SERVERS, SYSTEM_15
from tests.service.old_hall import Old, old_hall
from tests.service.web.house import PASSWORD, opened

PAIRS: Final = [(one, other) for one in SERVERS for other in SERVERS if one != other] or [(SERVERS[0], SERVERS[0])]
"""From which server to which: the two versions crosswise, where this machine has both."""
KEY: Final = "a-form-that-is-sent-twice"
FORM: Final = {"hall": "GXQ", "narrative": "第二次来了，窗口仍然没有人。", "phone": "13811112222"}
DAYS: Final = 35


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """A hall that was backed up: its cases, its folders, the server's signer, and what it told then."""

    home: Path
    folder: Path
    earlier: Path
    lasting: Old
    erased: Old
    keys: tuple[Any, ...]
    person: PersonKey
    token: str
    receipt: Mapping[str, Any]
    signer: Signer
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a log tells: every row and leaf, its root, histories as sentences, and what the keys open."""

    rows: list[Any]
    root: bytes
    histories: list[list[str]]
    texts: list[list[str | None]]


@contextmanager
def both_servers() -> Iterator[dict[str, str]]:
    """Give the servers of this machine, each with a migrated template; by name, with a connection string."""
    with ExitStack() as stack:
        found = {}
        for name in SERVERS:
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="bihuan-test-", ignore_cleanup_errors=True))
            bindir = SYSTEM_15 if name == "system-15" else None
            running = stack.enter_context(Embedded(Path(home) / "postgres", bindir=bindir, settings=FAST))
            with psycopg.connect(running.dsn, autocommit=True) as connection:
                connection.execute("create database template_bihuan")
            migrate(make_conninfo(running.dsn, dbname="template_bihuan"))
            found[name] = running.dsn
        yield found


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Give a database as `bihuan migrate` leaves it."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template_bihuan").format(sql.Identifier(name)))
    yield make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def build(dsn: str, base: Path) -> Hall:
    """Let a hall do everything that leaves traces, and back it up twice: before and after an erasure."""
    home = base / "home"
    with old_hall(dsn, home) as hall:
        lasting, erased = hall.carry(hall.complain(phone="13700001111")), hall.carry(hall.complain())
        account = hall.parts.accounts.add("su.he", "苏和", password=PASSWORD)
        queue = Queue(
            at=hall.at,
            by=THE_SYSTEM,
            case=lasting.id,
            version=3,
            about="complaint.accepted",
            medium=Carriage.PRINT,
            reply=None,
        )
        asked = Asked(command_id=uuid4(), source="test", name="send-notice")
        hall.parts.book.transact(NOTICE, notice_of(lasting.id, 3), queue, asked)
        receipt = hall.client.post("/api/v1/complaints", json=FORM, headers={"Idempotency-Key": KEY})
        assert receipt.status_code == 201, receipt.text
        with hall.parts.pool.connection() as connection:
            found = connection.execute("select key_id from vault.keys where owner = %s", (erased.id,)).fetchall()
        keys = tuple(row[0] for row in found)
        take(hall.parts, base / "earlier")
        hall.erase(erased)
        take(hall.parts, base / "backup")
        return Hall(
            home=home,
            folder=base / "backup",
            earlier=base / "earlier",
            lasting=lasting,
            erased=erased,
            keys=keys,
            person=account.person,
            token=hall.tokens["LI"],
            receipt=receipt.json(),
            signer=hall.parts.signer,
            told=tell(hall.parts),
        )


def tell(parts: Parts, upto: int | None = None) -> Told:
    """Let a log tell everything, or what it held up to a position."""
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()
        last = upto or parts.recorder.max_notification_id()
        rows = connection.execute(
            "select *, (select log_id from log) from events where position <= %s order by position", (last,)
        ).fetchall()
        tree = Tree(connection)
        streams = sorted({row[1] for row in rows})
        entries = {
            stream: [one for one in read_stream(connection, stream) if one.position <= len(rows)] for stream in streams
        }
        return Told(
            rows=[tuple(row) for row in rows],
            root=tree.root(len(rows)),
            histories=[
                [f"{line.who} {line.said}" for line in history(entries[stream], Register(), Language.CHINESE)]
                for stream in streams
            ],
            texts=[
                parts.vault.open_many([value for one in entries[stream] for value in sealed_values(one.event)])
                for stream in streams
            ],
        )


@contextmanager
def restored(dsn: str, home: Path) -> Iterator[tuple[Parts, TestClient]]:
    """Open a hall that was brought back, with the master key that lies in this home."""
    with opened(dsn, home, Settings()) as parts, TestClient(create_app(parts)) as client:
        yield parts, client


def counted(dsn: str) -> dict[str, int]:
    """Count the rows of every table that a backup fills, and of the log."""
    tables = ("events", *KEPT, *ERASABLE)
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = {}
        for table in tables:
            query = sql.SQL("select count(*) from {}").format(sql.Identifier(*table.split(".")))
            found[table] = (connection.execute(query).fetchone() or (0,))[0]
        return found


def signed_anew(folder: Path, signer: Signer, change: Callable[[Manifest], Manifest] = lambda one: one) -> None:
    """Write the manifests of a changed backup as somebody could who holds a signing key: every hash fits again."""
    for below, kind in ((folder, WHOLE), (folder / VAULT, OF_KEYS)):
        manifest = change(Manifest.opened(below / MANIFEST, kind))
        files = {name: hashlib.sha256((below / name).read_bytes()).hexdigest() for name in manifest.files}
        text = replace(manifest, vkey=signer.vkey, files=files).text()
        (below / MANIFEST).write_text(signer.sign(text), encoding="utf-8")


def rewritten(file: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of a packed file."""
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(change(lines)), mtime=0))
