"""What the detectors notice, each at its threshold and not before; worked out by hand, at the hall of the stories."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given as supposing
from hypothesis import strategies as st

from domain.decider import Code
from domain.grade import Grade
from domain.review.detecting import Given, Noticed, burst, by_itself, run
from domain.rulebook import CodeList, Number, Policy
from service import profiles
from tests.hall import FACTS, HALL, LEDGER, key, later, local

CALENDAR: Final = FACTS.rulebook.calendar
# A Friday at ten, by a phone; nothing about it is strange.
PLAIN: Final = Given(
    review=key("plain"),
    at=local("02-13", "10:05"),
    grade=Grade.SATISFIED,
    codes=("413",),
    has_text=False,
    window="W03",
    device=key("device"),
    on_site=False,
    seconds_since_service=300,
    input_ms=8_000,
    ahead=0,
    watched=False,
    alike=None,
)
AT_THE_KIOSK: Final = replace(PLAIN, on_site=True)


def seen(noticed: tuple[Noticed, ...]) -> list[tuple[Code, int, dict[Code, int]]]:
    """Give what was noticed, as detector, score and numbers."""
    return [(one.detector, one.score, {each.name: each.value for each in one.features}) for one in noticed]


def without(policy: Policy, *keys: Code) -> Policy:
    """Give a policy that does not set these numbers."""
    return replace(policy, numbers=tuple(one for one in policy.numbers if one.key not in keys))


def test_an_ordinary_rating_is_not_noticed() -> None:
    """Nor is one of which nothing is known."""
    bare = replace(PLAIN, window=None, device=None, seconds_since_service=None, input_ms=None, ahead=None)
    for one in (PLAIN, AT_THE_KIOSK, bare):
        assert by_itself(one, HALL, CALENDAR) == burst(one, (), HALL) == run(one, (), HALL) == ()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"seconds_since_service": 0}, []),
        ({"seconds_since_service": -1}, [("too_soon", 90, {"seconds": -1})]),
        ({"input_ms": 2000}, []),
        ({"input_ms": 1999}, [("too_fast", 1, {"milliseconds": 1999})]),
        ({"input_ms": 0}, [("too_fast", 100, {"milliseconds": 0})]),
        ({"ahead": 300}, []),
        ({"ahead": 301}, [("clock_ahead", 60, {"seconds": 301})]),
        ({"ahead": -9000}, []),
        ({"watched": True}, [("staff_terminal", 80, {"logged_in": 1})]),
        ({"alike": 89}, []),
        ({"alike": 90}, [("alike", 90, {"alike": 90})]),
    ],
)
def test_each_detector_keeps_to_its_threshold(
    changed: dict[str, int], expected: list[tuple[Code, int, dict[Code, int]]]
) -> None:
    """One step on this side nothing is noticed, one on the other it is, with the number it rests on."""
    assert seen(by_itself(replace(PLAIN, **changed), HALL, CALENDAR)) == expected  # type: ignore[arg-type]  # fields


def test_a_threshold_above_nothing_takes_a_hasty_rating_too() -> None:
    """Where the policy asks for a minute after the service, half of one is less strange than none at all."""
    hasty = Number(key="flag.soonest_seconds", value=60, source="D")
    policy = replace(HALL, numbers=(hasty,))
    assert seen(by_itself(replace(PLAIN, seconds_since_service=30), policy, CALENDAR)) == [
        ("too_soon", 60, {"seconds": 30})
    ]


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("02-13", "08:00", []),  # the hall opens at half past eight, and half an hour is nothing
        ("02-13", "07:59", [("outside_opening", 50, {"minute": 479, "rest_day": 0})]),
        ("02-13", "12:45", []),  # nobody closes the doors for lunch
        ("02-13", "18:29", []),
        ("02-13", "18:30", [("outside_opening", 50, {"minute": 1110, "rest_day": 0})]),
        ("02-14", "10:00", []),  # a Saturday that is worked
        ("02-17", "10:00", [("outside_opening", 70, {"minute": 600, "rest_day": 1})]),  # the first day of the year
        ("03-01", "10:00", [("outside_opening", 70, {"minute": 600, "rest_day": 1})]),  # a plain Sunday
    ],
)
def test_a_kiosk_is_quiet_while_the_hall_is_closed(
    day: str, clock: str, expected: list[tuple[Code, int, dict[Code, int]]]
) -> None:
    """By the calendar that was adopted, and the hours of the policy."""
    assert seen(by_itself(replace(AT_THE_KIOSK, at=local(day, clock)), HALL, CALENDAR)) == expected


def test_of_a_day_nobody_knows_nothing_is_said() -> None:
    """A year without a calendar flags nobody, not even at midnight; and a phone may rate whenever it likes."""
    new_year = AT_THE_KIOSK.at.replace(year=2027)
    for hour in (0, 12, 18):
        at = new_year.replace(hour=hour)
        assert by_itself(replace(AT_THE_KIOSK, at=at), HALL, CALENDAR) == ()
    assert by_itself(replace(PLAIN, at=local("02-17", "03:00")), HALL, CALENDAR) == ()
    exactly = without(HALL, "flag.closed_minutes")
    assert len(by_itself(replace(AT_THE_KIOSK, at=local("02-13", "18:00")), exactly, CALENDAR)) == 1


def ratings(count: int, seconds: int, **changed: object) -> list[Given]:
    """Give so many ratings one after the other."""
    return [
        replace(PLAIN, review=key(f"{n}"), at=later(PLAIN.at, seconds=n * seconds), **changed)  # type: ignore[arg-type]  # fields
        for n in range(count)
    ]


def test_the_fifth_within_ten_minutes_makes_a_burst_of_all_five() -> None:
    """Those before it were nothing strange by themselves; what follows still faster is noticed alone."""
    given = [*ratings(5, 149), *(replace(one, at=later(one.at, seconds=596)) for one in ratings(3, 1)[1:])]
    given[5], given[6] = (replace(one, review=key(f"more {n}")) for n, one in enumerate(given[5:]))
    found = [burst(one, given[:n], HALL) for n, one in enumerate(given)]
    assert [len(one) for one in found] == [0, 0, 0, 0, 5, 1, 1]
    assert {one.review for one in found[4]} == {one.review for one in given[:5]}
    assert seen(found[4][-1:]) == [("burst", 50, {"ratings": 5, "minutes": 10})]
    assert [one.review for one in found[5]] == [given[5].review]
    # Five in just ten minutes are none, and so are those of nobody's device.
    slow = ratings(7, 150)
    assert [burst(one, slow[:n], HALL) for n, one in enumerate(slow)] == [()] * 7
    unknown = ratings(7, 1, device=None)
    assert burst(unknown[-1], unknown[:-1], HALL) == ()


def test_ten_alike_at_one_window_make_a_run_of_all_ten() -> None:
    """Words, another grade and another code end a run; in which order codes were ticked does not."""
    given = ratings(12, 600, codes=("413", "412"))
    given[3] = replace(given[3], codes=("412", "413"))
    found = [run(one, given[max(0, n - 10) : n], HALL) for n, one in enumerate(given)]
    assert [len(one) for one in found] == [0] * 9 + [10, 1, 1]
    assert seen(found[9][:1]) == [("run", 50, {"ratings": 10})]
    for changed in ({"has_text": True}, {"grade": Grade.DISSATISFIED}, {"codes": ("413",)}):
        broken = [*given[:5], replace(given[5], **changed), *given[6:10]]
        assert run(broken[-1], broken[:-1], HALL) == (), changed
    assert run(replace(given[9], has_text=True), given[:9], HALL) == ()
    assert run(replace(given[9], window=None), given[:9], HALL) == ()


EVERYTHING: Final = replace(
    AT_THE_KIOSK, at=local("02-17", "03:00"), seconds_since_service=-5, input_ms=3, ahead=4000, watched=True, alike=99
)
DETECTORS: Final = ("too_soon", "too_fast", "clock_ahead", "outside_opening", "staff_terminal", "alike", "burst", "run")


def all_of(policy: Policy) -> set[Code]:
    """Give every detector that notices something about a rating that is strange in every respect."""
    before = [replace(EVERYTHING, review=key(f"before {n}")) for n in range(10)]
    found = (*by_itself(EVERYTHING, policy, CALENDAR), *burst(EVERYTHING, before, policy))
    return {one.detector for one in (*found, *run(EVERYTHING, before, policy))}


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_detector_that_is_not_listed_is_silent(detector: Code) -> None:
    """The others go on as before."""
    left = tuple(one for one in HALL.codes("detector") if one != detector)
    lists = tuple(CodeList(name=one.name, codes=left) if one.name == "detector" else one for one in HALL.lists)
    assert all_of(HALL) == set(DETECTORS)
    assert all_of(replace(HALL, lists=lists)) == set(DETECTORS) - {detector}


@pytest.mark.parametrize(
    ("number", "silent"),
    [
        ("flag.soonest_seconds", "too_soon"),
        ("flag.fastest_ms", "too_fast"),
        ("flag.ahead_seconds", "clock_ahead"),
        ("flag.alike_score", "alike"),
        ("flag.burst", "burst"),
        ("flag.burst_minutes", "burst"),
        ("flag.run", "run"),
    ],
)
def test_without_a_threshold_nothing_is_noticed(number: Code, silent: Code) -> None:
    """No threshold is made up; a ledger sets none and lists no detector."""
    assert all_of(without(HALL, number)) == set(DETECTORS) - {silent}
    assert all_of(LEDGER) == set()


@supposing(st.lists(st.integers(0, 400), min_size=1, max_size=40))
def test_all_of_a_burst_are_noticed_and_nobody_else(gaps: list[int]) -> None:
    """Looked at one by one, whoever is within ten minutes of four others before or after is noticed, as a whole look.

    The rule that only the last is new loses nobody.
    """
    at = PLAIN.at
    given = []
    for n, gap in enumerate(gaps):
        at = later(at, seconds=gap)
        given.append(replace(PLAIN, review=key(f"{n}"), at=at))
    found = {one.review for n, each in enumerate(given) for one in burst(each, given[:n], HALL)}
    span = timedelta(minutes=10)
    expected = set()
    for n, last in enumerate(given):
        within = [one for one in given[: n + 1] if last.at - one.at < span]
        if len(within) >= 5:
            expected |= {one.review for one in within}
    assert found == expected


@supposing(st.lists(st.sampled_from(["a", "b"]), max_size=60))
def test_all_of_a_run_are_noticed_and_nobody_else(codes: list[str]) -> None:
    """Looked at one by one, with the ten before, as one look over all of them."""
    given = [replace(PLAIN, review=key(f"{n}"), codes=(code,)) for n, code in enumerate(codes)]
    found = {one.review for n, each in enumerate(given) for one in run(each, given[max(0, n - 10) : n], HALL)}
    starts = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(codes)) if a != b), len(codes)]
    long = [given[start:end] for start, end in pairwise(starts) if end - start >= 10]
    assert found == {one.review for stretch in long for one in stretch}


def test_every_detector_of_the_hall_is_one_there_is() -> None:
    """The profile lists what exists, and the one of the checks, which is no machine."""
    assert set(profiles.document("hall").lists["detector"]) == {*DETECTORS, "check"}
