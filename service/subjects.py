"""Who is the same person, and which complaint was told before: answered by keyed marks that can be erased."""

from __future__ import annotations

import hmac
import re
import unicodedata
from datetime import datetime
from hashlib import blake2b
from struct import unpack
from typing import Final
from uuid import UUID, uuid4

from domain.sealed import Similar
from service.keys import Vault
from service.reserve import durably

PEPPER: Final = "subjects"
SKETCHES: Final = "sketches"
SECRETS: Final = (PEPPER, SKETCHES)
"""What to ask the vault for at the start, so that matching goes on while the key service is away."""

METHOD: Final = "minhash-bigram.1"
WIDTH: Final = 32
"""How many values a sketch has; a score is right to about ±9 of 100 (one standard deviation)."""
ALIKE_FROM: Final = 50
"""The lowest score that is reported (our design): under it, texts share no more than a subject and stock phrases."""

STORE_SKETCH_SQL: Final = """
    insert into vault.sketches (case_id, subject_key, mins, created_at)
    values (%s, %s, %s, coalesce(%s::timestamptz, clock_timestamp())) on conflict (case_id) do nothing"""
"""Parameters: case, subject key, sketch, when the complaint was made (None: now); for the transaction of the append."""

STORE_MARKED_SKETCH_SQL: Final = """
    insert into vault.sketches (case_id, subject_key, mins, created_at)
    select %s, subject_key, %s, coalesce(%s::timestamptz, clock_timestamp())
    from (select subject_key from vault.subjects where subject_key = %s limit 1 for key share) marked
    on conflict (case_id) do nothing"""
"""The same for a device: case, sketch, when, its key. A mark that was erased meanwhile takes no sketch, and one that is
there stays until the append is done."""

_LONGEST: Final = 20_000  # characters that are looked at
_MOST: Final = 5
_FEWEST_SIGNS: Final = 5
_LONGEST_PHONE: Final = 16  # an international number has 15 digits at most
_MOBILE: Final = re.compile(r"1[3-9]\d{9}")

_SUBJECT: Final = "select vault.subject_for(%s::bytea, %s::bytea, %s::uuid)"
_MARKED: Final = "select subject_key from vault.subjects where kind = %s and mac = %s"
# No flush of its own: the append that names the key comes later in the same write-ahead log.
_MARK: Final = """
    insert into vault.subjects (kind, mac, subject_key)
    select %s::text, %s::bytea, %s::uuid from set_config('synchronous_commit', 'off', true) on conflict do nothing"""
_EARLIER: Final = """
    select case_id, mins from vault.sketches, coalesce(%(at)s::timestamptz, clock_timestamp()) as now
    where subject_key = %(subject)s and created_at <= now and created_at > now - make_interval(days => %(days)s)
    order by created_at desc limit 200"""


