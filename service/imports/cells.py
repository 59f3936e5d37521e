"""What stands in the cells of a row: times in UTC, persons as keys, offices as codes; reasons never quote a cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import uuid5
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from domain.decider import Code, PersonKey, PublicName
from domain.register import Department, Window
from service.casebook import IMPORT_NAMESPACE
from service.forms.form import FIRST_YEAR
from service.imports.forms import COMPLAINANT
from service.imports.mapping import ISO, Cell, Column, Entries, Given, Ledger
from service.imports.reading import Broken, Value

CODE: Final = TypeAdapter[str](Code)
NAME: Final = TypeAdapter[str](PublicName)
LONGEST_CASE: Final = 200

Note = Callable[[str], None]
"""Told how a cell was read, where that is not as the mapping says first."""


class Unfit(ValueError):
    """A row, or one change in it, cannot be taken; the text says why, without quoting it."""


@dataclass(slots=True)
class Cells:
    """Reads the cells of the rows of one file, in the order of `ledger.columns`, and remembers which offices it met."""

    ledger: Ledger
    now: datetime
    departments: dict[str, Code] = field(default_factory=dict)
    windows: dict[str, Code] = field(default_factory=dict)
    places: Mapping[Column, int] = field(init=False)

    def __post_init__(self) -> None:
        """Find the place of each column."""
        self.places = {column: place for place, column in enumerate(self.ledger.columns)}

    def text(self, cells: tuple[Value, ...], column: Column) -> str | None:
        """Give the text of a cell. Raises Unfit."""
        match cells[self.places[column]]:
            case Broken(why=why):
                raise Unfit(f"{column}: {why}")
            case datetime() as moment:
                return moment.isoformat(sep=" ")
            case value:
                return value

    def case(self, cells: tuple[Value, ...]) -> str:
        """Give the number of the case. Raises Unfit."""
        column = self.ledger.case
        number = self.text(cells, column)
        if number is None or not number.strip():
            raise Unfit(f"{column}: there is no number; without one the row cannot be told from others")
        if len(number) > LONGEST_CASE:
            raise Unfit(f"{column}: the number is longer than {LONGEST_CASE} characters; is this the right column?")
        return number

    def required(self, cells: tuple[Value, ...]) -> None:
        """Refuse a row that lacks a cell the mapping asks for. Raises Unfit."""
        for column in self.ledger.source.required:
            if self.text(cells, column) is None:
                raise Unfit(f"{column}: the cell is empty; the mapping requires it")

    def moment(self, cells: tuple[Value, ...], column: Column, note: Note) -> datetime:
        """Give the time in a cell, in UTC. Raises Unfit."""
        cell = cells[self.places[column]]
        times = self.ledger.times
        if isinstance(cell, datetime):
            note(f"{column}: a date of the workbook, not a text")
            found = cell.replace(tzinfo=_zone(times.zone)).astimezone(UTC)
        else:
            text = self.text(cells, column)
            if text is None:
                raise Unfit(f"{column}: there is no time")
            parsed = _parsed(text.strip(), times.formats, times.zone)
            if parsed is None:
                raise Unfit(f"{column}: no time; the mapping says it is written as {' or '.join(times.formats)}")
            found, form = parsed
            if form != times.formats[0]:
                midnight = form != ISO and not re.search("%[HIcXf]", form)
                note(f"{column}: {'a date without a time, read as midnight' if midnight else f'read as {form}'}")
        if found.year < FIRST_YEAR or found > self.now:
            raise Unfit(f"{column}: the time is still to come, or before the calendar; is the zone right?")
        return found

    def actor(self, cells: tuple[Value, ...], column: Column | None) -> PersonKey | None:
        """Give the key of who acted, if that is told. Raises Unfit."""
        return None if column is None else self.person(column, self.text(cells, column))

    def person(self, column: Column, name: str | None) -> PersonKey | None:
        """Give the opaque key of a person of this ledger."""
        if name is None:
            return None
        return _person(f"{self.ledger.ledger}:{column}:{name}")

    def fields(self, cells: tuple[Value, ...], given: Given | None) -> dict[str, Any]:
        """Give the fields of a command, as far as they are known. Raises Unfit."""
        found: dict[str, Any] = {}
        for name, cell in (given.fields if given is not None else {}).items():
            value = self._field(cells, name, cell)
            if value is not None:
                found[name] = value
        return found

    def _field(self, cells: tuple[Value, ...], name: str, cell: Cell) -> object:
        if cell.column is None:
            return cell.given
        text = self.text(cells, cell.column)
        if text is None:
            return None
        if cell.values is not None:
            chosen = cell.values.get(text, cell.otherwise)
            if chosen is None:
                raise Unfit(f"{cell.column}: the mapping does not say what this value means for {name}; add it there")
            return chosen
        match name:
            case "happened_at" | "received_at" | "served_at":
                return self.moment(cells, cell.column, lambda _said: None)
            case "department" | "respondent_department":
                return self._office(self.departments, self.ledger.departments, text)
            case "window" | "respondent_window":
                return self._office(self.windows, self.ledger.windows, text)
            case "handler":
                return self.person(cell.column, text)
            case _ if name == COMPLAINANT:
                # Only a keyed mark of it is kept. In hexadecimal, because marks look at latin letters and digits alone.
                return uuid5(IMPORT_NAMESPACE, f"{self.ledger.ledger}:{cell.column}:{text}").hex
            case _:
                return text

    def _office(self, met: dict[str, Code], entries: Entries | None, text: str) -> Code:
        if entries is None:
            raise AssertionError("the mapping was checked to have them")
        if text not in met:
            met[text] = self._code(entries, text)
        return met[text]

    def _code(self, entries: Entries, text: str) -> Code:
        found = None if entries.match is None else re.fullmatch(entries.match, text)
        if entries.match is not None and found is None:
            raise Unfit(f"{entries.column}: the value does not look as `match` says; correct the mapping")
        code = found.expand(entries.code or "") if found else f"{self.ledger.site.code}.{text}"
        if entries.match is None and not _fits(CODE, code):
            code = f"{self.ledger.site.code}.{uuid5(IMPORT_NAMESPACE, text).hex[:12]}"
        if not _fits(CODE, code) or not _fits(NAME, text):
            raise Unfit(f"{entries.column}: no code can be made of the value; write match and code in the mapping")
        return code

    def meet(self, cells: tuple[Value, ...]) -> None:
        """Remember the offices of a row, so that all are entered before the first case names one."""
        for met, entries in ((self.departments, self.ledger.departments), (self.windows, self.ledger.windows)):
            if entries is not None:
                for column in entries.columns:
                    if column not in self.places:
                        continue
                    with suppress(Unfit):  # said when the row is planned
                        text = self.text(cells, column)
                        if text is not None:
                            self._office(met, entries, text)

    def offices(self) -> list[Department | Window]:
        """Give the entries of the register for all values met so far."""
        site = self.ledger.site.code
        kind = None if self.ledger.windows is None else self.ledger.windows.kind
        departments = [
            Department(code=code, name_zh=name, name_en=name, site=site) for name, code in self.departments.items()
        ]
        windows = [
            Window(code=code, name_zh=name, name_en=name, site=site, kind=kind)
            for name, code in self.windows.items()
            if kind is not None
        ]
        return sorted([*departments, *windows], key=lambda entry: (type(entry).__name__, entry.code))


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


# Tables repeat themselves: the same minute, the same person stand in many rows.
@lru_cache(maxsize=50_000)
def _parsed(text: str, formats: tuple[str, ...], zone: str) -> tuple[datetime, str] | None:
    for form in formats:
        try:
            found = datetime.fromisoformat(text) if form == ISO else datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            continue
        local = found if found.tzinfo is not None else found.replace(tzinfo=_zone(zone))
        try:
            return local.astimezone(UTC), form
        except OverflowError:
            return None
    return None


@lru_cache(maxsize=50_000)
def _person(name: str) -> PersonKey:
    return PersonKey(uuid5(IMPORT_NAMESPACE, name))


def _fits(shape: TypeAdapter[str], text: str) -> bool:
    try:
        shape.validate_python(text)
    except ValidationError:
        return False
    return True
