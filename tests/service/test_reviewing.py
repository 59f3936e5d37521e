"""A visit is rated once, whoever is faster, however often it is delivered; and never after its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from structlog.testing import capture_logs

from domain import register, rulebook
from domain.complaint.state import IdentityMode
from domain.deadlines import CalendarDay, CalendarYear, DayKind, Layer
from domain.decider import THE_SYSTEM, Actor, PersonKey, Recorded, Role
from domain.errors import AlreadyReviewed, InvitationUsed, Refused, TooLate
from domain.grade import Grade
from domain.occasion import OCCASION, Expire, Medium
from domain.register import TakePost
from domain.review import Submitted
from domain.rulebook import AdoptCalendar, Profile
from projections import PROJECTIONS
from projections.reviews import REVIEWS, VisitState
from projections.runner import Runner
from service.adoption import adopt_first, load_register
from service.asking import Asked
from service.forms.reviews import FollowUpForm, OccasionForm, ReviewForm
from service.gathering import INVITATION, OWN_LINK, claims, rows_of
from service.parts import Parts, open_parts
from service.reviewing import RETENTION, Origin, Rated, digest_of
from service.settings import Settings
from service.timers import Timers
from tests.projections.town import METADATA
from tests.service.lossy import Break, LossyLine
from tests.service.test_lost_answers import MOMENTS
from tests.service.web.house import REGISTER
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres

LONG_AGO: Final = datetime(2026, 2, 2, 2, tzinfo=UTC)
SERVED: Final = datetime(2026, 3, 2, 2, tzinfo=UTC)
TURN_OF_THE_YEAR: Final = datetime(2026, 12, 28, 2, tzinfo=UTC)
WINDOW_ENDS: Final = datetime(2026, 3, 9, 15, 59, 59, 999999, tzinfo=UTC)
HERE: Final = Origin(address="10.0.0.7")
BAD: Final[dict[str, Any]] = {"grade": "dissatisfied", "codes": ("214",), "text": "窗口人员态度生硬，说话难听。"}
GRADES: Final = ("very_satisfied", "satisfied", "basically_satisfied")


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over a hall whose rules are in force since February 2026."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        adopt_first(opened.book, LONG_AGO)
        load_register(opened.book, "hall.toml", REGISTER, LONG_AGO)
        command = TakePost(at=SOME_TIME, by=THE_SYSTEM, post="W03-CLERK", person=PersonKey(uuid4()))
        opened.book.transact(register.REGISTER, register.STREAM, command, asked("take-post", LONG_AGO))
        yield opened


def asked(name: str, moment: datetime | None = None) -> Asked:
    """How a test asks."""
    return Asked(command_id=uuid4(), source="test", name=name, moment=moment)


def visit(parts: Parts, at: datetime | None = None, **more: Any) -> UUID:  # noqa: ANN401 - a field of the form
    """Record a visit, now or at a moment, in which somebody with a phone was served."""
    form = OccasionForm(
        hall="GXQ", project_no=f"P-{uuid4().hex[:9]}", window="W03", **{"phone": "13800138000", "name": "欧阳", **more}
    )
    return parts.reviews.open_occasion(form, THE_SYSTEM, asked("open-occasion", at))[0]


def token_of(parts: Parts, opened: UUID, at: datetime | None = None) -> str:
    """Invite to rate a visit."""
    return parts.reviews.invite(opened, Medium.KIOSK, THE_SYSTEM, asked("invite-review", at))[0]


def rate(parts: Parts, token: str, **form: Any) -> Rated:  # noqa: ANN401 - a field of the form
    """Rate with a token."""
    return parts.reviews.submit(token, ReviewForm(token=token, **(form or BAD)), HERE, "test")


def names(parts: Parts) -> list[str]:
    """Give the names of what happened to visits and reviews."""
    with parts.pool.connection() as connection:
        rows = connection.execute(
            "select name from events where name ~ '^(occasion|review)[.]' order by position"
        ).fetchall()
    return [name.rsplit(".", 1)[0] for (name,) in rows]


def project(parts: Parts) -> None:
    """Bring the projections to the end of the log."""
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()


def at_once(programs: list[Parts], act: Callable[[Parts, int], Rated]) -> list[Rated | Refused]:
    """Let eight devices do something at one moment, over several programs."""
    together = Barrier(8)

    def one(n: int) -> Rated | Refused:
        together.wait(30)
        try:
            return act(programs[n % len(programs)], n)
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(one, range(8)))


@pytest.fixture
def programs(parts: Parts, tmp_path: Path) -> Iterator[list[Parts]]:
    """Two programs over one database."""
    with ExitStack() as stack:
        yield [parts, stack.enter_context(open_parts(Settings(home=tmp_path), parts.dsn))]


def test_eight_devices_race_and_one_review_is_the_first(programs: list[Parts]) -> None:
    """Each has an invitation of its own: one rating is taken, seven are told that there is one already."""
    parts = programs[0]
    opened = visit(parts)
    tokens = [token_of(parts, opened) for _ in range(8)]
    found = at_once(programs, lambda one, n: rate(one, tokens[n], grade=GRADES[n % 3]))
    refusals = [one for one in found if isinstance(one, Refused)]
    assert [type(one) for one in refusals] == [AlreadyReviewed] * 7
    (won,) = [one for one in found if isinstance(one, Rated)]
    assert names(parts).count("review.submitted") == names(parts).count("occasion.reviewed") == 1
    # The winner's answer comes again, the others' refusals stay.
    place = next(n for n, one in enumerate(found) if one is won)
    assert rate(parts, tokens[place], grade=GRADES[place % 3]).own_link == won.own_link
    with pytest.raises(AlreadyReviewed):
        rate(parts, tokens[place - 1], grade="satisfied")


def test_eight_devices_with_one_token_rate_once(programs: list[Parts]) -> None:
    """Different ratings under one token: one is taken, the others are told that it was used."""
    parts = programs[0]
    token = token_of(parts, visit(parts))
    found = at_once(programs, lambda one, n: rate(one, token, grade="satisfied", text=f"第{n}次。"))
    assert sum(isinstance(one, Rated) for one in found) == 1
    assert sum(isinstance(one, InvitationUsed) for one in found) == 7
    assert names(parts).count("review.submitted") == 1


def test_one_rating_delivered_by_eight_is_one(programs: list[Parts]) -> None:
    """All get the same answer, with the same link; the work order is one."""
    parts = programs[0]
    token = token_of(parts, visit(parts))
    found = at_once(programs, lambda one, _: rate(one, token))
    ratings = [one for one in found if isinstance(one, Rated)]
    assert len(ratings) == 8
    assert len({(one.own_link, one.done.position, one.submitted.at) for one in ratings}) == 1
    assert sorted(one.done.repeated for one in ratings) == [False] + [True] * 7
    assert names(parts)[-3:] == ["occasion.reviewed", "review.submitted", "review.accepted"]


@pytest.mark.parametrize(("marker", "when"), MOMENTS)
def test_a_rating_whose_answer_was_lost_is_one(parts: Parts, tmp_path: Path, marker: str, when: Break) -> None:
    """Wherever the line breaks, it is on record once, and the terminal that sends it again reads the same."""
    token = token_of(parts, visit(parts))
    with (
        LossyLine(parts.dsn, marker, when) as line,
        open_parts(Settings(home=tmp_path, pool=2), line.dsn) as far,
    ):
        first = rate(far, token)
        assert line.broken == 1
    again = rate(parts, token)
    assert (first.own_link, first.submitted, first.done.position) == (
        again.own_link,
        again.submitted,
        again.done.position,
    )
    with pytest.raises(InvitationUsed):
        rate(parts, token, grade="satisfied")
    assert names(parts).count("review.submitted") == 1


def test_a_rating_after_its_time_is_none(parts: Parts) -> None:
    """Seven days after the visit the token is of no use, nor is another one given, nor a slip written down."""
    opened = visit(parts, SERVED, served_at=SERVED)
    token = token_of(parts, opened, SERVED)
    with pytest.raises(TooLate):
        rate(parts, token)
    with pytest.raises(TooLate):
        token_of(parts, opened)
    with pytest.raises(TooLate):
        parts.reviews.write_down(opened, ReviewForm(occasion=opened, **BAD), THE_SYSTEM, asked("write"), HERE)
    assert names(parts) == ["occasion.opened", "occasion.invited"]


def test_silence_is_told_once_and_rates_nothing(parts: Parts) -> None:
    """When its time is over an unrated visit is closed by the clock, once; it stays without a grade."""
    opened = visit(parts, SERVED, served_at=SERVED)
    rated_one = visit(parts, SERVED, served_at=SERVED)
    # A good one, because the clock looks over bad ones too.
    good = ReviewForm(occasion=rated_one, grade=Grade.SATISFIED)
    parts.reviews.write_down(rated_one, good, THE_SYSTEM, asked("w", SERVED), HERE)
    steps = [(WINDOW_ENDS, 0), (WINDOW_ENDS + timedelta(microseconds=1), 1), (WINDOW_ENDS + timedelta(days=3), 0)]
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        for moment, acts in steps:
            project(parts)
            timers = Timers(parts, clock=lambda _, now=moment: now)  # type: ignore[misc]  # bound here
            assert timers.round(connection) == acts, moment
            timers.release(connection)
        project(parts)
        rows = {row.occasion: row for row in REVIEWS.select(connection, sql.SQL(""))}
    assert names(parts).count("occasion.expired") == 1
    assert (rows[opened].state, rows[opened].grade) == (VisitState.EXPIRED, None)
    assert rows[rated_one].state is VisitState.REVIEWED


def test_a_rating_that_came_before_the_timer_stays(parts: Parts) -> None:
    """The timer asks where the projection is behind; the rules know better, and it asks no more for an hour."""
    opened = visit(parts, SERVED, served_at=SERVED)
    project(parts)
    parts.reviews.write_down(opened, ReviewForm(occasion=opened, **BAD), THE_SYSTEM, asked("w", SERVED), HERE)
    after = WINDOW_ENDS + timedelta(minutes=1)
    lag = timedelta(days=36_500)
    timers = Timers(parts, clock=lambda _: after, steady=lambda: 0.0, lag=lag)
    with psycopg.connect(parts.dsn, autocommit=True) as connection, capture_logs() as said:
        assert [timers.round(connection) for _ in range(2)] == [0, 0]
    assert [line["event"] for line in said if line.get("action") == "expire-occasion"] == ["transacted"]
    assert "occasion.expired" not in names(parts)


def test_a_visit_before_a_year_without_calendar_ends_when_there_is_one(parts: Parts) -> None:
    """Until the notice of the new year it stays open, and nothing is asked; then it ends by the days of the notice."""
    visit(parts, TURN_OF_THE_YEAR, served_at=TURN_OF_THE_YEAR)
    # The fourth of January 2027 is seven days later; by the notice of this test the first day after it is the sixth.
    fourth, sixth = (datetime(2027, 1, day, 15, 59, 59, 999999, tzinfo=UTC) for day in (4, 6))
    days = tuple(CalendarDay(day=date(2027, 1, day), kind=DayKind.HOLIDAY) for day in (4, 5))
    notice = CalendarYear(
        jurisdiction="CN", layer=Layer.NATIONAL, year=2027, version=1, published_at=None, source="test", days=days
    )
    with psycopg.connect(parts.dsn, autocommit=True) as connection, capture_logs() as said:
        for moment, acts in ((fourth, 0), (sixth, 0), (sixth + timedelta(days=9), 0)):
            assert ended(parts, connection, moment + timedelta(microseconds=1)) == acts
        assert not [line for line in said if line.get("action") == "expire-occasion"]
        command = AdoptCalendar(at=SOME_TIME, by=THE_SYSTEM, calendar=notice)
        parts.book.transact(rulebook.RULEBOOK, rulebook.STREAM, command, asked("adopt", TURN_OF_THE_YEAR))
        assert ended(parts, connection, sixth) == 0
        assert ended(parts, connection, sixth + timedelta(microseconds=1)) == 1
    assert names(parts) == ["occasion.opened", "occasion.expired"]


def ended(parts: Parts, connection: psycopg.Connection, moment: datetime) -> int:
    """Let the timers look at a moment, with all that people read; give how many acts came of it."""
    project(parts)
    timers = Timers(parts, clock=lambda _: moment)
    try:
        return timers.round(connection)
    finally:
        timers.release(connection)


def test_nothing_is_ended_while_the_policy_has_no_timers(parts: Parts) -> None:
    """A ledger's visits are never closed by the clock: nobody was asked to rate them."""
    form = OccasionForm(hall="GXQ", project_no="L-1", channel=None)
    parts.reviews.open_occasion(form, THE_SYSTEM, asked("open", SERVED), profile=Profile.LEDGER)
    project(parts)
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        timers = Timers(parts, clock=lambda _: WINDOW_ENDS + timedelta(days=300))
        assert timers.round(connection) == 0
    assert names(parts) == ["occasion.opened"]