class Subjects:
    """Maps phones and identity numbers to random subject keys, and narratives to earlier ones of the same subject."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def subject_for(self, phone: str | None, id_number: str | None) -> UUID:
        """Give the subject key of whoever has this phone or identity number; a fresh one where neither is known.

        The identity number decides where the two lead to different people: families share phones.
        Raises MasterUnavailable, unless the secrets were asked for before.
        """
        marks = self._marks(phone, id_number)
        if not marks:
            return uuid4()
        with self._vault.pool.connection() as connection:
            row = connection.execute(_SUBJECT, (marks.get("identity"), marks.get("phone"), uuid4())).fetchone()
        if row is None:
            raise LookupError("the database gave no subject")
        subject: UUID = row[0]
        return subject

    def mark_of(self, kind: str, value: bytes) -> UUID:
        """Give the random key that stands for a device or a network, the same whenever it comes again.

        Raises MasterUnavailable, unless the secrets were asked for before.
        """
        mac = hmac.digest(self._vault.secret(PEPPER), kind.encode() + b"\0" + value, "sha256")
        with self._vault.pool.connection() as connection:
            row = connection.execute(_MARKED, (kind, mac)).fetchone()
            if row is None:
                # Whoever comes at the same time waits here for the first, and reads what the first has made.
                connection.execute(_MARK, (kind, mac, uuid4()))
                row = connection.execute(_MARKED, (kind, mac)).fetchone()
        if row is None:
            raise LookupError("the database gave no mark")
        found: UUID = row[0]
        return found

    def erase_subject(self, subject_key: UUID) -> None:
        """Forget the marks and sketches of a subject, durably; their next complaint is that of a stranger."""
        with durably(self._vault.pool) as connection:
            connection.execute("delete from vault.subjects where subject_key = %s", (subject_key,))
            connection.execute("delete from vault.sketches where subject_key = %s", (subject_key,))

    def erase_case(self, case: UUID) -> None:
        """Forget the sketch of a case, durably."""
        with durably(self._vault.pool) as connection:
            connection.execute("delete from vault.sketches where case_id = %s", (case,))

    def sketch(self, narrative: str) -> bytes | None:
        """Give the keyed MinHash of a narrative's character bigrams (32 × 32 bits); None where there is no bigram.

        Letters, digits and Chinese characters count, the first 20,000 of them; case, width and punctuation do not.
        """
        letters = "".join(sign for sign in _plain(narrative[:_LONGEST]).casefold() if sign.isalnum())
        bigrams = {letters[i : i + 2] for i in range(len(letters) - 1)}
        if not bigrams:
            return None
        key = self._vault.secret(SKETCHES)
        rows = (unpack(">32I", _wide(key, bigram.encode())) for bigram in bigrams)
        return b"".join(lowest.to_bytes(4, "big") for lowest in map(min, zip(*rows, strict=True)))

    def similar(
        self, subject_key: UUID, narrative: str, since_days: int = 180, *, at: datetime | None = None
    ) -> tuple[Similar, ...]:
        """Give earlier cases of the same subject that tell nearly the same, the likest first, at most five.

        `since_days` are natural days before `at` (None: now), as indicator C17 asks (domain.md §8).
        """
        sketch = self.sketch(narrative)
        return () if sketch is None else self.alike(subject_key, sketch, since_days, at=at)

    def alike(
        self, subject_key: UUID, sketch: bytes, since_days: int = 180, *, at: datetime | None = None
    ) -> tuple[Similar, ...]:
        """Do what `similar` does, from a sketch that is there already."""
        with self._vault.pool.connection() as connection:
            rows = connection.execute(_EARLIER, {"at": at, "subject": subject_key, "days": since_days}).fetchall()
        scored = [Similar(case=case, score=_score(sketch, other), method=METHOD) for case, other in rows]
        return tuple(sorted((s for s in scored if s.score >= ALIKE_FROM), key=lambda s: -s.score)[:_MOST])

    def _marks(self, phone: str | None, id_number: str | None) -> dict[str, bytes]:
        """Give the keyed marks of what is usable, by kind."""
        plain = {"identity": normal_id(id_number), "phone": normal_phone(phone)}
        given = {kind: value for kind, value in plain.items() if value is not None}
        if not given:
            return {}
        pepper = self._vault.secret(PEPPER)
        return {kind: hmac.digest(pepper, f"{kind}\0{value}".encode(), "sha256") for kind, value in given.items()}


def normal_phone(text: str | None) -> str | None:
    """Give a phone number in one spelling: mobiles 11 digits, land lines with 0, foreign ones with +; None for none.

    What people write for want of a number (one repeated digit, a few signs) is no number: it would make one person of
    many strangers.
    """
    written = _plain(text or "")
    digits = re.sub(r"[^0-9]", "", written)
    abroad = written.strip().startswith("+") or digits.startswith("00")
    if not _tells(digits) or len(digits) > _LONGEST_PHONE:
        return None
    if abroad:
        digits = digits.removeprefix("00")
        if not digits.startswith("86"):
            return "+" + digits
        digits = digits.removeprefix("86")
    elif _MOBILE.fullmatch(digits.removeprefix("86")):
        digits = digits.removeprefix("86")
    if _MOBILE.fullmatch(digits) or not abroad:
        return digits
    return "0" + digits.removeprefix("0")


def normal_id(text: str | None) -> str | None:
    """Give an identity number in one spelling (capitals, no spaces); None for no number."""
    signs = re.sub(r"[^0-9A-Z]", "", _plain(text or "").upper())
    return signs if _tells(signs) else None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _tells(signs: str) -> bool:
    return len(signs) >= _FEWEST_SIGNS and len(set(signs)) > 1


def _wide(key: bytes, bigram: bytes) -> bytes:
    """Give 128 keyed pseudo-random bytes of a bigram: its place in 32 permutations."""
    return (
        blake2b(bigram, key=key, digest_size=64, person=b"1").digest()
        + blake2b(bigram, key=key, digest_size=64, person=b"2").digest()
    )


def _score(one: bytes, other: bytes) -> int:
    same = sum(one[i : i + 4] == other[i : i + 4] for i in range(0, 4 * WIDTH, 4))
    return round(100 * same / WIDTH)
