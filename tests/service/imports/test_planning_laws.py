"""Whatever a ledger tells, its plan is one the rules accept, and it does not matter in how many files it came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.complaint import COMPLAINT, Case, Event
from domain.complaint.state import Step
from domain.decider import THE_SYSTEM, Code, For
from domain.rulebook import Profile
from service.forms.form import Making
from service.imports.cells import Cells
from service.imports.forms import FORMS
from service.imports.planning import Changes, Planned, Stand, Told, command_id, stand_after
from service.sealing import Sealer
from tests.controls import REGISTERED
from tests.hall import FACTS
from tests.service.imports.tables import desk

LEDGER: Final = desk((r"'Group (\d+)'", "'(.*)'"), (r"'DESK.G\1'", r"'\1'"))
CHANGES: Final = Changes(Cells(LEDGER, datetime(2030, 1, 1, tzinfo=UTC)))
STAGES: Final = (*(LEDGER.changes.stages if LEDGER.changes is not None else ()), None)
START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)

Row = tuple[int, str | None, str | None, str | None]
"""Minutes since the row before, stage, group, person."""
ROWS: Final = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1, 60]),
        st.sampled_from(STAGES),
        st.sampled_from(["approval", "tax", None]),
        st.sampled_from(["P1", "P2", None]),
    ),
    min_size=1,
    max_size=14,
)


def told(rows: list[Row]) -> list[Told]:
    """The rows of a case, in their order, as the reader gives them."""
    found = []
    at = START
    for number, (minutes, stage, group, person) in enumerate(rows):
        at += timedelta(minutes=minutes)
        cells = {
            "no": "1",
            "at": f"{at:%Y-%m-%d %H:%M}",
            "mod": str(number),
            "state": stage,
            "group": group,
            "who": person,
        }
        values = tuple(cells.get(column) for column in LEDGER.columns)
        found.append(CHANGES.told(number + 2, values, lambda _said: None))
    return found


def given_to_the_rules(planned: list[Planned], events: list[tuple[Event, UUID]]) -> None:
    """Give commands that were not given before; none may be refused."""
    known = {one for _, one in events}
    for one in planned:
        command = command_id(LEDGER.ledger, "1", one.key)
        if command in known:
            continue
        state = COMPLAINT.fold(event for event, _ in events)
        events += [(event, command) for event in answered(state, one, command)]


def answered(state: Case | None, one: Planned, command: UUID) -> list[Event]:
    """What a command does."""
    if one.name == "register":
        assert state is None
        return [replace(REGISTERED, profile=Profile.LEDGER, by=THE_SYSTEM, at=one.at, accept_due=None)]
    making = Making(THE_SYSTEM, one.at, cast("Sealer", None), command)
    decided = COMPLAINT.decide(state, FORMS[one.name].model_validate(one.fields).command(making), FACTS)
    assert decided, "a command that changes nothing need not be given"
    return [event.event if isinstance(event, For) else event for event in decided]  # type: ignore[misc]


def imported(*files: list[Told]) -> list[tuple[Event, UUID]]:
    """The events of the case after these files."""
    events: list[tuple[Event, UUID]] = []
    for rows in files:
        if rows:
            given_to_the_rules(CHANGES.plan("1", rows, events).commands, events)
    return events


@settings(deadline=None)
@given(ROWS)
def test_what_is_planned_is_never_refused(rows: list[Row]) -> None:
    """The planner knows where a case stands as well as the rules do."""
    events = imported(told(rows))
    stand = stand_after(event for event, _ in events)
    case = COMPLAINT.fold(event for event, _ in events)
    assert case is not None
    assert (stand.department, stand.handler) == (case.department, case.handler)
    assert stand.waiting == case.paused
    assert stand.ended == (case.step in {Step.REPLIED, Step.CLOSED})
    assert stand.ended or stand.accepted == (case.step is not Step.REGISTERED)
    *_, (_, _, group, person) = rows
    assert (case.department, case.handler is None) == (group, person is None)


@settings(deadline=None)
@given(ROWS, st.data())
def test_a_ledger_may_come_in_as_many_files_as_it_likes(rows: list[Row], data: st.DataObject) -> None:
    """Cut anywhere, with or without an overlap, sent again whole or in part: the events are those of one file."""
    whole = told(rows)
    cut = data.draw(st.integers(0, len(whole)))
    overlap = data.draw(st.integers(0, cut))
    again = data.draw(st.integers(0, len(whole)))
    assert imported(whole[:cut], whole[cut:]) == imported(whole)
    assert imported(whole[:cut], whole[cut - overlap :], whole, whole[again:]) == imported(whole)


def test_a_stand_begins_with_nothing() -> None:
    """Events that belong to no ledger change nothing."""
    names: list[Code] = ["assign", "hand-over"]
    stand = Stand()
    for name in names:
        stand.take(name)
    assert stand == Stand() == stand_after([])
