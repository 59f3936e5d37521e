"""Codes with which people without an account ask after their complaint; only a keyed mark of each is kept."""

from __future__ import annotations

import hmac
import unicodedata
from typing import Final
from uuid import UUID

from service.keys import Vault
from service.reserve import durably

DERIVATION: Final = "query-code"
MARKS: Final = "query-code-marks"
SECRETS: Final = (DERIVATION, MARKS)
"""What to ask the vault for at the start, so that codes are given while the key service is away."""

ISSUE_SQL: Final = "select vault.issue_code(%s::uuid, %s::bytea)"
"""Parameters from `QueryCodes.issue`, for the transaction of the append. The code before it dies."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_SIGNS: Final = 16
_GROUP: Final = 4
_FORGIVEN: Final = str.maketrans("OIL", "011", " -‐‑‒–—―−_.\t\r\n\u3000")


class QueryCodes:
    """Derives, marks and checks query codes of 80 bits."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def code_for(self, command_id: UUID) -> str:
        """Give the code that a command issues, in four groups of four.

        It follows from the command id and a secret of the vault, so a command that is sent again after its answer was
        lost shows the same code, though nothing in the store holds it.
        """
        return spelled(hmac.digest(self._vault.secret(DERIVATION), command_id.bytes, "sha256")[:10])

    def issue(self, case: UUID, code: str) -> tuple[UUID, bytes]:
        """Give the parameters of ISSUE_SQL. Raises ValueError for what is no code."""
        normal = normalise(code)
        if normal is None:
            raise ValueError("not a query code")
        return case, self._mark(case, normal)

    def matches(self, case: UUID, code: str) -> bool:
        """Say whether this is the living code of the case; unknown case, dead code and wrong code take the same way."""
        mark = self._mark(case, normalise(code) or "")
        with self._vault.pool.connection() as connection:
            row = connection.execute(
                "select mac from vault.query_codes where case_id = %s and dead_at is null", (case,)
            ).fetchone()
        return hmac.compare_digest(mark, bytes(len(mark)) if row is None else row[0])

    def erase_case(self, case: UUID) -> None:
        """Forget the codes of a case, durably: nobody can ask after it by code any more."""
        with durably(self._vault.pool) as connection:
            connection.execute("delete from vault.query_codes where case_id = %s", (case,))

    def _mark(self, case: UUID, normal: str) -> bytes:
        return hmac.digest(self._vault.secret(MARKS), case.bytes + normal.encode(), "sha256")


def spelled(bits: bytes) -> str:
    """Spell ten bytes in four groups of four signs that nobody takes for one another."""
    number = int.from_bytes(bits, "big")
    signs = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_SIGNS)))
    return "-".join(signs[i : i + _GROUP] for i in range(0, _SIGNS, _GROUP))


def normalise(code: str) -> str | None:
    """Give the sixteen signs of a code as people type it: any case and width, spaces, dashes, O for 0, I or L for 1.

    None for what cannot be a code.
    """
    signs = unicodedata.normalize("NFKC", code).upper().translate(_FORGIVEN)
    return signs if len(signs) == _SIGNS and set(signs) <= set(_ALPHABET) else None
