"""The shapes everything shares: who acts, how texts may look, how a machine folds, and why a command is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.complaint import COMPLAINT
from domain.decider import (
    NAMESPACE,
    SYSTEM,
    THE_SYSTEM,
    Actor,
    Code,
    Decider,
    Digest,
    Event,
    For,
    Metadata,
    PublicName,
    Recorded,
    Role,
    Shape,
    beside,
)
from domain.errors import Refused, Unknown
from domain.register import REGISTER
from domain.rulebook import RULEBOOK
from domain.sealed import Base64
from tests.controls import ACCEPTED, LOOP, REGISTERED, case
from tests.hall import FACTS, LI, WANG, key


def shape_of(alias: object) -> Shape:
    """The shape that is part of a type."""
    (shape,) = alias.__metadata__  # type: ignore[attr-defined]  # annotated types carry it there
    assert isinstance(shape, Shape)
    return shape


# Who


def test_separation_looks_at_the_person_and_the_mandator() -> None:
    """Never at the post."""
    assert Actor(person=LI, post="desk", role=Role.DISPATCHER).persons == {LI}
    assert Actor(person=LI, role=Role.DISPATCHER, on_behalf_of=WANG).persons == {LI, WANG}
    assert Actor(person=LI, role=Role.DISPATCHER, on_behalf_of=LI).persons == {LI}


def test_the_system_is_always_the_same_person() -> None:
    """Its key stands in logs for ever."""
    assert str(SYSTEM) == "e2cb851f-e316-54ab-9690-e7053ad603cb"
    assert str(NAMESPACE) == "6f1b7c52-8c0e-5d7a-9a55-0b1d4e8e2c11"
    assert Actor(person=SYSTEM, role=Role.SYSTEM) == THE_SYSTEM


def test_streams_beside_a_case_are_its_own() -> None:
    """Access and attempts of two cases, and of one, are four streams; the same ones every time."""
    found = {beside(key(case), kind) for case in ("one", "other") for kind in ("access", "attempts")}
    assert len(found) == 4
    assert str(beside(key("one"), "access")) == "034aaa42-dfb0-552b-9d3c-fc807df07816"


# Texts


@given(st.text(max_size=80))
def test_a_shape_is_its_pattern_and_its_length(text: str) -> None:
    """From the first character to the last, a final line break included."""
    shape = shape_of(Code)
    assert shape.fits(text) == (len(text) <= 64 and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/-]*", text) is not None)
    assert not shape.fits(text + "\n")


@pytest.mark.parametrize(
    ("alias", "good", "bad"),
    [
        (Code, "TS-GXQ-20260213-00001-2", "a b"),
        (Code, "a" * 64, "a" * 65),
        (PublicName, "行政审批局·𬭎", "a\nb"),
        (PublicName, "a" * 200, "a" * 201),
        (Digest, "0f" * 32, "0F" * 32),
        (Base64, "", "a="),
        (Base64, "A" * 400_000, "A" * 400_001),
    ],
)
def test_each_shape_lets_in_what_it_is_for(alias: object, good: str, bad: str) -> None:
    """And not the next thing to it."""
    assert shape_of(alias).fits(good)
    assert not shape_of(alias).fits(bad)


# Machines


def test_a_machine_starts_where_it_says_and_folds_in_parts() -> None:
    """From nothing, or from where somebody stopped; every cut gives the same."""
    assert COMPLAINT.fold([]) is None
    whole = COMPLAINT.fold(LOOP)
    for cut in range(len(LOOP) + 1):
        assert COMPLAINT.fold(LOOP[cut:], COMPLAINT.fold(LOOP[:cut])) == whole


def test_a_history_that_does_not_begin_loads_as_nothing() -> None:
    """Folding never refuses, whatever stands in a stream."""
    for event in LOOP[1:]:
        assert COMPLAINT.fold([event]) is None
    assert case(ACCEPTED, REGISTERED).state == case(REGISTERED).state


def test_every_machine_names_its_events() -> None:
    """For whoever must know them all."""
    assert set(map(type, LOOP)) <= set(COMPLAINT.events)
    machines = {decider.noun: set(decider.events) for decider in (COMPLAINT, REGISTER, RULEBOOK)}
    assert machines.keys() == {"complaint", "register", "rulebook"}
    assert sum(map(len, machines.values())) == len(set().union(*machines.values()))


def test_a_machine_is_a_value_of_two_functions() -> None:
    """Nothing is registered anywhere: any two functions make one."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Counted(Event):
        """Something was counted."""

    counting: Decider[int, object, Counted, None] = Decider(  # type: ignore[type-var]
        "counting", 0, lambda _state, _command, _facts: [], lambda state, _event: state + 1
    )
    assert counting.fold([Counted(at=REGISTERED.at, by=THE_SYSTEM)] * 3) == 3
    assert counting.fold([Counted(at=REGISTERED.at, by=THE_SYSTEM)] * 3, 10) == 13
    assert counting.events == ()