def test_who_gave_a_name_is_the_applicant_and_nobody_else_is(parts: Parts) -> None:
    """With a name it is who was served; anonymous, or where nobody is known, a new key each time."""
    first, second = visit(parts), visit(parts)
    named = rate(parts, token_of(parts, first)).submitted
    secret = rate(parts, token_of(parts, second), anonymous=True, **BAD).submitted
    unknown = visit(parts, phone=None, name=None)
    nobody = rate(parts, token_of(parts, unknown)).submitted
    assert named.identity_mode is IdentityMode.REAL_NAME
    assert named.reviewer == named.by.person == parts.desk.subjects.subject_for("13800138000", None)
    for one in (secret, nobody):
        assert (one.identity_mode, one.reviewer) == (IdentityMode.ANONYMOUS, None)
        assert one.by.role is Role.CITIZEN
    assert len({named.by.person, secret.by.person, nobody.by.person}) == 3


def test_a_person_without_a_number_is_one_of_the_visit_alone(parts: Parts) -> None:
    """A name without phone is sealed all the same, and the same visit told again is the same visit."""
    form = OccasionForm(hall="GXQ", project_no="N-1", window="W03", name="欧阳", phone="无", agent_phone="13900139000")
    told = [parts.reviews.open_occasion(form, THE_SYSTEM, asked("open"))[1] for _ in range(2)]
    assert [len(done.events) for done in told] == [1, 0]


