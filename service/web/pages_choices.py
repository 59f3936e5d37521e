"""What may be chosen on a page: entries of the register, categories, closed lists, and what a case has under way."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, get_type_hints
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.complaint.state import Step
from domain.deadlines import Due
from domain.decider import Code, Event, PersonKey, Role
from domain.handling import Facts
from domain.register import Entry as Entered
from domain.register import Post
from domain.rulebook import Profile
from projections.tables import Entry
from projections.telling import say
from projections.telling.teller import Language, Teller
from service.web.current import current
from service.web.drawing import Choices, Option
from service.web.texts import Texts

ANY_ACT: Final = frozenset({"decline-proposal", "expire-proposal"})
"""Commands that name a proposal of whatever act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The rules, the register and the clock (UTC) around one request, and the reader's words."""

    facts: Facts
    now: datetime
    t: Texts

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which times are shown and read."""
        return self.facts.zone(Profile.HALL, self.now)

    @property
    def teller(self) -> Teller:
        """Who finds the words for what happened."""
        code_sets = self.facts.rulebook.every_code_set
        return Teller(self.facts.register, self.t.language, self.zone, code_sets=code_sets)

    def name(self, entry: Entered) -> str:
        """Give the public name of an entry."""
        return entry.name_zh if self.t.language is Language.CHINESE else entry.name_en

    def department(self, code: str | None) -> str:
        """Give the name of a department, nothing for none."""
        found = None if code is None else self.facts.register.departments.get(code)
        return (code or "") if found is None else self.name(found)

    def window(self, code: str | None) -> str:
        """Give the name of a window, nothing for none."""
        found = None if code is None else self.facts.register.windows.get(code)
        return (code or "") if found is None else self.name(found)

    def step(self, step: Step) -> str:
        """Give the name of a step: that of the stage the place adopted for it, else its own."""
        stage = self.facts.rulebook.stage(step)
        if stage is None:
            return self.t.word(step)
        return stage.name_zh if self.t.language is Language.CHINESE else stage.name_en

    def category(self, code: str | None) -> str:
        """Give the name of a category, nothing for none."""
        found = None if code is None else self.facts.rulebook.categories.get(code)
        if found is None:
            return code or ""
        return found.name_zh if self.t.language is Language.CHINESE else found.name_en

    def due(self, profile: str, at: datetime | None, *, provisional: bool, over: bool = False) -> dict[str, Any]:
        """Give a date (UTC) as it is shown, and whether it is over; nobody is late by a date that may still move.

        `over`: what it was for has been done, or need not be any more.
        """
        if at is None:
            return {"due": "", "late": False, "provisional": False}
        limit = Due(at=at, day=at.astimezone(self.zone).date(), provisional=provisional)
        late = self.facts.late(profile, limit, self.now)
        return {
            "due": self.teller.moment(at),
            "late": bool(late) and not over,
            "provisional": provisional and not over,
        }

    def choices(self, entries: Sequence[Entry] = (), command: Code | None = None) -> Choices:
        """Give all that fields can refer to; `entries` are those of the case that a command is about."""
        register, policy = self.facts.register, self.facts.rulebook.latest(Profile.HALL)
        lists = () if policy is None else policy.lists
        return {
            "site": [Option(value=one.code, label=self.name(one)) for one in register.sites.values()],
            "department": [Option(value=one.code, label=self.name(one)) for one in register.departments.values()],
            "window": [
                Option(value=one.code, label=self.name(one), group=self.department(one.department))
                for one in register.windows.values()
            ],
            "item": [
                Option(value=one.code, label=self.name(one), group=self.department(one.department))
                for one in register.items.values()
            ],
            "post": [
                Option(value=one.code, label=self.name(one), group=self.department(one.department))
                for one in register.posts.values()
            ],
            "category": [
                Option(value=code, label=("— " if one.parent else "") + self.category(code))
                for code, one in self.facts.rulebook.categories.items()
            ],
            "person": self._people(),
            "handler": self._people(Role.HANDLER),
            **{one.name: [self._listed(one.name, code) for code in one.codes] for one in lists},
            **self._under_way(entries, command),
        }

    def _listed(self, name: Code, code: Code) -> Option:
        """Name a code of a closed list: by the word for it in that list, else by the word for the code."""
        own = self.t.find(f"code.{name}.{code}") or self.t.find(f"code.{code}")
        return Option(value=code, label=own or self.t.word(code))

    def _people(self, role: Role | None = None) -> list[Option]:
        """Name people by their posts, as histories do."""
        held: dict[PersonKey, list[Post]] = {}
        for tenure in self.facts.register.tenures:
            post = self.facts.register.posts[tenure.post]
            if tenure.covers(self.now) and role in {None, post.role}:
                held.setdefault(tenure.person, []).append(post)
        return [
            Option(
                value=str(person),
                label=self.t("comma").join(f"{self.name(post)}（{post.code}）" for post in posts),
                group=self.department(posts[0].department),
            )
            for person, posts in held.items()
        ]

    def named(self, entries: Sequence[Entry]) -> dict[str, dict[UUID, str]]:
        """Give what events gave an id, by the names of their fields, each told by the event that made it."""
        found: dict[str, dict[UUID, str]] = {}
        for entry in entries:
            for name, key in _ids(entry.event):
                told = f"{say(self.teller, entry.event)} · {self.teller.moment(entry.event.at)}"
                found.setdefault(name, {}).setdefault(key, told)
        return found

    def _under_way(self, entries: Sequence[Entry], command: Code | None) -> dict[str, list[Option]]:
        """Find what events of a case gave an id, the newest first, each told by the event that made it."""
        found = self.named(entries)
        told_of = {key: told for ids in found.values() for key, told in ids.items()}
        for name, live in _live(entries, command).items():
            # What the next command calls otherwise than the event that made it is found by its id.
            found[name] = {key: told for key, told in told_of.items() if key in live}
        return {
            name: [Option(value=str(key), label=told) for key, told in reversed(ids.items())]
            for name, ids in found.items()
        }


def _live(entries: Sequence[Entry], command: Code | None) -> dict[str, set[UUID]]:
    """Give the ids that still wait for something, by the name of what they are; a confirmation sees only its own."""
    found = {}
    for name, value in current(entries).items():
        each = value if isinstance(value, list) else [] if value is None else [value]
        each = (
            [one["proposal"] for one in each if command in {one["confirm"], *ANY_ACT}] if name == "proposals" else each
        )
        found[name.removesuffix("s")] = set(each)
    return found


def _ids(event: Event) -> Iterator[tuple[str, UUID]]:
    for name in _id_fields(type(event)):  # type: ignore[arg-type]  # a class can be a key, whatever its instances can
        value = getattr(event, name)
        if value is not None:
            yield name, value


@cache
def _id_fields(kind: Hashable) -> tuple[str, ...]:
    """Name the fields of an event that hold the id of a thing; keys of persons are of another type."""
    return tuple(name for name, of in get_type_hints(kind).items() if of in (UUID, UUID | None))
