"""The table of transitions in the documents is that of the code, and differs from the specification with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domain.complaint.state import Step
from domain.decider import Role
from service.transition_catalogue import Turn, catalogue, review_turns, turns
from service.transition_reasons import ADDED, DIFFERS
from tests.domain.specified import TABLE, Row
from tests.service.web.review_turns import REVIEW_COMMANDS

DOCUMENT = Path(__file__).parents[2] / "docs" / "transitions.md"


def test_the_document_is_what_the_code_says() -> None:
    """Generated, never written by hand."""
    assert DOCUMENT.read_text(encoding="utf-8") == catalogue()


def differences(row: Row, turn: Turn) -> Iterator[tuple[str, str, str]]:
    """Where the code goes beyond a row of the specification, or stays behind it."""
    told: dict[str, tuple[set[str], set[str]]] = {
        "step": ({Step(name.lower()).value for name in row.steps}, set(turn.steps)),
        "role": ({Role(name.lower()).value for name in row.roles}, set(turn.roles)),
        "event": (set(row.events), set(turn.events)),
    }
    for kind, (specified, ours) in told.items():
        for word in sorted(specified - ours):
            yield row.command, f"no {kind}", word
        for word in sorted(ours - specified):
            yield row.command, kind, word


def test_every_row_of_the_specification_is_built_as_it_stands_there_or_with_a_reason() -> None:
    """The transcription was made from the specification, before anybody looked at the rules."""
    built = {turn.command: turn for turn in turns()}
    assert [row.command for row in TABLE if row.command not in built] == []
    found = {one for row in TABLE for one in differences(row, built[row.command])}
    explained = {(command, kind, word) for (command, kind), (words, _) in DIFFERS.items() for word in words}
    assert sorted(found - explained) == []
    assert sorted(explained - found) == [], "a reason for a difference that is none any more"


def test_every_command_that_was_added_has_its_reason() -> None:
    """What the specification does not list is listed with who may give it, and why it is there."""
    specified = {row.command for row in TABLE}
    added = {turn.command: turn.roles for turn in turns() if turn.command not in specified}
    assert added == {command: roles for command, (roles, _) in ADDED.items()}
    assert all(reason for _, reason in ADDED.values())


def test_nothing_can_be_asked_for_that_nobody_may_give() -> None:
    """Each command has somebody who may give it, and something that follows."""
    assert [turn.command for turn in (*turns(), *review_turns()) if not turn.roles or not turn.events] == []


def test_who_handles_a_review_is_who_the_specification_names() -> None:
    """As told at the doors from the specification; what has no door there is for timers, or done with the own link."""
    told = {turn.command: {Role(name) for name in turn.roles} for turn in review_turns()}
    assert {name: told[name] for name in REVIEW_COMMANDS} == {name: who for name, (who, _) in REVIEW_COMMANDS.items()}
    rest = {frozenset(told[name]) for name in told.keys() - REVIEW_COMMANDS.keys()}
    assert rest == {frozenset({Role.CITIZEN}), frozenset({Role.SYSTEM})}


def test_what_a_step_of_a_review_causes_is_read_off_the_rules() -> None:
    """Also what is nobody's act: closing, the rework, the work order, and that only two exclude."""
    caused = {turn.command: set(turn.events) for turn in review_turns()}
    assert caused["revisit"] == {"RevisitAttempted", "Revisited", "ReworkOrdered", "Closed"}
    assert caused["reply"] == {"Replied", "Closed"}
    assert caused["append"] == {"Appended", "Accepted"}
    assert {name for name, events in caused.items() if "Excluded" in events} == {"confirm-decide-appeal"}
    assert {name for name, events in caused.items() if "Reinstated" in events} == {"confirm-decide-objection"}


def test_a_difference_would_be_noticed() -> None:
    """A role more, a step less, an event more: each is told."""
    turn = Turn(command="close", steps=(), roles=("dispatcher", "handler"), events=("Closed", "Replied"))
    row = next(row for row in TABLE if row.command == "close")
    assert set(differences(row, turn)) == {
        ("close", "no step", "replied"),
        ("close", "role", "handler"),
        ("close", "event", "Replied"),
    }
