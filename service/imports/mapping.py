"""What a ledger calls things: which column is the case, which the time, and which command each stage stands for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from domain.decider import Code
from domain.register import WindowKind
from service.forms.entries import SiteForm
from service.imports.forms import fields_of, unfit

ISO: Final = "iso"
"""The format of a time in ISO 8601; one with an offset needs no zone."""

Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Column: TypeAlias = Name
"""The heading of a column, or the key of an attribute; in an event log `case:key` is an attribute of the trace."""
Kind = Literal[
    "rate", "register", "accept", "assign", "hand-over", "pause-clock", "resume-clock", "reply", "close", "reopen"
]
Standing = Literal["register", "accept", "assign", "pause-clock", "resume-clock", "reply", "close", "reopen", "ignore"]


class MappingError(ValueError):
    """A mapping cannot be used; the message names each place at fault and what to write instead."""


class Part(BaseModel):
    """A table of a mapping; nothing unknown may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("there is no such zone; write one like Asia/Shanghai, or UTC") from None
    return name


def _format(form: str) -> str:
    try:
        datetime.strptime("", form)  # noqa: DTZ007 - only tried
    except ValueError as error:
        if form != ISO and "does not match format" not in str(error):
            raise ValueError(f"this is no format of a time: {error}") from None
    return form


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return text


class Source(Part):
    """How the file is written."""

    format: Literal["csv", "xlsx", "xes"] | None = Field(default=None, description="By default as the name ends.")
    member: Name | None = Field(default=None, description="The file inside a zip that holds several.")
    sheet: Name | None = Field(default=None, description="The sheet of a workbook; by default the first.")
    encoding: Name = "utf-8-sig"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    null: tuple[str, ...] = Field(default=(), description="What stands in a cell of which nothing is known.")
    required: tuple[Column, ...] = Field(default=(), description="Cells without which a row is not taken.")

    @model_validator(mode="after")
    def _known_encoding(self) -> Self:
        try:
            "".encode(self.encoding)
        except LookupError:
            raise ValueError("encoding: there is no such encoding; write utf-8-sig or gb18030") from None
        return self


class Times(Part):
    """How times are written; all but those with an offset are local times of `zone`."""

    formats: tuple[Annotated[Name, AfterValidator(_format)], ...] = Field(min_length=1)
    zone: Annotated[Name, AfterValidator(_zone)]


class Entries(Part):
    """Departments or windows of the site: entered in the register, one for each value of a column."""

    column: Column
    also: tuple[Column, ...] = Field(default=(), description="Other columns with values of the same kind.")
    match: Annotated[Name, AfterValidator(_pattern)] | None = None
    code: Name | None = Field(default=None, description=r"A template such as G\1 for what `match` found.")
    kind: WindowKind = WindowKind.SERVICE

    @property
    def columns(self) -> tuple[Column, ...]:
        """Give all columns in which such values stand."""
        return (self.column, *self.also)

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.match is None) != (self.code is None):
            raise ValueError(r"match and code go together; write both, as match = 'Group (\d+)' and code = 'G\1'")
        if self.match is not None and self.code is not None:
            try:
                re.sub(self.match, self.code, "")
            except (re.error, IndexError) as error:
                raise ValueError(f"code does not fit match: {error}") from None
        return self


class Cell(Part):
    """Where the value of a field comes from: a column, perhaps through a list of values, or the mapping itself."""

    column: Column | None = None
    values: Mapping[str, str] | None = None
    otherwise: str | None = None
    given: str | int | bool | None = Field(default=None, alias="is")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.given is None):
            raise ValueError('write { column = "…" } or { is = "…" }')
        if self.column is None and (self.values is not None or self.otherwise is not None):
            raise ValueError("values and otherwise belong to a column")
        if self.otherwise is not None and self.values is None:
            raise ValueError("otherwise belongs to values")
        return self

    @property
    def constants(self) -> tuple[str | int | bool, ...]:
        """Give the values that stand in the mapping itself."""
        named = (self.given, self.otherwise, *(self.values or {}).values())
        return tuple(one for one in named if one is not None)


def _cell(given: object) -> object:
    return {"column": given} if isinstance(given, str) else given


class Given(Part):
    """A command that a row gives: when, only if `needs` is filled, and where its fields come from."""

    time: Column | None = None
    needs: Column | None = None
    actor: Column | None = None
    fields: Mapping[str, Annotated[Cell, BeforeValidator(_cell)]] = {}


class Stage(Part):
    """What a stage of the ledger stands for; a pause says why, in a code of the ledger's own."""

    command: Standing
    reason: Code | None = None

    @model_validator(mode="after")
    def _reason_of_a_pause(self) -> Self:
        if (self.reason is not None) != (self.command == "pause-clock"):
            raise ValueError('a pause has a reason, and nothing else; write { command = "pause-clock", reason = "…" }')
        return self


def _stage(given: object) -> object:
    return {"command": given} if isinstance(given, str) else given


class Changes(Part):
    """A table of which each row is one change of one case."""

    time: Column
    order: tuple[Column, ...] = ()
    stage: Column
    means: Literal["state", "activity"]
    actor: Column | None = None
    stages: Mapping[str, Annotated[Stage, BeforeValidator(_stage)]] = Field(min_length=1)

    @property
    def assigning(self) -> bool:
        """Say whether only certain stages assign a case; otherwise every row tells who has it."""
        return any(stage.command == "assign" for stage in self.stages.values())


