"""What the rows of a case mean: which commands they give, in which order, and which change nothing of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from domain.complaint import Accepted, Assigned, Closed, Event, Registered, Replied
from domain.complaint.reviewing import Reopened
from domain.complaint.timing import ClockPaused, ClockResumed
from domain.complaint.units import HandedOver
from domain.decider import Code, PersonKey
from service.casebook import IMPORT_NAMESPACE
from service.imports.cells import Cells, Unfit
from service.imports.mapping import Stage
from service.imports.reading import Value

ENDED: Final = frozenset({"reply", "close"})
AT_ONCE: Final = (
    "register",
    "reopen",
    "resume-clock",
    "accept",
    "assign",
    "hand-over",
    "pause-clock",
    "reply",
    "close",
)
"""The order of what happens in one row: whoever begins to work has it first, whoever ends has it still."""

Doing = tuple[str, Code | None]
"""What was told last of a case: a command, and the reason of a pause."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of a row: why it, or a change in it, was not taken, or how it was read."""

    row: int
    case: str
    said: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A command that a row gives; `key` tells the change from all others of its case, in every file that holds it."""

    row: int
    name: Code
    key: str
    at: datetime
    actor: PersonKey | None
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One row of a case, in its place: its time, what else orders it, and its cells."""

    at: datetime
    order: tuple[tuple[int, int, str], ...]
    row: int
    cells: tuple[Value, ...]


@dataclass(slots=True)
class Stand:
    """Where a case stands after what was told of it so far."""

    registered_at: datetime | None = None
    accepted: bool = False
    doing: Doing = ("", None)
    department: Code | None = None
    handler: UUID | None = None

    @property
    def waiting(self) -> bool:
        """Say whether its clock stands still."""
        return self.doing[0] == "pause-clock"

    @property
    def ended(self) -> bool:
        """Say whether it was answered or closed."""
        return self.doing[0] in ENDED

    def take(self, name: Code, reason: Code | None = None) -> None:
        """Take in that a command was given."""
        if name in {"register", "accept", "reopen", "resume-clock"}:
            self.accepted = self.accepted or name in {"accept", "reopen"}
            self.doing = ("accept" if self.accepted else "register", None)
        elif name not in {"assign", "hand-over"}:
            self.doing = (name, reason)


def stand_after(events: Iterable[Event]) -> Stand:
    """Give where a case stands after these events of its stream."""
    stand = Stand()
    for event in events:
        match event:
            case Registered(at=at):
                stand.registered_at = at
                stand.take("register")
            case Accepted():
                stand.take("accept")
            case Assigned(department=department, handler=handler) | HandedOver(department=department, handler=handler):
                stand.department, stand.handler = department, handler
            case ClockPaused(reason=reason):
                stand.take("pause-clock", reason)
            case ClockResumed():
                stand.take("resume-clock")
            case Replied():
                stand.take("reply")
            case Closed():
                stand.take("close")
            case Reopened():
                stand.take("reopen")
            case _:
                continue
    return stand


def command_id(ledger: str, case: str, key: str) -> UUID:
    """Give the id of a command, the same in every import."""
    return uuid5(IMPORT_NAMESPACE, f"{ledger}\0{case}\0{key}")


@dataclass(slots=True)
class Plan:
    """What follows from the rows of one case."""

    commands: list[Planned] = field(default_factory=list)
    rejected: list[Remark] = field(default_factory=list)
    unchanged: int = 0


