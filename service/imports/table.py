"""A table of another house becomes cases of a ledger: read, ordered, planned, and given as commands, each only once."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from psycopg_pool import ConnectionPool
from pydantic import ValidationError

from domain.decider import THE_SYSTEM, Actor, Code, Event
from domain.errors import Refused
from domain.rulebook import Profile
from projections.codec import decode
from service.adoption import adopt_first, enter
from service.casebook import Asked, Done
from service.desk import Wish, case_of_command
from service.forms.form import Form
from service.forms.intake import CaseForm
from service.imports.cells import Cells, Unfit
from service.imports.forms import COMPLAINANT, FORMS, RESPONDENT
from service.imports.mapping import Ledger
from service.imports.planning import Cases, Changes, Plan, Planned, Remark, Told, command_id
from service.imports.ratings import Ratings, told_by, visit_of
from service.imports.ratings import give as give_rating
from service.imports.reading import Value, read
from service.parts import Parts

SOURCE: Final[Code] = "import"
PORTION: Final = 400
"""About how many rows are given at once: many share one append, and no other writer waits long for it."""
STREAMS: Final = (
    "select stream_id, name, state, command_id from events where stream_id = any(%s) order by stream_id, version"
)

SHORT: Final = 40
"""Characters of a text that may stand in many rows."""

Progress = Callable[[int, int], None]
"""Told how many rows are done, and how many there are."""
Events = Sequence[tuple[Event, UUID]]
"""What stands in a stream, each event with the command that caused it."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """What an import did, or would do: rows read, cases in them, commands by kind done now, and done before.

    `unchanged` are rows that tell nothing which is kept here, `unread` columns of which nothing is. `noted` says how
    cells were read; `seconds` is how long the writing took, `peak` the most memory this process ever held, in bytes.
    """

    read: int = 0
    cases: int = 0
    commands: Counter[Code] = field(default_factory=Counter)
    repeated: int = 0
    unchanged: int = 0
    rejected: list[Remark] = field(default_factory=list)
    noted: list[Remark] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak: int = 0

    @property
    def done(self) -> int:
        """How many commands were given now."""
        return self.commands.total()


@dataclass(frozen=True, slots=True)
class Story:
    """A case of the file: when it begins there, how many rows it has, and what follows from them."""

    case: str
    at: datetime
    row: int
    rows: int
    plan: Callable[[Events], Plan]


def import_table(parts: Parts, path: Path, ledger: Ledger, progress: Progress = lambda _done, _total: None) -> Counts:
    """Take over a file; what was taken over before changes nothing, so a killed import is simply started again.

    Rows are held in memory to be ordered, of each only the cells the mapping names. Raises NotThisTable, OSError, and
    Refused where the register has something else under a code of the mapping.
    """
    counts = Counts()
    cells = Cells(ledger, datetime.now(UTC))
    stories = gather(path, cells, counts)
    adopt_first(parts.book)
    # In an empty register it stands from the first case on, so that a sample of earlier months can still come after.
    empty = not parts.book.facts().register.sites
    enter(parts.book, [ledger.site.entry(), *cells.offices()], stories[0].at if empty and stories else None)
    began = time.monotonic()
    give = _rate if ledger.rows == "ratings" else _give
    for portion in _portions(stories, counts, progress):
        give(parts, ledger, portion, counts)
    return _finished(counts, began)


def check_table(pool: ConnectionPool | None, path: Path, ledger: Ledger) -> Counts:
    """Say what an import would do, as far as that can be known without writing; only reads, where there is a log.

    What the rules refuse shows only when the commands are given. Raises NotThisTable, OSError.
    """
    counts = Counts()
    stories = gather(path, Cells(ledger, datetime.now(UTC)), counts)
    began = time.monotonic()
    for portion in _portions(stories, counts, lambda _done, _total: None):
        for story, planned, known in _planned(pool, ledger, portion, counts):
            for one, command in _would(ledger, story, planned, counts):
                if command in known:
                    counts.repeated += 1
                else:
                    counts.commands[one.name] += 1
    return _finished(counts, began)


def gather(path: Path, cells: Cells, counts: Counts) -> list[Story]:
    """Read a file into its cases, in the order in which they begin. Raises NotThisTable, OSError."""
    ledger = cells.ledger
    stories = _changes(path, cells, counts) if ledger.rows == "changes" else _cases(path, cells, counts)
    counts.cases = len(stories)
    return sorted(stories, key=lambda story: (story.at, story.row))


def _rows(
    path: Path, cells: Cells, counts: Counts
) -> Iterator[tuple[int, str, tuple[Value, ...], Callable[[str], None]]]:
    """Give the rows whose case is known, each with a way to note how it was read."""
    for row, values in read(path, cells.ledger.source, cells.ledger.columns, counts.unread.extend):
        counts.read += 1
        # The same few texts stand in most rows: one copy of each is held.
        held = tuple(sys.intern(one) if type(one) is str and len(one) <= SHORT else one for one in values)
        try:
            case = cells.case(held)
            cells.required(held)
        except Unfit as unfit:
            counts.rejected.append(Remark(row, "", str(unfit)))
            continue
        yield row, case, held, partial(_note, counts, row, case)


def _note(counts: Counts, row: int, case: str, said: str) -> None:
    counts.noted.append(Remark(row, case, said))


def _changes(path: Path, cells: Cells, counts: Counts) -> list[Story]:
    changes = Changes(cells)
    told: dict[str, list[Told]] = {}
    for row, case, values, note in _rows(path, cells, counts):
        cells.meet(values)
        try:
            one = changes.told(row, values, note)
        except Unfit as unfit:
            counts.rejected.append(Remark(row, case, str(unfit)))
        else:
            told.setdefault(case, []).append(one)
    stories = []
    for case, rows in told.items():
        rows.sort(key=lambda one: (one.at, one.order, one.row))
        stories.append(Story(case, rows[0].at, rows[0].row, len(rows), partial(changes.plan, case, rows)))
    return stories


def _cases(path: Path, cells: Cells, counts: Counts) -> list[Story]:
    cases = Ratings(cells) if cells.ledger.rows == "ratings" else Cases(cells)
    stories: dict[str, Story] = {}
    for row, case, values, note in _rows(path, cells, counts):
        try:
            planned = cases.plan(row, values, note, again=case in stories)
        except Unfit as unfit:
            counts.rejected.append(Remark(row, case, str(unfit)))
        else:
            plan = Plan(commands=planned)
            if not planned:
                counts.unchanged += 1
                continue
            stories[case] = Story(case, planned[0].at, row, 1, lambda _events, plan=plan: plan)  # type: ignore[misc]
    return list(stories.values())


def _portions(stories: Sequence[Story], counts: Counts, progress: Progress) -> Iterator[list[Story]]:
    total, done, waiting = sum(story.rows for story in stories), 0, 0
    portion: list[Story] = []
    for story in stories:
        portion.append(story)
        waiting += story.rows
        if waiting >= PORTION:
            yield portion
            done, waiting, portion = done + waiting, 0, []
            progress(done, total)
    if portion:
        yield portion
    progress(total, total)
    counts.rejected.sort(key=lambda remark: remark.row)
    counts.noted.sort(key=lambda remark: remark.row)


def _planned(
    pool: ConnectionPool | None, ledger: Ledger, portion: Sequence[Story], counts: Counts
) -> Iterator[tuple[Story, list[Planned], set[UUID]]]:
    """Plan each case of a portion by what the log has of it; give the plan, and the commands that are there already."""
    streams = {_stream(ledger, story.case): story.case for story in portion}
    found: dict[str, list[tuple[Event, UUID]]] = {}
    if pool is not None:
        with pool.connection() as connection:
            rows = connection.execute(STREAMS, (list(streams),), binary=True, prepare=True).fetchall()
        for stream, name, state, caused_by in rows:
            found.setdefault(streams[stream], []).append((decode(name, state)[0], caused_by))
    for story in portion:
        events = found.get(story.case, [])
        plan = story.plan(events)
        counts.rejected += plan.rejected
        counts.unchanged += plan.unchanged
        yield story, plan.commands, {one for _, one in events}


def _stream(ledger: Ledger, case: str) -> UUID:
    if ledger.rows == "ratings":
        return visit_of(ledger, case)
    return case_of_command(command_id(ledger.ledger, case, "register"))


def _give(parts: Parts, ledger: Ledger, portion: Sequence[Story], counts: Counts) -> None:
    wishes: list[tuple[Planned, str, Wish]] = []
    for story, planned, known in _planned(parts.pool, ledger, portion, counts):
        for one, wish in _wished(ledger, story, planned, counts):
            if wish.asked.command_id in known:
                counts.repeated += 1
            else:
                wishes.append((one, story.case, wish))
    for (one, case, _), outcome in zip(wishes, parts.desk.many([wish for *_, wish in wishes]), strict=True):
        match outcome:
            case Refused():
                counts.rejected.append(_refused(one, case, outcome))
            case Done(repeated=True):
                counts.repeated += 1
            case Done(events=()):
                counts.unchanged += 1
            case _:
                counts.commands[one.name] += 1


def _rate(parts: Parts, ledger: Ledger, portion: Sequence[Story], counts: Counts) -> None:
    for story, planned, known in _planned(parts.pool, ledger, portion, counts):
        for one, command in _would(ledger, story, planned, counts):
            if command in known:
                counts.repeated += 1
            elif (refused := give_rating(parts, ledger, story.case, one)) is not None:
                counts.rejected.append(_refused(one, story.case, refused))
            else:
                counts.commands[one.name] += 1


def _refused(one: Planned, case: str, refused: Refused) -> Remark:
    return Remark(one.row, case, f"{one.name}: {refused.message()} {refused.then} [{refused.code}]")


def _would(ledger: Ledger, story: Story, planned: Sequence[Planned], counts: Counts) -> Iterator[tuple[Planned, UUID]]:
    """Give what can be kept, with the id of the command that keeps it; the rest is rejected."""
    if ledger.rows != "ratings":
        yield from ((one, wish.asked.command_id) for one, wish in _wished(ledger, story, planned, counts))
        return
    for one in planned:
        try:
            told_by(ledger, story.case, one)
        except ValidationError as error:
            counts.rejected.append(Remark(one.row, story.case, _faults(error)))
        else:
            yield one, command_id(ledger.ledger, story.case, one.key)


def _wished(ledger: Ledger, story: Story, planned: Sequence[Planned], counts: Counts) -> Iterator[tuple[Planned, Wish]]:
    """Make what is planned into wishes; what cannot be kept is rejected, with what hangs on it."""
    made = []
    for one in planned:
        try:
            made.append((one, _wish(ledger, story.case, one)))
        except ValidationError as error:
            counts.rejected.append(Remark(one.row, story.case, _faults(error)))
            if ledger.rows == "cases":
                return  # a row is taken whole or not at all
            if one.name == "register":
                said = f"{{}}: the case could not be registered; see row {one.row}"
                counts.rejected += [Remark(other.row, story.case, said.format(other.name)) for other in planned[1:]]
                return
    yield from made


def _wish(ledger: Ledger, case: str, one: Planned) -> Wish:
    """Raises ValidationError for texts and codes that cannot be kept."""
    asked = Asked(command_id=command_id(ledger.ledger, case, one.key), source=SOURCE, name=one.name, moment=one.at)
    by = (
        THE_SYSTEM
        if one.actor is None
        else Actor(person=THE_SYSTEM.person, role=THE_SYSTEM.role, on_behalf_of=one.actor)
    )
    if one.name != "register":
        form: Form = FORMS[one.name].model_validate(one.fields)
        return Wish(form=form, by=by, asked=asked, case=_stream(ledger, case))
    fields: dict[str, Any] = {**one.fields, "hall": ledger.site.code}
    if COMPLAINANT in fields:
        fields["id_number"] = fields.pop(COMPLAINANT)
    fields["respondent"] = {inside: fields.pop(name) for name, inside in RESPONDENT.items() if name in fields}
    return Wish(form=CaseForm.model_validate(fields), by=by, asked=asked, profile=Profile.LEDGER)


def _faults(error: ValidationError) -> str:
    # Never the values: they are what people wrote.
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
        for one in error.errors(include_input=False, include_url=False)
    )


def _finished(counts: Counts, began: float) -> Counts:
    counts.seconds = time.monotonic() - began
    # Linux counts in KiB, macOS in bytes.
    counts.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return counts