def test_facts_and_events_cannot_be_changed() -> None:
    """What was said stays said."""
    for value in (REGISTERED, REGISTERED.by, FACTS, Metadata(command="a", source="b"), For(key("a"), REGISTERED)):
        with pytest.raises((FrozenInstanceError, TypeError)):
            value.at = None  # type: ignore[union-attr, misc]


def test_an_event_in_its_place_has_the_library_s_names_too() -> None:
    """Stream and version, under both."""
    recorded = Recorded(stream=key("a"), version=3, event=REGISTERED, metadata=Metadata(command="a", source="b"))
    assert (recorded.originator_id, recorded.originator_version) == (recorded.stream, recorded.version)


# Refusals


ROOT = Path(__file__).parents[2]


def refusals() -> Iterator[type[Refused]]:
    """Every refusal there is, wherever it is written down."""
    for path in sorted([*ROOT.glob("domain/**/*.py"), *ROOT.glob("service/**/*.py")]):
        if re.search(r"^class \w+\((\w+\.)?Refused\):", path.read_text(encoding="utf-8"), re.MULTILINE):
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    waiting = Refused.__subclasses__()
    while waiting:
        one = waiting.pop()
        yield one
        waiting += one.__subclasses__()


def test_every_refusal_says_why_and_what_to_do_next() -> None:
    """One sentence each, and a code that is nobody else's."""
    found = list(refusals())
    assert len(found) > 25
    for one in found:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", one.code), one
        assert one.message().endswith("."), one
        assert one.__doc__ != Refused.__doc__, one
        assert one.then.endswith("."), one
        assert shape_of(Code).fits(one.code)
    codes = [one.code for one in found]
    assert sorted(set(codes)) == sorted(codes)


def test_what_a_supervisor_would_want_to_know_is_watched() -> None:
    """Every refusal that keeps persons apart is, and nothing that is mere routine."""
    watched = {one.code for one in refusals() if one.watched}
    assert watched == {
        "own-appointment", "own-cause", "own-complaint", "own-work-approved", "own-work-revisited", "own-work-verified",
        "unit-concerned", "own-proposal", "own-work-ended", "own-work-reviewed", "withdrawal-invalid", "own-return",
        "own-clock", "own-erasure", "own-work-erased", "recused", "recusal-pending", "own-recusal", "own-answer-lifted",
        "own-rating", "own-record", "own-work-decided", "unit-rated", "panel-used",
        "own-contact-reclassified",
    }  # fmt: skip


def test_a_refusal_carries_its_facts_and_leaves_out_what_is_not_known() -> None:
    """For the person, and for the record."""
    refused = Unknown(stream=key("a"), version=None)
    assert refused.facts == {"stream": key("a")}
    assert str(refused) == "not-found"
    assert refused.message() == "There is no such case, or you may not know of it."
