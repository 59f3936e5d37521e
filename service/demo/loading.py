"""Loads the sample through the desk, in the order of time; again, or after a kill, it only does what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain import register
from domain.deadlines import Calendar
from domain.decider import Code
from domain.errors import Refused
from domain.register import SiteAdded
from domain.rulebook import Profile
from projections.codec import decode
from service.adoption import adopt_first, load_register
from service.casebook import Asked, Done
from service.demo.hall import CENTRE, FILE, Hall, hall_text
from service.demo.people import SOURCE, Progress, enlist
from service.demo.rating import Rated, load_visits
from service.demo.scenes import Scene, StoryBroken, command_id
from service.demo.story import COMPLAINTS, SEED, SPAN, begin, opened, served, story
from service.demo.year import VISITS, visits
from service.desk import Wish, case_of_command
from service.forms.intake import RegisterForm
from service.parts import Parts

PASSWORD: Final = "sample-hall-闭环-only"  # noqa: S105 - printed by the demo, for people who do not exist
PORTION: Final = 250
"""How many commands are given at once: enough to share a flush, few enough to show progress and to be resumed."""


class NotForDemo(Exception):
    """This log holds something else; the sample needs one of its own: set BIHUAN_HOME to a new folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was loaded: complaints and commands in all, and how many of the commands were new."""

    complaints: int
    commands: int
    new: int
    now: datetime
    rated: Rated


def quiet(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def load(
    parts: Parts,
    now: datetime,
    progress: Progress = quiet,
    *,
    password: str = PASSWORD,
    seed: str = SEED,
    complaints: int = COMPLAINTS,
    visited: int = VISITS,
) -> Loaded:
    """Load hall, people, complaints and visits as if it had all happened in the eight months and the year before `now`.

    In a log that holds the sample already, `now` (UTC) is that of the first time, so nothing is told twice. `password`
    is that of every log-in. Raises NotForDemo, StoryBroken.
    """
    now = _first_now(parts, now)
    adopt_first(parts.book, at=begin(now))
    policy = parts.book.facts().rulebook.policy(Profile.HALL, begin(now))
    if policy is None:
        raise NotForDemo(NotForDemo.__doc__)
    load_register(parts.book, FILE, hall_text(), at=begin(now))
    hall = Hall(enlist(parts, password, begin(now), progress))
    office = opened(now, calendar(parts))
    scenes = story(hall, office, seed=seed, complaints=complaints)
    new = 0
    for done, portion in _portions(scenes):
        outcomes = parts.desk.many([wish(hall, scene) for scene in portion])
        for scene, outcome in zip(portion, outcomes, strict=True):
            if isinstance(outcome, Refused) is not scene.refused:
                why = outcome.code if isinstance(outcome, Refused) else "not refused"
                raise StoryBroken(f"{StoryBroken.__doc__} Complaint {scene.number}, {scene.step}: {why}")
            new += isinstance(outcome, Done) and not outcome.repeated
        progress("complaints", done, len(scenes))
    office = served(now, calendar(parts))
    rated = load_visits(parts, hall, office, visits(hall, office, seed=seed, number=visited), progress)
    return Loaded(complaints=complaints, commands=len(scenes), new=new, now=now, rated=rated)


def calendar(parts: Parts) -> Calendar:
    """Give the calendar that was adopted."""
    return parts.book.facts().rulebook.calendar


def wish(hall: Hall, scene: Scene) -> Wish:
    """Give what a scene asks of the desk."""
    name: Code = "register" if isinstance(scene.form, RegisterForm) else scene.form.name
    return Wish(
        form=scene.form,
        by=None if scene.post is None else hall.actor(scene.post),
        asked=Asked(command_id=scene.command_id, source=SOURCE, name=name, moment=scene.moment),
        case=case_of_command(command_id(scene.number, "register")),
    )


def _first_now(parts: Parts, now: datetime) -> datetime:
    """Give the `now` of the first time, read off the log, or this one in a log without a hall. Raises NotForDemo."""
    sites = [
        event
        for stored in parts.recorder.select_events(register.STREAM)
        if isinstance(event := decode(stored.topic, stored.state)[0], SiteAdded)
    ]
    ours = [event for event in sites if event.entry.code == CENTRE]
    if ours:
        return ours[0].at + SPAN
    if any(event.at > begin(now) for event in sites):
        raise NotForDemo(NotForDemo.__doc__)
    return now


def _portions(scenes: Sequence[Scene]) -> Iterator[tuple[int, Sequence[Scene]]]:
    """Give the scenes in portions, each with how many are done after it."""
    for start in range(0, len(scenes), PORTION):
        portion = scenes[start : start + PORTION]
        yield start + len(portion), portion
