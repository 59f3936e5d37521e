"""What looks forged or coerced about a rating: pure detectors over what is known of how it was given (domain.md §9.3).

Each gives a score and the whole numbers it rests on, for a human to look at; none says what is true. A detector that
the policy does not list, or whose threshold it does not set, is silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.deadlines import Calendar, DayKind
from domain.decider import Code
from domain.grade import Grade
from domain.review.flagging import Feature
from domain.rulebook import Policy

MODEL: Final = 1
"""Which detectors these are: what notices otherwise has another number, and looks at every rating anew."""
DETECTOR: Final[Code] = "detector"
MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How a rating, or a follow-up, was given; nothing here says by whom.

    `on_site`: at a kiosk or a tablet of the hall. `ahead` is by how many seconds the terminal's clock ran ahead of
    ours, `watched` that staff were logged in where somebody rated with an invitation or a link of their own, `alike`
    how much the words are like earlier ones from that device, of 100.
    """

    review: UUID
    at: datetime
    grade: Grade | None
    codes: tuple[Code, ...]
    has_text: bool
    window: Code | None
    device: UUID | None
    on_site: bool
    seconds_since_service: int | None
    input_ms: int | None
    ahead: int | None
    watched: bool
    alike: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """What a detector noticed about a review; `score` from 1 to 100."""

    review: UUID
    detector: Code
    score: int
    features: tuple[Feature, ...]


def by_itself(given: Given, policy: Policy, calendar: Calendar) -> tuple[Noticed, ...]:
    """Give what a rating shows without a look at any other."""
    found = (
        _too_soon(given, policy),
        _too_fast(given, policy),
        _clock_ahead(given, policy),
        _outside_opening(given, policy, calendar),
        _staff_terminal(given),
        _alike(given, policy),
    )
    return tuple(_listed((one for one in found if one is not None), policy))


def _listed(found: Iterable[Noticed], policy: Policy) -> Iterator[Noticed]:
    listed = policy.codes(DETECTOR)
    return (one for one in found if one.detector in listed)


def _noticed(given: Given, detector: Code, score: int, /, **features: int) -> Noticed:
    told = tuple(Feature(name=name, value=value) for name, value in features.items())
    return Noticed(review=given.review, detector=detector, score=max(1, min(MOST, score)), features=told)


def _too_soon(given: Given, policy: Policy) -> Noticed | None:
    soonest, seconds = policy.number("flag.soonest_seconds"), given.seconds_since_service
    if soonest is None or seconds is None or seconds >= soonest:
        return None
    # Before the service was over nobody can know what they rate.
    return _noticed(given, "too_soon", 90 if seconds < 0 else 60, seconds=seconds)


def _too_fast(given: Given, policy: Policy) -> Noticed | None:
    fastest, taken = policy.number("flag.fastest_ms"), given.input_ms
    if fastest is None or taken is None or taken >= fastest:
        return None
    return _noticed(given, "too_fast", MOST * (fastest - taken) // fastest, milliseconds=taken)


def _clock_ahead(given: Given, policy: Policy) -> Noticed | None:
    most, ahead = policy.number("flag.ahead_seconds"), given.ahead
    if most is None or ahead is None or ahead <= most:
        return None
    return _noticed(given, "clock_ahead", 60, seconds=ahead)


def _outside_opening(given: Given, policy: Policy, calendar: Calendar) -> Noticed | None:
    """Notice a rating at a kiosk while the hall is closed; of a day nobody has said anything about, nothing is said.

    A hall does not close for lunch: what counts is from the first opening to the last closing of the day, and as long
    before and after as the policy allows, because who was served last rates last.
    """
    if not given.on_site:
        return None
    local = given.at.astimezone(policy.zone_info())
    kind = calendar.kind(local.date())
    if kind is None:
        return None
    minute, grace = local.hour * 60 + local.minute, policy.number("flag.closed_minutes") or 0
    if kind is not DayKind.WORK:
        return _noticed(given, "outside_opening", 70, minute=minute, rest_day=1)
    (opens, _), (_, closes) = policy.office_hours.periods[0], policy.office_hours.periods[-1]
    if opens - grace <= minute < closes + grace:
        return None
    return _noticed(given, "outside_opening", 50, minute=minute, rest_day=0)


def _staff_terminal(given: Given) -> Noticed | None:
    return _noticed(given, "staff_terminal", 80, logged_in=1) if given.watched else None


def _alike(given: Given, policy: Policy) -> Noticed | None:
    least, score = policy.number("flag.alike_score"), given.alike
    if least is None or score is None or score < least:
        return None
    return _noticed(given, "alike", score, alike=score)


def burst(given: Given, before: Sequence[Given], policy: Policy) -> tuple[Noticed, ...]:
    """Give what shows when one device rates again and again; `before` are its earlier ratings, the last one last.

    All of a burst are noticed with the one that makes it one.
    """
    least, minutes = policy.number("flag.burst"), policy.number("flag.burst_minutes")
    if not least or minutes is None or given.device is None:
        return ()
    since = given.at - timedelta(minutes=minutes)
    together = [*(one for one in before if since < one.at <= given.at), given]
    return _many(together, least, "burst", policy, minutes=minutes)


def run(given: Given, before: Sequence[Given], policy: Policy) -> tuple[Noticed, ...]:
    """Give what shows when a window is rated the same again and again without a word; `before` as for `burst`.

    `before` needs to reach back no further than the threshold; what was written down, or says something, ends a run.
    """
    least = policy.number("flag.run")
    if not least or given.window is None or given.has_text:
        return ()
    same = [given]
    for one in reversed(before):
        if one.has_text or (one.grade, frozenset(one.codes)) != (given.grade, frozenset(given.codes)):
            break
        same.insert(0, one)
    return _many(same, least, "run", policy)


def _many(together: Sequence[Given], least: int, detector: Code, policy: Policy, /, **more: int) -> tuple[Noticed, ...]:
    if len(together) < least:
        return ()
    # Where there were enough without this one, those before were noticed already.
    newly = together if len(together) == least else together[-1:]
    score = MOST // 2 * len(together) // least
    return tuple(_listed((_noticed(one, detector, score, ratings=len(together), **more) for one in newly), policy))
