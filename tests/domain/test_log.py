"""The log is taken back: a new epoch begins, and what was kept is said once and cannot grow smaller."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from domain.decider import THE_SYSTEM, Actor, Role
from domain.errors import NotKept, NotYetHappened, NotYourRole
from domain.log import LOG, RECORDS, Epoch, LogEvent, RecordRestore, Restored
from tests.hall import SUPERVISOR, WANG, local
from tests.specification import Given, given

AT = local("02-14", "10:00")
TAKEN = local("02-13", "03:00")
RECORD = RecordRestore(at=AT, by=THE_SYSTEM, kept=40, held=40, taken_at=TAKEN)
RESTORED = Restored(at=AT, by=THE_SYSTEM, kept=40, epoch=2, taken_at=TAKEN)


def log(*history: Restored) -> Given:  # type: ignore[type-arg]
    """A log that was taken back so often."""
    return given(LOG, *history, facts=None)


def test_a_log_begins_in_its_first_epoch() -> None:
    """And nothing is said to have been kept, because nothing was lost."""
    assert log().state == Epoch(number=1, kept=None)
    assert LOG.events == (get_args(LogEvent) or (LogEvent,))


def test_taking_the_log_back_begins_a_new_epoch() -> None:
    """With the last position kept, and when the backup was made."""
    log().when(RECORD).then([RESTORED])
    assert log(RESTORED).state == Epoch(number=2, kept=40)


def test_each_return_has_an_epoch_of_its_own() -> None:
    """The log counts its own returns."""
    again = replace(RECORD, kept=60, held=75)
    log(RESTORED).when(again).then([replace(RESTORED, kept=60, epoch=3)])


def test_two_returns_to_one_backup_have_different_epochs() -> None:
    """The log in the backup knows of neither; whoever saw the first return outside the log tells its number."""
    log().when(replace(RECORD, known=2)).then([replace(RESTORED, epoch=3)])
    log(replace(RESTORED, epoch=7)).when(replace(RECORD, kept=60, held=60, known=2)).then(
        [replace(RESTORED, kept=60, epoch=8)]
    )


def test_nobody_has_to_know_when_it_was_taken() -> None:
    """A recovery to a point in time has no backup with a date."""
    log().when(replace(RECORD, taken_at=None)).then([replace(RESTORED, taken_at=None)])


def test_an_empty_log_can_be_taken_back_once() -> None:
    """Nothing was kept then; after that the mark itself stands in the log."""
    nothing = replace(RECORD, kept=0, held=0)
    log().when(nothing).then([replace(RESTORED, kept=0)])
    log(replace(RESTORED, kept=0)).when(nothing).then_refused(NotKept, least=1)


@pytest.mark.parametrize(("kept", "held"), [(-1, 40), (41, 40), (1, 0)])
def test_no_more_is_kept_than_there_is(kept: int, held: int) -> None:
    """Nor less than nothing."""
    log().when(replace(RECORD, kept=kept, held=held)).then_refused(NotKept, kept=kept, least=0, most=held)


@pytest.mark.parametrize("kept", [0, 39, 40])
def test_what_was_kept_once_cannot_be_given_up_later(kept: int) -> None:
    """The mark of the last return stands after it and is here, so at least that was kept."""
    log(RESTORED).when(replace(RECORD, kept=kept, held=90)).then_refused(NotKept, least=41, most=90)
    log(RESTORED).when(replace(RECORD, kept=41, held=90)).then([replace(RESTORED, kept=41, epoch=3)])


def test_a_backup_of_tomorrow_is_none() -> None:
    """Its date cannot be later than the return."""
    later = replace(RECORD, taken_at=AT + timedelta(seconds=1))
    log().when(later).then_refused(NotYetHappened)


@pytest.mark.parametrize("role", sorted(set(Role)))
def test_only_whoever_runs_the_machine_says_so(role: Role) -> None:
    """The program that restores, or an administrator."""
    by = Actor(person=WANG, role=role)
    if role in RECORDS:
        log().when(replace(RECORD, by=by)).then([replace(RESTORED, by=by)])
    else:
        log().when(replace(RECORD, by=by)).then_refused(NotYourRole, role=role)
    assert SUPERVISOR.role not in RECORDS
