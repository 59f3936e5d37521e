"""A year of visits: as a hall is visited, rated as halls are rated, and what follows from a bad rating."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import chinese_calendar
import psycopg
import pytest

from domain.grade import Grade
from domain.review import REVIEW, Stage
from projections import PROJECTIONS
from projections.codec import decode
from projections.runner import Runner
from service.demo import loading, year
from service.demo.hall import Hall
from service.demo.rating import Rated
from service.demo.story import SEED, served
from service.demo.year import Kind, Visit
from service.detecting import Detecting
from service.parts import Parts
from tests.service.demo.sample import CHINA, NOW, loaded, program

NUMBER: Final = 2_400
pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def told(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parts, Rated, list[Visit]]]:
    """The sample with few complaints and a fifth of the visits; and the visits as the generator tells them."""
    with program(server, tmp_path_factory.mktemp("home")) as parts:
        rated = loaded(parts, complaints=5, visited=NUMBER).rated
        cast = {code: tenure.person for tenure in parts.book.facts().register.tenures for code in [tenure.post]}
        hall = Hall(cast)
        office = served(NOW, loading.calendar(parts))
        yield parts, rated, year.visits(hall, office, seed=SEED, number=NUMBER)


def events(parts: Parts, name: str) -> list[dict[str, Any]]:
    """Give the events of a name as they stand in the log."""
    with parts.pool.connection() as connection:
        rows = connection.execute(
            "select convert_from(state, 'UTF8')::json->'e' from events where name like %s order by position", (name,)
        )
        return [row[0] for row in rows]


def test_the_same_seed_tells_the_same_visits(told: tuple[Parts, Rated, list[Visit]]) -> None:
    """And another seed others; each visit has a number, in the order of time."""
    parts, _, visits = told
    hall = Hall({t.post: t.person for t in parts.book.facts().register.tenures})
    office = served(NOW, loading.calendar(parts))
    assert year.visits(hall, office, seed=SEED, number=NUMBER) == visits
    assert year.visits(hall, office, seed="another", number=NUMBER) != visits
    assert [one.number for one in visits] == list(range(1, NUMBER + 1))
    assert len({one.stream for one in visits}) == NUMBER


def test_people_come_on_working_days_in_the_morning_most(told: tuple[Parts, Rated, list[Visit]]) -> None:
    """By the calendar of another library; nobody at noon or at night; some days and windows draw more."""
    _, _, visits = told
    local = [one.served_at.astimezone(CHINA) for one in visits]
    assert all(chinese_calendar.is_workday(moment.date()) for moment in local)
    by_hour = Counter(moment.hour for moment in local)
    assert set(by_hour) <= {8, 9, 10, 11, 13, 14, 15, 16, 17}
    assert by_hour[10] > by_hour[15] > by_hour[11] > by_hour[17]
    days = Counter(moment.weekday() for moment in local)
    assert days[0] > days[4]
    windows = Counter(one.window for one in visits).most_common()
    assert windows[0][1] > 3 * windows[-1][1]
    assert local[-1] - local[0] > timedelta(days=350)


def test_ratings_are_saturated_and_not_a_hundred_in_a_hundred(told: tuple[Parts, Rated, list[Visit]]) -> None:
    """Silence stays silence: no rating stands for it, and its time is over."""
    parts, counted, visits = told
    rated = [one.rating for one in visits if one.rating is not None]
    bad = [one for one in rated if one.grade.bad]
    assert 0.8 < len(rated) / NUMBER < 0.95
    assert 0 < len(bad) / len(rated) < 0.03
    stored = events(parts, "review.submitted.%")
    assert Counter(one["grade"] for one in stored) == Counter(one.grade for one in rated)
    assert (counted.visits, counted.ratings, counted.bad) == (NUMBER, len(rated), len(bad))
    over = len(events(parts, "occasion.expired.%"))
    open_still = sum(one.rating is None and one.served_at > NOW - timedelta(days=20) for one in visits)
    assert over + open_still == NUMBER - len(rated)
    assert {one.kind for one in rated} == set(Kind)
    assert sum(not one["corroborated"] for one in stored) == sum(one.kind is Kind.WRITTEN_DOWN for one in rated)


def test_bad_ratings_are_handled_by_the_rules(told: tuple[Parts, Rated, list[Visit]]) -> None:
    """Most are closed, some still wait, one is taken out and one counts again; each is folded from the log."""
    parts, counted, visits = told
    stages: Counter[Stage] = Counter()
    with parts.pool.connection() as connection:
        for one in visits:
            if one.rating is None or not one.rating.grade.bad:
                continue
            rows = connection.execute(
                "select name, state from events where stream_id = %s order by version", (one.review,)
            ).fetchall()
            state = REVIEW.fold(decode(name, bytes(state))[0] for name, state in rows)  # type: ignore[misc]
            assert state is not None
            assert state.submitted.grade in {Grade.DISSATISFIED, Grade.VERY_DISSATISFIED}
            stages[state.stage] += 1
    assert stages.total() == counted.bad
    assert stages[Stage.BAD_CLOSED] > counted.bad / 2
    assert stages[Stage.BAD_OPEN] >= 1
    assert stages[Stage.EXCLUDED] >= 1
    assert len(events(parts, "review.reinstated.%")) == 1


def test_a_second_telling_adds_nothing(told: tuple[Parts, Rated, list[Visit]]) -> None:
    """Nor do keys get used up for it."""
    parts, _, _ = told
    before = parts.recorder.max_notification_id()
    again = loaded(parts, complaints=5, visited=NUMBER)
    assert (again.rated.new, again.new) == (0, 0)
    assert parts.recorder.max_notification_id() == before


def test_a_telling_that_was_killed_goes_on(server: str, tmp_path: Path) -> None:
    """What is there stays; what is missing is told; in the end it is as if nothing had happened."""

    class KilledError(Exception):
        """As a kill would."""

    def stop(what: str, done: int, _total: int) -> None:
        if what == "visits" and done > 100:
            raise KilledError

    with program(server, tmp_path / "home") as parts:
        with pytest.raises(KilledError):
            loaded(parts, complaints=3, visited=300, progress=stop)
        begun = len(events(parts, "occasion.opened.%"))
        whole = loaded(parts, complaints=3, visited=300).rated
        assert 0 < begun < 300
        assert len(events(parts, "occasion.opened.%")) == 300
        assert len(events(parts, "review.submitted.%")) == whole.ratings


def test_what_looks_forged_is_noticed_and_nothing_else(told: tuple[Parts, Rated, list[Visit]]) -> None:
    """By the detectors themselves: the bursts, those in haste, and no honest rating."""
    parts, _, visits = told
    odd = {one.review for one in visits if one.rating is not None and one.rating.kind in {Kind.HURRIED, Kind.BURST}}
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()
        runner.release()
        detecting = Detecting(parts.book)
        while detecting.round(connection, parts.book.facts(), NOW, NOW):
            pass
        found = connection.execute("select stream_id from events where name like 'review.flagged.%'").fetchall()
    assert {stream for (stream,) in found} == odd
