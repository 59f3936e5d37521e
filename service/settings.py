"""What can be set from outside, all by environment variables; docs/operations.md lists them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class BadSetting(Exception):
    """A setting cannot be used; the message says which and what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this installation runs."""

    #: DATABASE_URL: a PostgreSQL of 15 or newer; without it the program starts its own.
    database_url: str | None = None
    #: BIHUAN_HOME: where data and the master key lie.
    home: Path = Path(".bihuan")
    #: BIHUAN_POOL: connections for one process.
    pool: int = 12
    #: BIHUAN_REGISTRATIONS_PER_HOUR: complaints taken from one address without log-in in an hour; 0: no limit.
    registrations_per_hour: int = 120
    #: BIHUAN_LOOKUPS_PER_HOUR: questions by number and code from one address, and for one number, in an hour; also how
    #: many wrong tokens and links of reviews one address may send before it waits; right ones are always let in.
    lookups_per_hour: int = 60
    #: BIHUAN_PROOFS_PER_HOUR: proofs about the log given to one address in an hour; 0: no limit.
    proofs_per_hour: int = 600
    #: BIHUAN_KEY_BACKUP_DAYS: how many natural days backups of the key table are kept: so long an erasure takes effect.
    key_backup_days: int = 35
    #: BIHUAN_MARKS_DAYS: how many natural days marks tie the ratings of one device, and of one network, together.
    marks_days: int = 180
    #: BIHUAN_SECURE_COOKIES: 1 behind HTTPS, so that cookies never travel in the clear.
    secure_cookies: bool = False
    #: BIHUAN_COMPLAIN_INSTEAD: what people are told when a complaint cannot be taken here.
    complain_instead: str = (
        "Go to the integrity window of the hall, or call 12345. 请到大厅诚信建设投诉窗口反映，或拨打12345。"
    )
    #: BIHUAN_ADDRESS: where people reach the pages, as https://hall.example.cn, for links and codes to scan.
    address: str | None = None
    #: BIHUAN_KIOSK_SECONDS: after how long a quiet time a kiosk asks whether somebody is there, and then forgets.
    kiosk_seconds: int = 60
    #: BIHUAN_BODY_LIMIT: the longest request body in bytes.
    body_limit: int = 8_000_000
    #: BIHUAN_CHECKPOINTS: a folder outside to which checkpoints and leaf hashes are added, better on another machine.
    checkpoints: Path | None = None
    #: BIHUAN_CHECKPOINT_HOOK: a program that gets each checkpoint on standard input, and that folder as argument.
    checkpoint_hook: Path | None = None
    #: BIHUAN_SMTP: a mail server for notices, as smtp+starttls://user:password@host:587; without it none goes by mail.
    smtp: str | None = None
    #: BIHUAN_SMTP_FROM: the address notices come from.
    smtp_from: str = ""
    #: BIHUAN_WEBHOOK: the hall's message platform, which is signalled when a notice waits for it.
    webhook: str | None = None
    #: BIHUAN_WEBHOOK_SECRET: with what the signals are signed, whsec_ and base64.
    webhook_secret: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings; raises BadSetting."""
        given: dict[str, object] = {}
        if url := environ.get("DATABASE_URL"):
            given["database_url"] = url
        if home := environ.get("BIHUAN_HOME"):
            given["home"] = Path(home)
        for name in ("checkpoints", "checkpoint_hook"):
            if path := environ.get(f"BIHUAN_{name.upper()}"):
                given[name] = Path(path)
        for name in ("smtp", "smtp_from", "webhook", "webhook_secret"):
            if text := environ.get(f"BIHUAN_{name.upper()}"):
                given[name] = text
        if instead := environ.get("BIHUAN_COMPLAIN_INSTEAD"):
            given["complain_instead"] = instead
        if address := environ.get("BIHUAN_ADDRESS"):
            if not re.fullmatch(r"https?://[^\s/?#@]+/?", address):
                raise BadSetting(f"BIHUAN_ADDRESS={address!r}: write it as https://hall.example.cn")
            given["address"] = address.rstrip("/")
        for name, least in (
            ("pool", 2),
            ("registrations_per_hour", 0),
            ("lookups_per_hour", 1),
            ("proofs_per_hour", 0),
            ("body_limit", 1000),
            ("kiosk_seconds", 10),
            ("key_backup_days", 0),
            ("marks_days", 1),
            ("secure_cookies", 0),
        ):
            variable = f"BIHUAN_{name.upper()}"
            if (text := environ.get(variable)) is None:
                continue
            if not text.isascii() or not text.isdigit() or int(text) < least:
                raise BadSetting(f"{variable}={text!r}: write a whole number of at least {least}")
            given[name] = bool(int(text)) if name == "secure_cookies" else int(text)
        return cls(**given)  # type: ignore[arg-type]  # names and kinds stand right above