class Changes:
    """Plans cases of which each row tells one change."""

    def __init__(self, cells: Cells) -> None:
        """Begin; the mapping of `cells` has changes."""
        if cells.ledger.changes is None:
            raise ValueError("the rows of this mapping are no changes")
        self._cells = cells
        self._how = cells.ledger.changes
        self._commands = cells.ledger.commands

    def told(self, row: int, cells: tuple[Value, ...], note: Callable[[str], None]) -> Told:
        """Give a row its place. Raises Unfit."""
        at = self._cells.moment(cells, self._how.time, note)
        return Told(at, tuple(_place(self._cells.text(cells, one)) for one in self._how.order), row, cells)

    def plan(self, case: str, rows: Sequence[Told], events: Sequence[tuple[Event, UUID]]) -> Plan:
        """Plan the rows of a case, in the order of their times; `events` are those of its stream, with command ids.

        Rows that were told before give the same commands again; those that go on after an earlier file are compared
        with where the case stood then.
        """
        placed = list(_placed(rows))
        return self._plan(case, placed, stand_after(self._before(case, placed, events)))

    def _before(
        self, case: str, placed: Sequence[tuple[str, Told]], events: Sequence[tuple[Event, UUID]]
    ) -> list[Event]:
        """Give what happened before the first row. Times are often of whole minutes, so a file can begin within one."""
        start = placed[0][1].at
        until = [event for event, _ in events if event.at <= start]
        if len(until) == 1 and until[0].at == start:
            return []  # the registration, which the first row tells again
        at_start = [place for place, told in placed if told.at == start]
        again = {
            command_id(self._cells.ledger.ledger, case, f"{place}|{name}") for place in at_start for name in AT_ONCE
        }
        told_again = next((number for number, (_, known) in enumerate(events) if known in again), len(until))
        return [] if told_again == 1 and until[0].at == start else until[:told_again]

    def _plan(self, case: str, placed: Sequence[tuple[str, Told]], stand: Stand) -> Plan:
        plan = Plan()
        for place, told in placed:
            try:
                actor = self._cells.actor(told.cells, self._how.actor)
            except Unfit as unfit:
                plan.rejected.append(Remark(told.row, case, str(unfit)))
                continue
            given, faults = self._given(told, stand)
            plan.rejected += [Remark(told.row, case, fault) for fault in faults]
            plan.unchanged += not given and not faults
            for name, fields in given:
                key = name if name == "register" else f"{place}|{name}"
                plan.commands.append(Planned(told.row, name, key, told.at, actor, fields))
        return plan

    def _given(self, told: Told, stand: Stand) -> tuple[list[tuple[Code, dict[str, Any]]], list[str]]:
        """Give what a row asks for, and why a part of it cannot be; takes it into `stand`."""
        given: dict[Code, dict[str, Any]] = {}
        faults: list[str] = []
        stage: Stage | None = None
        first = stand.registered_at is None
        try:
            if first:
                given["register"] = self._cells.fields(told.cells, self._commands.get("register"))
                stand.registered_at = told.at
                stand.take("register")
            stage = self._stage(told)
            for name in self._steps(stage, stand, told.at):
                reason = stage.reason if stage is not None and name == "pause-clock" else None
                more = {} if reason is None else {"reason": reason}
                given[name] = more | self._cells.fields(told.cells, self._commands.get(name))  # type: ignore[call-overload]
                stand.take(name, reason)
        except Unfit as unfit:
            faults.append(str(unfit))
        if stand.registered_at is not None:
            try:
                self._assigned(told, stage, stand, given)
            except Unfit as unfit:
                faults.append(str(unfit))
        return [(name, given[name]) for name in AT_ONCE if name in given], faults

    def _stage(self, told: Told) -> Stage | None:
        text = self._cells.text(told.cells, self._how.stage)
        if text is None:
            return None
        if text not in self._how.stages:
            raise Unfit(f"{self._how.stage}: the mapping does not know this stage; add it to [changes.stages]")
        return self._how.stages[text]

    def _steps(self, stage: Stage | None, stand: Stand, at: datetime) -> list[Code]:
        """Give the commands that bring a case from where it stands to a stage. Raises Unfit."""
        if stage is None or stage.command in {"ignore", "assign"}:
            return []
        name = stage.command
        if self._how.means == "state" and stand.doing == (name, stage.reason):
            return []
        match name:
            case "register":
                if at != stand.registered_at:
                    raise Unfit(f"{self._how.stage}: the stage of the registration, and the case is registered already")
                return []
            case "accept" if stand.ended:
                return ["reopen"]
            case "accept" if stand.waiting and stand.accepted:
                return ["resume-clock"]
            case "pause-clock" if stand.ended:
                return ["reopen", name]
            case "reply" if stand.doing[0] == "close":
                return ["reopen", name]
            case _:
                return [name]

    def _assigned(self, told: Told, stage: Stage | None, stand: Stand, given: dict[Code, dict[str, Any]]) -> None:
        how = self._commands.get("assign")
        if how is None or (self._how.assigning and (stage is None or stage.command != "assign")):
            return
        fields = self._cells.fields(told.cells, how)
        department, handler = fields.get("department"), fields.get("handler")
        if (department, handler) == (stand.department, stand.handler):
            return
        nobody = stand.department is None and stand.handler is None
        given["assign" if nobody else "hand-over"] = fields
        stand.department, stand.handler = department, handler


def _placed(rows: Iterable[Told]) -> Iterator[tuple[str, Told]]:
    """Give each row with what tells it from the others of its case: time, what else orders it, and which of equals."""
    seen: Counter[str] = Counter()
    for told in rows:
        place = "|".join((told.at.isoformat(), *(f"{kind}{number}{text}" for kind, number, text in told.order)))
        yield f"{place}|{seen[place]}", told
        seen[place] += 1


def _place(text: str | None) -> tuple[int, int, str]:
    """Order numbers as numbers, before texts; what is unknown comes first."""
    if text is None:
        return 0, 0, ""
    return (1, int(text), "") if text.isdecimal() and text.isascii() else (2, 0, text)


class Cases:
    """Plans cases of which one row tells everything."""

    def __init__(self, cells: Cells) -> None:
        """Begin; in the mapping of `cells` each command has a time."""
        self._cells = cells

    def plan(self, row: int, cells: tuple[Value, ...], note: Callable[[str], None], *, again: bool) -> list[Planned]:
        """Plan a row: its registration, then what followed, by time; `again`: its number stood above. Raises Unfit."""
        if again:
            raise Unfit(f"{self._cells.ledger.case}: this number stands above already; give the row one of its own")
        planned = []
        for name, given in self._cells.ledger.commands.items():
            if given.needs is not None and self._cells.text(cells, given.needs) is None:
                note(f"{given.needs}: there is none; the case stays without {name}")
                continue
            if given.time is None:
                raise AssertionError("the mapping was checked to have it")
            at = self._cells.moment(cells, given.time, note)
            fields = self._cells.fields(cells, given)
            planned.append(Planned(row, name, name, at, self._cells.actor(cells, given.actor), fields))
        return sorted(planned, key=lambda one: (one.name != "register", one.at, AT_ONCE.index(one.name)))