def test_the_log_holds_neither_token_nor_link_nor_words(parts: Parts) -> None:
    """Only their digests, which the table of claims has too, as the log gives it; and the words under a short key."""
    opened = visit(parts)
    token = token_of(parts, opened)
    made = rate(parts, token)
    with parts.pool.connection() as connection:
        stored = connection.execute("select string_agg(convert_from(state, 'UTF8'), '') from events").fetchone()
        claimed = connection.execute("select kind, key, stream_id from claims").fetchall()
        keys = connection.execute("select owner_kind, retention, owner from vault.keys where owner is not null")
        owners = {(kind, retention): owner for kind, retention, owner in keys}
    text = "" if stored is None else stored[0]
    assert not any(one in text for one in (token, made.own_link, BAD["text"], "欧阳", "13800138000"))
    expected = {(INVITATION, digest_of(token), opened), (OWN_LINK, digest_of(made.own_link), made.review)}
    assert expected <= set(claimed)
    folded = {
        (claim.kind, claim.key, claim.stream)
        for stream, version, event, *_ in rows_of(parts.pool, [opened, made.review])
        for claim in claims(Recorded(stream=stream, version=version, event=event, metadata=METADATA))
    }
    assert folded == expected
    assert owners["case", RETENTION] == made.review
    assert owners["person", RETENTION] == made.submitted.reviewer


