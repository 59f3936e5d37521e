"""Whatever chance does to a file: it is refused in a sentence, or it still says the same."""

from __future__ import annotations

import copy
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.verifier import Given, Invalid, Key, Unreadable, verify
from tests.service.changed_files import HALL, MAKE, Made, written

GIVEN: Final = Given([Key.parse(HALL.vkey)])
FILES: Final = {kind: written(make()) for kind, make in MAKE.items()}
KINDS: Final = pytest.mark.parametrize("kind", MAKE)
chance = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


def accepted(file: Path, data: bytes) -> bool:
    """Say whether a file is accepted; any other error than a refusal is one of the program."""
    file.write_bytes(data)
    try:
        verify(str(file), GIVEN)
    except (Invalid, Unreadable) as error:
        return not str(error)
    return True


def meaning(kind: str, data: bytes) -> Any:  # noqa: ANN401 - whatever it says
    """Give what a file says: blanks between words, escaped letters and how it is squeezed say nothing."""
    match kind:
        case "checkpoint":
            return data
        case "log.gz":
            return meaning("log", gzip.decompress(data))
        case "log":
            return [json.loads(line) for line in data.split(b"\n") if line]
        case "package":
            with zipfile.ZipFile(io.BytesIO(data)) as box:
                return {name: box.read(name) for name in box.namelist()}
        case _:
            return json.loads(data)


@KINDS
@chance
@given(data=st.data())
def test_a_bit_turned_over_is_seen_or_says_nothing(kind: str, tmp_path: Path, data: st.DataObject) -> None:
    """In any place of any file."""
    good = FILES[kind]
    place, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
    turned = good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :]
    assert not accepted(tmp_path / "file", turned) or meaning(kind, turned) == meaning(kind, good)


@KINDS
@chance
@given(data=st.data())
def test_bytes_lost_or_added_are_seen_or_say_nothing(kind: str, tmp_path: Path, data: st.DataObject) -> None:
    """Any stretch replaced by any other."""
    good = FILES[kind]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 40)))
    changed = (
        good[:start]
        + data.draw(st.binary(max_size=20) | st.text(' \t\r\n{}[]",:0e\\', max_size=9).map(str.encode))
        + good[end:]
    )
    assert not accepted(tmp_path / "file", changed) or meaning(kind, changed) == meaning(kind, good)


def places(made: Made, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document."""
    if way:
        yield way
    for key, value in made.items() if isinstance(made, dict) else enumerate(made) if isinstance(made, list) else ():
        yield from places(value, (*way, key)) if isinstance(value, dict | list) else [(*way, key)]


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", ["receipt", "promise", "consistency", "history", "log"])
@chance
@given(data=st.data())
def test_nothing_else_passes_in_any_place(kind: str, tmp_path: Path, data: st.DataObject) -> None:
    """A number for a text, a list for a number, half a character: refused, and never an error of the program."""
    made = copy.deepcopy(MAKE[kind]())
    *way, last = data.draw(st.sampled_from(list(places(made))))
    at = made
    for step in way:
        at = at[step]
    value = data.draw(JSON)
    changed = type(value) is not type(at[last]) or value != at[last]
    at[last] = value
    assert accepted(tmp_path / "file", written(made) if kind != "log" else loosely(made)) is not changed


def loosely(items: list[Any]) -> bytes:
    """Write lines in ASCII, as half a character cannot be written otherwise."""
    return "".join(json.dumps(one) + "\n" for one in items).encode()


@chance
@given(
    start=st.sampled_from([b"", b"PK\3\4", b"\x1f\x8b\x08", b"bihuan/", b'{"format":"bihuan-log-1"', b"{", b"[["]),
    rest=st.binary(),
)
def test_no_bytes_are_an_error_of_the_program(start: bytes, rest: bytes, tmp_path: Path) -> None:
    """However they begin."""
    assert not accepted(tmp_path / "file", start + rest)
