"""A query code is long, kind to those who type it, shown again to who sends the form again, and nowhere stored."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg_pool import ConnectionPool

from service.query_codes import ISSUE_SQL, QueryCodes, normalise
from tests.service.vaults import open_vault

postgres = pytest.mark.postgres


@pytest.fixture
def codes(pool: ConnectionPool, log_id: UUID, tmp_path: Path) -> QueryCodes:
    """Codes in one process."""
    return QueryCodes(open_vault(pool, log_id, tmp_path))


@pytest.mark.parametrize(
    ("typed", "signs"),
    [
        ("7K3M-9QX2-0A1B-ZYTW", "7K3M9QX20A1BZYTW"),
        ("7k3m 9qx2 oalb zytw", "7K3M9QX20A1BZYTW"),
        (" 7k3m9qx2OaIbzytw\n", "7K3M9QX20A1BZYTW"),
        ("７Ｋ３Ｍ－９ＱＸ２－０Ａ１Ｂ－ＺＹＴＷ", "7K3M9QX20A1BZYTW"),
        ("7K3M–9QX2—0A1B－ZYTW", "7K3M9QX20A1BZYTW"),
        ("7K3M\u30009QX2.0A1B_ZYTW", "7K3M9QX20A1BZYTW"),
        ("7K3M-9QX2-0A1B-ZYT", None),
        ("7K3M-9QX2-0A1B-ZYTWW", None),
        ("7K3M-9QX2-0A1B-ZYTU", None),
        ("", None),
        ("\ud800" * 16, None),
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str, signs: str | None) -> None:
    """Case, width, spaces, dashes, O for 0 and I or L for 1 do not matter; what cannot be a code is none."""
    assert normalise(typed) == signs


@given(st.text())
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    """Nothing typed is an error, and what was read once is read the same again."""
    signs = normalise(typed)
    assert signs is None or normalise(signs) == signs


@postgres
def test_a_form_sent_again_shows_the_same_code(
    codes: QueryCodes, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """From any process; another command has another code; four groups of four signs, eighty bits."""
    command = uuid4()
    code = codes.code_for(command)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}", code)
    assert QueryCodes(open_vault(pool, log_id, tmp_path)).code_for(command) == code
    many = {codes.code_for(uuid4()) for _ in range(500)}
    assert len(many) == 500
    for place in (0, 18):  # the first and the last sign take all 32 values
        assert len({one[place] for one in many}) == 32


@postgres
def test_only_the_living_code_of_the_case_opens_it(codes: QueryCodes, pool: ConnectionPool) -> None:
    """A new code kills the old one; another case's code, no code and nonsense open nothing."""
    case, other = uuid4(), uuid4()
    first, second = codes.code_for(uuid4()), codes.code_for(uuid4())
    issue(codes, pool, case, first)
    issue(codes, pool, other, second)
    assert codes.matches(case, first.lower().replace("-", " "))
    assert not codes.matches(case, second)
    assert not codes.matches(uuid4(), first)
    assert not codes.matches(case, "")
    assert not codes.matches(uuid4(), "")
    issue(codes, pool, case, second)
    assert (codes.matches(case, first), codes.matches(case, second)) == (False, True)
    issue(codes, pool, case, first)  # a replay does not bring a dead code back, nor kill the living one
    assert (codes.matches(case, first), codes.matches(case, second)) == (False, True)
    codes.erase_case(case)
    assert (codes.matches(case, second), codes.matches(other, second)) == (False, True)


@postgres
def test_the_store_holds_no_code(codes: QueryCodes, pool: ConnectionPool) -> None:
    """A keyed mark that depends on the case: the same code for two cases has two."""
    code = codes.code_for(uuid4())
    for case in (uuid4(), uuid4()):
        issue(codes, pool, case, code)
    with pool.connection() as connection:
        marks = [row[0] for row in connection.execute("select mac from vault.query_codes")]
    assert len(set(marks)) == 2
    assert {len(mark) for mark in marks} == {32}
    with pytest.raises(ValueError, match="not a query code"):
        codes.issue(uuid4(), "nonsense")


def issue(codes: QueryCodes, pool: ConnectionPool, case: UUID, code: str) -> None:
    """Do what an append does with a new code."""
    with pool.connection() as connection, connection.transaction():
        connection.execute(ISSUE_SQL, codes.issue(case, code))
