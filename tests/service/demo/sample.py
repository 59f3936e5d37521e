"""The sample loaded for tests, with passwords that cost nothing, and its log read independently of our codec."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import argon2

from domain.sealed import Sealed
from service.accounts import Accounts
from service.demo import Loaded, load
from service.demo.people import Progress
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.fresh import Stored, fresh_database, stored

NOW: Final = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
"""A Friday afternoon in the hall."""
CHINA: Final = timezone(timedelta(hours=8))
HANDLING: Final = {
    "assignment-accepted", "complainant-contacted", "evidence-recorded", "finding-recorded", "rectification-planned",
    "rectified", "reply-submitted", "replied", "reply-delivery-failed",
}  # fmt: skip


@contextmanager
def program(server: str, home: Path) -> Iterator[Parts]:
    """A program over an empty log whose passwords cost nothing to make."""
    with fresh_database(server) as dsn, open_parts(Settings(home=home), dsn) as parts:
        hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        yield replace(parts, accounts=Accounts(parts.pool, parts.vault, hasher=hasher))


def loaded(
    parts: Parts,
    *,
    now: datetime = NOW,
    complaints: int = 300,
    visited: int = 150,
    progress: Progress | None = None,
) -> Loaded:
    """Load the sample, with few visits unless more are asked for."""
    if progress is None:
        return load(parts, now, complaints=complaints, visited=visited)
    return load(parts, now, progress, complaints=complaints, visited=visited)


@dataclass(frozen=True)
class Case:
    """One complaint with its events, by the short names they are stored under."""

    events: list[Stored]

    @property
    def registered(self) -> dict[str, Any]:
        """What was registered."""
        return self.events[0].event

    def all(self, *names: str) -> list[dict[str, Any]]:
        """The events of these names."""
        return [one.event for one in self.events if short(one) in names]

    def persons(self, *names: str) -> set[str]:
        """Who caused the events of these names, and for whom."""
        actors = [event["by"] for event in self.all(*names)]
        return {key for by in actors for key in (by["person"], by["on_behalf_of"]) if key is not None}


def short(one: Stored) -> str:
    """The name of an event without its room and number."""
    return one.name.split(".")[1]


@dataclass(frozen=True)
class Log:
    """Everything that is stored."""

    events: list[Stored]

    @classmethod
    def read(cls, parts: Parts) -> Log:
        """Read it all."""
        return cls(stored(parts.dsn))

    def named(self, name: str) -> list[dict[str, Any]]:
        """The events of a name, without its number."""
        return [one.event for one in self.events if one.name.rsplit(".", 1)[0] == name]

    @cached_property
    def cases(self) -> list[Case]:
        """The complaints, in the order in which they were registered."""
        found: dict[UUID, list[Stored]] = defaultdict(list)
        for one in self.events:
            if one.name.startswith("complaint."):
                found[one.stream].append(one)
        return [Case(events) for events in found.values()]

    @cached_property
    def posts(self) -> dict[str, list[dict[str, Any]]]:
        """The posts of each person."""
        entered = {event["entry"]["code"]: event["entry"] for event in self.named("register.post-added")}
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in self.named("register.post-taken"):
            found[event["person"]].append(entered[event["post"]])
        return found

    @cached_property
    def plain(self) -> list[tuple[str, int, str, str]]:
        """Every event without what chance puts in: keys of persons, boxes and hashes of sealed files, command ids."""
        labels = {person: f"holder of {posts[0]['code']}" for person, posts in self.posts.items()}
        for number, case in enumerate(self.cases):
            labels.setdefault(case.registered["complainant"], f"complainant {number}")
        lines = []
        for one in self.events:
            text = json.dumps(without_boxes(one.event), ensure_ascii=False, sort_keys=True)
            for person, label in labels.items():
                if person in text:
                    text = text.replace(person, label)
            lines.append((str(one.stream), one.version, one.name, text))
        return lines


def without_boxes(value: object) -> object:
    """The event with only the length of each sealed value, and without the hash of a sealed file."""
    match value:
        case {"box": _, "chars": chars}:
            return {"chars": chars}
        case {"checked": list(checked)}:
            return {"checked": len(checked)}  # they stand in the order of their keys
        case {"score": _, "case": case}:
            return {"case": case}  # the score of a keyed sketch
        case dict():
            return {key: without_boxes(part) for key, part in value.items() if key != "sha256"}
        case list():
            return [without_boxes(part) for part in value]
        case _:
            return value


def sealed(value: dict[str, Any]) -> Sealed:
    """A sealed value as it stands in an event."""
    ids = {key: UUID(value[key]) for key in ("value_id", "key_id")}
    return Sealed(**(value | ids))
