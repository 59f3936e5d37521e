"""The parts of a running program, built once at the edge and handed to whoever needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

import psycopg
import structlog
from psycopg_pool import ConnectionPool

from service import query_codes, reviewing, subjects
from service.accounts import Accounts
from service.casebook import Casebook
from service.database import log_id, open_pool
from service.desk import Desk
from service.eventstore import Log, Recorder
from service.keys import ACCOUNTS, Vault
from service.limits import Limits
from service.master import LocalMaster, MasterKey, MasterKeyError
from service.query_codes import QueryCodes
from service.reviewing import Reviews
from service.settings import Settings
from service.signing import SEED, Signer
from service.subjects import Subjects

REFILL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """What an entry point works with."""

    settings: Settings
    dsn: str
    pool: ConnectionPool
    recorder: Recorder
    book: Casebook
    vault: Vault
    desk: Desk
    reviews: Reviews
    accounts: Accounts
    limits: Limits
    signer: Signer

    def secret(self, name: str) -> bytes:
        """Give a named secret of this installation."""
        return self.vault.secret(name)


@contextmanager
def open_parts(settings: Settings, dsn: str, *, master: MasterKey | None = None) -> Iterator[Parts]:
    """Build everything over a database whose schema fits; raises SchemaMissing, SchemaNewer."""
    with open_pool(dsn, size=settings.pool) as pool:
        this_log = log_id(pool)
        recorder = Recorder(pool, this_log)
        book = Casebook(Log(recorder), recorder)
        vault = Vault(pool, master or LocalMaster(settings.home), this_log)
        marks = Subjects(vault)
        # Everything that registering needs of the key service is asked for now, so that it may be away later.
        for name in (*subjects.SECRETS, *query_codes.SECRETS, *reviewing.SECRETS, ACCOUNTS, "limits", "requests", SEED):
            vault.secret(name)
        vault.refill()
        stopping = Event()
        refilling = Thread(target=_keep_full, args=(vault, stopping), name="keys", daemon=True)
        refilling.start()
        try:
            yield Parts(
                settings=settings,
                dsn=dsn,
                pool=pool,
                recorder=recorder,
                book=book,
                vault=vault,
                desk=Desk(book, vault, marks, QueryCodes(vault)),
                reviews=Reviews(book, vault, marks),
                accounts=Accounts(pool, vault),
                limits=Limits(pool, vault.secret("limits")),
                signer=Signer(this_log, vault.secret(SEED)),
            )
        finally:
            stopping.set()
            refilling.join()
            vault.close()


def _keep_full(vault: Vault, stopping: Event) -> None:
    """Make keys ahead in the background, so that no request waits for the key service."""
    while not stopping.wait(REFILL_SECONDS):
        if not vault.low():
            continue
        try:
            vault.refill()
        except (MasterKeyError, psycopg.Error) as error:
            # What is held goes on sealing; the next round tries again.
            structlog.get_logger("keys").error("no keys made ahead", kind=type(error).__name__)
