"""Sessions: how they end, and what they say of a post."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.decider import THE_SYSTEM, PersonKey, Role
from domain.register import REGISTER, Post, PostAdded, PostLeft, PostTaken, Site, SiteAdded, SiteLevel
from service.accounts import (
    Accounts,
)
from service.sessions import SessionEnded, csrf_matches
from tests.service.accounts.house import (
    ADDRESS,
    LOGIN,
    PASSWORD,
    POST,
    House,
)

pytestmark = pytest.mark.postgres


@pytest.mark.usefixtures("li")
def test_a_session_ends_when_nobody_uses_it(house: House, accounts: Accounts) -> None:
    """Just under twelve hours later it goes on, and counts from there; just over, it is over."""
    token = accounts.log_in(LOGIN, PASSWORD, ADDRESS).token
    for _ in range(2):
        house.age("sessions", "seen_at", timedelta(hours=11, minutes=59))
        assert accounts.session(token) is not None
    house.age("sessions", "seen_at", timedelta(hours=12, seconds=1))
    assert accounts.session(token) is None
    with pytest.raises(SessionEnded):
        accounts.choose_post(token, POST)


@pytest.mark.usefixtures("li")
def test_a_session_ends_after_a_day_however_busy(house: House, accounts: Accounts) -> None:
    """Use prolongs it to twenty-four hours, not beyond; the next log-in sweeps it away."""
    token = accounts.log_in(LOGIN, PASSWORD, ADDRESS).token
    house.age("sessions", "begun_at", timedelta(hours=23, minutes=59))
    assert accounts.session(token) is not None
    house.age("sessions", "begun_at", timedelta(minutes=2))
    assert accounts.session(token) is None
    with pytest.raises(SessionEnded):
        accounts.choose_post(token, POST)
    accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    assert house.rows("SELECT count(*) FROM accounts.sessions") == [(1,)]


@pytest.mark.usefixtures("li")
def test_being_seen_is_written_once_a_minute(house: House, accounts: Accounts) -> None:
    """Many requests in a minute write nothing; the first one after it does."""
    token = accounts.log_in(LOGIN, PASSWORD, ADDRESS).token
    begun = house.rows("SELECT seen_at FROM accounts.sessions")
    for _ in range(3):
        accounts.session(token)
    assert house.rows("SELECT seen_at FROM accounts.sessions") == begun
    house.age("sessions", "seen_at", timedelta(seconds=61))
    accounts.session(token)
    assert house.rows("SELECT seen_at FROM accounts.sessions")[0][0] > begun[0][0]


@pytest.mark.usefixtures("li")
def test_logging_out_ends_this_session_only(accounts: Accounts) -> None:
    """The other browser goes on."""
    one, other = (accounts.log_in(LOGIN, PASSWORD, ADDRESS).token for _ in range(2))
    accounts.log_out(one)
    assert accounts.session(one) is None
    assert accounts.session(other) is not None


def test_a_session_acts_only_in_a_post_that_is_still_held(accounts: Accounts, li: PersonKey) -> None:
    """The session remembers the choice; when the register says the post was left, nothing of it is left either."""
    at = datetime(2026, 11, 2, 1, tzinfo=UTC)
    left = at + timedelta(days=9)
    hall = Site(code="hall", name_zh="大厅", name_en="Hall", level=SiteLevel.DISTRICT)
    desk = Post(code=POST, name_zh="登记", name_en="Desk", role=Role.INTAKE, site="hall")
    register = REGISTER.fold(
        [
            SiteAdded(at=at, by=THE_SYSTEM, entry=hall),
            PostAdded(at=at, by=THE_SYSTEM, entry=desk),
            PostTaken(at=at, by=THE_SYSTEM, post=POST, person=li, since=at),
            PostLeft(at=left, by=THE_SYSTEM, post=POST, person=li, until=left),
        ]
    )
    token = accounts.log_in(LOGIN, PASSWORD, ADDRESS).token
    accounts.choose_post(token, POST)
    user = accounts.session(token)
    assert user is not None
    assert user.post == POST
    assert register.holds(user.person, user.post, at)
    assert not register.holds(user.person, user.post, left)
    accounts.choose_post(token, None)
    user = accounts.session(token)
    assert user is not None
    assert user.post is None


@pytest.mark.usefixtures("li")
def test_a_form_belongs_to_one_session(accounts: Accounts) -> None:
    """What one session's forms carry is refused in another, and is not its token."""
    mine, theirs = (accounts.log_in(LOGIN, PASSWORD, ADDRESS) for _ in range(2))
    assert csrf_matches(mine.token, mine.csrf)
    for wrong in (theirs.csrf, mine.token, "", mine.csrf[:-1], mine.csrf + "=", "é"):
        assert not csrf_matches(mine.token, wrong)
    assert accounts.session(mine.csrf) is None
