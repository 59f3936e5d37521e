"""Passwords: which ones may be chosen, and how they are hashed without letting a crowd of log-ins fill the memory."""

from __future__ import annotations

import base64
import hmac
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Final

import argon2
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import ARGON2_VERSION

from domain.errors import Refused

SHORTEST: Final = 12
LONGEST: Final = 1024
DIFFERENT: Final = 5
"""How many different characters a password has at least (our design)."""

ONE_TIME_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""No pair that is mistaken for another when read from paper; 20 of them are 99 bits."""

_COMMONEST: Final = """
    012345678910 098765432109 100200300400 110110110110 121212121212 123123123123 1234567890ab 1234567890abc
    1234567890qwerty 1234567890qwertyuiop 123456789012 1234567890123 1234567890123456 1234567891011 123456789123
    123456789123456789 123456789987654321 123456789abc 123456789asd 123456789qwe 123456abcdef 123456abc123
    123456123456 123456654321 123456qwerty 12345qwertasdfg 123qweasdzxc 147258369147 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i
    1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc 5201314520131 520131452013 987654321098 a12345678910 a123456789012
    aa1234567890 abc123456789 abcd12345678 abcdef123456 abcdefg12345 abcdefgh1234 abcdefghijkl abcdefghijklm
    abcdefghijklmnopqrstuvwxyz admin1234567 admin12345678 admin123456789 adminadmin123 administrator administrator1
    administrator123 adminpassword asdasdasdasd asdfasdfasdf asdfghjkl123 asdfghjklzxcvbnm asdf1234asdf changeme1234
    changemeplease computer1234 correcthorsebatterystaple default12345 football1234 helloworld123 iloveyou1234
    iloveyou12345 iloveyousomuch letmein12345 letmeinplease manager12345 masterpassword monkey123456 mypassword123
    neimenggu123 newpassword1 notmypassword p4ssw0rd1234 p4ssw0rdp4ssw0rd passw0rd1234 passw0rd12345 password0000
    password1111 password1234 password12345 password123456 password1234567 password123456789 passwordpassword
    pa55word1234 princess1234 q1w2e3r4t5y6 q1w2e3r4t5y6u7i8 qazwsxedcrfv qazwsxedc123 qazwsx123456 qqww11223344
    qwer12345678 qwer1234qwer qwerasdfzxcv qwerty123456 qwerty1234567 qwertyqwerty qwertyuiop123 qwertyuiop12
    qwertyuiopasdf qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm sunshine1234 superman1234 test12345678
    testtesttest testpassword thisisapassword unbelievable user12345678 welcome12345 welcome123456 woaini123456
    woaini1314520 woaini520520 woaini5201314 zaq12wsxcde3 zaq1xsw2cde3 zhengwu12345 zhongguo1234 zhongguo123456
    zxcvbnm12345 zxcvbnm123456 zxcvbnmasdfghjkl
"""

COMMONEST: Final = frozenset(_COMMONEST.split())
"""The commonest of at least twelve characters, as they are seen in public lists, and what a hall would come up with."""


class WeakPassword(Refused):
    """This password is too easy to guess."""

    code = "weak-password"
    then = (
        "Take another one of 12 to 1024 characters, not counting the log-in; several words nobody expects together do."
    )


class TooBusy(Refused):
    """Too many people log in at this moment."""

    code = "too-busy"
    then = "Wait a few seconds and try again; nothing was changed and no attempt was counted."


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right; `better` is a stronger hash of it, when the settings have grown."""

    right: bool
    better: str | None = None


def folded(text: str) -> str:
    """Fold what looks alike: compatibility forms and case. Folding twice changes nothing more."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def require_strong(password: str, login: str) -> None:
    """Refuse a password that is short, long, common, monotonous or made of the log-in.

    Raises WeakPassword. No mixture of kinds of character is asked for: length is what counts (NIST SP 800-63B).
    """
    rest = folded(password).replace(folded(login), "")
    if len(password) < SHORTEST or len(rest) < SHORTEST:
        raise WeakPassword(why="short" if len(password) < SHORTEST else "log-in")
    if len(password) > LONGEST:
        raise WeakPassword(why="long")
    if len(set(rest)) < DIFFERENT or "".join(c for c in rest if c.isalnum()) in COMMONEST:
        raise WeakPassword(why="common")


def one_time_password() -> str:
    """Make a password that is shown once, in groups that can be read aloud."""
    return "-".join("".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(4)) for _ in range(5))


class Passwords:
    """argon2id, keyed with a secret from outside the database and bounded in how many run at once.

    Each hash takes 64 MiB with the usual settings, so no more than `at_once` run in this process; no more than
    `waiting` threads wait for their turn, for `patience` seconds at most: the others are told at once, or the waiting
    would take every thread of the server. Methods raise TooBusy.
    """

    def __init__(
        self, hasher: argon2.PasswordHasher, secret: bytes, *, at_once: int, waiting: int, patience: float
    ) -> None:
        self._hasher = hasher
        self._secret = secret
        self._patience = patience
        self._places = BoundedSemaphore(at_once + waiting)
        self._turns = BoundedSemaphore(at_once)
        self._nobodys = _fitting_nothing(hasher)

    def hash(self, password: str) -> str:
        """Give the hash to be stored."""
        with self._turn():
            return self._hasher.hash(self._keyed(password))

    def verify(self, known: str | None, password: str) -> Verdict:
        """Compare with a stored hash; with None, do the same work for nothing, so that time tells nothing."""
        against, keyed = known or self._nobodys, self._keyed(password)
        with self._turn():
            try:
                self._hasher.verify(against, keyed)
            except VerifyMismatchError:
                return Verdict(right=False)
            stale = self._hasher.check_needs_rehash(against)
            return Verdict(right=True, better=self._hasher.hash(keyed) if stale else None)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooBusy
        try:
            if not self._turns.acquire(timeout=self._patience):
                raise TooBusy
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()

    def _keyed(self, password: str) -> bytes:
        # NFC as RFC 8265 asks (OpaqueString): keyboards differ in how they compose. Without the secret, a stolen table
        # cannot even be guessed at.
        composed = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, composed, "sha256")


def _fitting_nothing(hasher: argon2.PasswordHasher) -> str:
    """Give a hash that costs as much to compare with as any of this hasher, and that no password has.

    It is put together, not computed: every start of the program would pay for it.
    """
    settings = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2{hasher.type.name.lower()}$v={ARGON2_VERSION}${settings}${salt}${digest}"
