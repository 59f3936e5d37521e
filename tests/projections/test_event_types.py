"""What an event may hold: codes, ids, numbers, dates, words from a list, sealed values; no sentence can hide in it."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, NewType, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest

from domain import access, complaint, intake_contact, log, notice, occasion, register, review, rulebook
from domain.decider import Actor, Code, Digest, Event, Instant, Metadata, PublicName
from domain.review import drawing
from domain.sealed import Base64, Sealed, sealed_values
from projections.codec import NAME_OF, NAMES, decode
from tests.projections.test_codec import HISTORY, SAMPLES, STORED_NAME

EVENTS: Final[tuple[type[Event], ...]] = tuple(
    event
    for union in (
        register.RegisterEvent,
        rulebook.RulebookEvent,
        complaint.Event,
        notice.NoticeEvent,
        intake_contact.ContactEvent,
        occasion.OccasionEvent,
        review.ReviewEvent,
        drawing.DrawEvent,
        access.AccessEvent,
        log.LogEvent,
    )
    for event in get_args(union) or (union,)
)


def test_every_event_has_a_name_and_every_name_an_event() -> None:
    """What `decide` can answer can be stored, and nothing else can."""
    assert set(NAMES.values()) == set(EVENTS)
    assert len(NAMES) == len(EVENTS) == len(NAME_OF)


def test_every_name_says_where_it_belongs_and_what_happened() -> None:
    """Module, past participle in kebab case, number; the number is the only one in use for its event."""
    homes = {"complaint": "complaint", "register": "register", "rulebook": "rulebook", "access": "access"}
    homes |= {"privacy": "complaint.privacy", "notice": "notice", "intake": "intake_contact", "log": "log"}
    homes |= {"occasion": "occasion", "review": "review"}
    for name, event in NAMES.items():
        assert STORED_NAME.fullmatch(name)
        module, happened, _ = name.split(".")
        assert event.__module__.startswith(f"domain.{homes.get(module, 'access')}")
        if module != "attempts":
            assert happened == re.sub(r"(?<!^)(?=[A-Z])", "-", event.__name__).lower()
    assert len({name.rsplit(".", 1)[0] for name in NAMES}) == len(NAMES)


def hints(of: Any) -> dict[str, Any]:  # noqa: ANN401 - a type of any kind
    """The types of a class's fields, with what is said about them."""
    return get_type_hints(of, include_extras=True)


def words(of: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401 - a type of any kind
    """The words a type may say, by the path of the field that says them."""
    if isinstance(of, type) and issubclass(of, StrEnum):
        yield path, sorted(of)
    elif is_dataclass(of):
        for name, hint in hints(of).items():
            yield from words(hint, f"{path}.{name}")
    elif get_origin(of) in {Union, types.UnionType, tuple}:
        for one in get_args(of):
            yield from words(one, path)


def test_a_word_that_was_stored_is_never_taken_out() -> None:
    """tests/history/words.json holds every word that each field could ever say: more may come, none may go."""
    kept = json.loads((HISTORY / "words.json").read_text(encoding="utf-8"))
    said = {name: dict(words(event)) for name, event in NAMES.items()}
    for name, by_field in kept.items():
        for field, listed in by_field.items():
            assert set(listed) <= set(said[name].get(field, ())), f"{name}{field} lost a word that stands in logs"
    assert said == kept, "a new word: add it to tests/history/words.json"


PLAIN: Final = {UUID, int, bool, date}


def faults(of: Any, *, public: bool, at: str = "") -> Iterator[str]:  # noqa: ANN401 - a type of any kind
    """What may not stand in an event: bare texts, local times, and anything whose shape is not told."""
    if of in (Code, Digest, Instant):
        return
    if of == PublicName:
        if not public:
            yield f"{at}: a name outside the register and the rulebook"
    elif get_origin(of) in {Union, types.UnionType}:
        for one in get_args(of):
            yield from faults(one, public=public, at=at)
    elif get_origin(of) is tuple and get_args(of)[-1] is ...:
        yield from faults(get_args(of)[0], public=public, at=f"{at}[]")
    elif get_origin(of) is tuple:
        for one in get_args(of):
            yield from faults(one, public=public, at=f"{at}[]")
    elif isinstance(of, NewType):
        yield from faults(of.__supertype__, public=public, at=at)
    elif is_dataclass(of):
        if not vars(of)["__dataclass_params__"].frozen:
            yield f"{at}: can be changed"
        for name, hint in hints(of).items():
            if of is Sealed and hint == Base64:
                continue
            yield from faults(hint, public=public, at=f"{at}.{name}")
    elif of in PLAIN or of is type(None) or (isinstance(of, type) and issubclass(of, StrEnum)):
        return
    else:
        yield f"{at}: {of}"


def is_public(event: type[Event]) -> bool:
    """Say whether an event is about offices and rules, never about persons."""
    return NAME_OF[event].split(".")[0] in {"register", "rulebook"}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: NAME_OF[event])
def test_no_sentence_fits_into_an_event(event: type[Event]) -> None:
    """Plain are only codes, ids, numbers, dates and words from a list; all else is sealed (architecture.md §5)."""
    assert list(faults(event, public=is_public(event))) == []


def test_no_sentence_fits_beside_an_event() -> None:
    """The metadata are stored in the same bytes."""
    assert list(faults(Metadata, public=False)) == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: NAME_OF[event])
def test_every_event_says_when_and_who(event: type[Event]) -> None:
    """A moment in UTC and an actor, before anything else."""
    first = dict(list(hints(event).items())[:2])
    assert first == {"at": Instant, "by": Actor}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A nested value with a bare text."""

    remark: str


@dataclass(slots=True, kw_only=True)
class Soft:
    """A value that can be changed."""

    n: int


Loose = Annotated[str, "anything"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted(Event):
    """An event with one of every fault."""

    text: str
    maybe: str | None
    many: tuple[str, ...]
    pair: tuple[int, str]
    nested: tuple[Inner, ...] | None
    loose: Loose
    base64: Base64
    name: PublicName
    local: datetime
    amount: float
    anything: Any
    changing: Soft
    table: Mapping[str, int]
    fine: Sealed
    finer: tuple[Code, ...]


def test_a_planted_text_is_found_wherever_it_stands() -> None:
    """Bare, optional, in a tuple, nested, loosely annotated; and its kin: local times, floats, open tables."""
    found = {fault.split(":")[0] for fault in faults(Planted, public=False)}
    assert found == {
        ".text", ".maybe", ".many[]", ".pair[]", ".nested[].remark", ".loose", ".base64", ".name", ".local", ".amount",
        ".anything", ".changing", ".table",
    }  # fmt: skip
    assert ".name" not in {fault.split(":")[0] for fault in faults(Planted, public=True)}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_sealed_value_of_an_event_is_found(name: str) -> None:
    """As many as stand in the bytes, each with the name of its field: that is what it was sealed as."""
    event, _ = decode(name, SAMPLES[name])
    found = list(sealed_values(event))
    assert len(found) == SAMPLES[name].count(b'"nonce"')
    assert {kind for kind, _ in found} <= {field.name for field in fields(event)}
