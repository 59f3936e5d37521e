"""Print every event that is stored, with its fields, as docs/events.md: `python -m service.event_catalogue`."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from inspect import cleandoc
from itertools import groupby
from typing import Any, Final, NewType, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.decider import Code, Digest, Event, Instant, Metadata, PersonKey, PublicName
from domain.sealed import Base64, Sealed
from projections.codec import NAMES, UPCASTS

HEAD: Final = """# Events

Generated from the code by `python -m service.event_catalogue`; a test compares the two.

What happened is stored as UTF-8 JSON `{"m": metadata, "e": event}` under the name given here.
It is written once and never rewritten; a name and its shape are kept for ever ([decision 0002][names]).
**Sealed** values can be read with a key alone, and keys can be destroyed ([decision 0004][sealing]).
Every event begins with `at`, the moment (UTC) it happened, and `by`, the [actor](#actor).
The tables show what follows.

[names]: decisions/0002-event-names-and-upcasts.md
[sealing]: decisions/0004-personal-data-sealed-keys-outside.md"""

PLAIN: Final = (
    (Code, "code"),
    (PublicName, "public name"),
    (Digest, "SHA-256"),
    (Base64, "base64"),
    (Instant, "moment (UTC)"),
    (PersonKey, "person"),
    (UUID, "id"),
    (date, "day"),
    (int, "number"),
    (bool, "yes or no"),
    (Sealed, "**[sealed](#sealed)**"),
)


def catalogue() -> str:
    """Give the whole text: events by module, old names, the shapes inside events, the words of every list."""
    parts = [HEAD]
    for module, names in groupby(NAMES, key=lambda name: name.split(".")[0]):
        parts.append(f"## {module}")
        parts += [_event(name, NAMES[name]) for name in names]
    parts += ["## Old names", *(_old(name) for name in UPCASTS)]
    inside = sorted(_parts(), key=_name)
    parts += ["## Shapes", "What stands inside events, and beside them."]
    parts += [_shape(part) for part in inside if is_dataclass(part)]
    parts += ["## Words", "What a field with a closed list may say."]
    parts += [_words(part) for part in inside if issubclass(part, StrEnum)]
    return "\n\n".join(parts) + "\n"


def _event(name: str, event: type[Event]) -> str:
    return f"### `{name}`\n\n{_told(event)}\n\n{_table(event, leave_out=2)}"


def _old(name: str) -> str:
    newer, change = UPCASTS[name]
    return f"### `{name}`\n\nRead as [`{newer}`](#{_anchor(newer)}).\n{_told(change)}"


def _shape(shape: type) -> str:
    return f"### {_name(shape)}\n\n{_told(shape)}\n\n{_table(shape)}"


def _words(words: type[StrEnum]) -> str:
    return f"### {_name(words)}\n\n{_told(words)}\n" + ", ".join(f"`{word}`" for word in words) + "."


def _table(of: type, leave_out: int = 0) -> str:
    fields = list(get_type_hints(of, include_extras=True).items())[leave_out:]
    if not fields:
        return "Nothing follows."
    return "\n".join(["| field | what stands there |", "|---|---|", *(f"| `{n}` | {_type(t)} |" for n, t in fields)])


def _type(of: Any) -> str:  # noqa: ANN401 - a type of any kind
    for plain, said in PLAIN:
        if of is plain or of == plain:
            return said
    arguments = [one for one in get_args(of) if one not in {types.NoneType, ...}]
    if get_origin(of) is tuple:
        return "list of " + ", ".join(_type(one) for one in arguments)
    if get_origin(of) in {Union, types.UnionType}:
        said = " or ".join(_type(one) for one in arguments)
        return f"{said}, or nothing" if types.NoneType in get_args(of) else said
    return f"[{_name(of)}](#{_anchor(_name(of))})"


def _inside(of: Any) -> Iterator[type]:  # noqa: ANN401 - a type of any kind
    """Yield the dataclasses and lists of words that a type is made of."""
    is_shape = isinstance(of, type) and is_dataclass(of)
    for hint in get_type_hints(of, include_extras=True).values() if is_shape else get_args(of):
        if isinstance(hint, NewType):
            continue
        if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, StrEnum)):
            yield hint
        yield from _inside(hint)


def _told(of: Any) -> str:  # noqa: ANN401 - a class or a function
    return cleandoc(of.__doc__ or "")


@cache
def _parts() -> frozenset[type]:
    return frozenset(part for event in NAMES.values() for part in _inside(event)) | {Metadata}


def _name(of: type) -> str:
    """Give the name of a shape or a list; where two are called the same, with what they belong to."""
    alike = {part for part in _parts() if part.__name__ == of.__name__}
    return of.__name__ if len(alike) <= 1 else f"{of.__module__.split('.')[1]}.{of.__name__}"


def _anchor(heading: str) -> str:
    return "".join(letter for letter in heading.lower().replace(" ", "-") if letter.isalnum() or letter in "-_")


def main() -> None:
    """Write the catalogue to standard output, in UTF-8 whatever the machine prefers."""
    sys.stdout.buffer.write(catalogue().encode())


if __name__ == "__main__":
    main()