class Ledger(Part):
    """A mapping: what the files of one ledger hold."""

    ledger: Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]*\z", max_length=40)]
    case: Column
    rows: Literal["cases", "changes", "ratings"]
    source: Source = Source()
    times: Times
    site: SiteForm
    departments: Entries | None = None
    windows: Entries | None = None
    changes: Changes | None = None
    commands: Mapping[Kind, Given] = {}

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if faults := list(self._faults()):
            raise ValueError("\n".join(faults))
        return self

    @property
    def columns(self) -> tuple[Column, ...]:
        """Give every column the mapping names, each once."""
        named = [self.case, *self.source.required]
        if self.changes is not None:
            named += [self.changes.time, *self.changes.order, self.changes.stage]
            named += [self.changes.actor] if self.changes.actor else []
        for given in self.commands.values():
            named += [one for one in (given.time, given.needs, given.actor) if one is not None]
            named += [cell.column for cell in given.fields.values() if cell.column is not None]
        return tuple(dict.fromkeys(named))

    def _faults(self) -> Iterator[str]:
        if self.rows == "changes" and self.changes is None:
            yield "changes: rows are changes, so write [changes] with time, stage, means and [changes.stages]"
        if self.changes is not None and self.changes.assigning and "assign" not in self.commands:
            yield "commands.assign.fields: a stage assigns, so write which columns say to whom"
        if self.rows == "cases":
            if self.changes is not None:
                yield 'changes: rows are cases; leave [changes] out, or write rows = "changes"'
            if "register" not in self.commands:
                yield "commands.register: write when and from which columns a case is registered"
        if (self.rows == "ratings") != ("rate" in self.commands) or (self.rows == "ratings" and len(self.commands) > 1):
            yield 'commands: rows that are ratings give rate, and nothing else does; write rows = "ratings"'
        for name, given in self.commands.items():
            yield from self._faults_of(name, given)

    def _faults_of(self, name: Kind, given: Given) -> Iterator[str]:
        place = f"commands.{name}"
        if self.rows == "cases" and given.time is None:
            yield f"{place}.time: write the column that says when"
        if self.rows == "changes":
            for key in ("time", "needs", "actor"):
                if getattr(given, key) is not None:
                    yield f"{place}.{key}: rows are changes; write it in [changes]"
            if name == "hand-over":
                yield f"{place}: rows are changes; it follows from the fields of assign, leave it out"
            if "reason" in given.fields:
                yield f"{place}.fields.reason: rows are changes; write the reason at the stage"
        elif name == "pause-clock" and "reason" not in given.fields:
            yield f"{place}.fields.reason: write for what the case waited"
        if name == "rate" and "grade" not in given.fields:
            yield f"{place}.fields.grade: write which column holds the grade, and what its values mean"
        if name == "rate" and {"window", "item"} & given.fields.keys() and "department" not in given.fields:
            yield f"{place}.fields.department: whoever served at a window belongs to a department; write the column"
        known = fields_of(name)
        for field, cell in given.fields.items():
            if field not in known:
                yield f"{place}.fields.{field}: there is no such field; there is {', '.join(sorted(known)) or 'none'}"
                continue
            for value in cell.constants:
                if said := unfit(name, field, value):
                    yield f"{place}.fields.{field}: {value}: {said}"
        for field, cell in given.fields.items():
            kind = field.removeprefix("respondent_")
            entries = {"department": self.departments, "window": self.windows}.get(kind)
            if kind in {"department", "window"} and (entries is None or cell.column not in entries.columns):
                yield f"{place}.fields.{field}: write [{kind}s] with this column, so that its values are entered"


def shipped() -> tuple[str, ...]:
    """Give the names of the mappings that come with the program."""
    found = files("service.imports").joinpath("mappings").iterdir()
    return tuple(sorted(one.name.removesuffix(".toml") for one in found if one.name.endswith(".toml")))


def load(name: str) -> Ledger:
    """Read a mapping: the file of this path, or the one of this name that comes with the program.

    Raises MappingError, OSError.
    """
    if name in shipped():
        return read(name, files("service.imports").joinpath("mappings", f"{name}.toml").read_text(encoding="utf-8"))
    path = Path(name)
    if not path.is_file():
        raise MappingError(f"{name}: there is no such file; write its path, or one of {', '.join(shipped())}")
    try:
        return read(path.name, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise MappingError(f"{path.name} is not UTF-8; save it as UTF-8") from None


def read(name: str, text: str) -> Ledger:
    """Read a mapping, called `name` in messages. Raises MappingError."""
    try:
        raw = tomllib.loads(text)
        return Ledger.model_validate(raw)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{name} is not TOML: {error}") from None
    except ValidationError as error:
        faults = [fault for one in error.errors(include_url=False) for fault in _told(one)]
        raise MappingError("\n".join(f"{name}: {fault}" for fault in faults)) from None


def _told(error: Any) -> Iterator[str]:  # noqa: ANN401 - the error of the validation library is a loose mapping
    place = ".".join(map(str, error["loc"]))
    said = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        said = "there is no such setting; docs/importing.md has them all"
    for line in said.split("\n"):
        yield f"{place}: {line}" if place else line
