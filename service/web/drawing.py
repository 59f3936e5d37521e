"""How a form is drawn: one widget for each field, in the reader's words, with its choices and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from service.web.texts import Texts
from service.web.widgets import NO, YES, Kind, Part, Sent, parts, spelled_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice; those of a group stand together."""

    value: str
    label: str
    group: str = ""


Choices = Mapping[str, Sequence[Option]]
"""By what fields refer to: departments, windows, replies under way and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Widget:
    """One field of a page. A group holds `children`; what is repeated holds one child for each value."""

    kind: Kind
    name: str
    label: str
    hint: str = ""
    required: bool = False
    repeated: bool = False
    value: str = ""
    values: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    children: tuple[Widget, ...] = ()
    blank: bool = True
    longest: int | None = None
    least: int | None = None
    most: int | None = None
    error: str = ""
    key: str = ""

    @property
    def id(self) -> str:
        """The name by which labels and errors point at it."""
        return "f-" + self.name.replace(".", "-").replace("_", "-")

    @property
    def grouped(self) -> list[tuple[str, list[Option]]]:
        """The options by their groups, in the order in which groups first appear."""
        found: dict[str, list[Option]] = {}
        for option in self.options:
            found.setdefault(option.group, []).append(option)
        return list(found.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How a form is drawn: in which words, with which choices, what is given so far, what is wrong with it.

    `given` is None before anything was typed: then defaults stand in the fields. `rows` says how many places something
    repeated has at least; `keys` are access keys by the name of a field, `without` the fields that are not asked for.
    """

    t: Texts
    zone: ZoneInfo
    choices: Choices = field(default_factory=dict)
    given: Sent | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    def widgets(self, form: type[BaseModel], only: Sequence[str] | None = None) -> tuple[Widget, ...]:
        """Give the widgets of a form, or of these fields of it in this order."""
        by_name = {part.name: part for part in parts(form)}
        return tuple(self._draw(form, by_name[name], name) for name in only or by_name)

    def _draw(self, form: type[BaseModel], part: Part, name: str, *, owed: bool = True) -> Widget:
        values = self._values(part, name)
        options = self._options(part)
        required = part.required and owed
        return Widget(
            kind=_shown(part.kind, options),
            name=name,
            label=self.t.label(form.__name__, part.name),
            hint=self.t.hint(form.__name__, part.name),
            required=required,
            repeated=part.repeated,
            value=values[-1] if values else "",
            values=tuple(values),
            options=options,
            blank=not required or len(options) != 1,
            longest=part.longest,
            least=part.least if part.kind is Kind.NUMBER else None,
            most=part.most if part.kind is Kind.NUMBER else None,
            error=self.errors.get(name, ""),
            key=self.keys.get(name, ""),
            children=self._children(part, name, values, options, owed=required),
        )

    def _children(
        self, part: Part, name: str, values: list[str], options: Sequence[Option], *, owed: bool
    ) -> tuple[Widget, ...]:
        if part.kind is Kind.GROUP and not part.repeated:
            return self._group(part, name, owed=owed)
        if not part.repeated or options:
            return ()
        label = self.t.label("", part.name)
        places = max(self.rows.get(name, 1), part.least or 1)
        if part.kind is Kind.GROUP:
            rows = [] if self.given is None else self.given.rows(name)
            rows += range(max(rows, default=-1) + 1, max(rows, default=-1) + 1 + places - len(rows))
            return tuple(
                Widget(
                    kind=Kind.GROUP,
                    name=f"{name}.{row}",
                    label=f"{label} {number}",
                    children=self._group(part, f"{name}.{row}", owed=False),
                )
                for number, row in enumerate(rows, 1)
            )
        filled = [*values, *[""] * (places - len(values))]
        return tuple(
            Widget(
                kind=part.kind,
                name=name,
                label=f"{label} {number}",
                value=value,
                longest=part.longest,
                required=owed and number == 1,
            )
            for number, value in enumerate(filled, 1)
        )

    def _group(self, part: Part, name: str, *, owed: bool) -> tuple[Widget, ...]:
        named = ((one, f"{name}.{one.name}") for one in parts(part.of))
        return tuple(self._draw(part.of, one, full, owed=owed) for one, full in named if full not in self.without)

    def _values(self, part: Part, name: str) -> list[str]:
        if self.given is None:
            return (
                [value for _, value in spelled_part(part, part.default, self.zone, name)]
                if _given(part.default)
                else []
            )
        return self.given.all(name)

    def _options(self, part: Part) -> tuple[Option, ...]:
        if part.kind is Kind.YES_NO:
            return (Option(value=YES, label=self.t("yes")), Option(value=NO, label=self.t("no")))
        if part.refers is not None:
            return tuple(self.choices.get(part.refers, ()))
        if get_origin(part.of) is Literal:
            return tuple(Option(value=str(one), label=self.t.word(str(one))) for one in get_args(part.of))
        if part.kind is Kind.SELECT:
            return tuple(Option(value=member, label=self.t.option(member)) for member in part.of)
        # A closed list of the rules stands for a code that bears its name.
        return tuple(self.choices.get(part.name, ())) if part.kind is Kind.LINE else ()


def _shown(kind: Kind, options: Sequence[Option]) -> Kind:
    """Give how a field is shown: a choice where there is something to choose from, else a line to write on."""
    if kind in {Kind.LINE, Kind.SELECT}:
        return Kind.SELECT if options else Kind.LINE
    return kind


def _given(default: object) -> bool:
    return default is not None and default != () and not isinstance(default, BaseModel)


def wrong(widgets: Sequence[Widget]) -> list[Widget]:
    """Give the widgets that say what is wrong with them, in the order in which they stand on the page."""
    return [one for widget in widgets for one in ((widget,) if widget.error else ()) + tuple(wrong(widget.children))]
