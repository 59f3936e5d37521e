"""What looks forged is shown to a human, once, in the order of the log; no figure moves by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from domain.review import flagging
from projections.reviews import REVIEWS, ReviewRow
from projections.signals import SIGNALS, added_to, before_at_windows, before_from_devices, rated
from service.detecting import Detecting, looked
from service.timers import Timers
from tests.service.loop import Words, excluded, give
from tests.service.web.house import Hall
from tests.service.web.rating import GOOD, V1, Rating, invited, listed, rate, served
from tests.service.web.rating import rated as rated_at
from tests.service.web.test_reviews import client_in

pytestmark = pytest.mark.postgres

OF_FLAGS: Final = frozenset({"position", "version", "flags", "detectors", "changed_at"})
"""The columns of a review that a flag moves: none of them is counted."""
LONG_AGO: Final = datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.fixture
def connection(hall: Hall) -> Iterator[psycopg.Connection]:
    """A connection of one's own to the hall's database."""
    with psycopg.connect(hall.parts.dsn, autocommit=True) as opened:
        yield opened


def look(hall: Hall, connection: psycopg.Connection, page: int = 1000) -> int:
    """Look at what is new, over projections that are complete; give how many flags were raised."""
    hall.project()
    _, now = hall.parts.book.register_now()
    raised = Detecting(hall.parts.book, page=page).round(connection, hall.parts.book.facts(), now)
    hall.project()
    return raised


def flags(hall: Hall, name: str = "ZHOU", **asked: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a filter
    """Give the flags that somebody's list shows."""
    answer = hall.as_(name).get(f"{V1}/flags", params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def give_many(hall: Hall, count: int, **form: object) -> list[str]:
    """Rate so many visits; give the reviews."""
    return [rate(hall, invited(hall, served(hall)), **GOOD, **form).json()["id"] for _ in range(count)]


def rows(connection: psycopg.Connection) -> dict[UUID, ReviewRow]:
    """Give what people read of all visits."""
    return {row.review: row for row in REVIEWS.select(connection, sql.SQL(""))}


def test_a_hasty_rating_is_shown_to_a_human_who_clears_it(hall: Hall, connection: psycopg.Connection) -> None:
    """With the numbers it rests on; cleared with a reason, once, it is on the other list and is not raised again."""
    hasty = rated_at(hall, input_ms=500, **GOOD)
    plain = rated_at(hall, input_ms=9000, **GOOD)
    assert (look(hall, connection), look(hall, connection)) == (1, 0)
    (flag,) = flags(hall)
    assert flag == flags(hall, "WU")[0]
    assert (flag["review"], flag["detector"], flag["score"]) == (hasty.id, "too_fast", 75)
    assert (flag["features"], flag["cleared_at"]) == ({"milliseconds": 500}, None)
    give(hall, hasty.id, "ZHOU", flagging.ClearFlag, flag=UUID(flag["flag"]), reason=Words("当场见证。"))
    hall.project()
    assert flags(hall) == []
    assert [one["flag"] for one in flags(hall, open=False)] == [flag["flag"]]
    connection.execute("delete from projection_positions where name = 'detectors'")
    assert look(hall, connection) == 0
    assert flags(hall, review=plain.id) == []


def test_flags_are_for_those_who_look_and_not_for_the_rated(hall: Hall, connection: psycopg.Connection) -> None:
    """Units, the desk and whoever served see none, in whatever post; nor does somebody of another hall's site."""
    rated_at(hall, input_ms=1, **GOOD)
    look(hall, connection)
    for name in ("LI", "WANG", "ZHAO", "SUN", "QIAN", "TAN", "HE", "GUO"):
        refused = hall.as_(name).get(f"{V1}/flags")
        assert (refused.status_code, refused.json()["code"]) == (403, "not-your-role"), name
    chen = client_in(hall, "CHEN", "SUPERVISION").get(f"{V1}/flags").json()
    assert (chen["items"], chen["total"]) == ([], 0)
    assert len(flags(hall)) == 1


def test_a_burst_is_found_across_looks_and_pages(hall: Hall, connection: psycopg.Connection) -> None:
    """Five from one device are all flagged, wherever a page ends; four from another are none, nor are nobody's."""
    first = give_many(hall, 3, device="phone-1")
    assert look(hall, connection, page=2) == 0
    others = give_many(hall, 4, device="phone-2") + give_many(hall, 6)  # a run as well, which is another flag
    more = give_many(hall, 2, device="phone-1")
    look(hall, connection, page=2)
    assert {one["review"] for one in flags(hall, detector="burst")} == {*first, *more}
    assert len(others) == 10
    (sixth,) = give_many(hall, 1, device="phone-1")
    look(hall, connection)
    assert [one["review"] for one in flags(hall, detector="burst")] == [sixth, *reversed(more), *reversed(first)]


@pytest.mark.parametrize("page", [3, 1000])
def test_a_run_is_found_across_looks_and_pages(hall: Hall, connection: psycopg.Connection, page: int) -> None:
    """Ten the same at one window; one with words in between begins another run."""
    nine = give_many(hall, 9)
    assert look(hall, connection, page) == 0
    (tenth,) = give_many(hall, 1)
    assert look(hall, connection, page) == 10
    assert {one["review"] for one in flags(hall, detector="run")} == {*nine, tenth}
    rate(hall, invited(hall, served(hall)), **GOOD, text="窗口的同志很耐心。")
    give_many(hall, 9)
    assert look(hall, connection, page) == 0


def test_staff_who_are_logged_in_and_hasty_follow_ups_are_noticed(hall: Hall, connection: psycopg.Connection) -> None:
    """An invitation used where a clerk is logged in; what staff write down for somebody is nothing strange."""
    token = invited(hall, served(hall))
    watched = hall.as_("QIAN").post(f"{V1}/reviews", json={"token": token, **GOOD}).json()["id"]
    written = {"occasion": served(hall), "grade": "satisfied"}
    assert hall.as_("QIAN").post(f"{V1}/reviews", json=written).status_code == 201
    rating = rated_at(hall, **GOOD)
    look(hall, connection)
    more = {"own_link": rating.own_link, "text": "补充。", "input_ms": 3}
    assert hall.client().post(f"{V1}/own/review/append", json=more).status_code == 200
    assert look(hall, connection) == 1
    assert {(one["review"], one["detector"]) for one in flags(hall)} == {
        (watched, "staff_terminal"),
        (rating.id, "too_fast"),
    }


def test_no_number_moves_by_a_flag(hall: Hall, connection: psycopg.Connection) -> None:
    """Every column that is listed, filtered or counted by is the same before and after; so is what the giver reads."""
    give_many(hall, 10, input_ms=1, device="phone-1")
    bad = rated_at(hall, grade="dissatisfied", codes=["214"], input_ms=2)
    own = {"own_link": bad.own_link}
    before, read = rows(connection), hall.client().post(f"{V1}/own/review", json=own).json()
    counted = {name: [one["id"] for one in listed(hall, "ZHAO", **asked)] for name, asked in LISTS.items()}
    assert look(hall, connection) > 20
    after = rows(connection)
    assert before.keys() == after.keys()
    for review, row in before.items():
        assert after[review].flags
        assert {name: value for name, value in row.__dict__.items() if name not in OF_FLAGS} == {
            name: value for name, value in after[review].__dict__.items() if name not in OF_FLAGS
        }
    assert {name: [one["id"] for one in listed(hall, "ZHAO", **asked)] for name, asked in LISTS.items()} == counted
    assert hall.client().post(f"{V1}/own/review", json=own).json() == read


LISTS: Final[dict[str, dict[str, Any]]] = {
    "all": {},
    "praise": {"grade": "very_satisfied"},
    "bad": {"accepted": True},
    "window": {"window": "W03"},
}


def test_what_is_stopped_in_between_goes_on_where_it_was(hall: Hall, connection: psycopg.Connection) -> None:
    """Stopped after a page, and with the place where it was lost, everything is flagged, once."""
    given = give_many(hall, 6, input_ms=1)
    hall.project()
    _, now = hall.parts.book.register_now()
    looks = iter([False, False, True])
    stopped = Detecting(hall.parts.book, lambda: next(looks), page=2)
    assert stopped.round(connection, hall.parts.book.facts(), now) == 4
    assert 0 < looked(connection) < SIGNALS.position(connection)
    assert look(hall, connection, page=2) == 2
    connection.execute("update projection_positions set position = 0 where name = 'detectors'")
    assert look(hall, connection) == 0
    assert sorted(one["review"] for one in flags(hall)) == sorted(given)


def test_two_nodes_at_once_raise_each_flag_once(hall: Hall) -> None:
    """A lock chooses one of them; where both look all the same, the name of each flag keeps it from twice."""
    given = give_many(hall, 12, input_ms=1, device="phone-1")
    hall.project()
    facts, (_, now) = hall.parts.book.facts(), hall.parts.book.register_now()

    def one(_: int) -> int:
        with psycopg.connect(hall.parts.dsn, autocommit=True) as own:
            return Detecting(hall.parts.book, page=3).round(own, facts, now)

    with ThreadPoolExecutor(3) as threads:
        raised = sum(threads.map(one, range(3)))
    hall.project()
    found = [(one["review"], one["detector"]) for one in flags(hall, limit=200)]
    assert len(found) == len(set(found)) == raised == 12 * 3  # too fast, a burst, a run
    assert {review for review, _ in found} == set(given)


def test_timers_look_at_ratings_too(hall: Hall, connection: psycopg.Connection) -> None:
    """Nobody has to start it: it goes with everything else that happens by itself."""
    rating = rated_at(hall, input_ms=1, **GOOD)
    assert Timers(hall.parts).watch_ratings(connection) >= 1
    hall.project()
    assert [one["review"] for one in flags(hall)] == [rating.id]


def test_an_excluded_review_is_not_flagged_any_more(hall: Hall, connection: psycopg.Connection) -> None:
    """What is refused for one rating holds up no other."""
    first: Rating = rated_at(hall, grade="dissatisfied", codes=["214"], anonymous=True, input_ms=1)
    excluded(hall, first)
    second = rated_at(hall, input_ms=1, **GOOD)
    assert look(hall, connection) == 1
    assert [one["review"] for one in flags(hall)] == [second.id]


def test_a_look_at_a_page_never_reads_the_whole_table(hall: Hall, connection: psycopg.Connection) -> None:
    """With many ratings in it, each of the four questions goes by an index of its own."""
    rated_at(hall, device="phone-1", **GOOD)
    hall.project()
    (row,) = SIGNALS.select(connection, sql.SQL(""))
    many = [
        replace(
            row,
            review=uuid4(),
            rated_position=n,
            again_position=n if n % 10 == 0 else None,
            window=f"W{n % 200}",
            device=uuid4() if n % 4 else row.device,
            at=LONG_AGO + timedelta(minutes=n),
        )
        for n in range(1000, 31_000)
    ]
    with connection.transaction():
        SIGNALS._write(connection, sql.Identifier(SIGNALS.table), many)
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(SIGNALS.table)))
    asked: list[str] = []
    explained: Any = Explaining(connection, asked)
    rated(explained, 20_000, 1000)
    added_to(explained, 29_000, 31_000)
    before_at_windows(explained, {f"W{n}": 20_000 for n in range(200)}, 10)
    devices = {one.device: 20_000 for one in many[:200] if one.device is not None}
    before_from_devices(explained, devices, LONG_AGO, 200)
    for plan, index in zip(asked, ("rated", "added_to", "of_window", "of_device"), strict=True):
        assert f'"{SIGNALS.table}_{index}"' in plan, plan
        assert '"Seq Scan"' not in plan, plan


class Explaining:
    """A connection that also asks how each query is carried out."""

    def __init__(self, connection: psycopg.Connection[Any], asked: list[str]) -> None:
        self._real = connection
        self._asked = asked

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:  # noqa: ANN401 - as the driver has it
        """Carry a query out, and keep its plan."""
        told = self._real.execute(sql.SQL("explain (format json) {}").format(query), params).fetchone()
        self._asked.append(json.dumps(None if told is None else told[0]))
        return self._real.execute(query, params, **more)