def test_the_same_words_from_one_device_are_found(parts: Parts) -> None:
    """Each is measured against those before it from that device, never against those of other people."""
    found = []
    for device in ("tablet-1", "tablet-1", "tablet-2", None):
        token = token_of(parts, visit(parts))
        found.append(rate(parts, token, device=device, **BAD))
    assert [tuple(one.case for one in each.submitted.similar) for each in found] == [(), (found[0].review,), (), ()]


def test_a_terminal_with_a_wrong_clock_is_believed_in_nothing(parts: Parts) -> None:
    """What it claims is kept beside; the limits go by our clock (domain.md §14 case 12)."""
    ahead = datetime(2999, 1, 1, tzinfo=UTC)
    made = rate(parts, token_of(parts, visit(parts)), claimed_at=ahead, **BAD)
    assert made.submitted.evidence.claimed_at == ahead
    assert made.submitted.at < ahead


def test_a_follow_up_is_sealed_with_its_review(parts: Parts) -> None:
    """It takes the review's key, comes once however often it is delivered, and by the link alone."""
    made = rate(parts, token_of(parts, visit(parts)))
    form = FollowUpForm(own_link=made.own_link, text="后来处理好了。")
    first, again = (parts.reviews.append(form, HERE, "test") for _ in range(2))
    assert (first.position, again.position, again.repeated) == (first.position, first.position, True)
    (appended,) = first.events
    assert isinstance(made.submitted, Submitted)
    assert made.submitted.text is not None
    assert appended.text.key_id == made.submitted.text.key_id  # type: ignore[attr-defined]  # of a follow-up
    assert names(parts)[-1] == "review.appended"


def test_only_the_clock_ends_the_time_to_rate(parts: Parts) -> None:
    """Nobody with a post can end it, and the clock not before it is over."""
    opened = visit(parts)
    clerk = Actor(person=PersonKey(uuid4()), post="INTAKE", role=Role.INTAKE)
    for by, code in ((clerk, "not-your-role"), (THE_SYSTEM, "too-early")):
        with pytest.raises(Refused) as refused:
            parts.book.transact(OCCASION, opened, Expire(at=SOME_TIME, by=by), asked("expire-occasion"))
        assert refused.value.code == code
