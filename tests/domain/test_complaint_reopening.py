"""A case is taken up again: in a new round with limits of its own, or sent back after its answer."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Case, Event, ReworkOrdered, Step
from domain.complaint.extending import ExtensionRequested
from domain.complaint.reviewing import (
    OrderRework,
    Reopen,
    ReopenCause,
    Reopened,
)
from domain.complaint.state import PROMISE, Respondent
from domain.decider import THE_SYSTEM, Actor, PersonKey
from domain.errors import (
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnWorkRevisited,
    Refused,
    Superseded,
)
from tests.annex import ARCHIVED as SHELVED
from tests.annex import (
    PROPOSAL,
    TERMINATED,
    TERMINATION,
    TRANSFERRED,
    WITH_ANNEX,
    WITHDRAWN,
    gone,
    there,
)
from tests.controls import CLOSED, REGISTERED, REPLY, REVISITED, SIGNED, VERIFIED, upto
from tests.hall import (
    BASIS,
    DESK,
    HANDLER,
    LI,
    REVISITOR,
    SUPERVISOR,
    WANG,
    WU,
    ZHAO,
    ZHOU,
    actor,
    key,
    local,
    sealed,
    until,
)


def folded(*events: Event) -> Case:
    """Give the case after these."""
    state = COMPLAINT.fold(events)
    assert state is not None
    return state


REOPEN: Final = Reopen(at=local("03-12"), by=DESK, cause=ReopenCause.NEW_FACTS, reason=sealed("reason"))
ANEW: Final = Reopened(
    at=local("03-12"),
    by=DESK,
    round=2,
    cause=ReopenCause.NEW_FACTS,
    reason=sealed("reason"),
    handle_due=until("03-19"),  # five working days: 13, 16, 17, 18, 19
    basis=BASIS,
    department="approval",
    handler=WANG,
    assign_due=None,
    contact_due=until("03-13"),
)


@pytest.mark.parametrize(
    ("by", "cause"),
    [
        (DESK, ReopenCause.NEW_FACTS),
        (SUPERVISOR, ReopenCause.SUPERVISION),
        (SUPERVISOR, ReopenCause.FAILED_RECTIFICATION),
    ],
    ids=lambda value: str(value) if isinstance(value, ReopenCause) else value.role,
)
def test_a_closed_case_is_reopened_for_a_cause(by: Actor, cause: ReopenCause) -> None:
    """By the desk on new facts, by a supervisor for what was not done; from the archive as well."""
    expected = replace(ANEW, by=by, cause=cause)
    there(*upto(CLOSED)).when(replace(REOPEN, by=by, cause=cause)).then([expected])
    shelved = replace(SHELVED, at=local("04-01"))
    event = there(*upto(CLOSED), shelved).when(replace(REOPEN, by=by, cause=cause, at=local("04-01"))).event
    assert folded(*upto(CLOSED), shelved, event).step is Step.IN_PROGRESS


@pytest.mark.parametrize(
    ("by", "cause"),
    [
        (DESK, ReopenCause.SUPERVISION),
        (DESK, ReopenCause.REVIEW),
        (SUPERVISOR, ReopenCause.NEW_FACTS),
        (SUPERVISOR, ReopenCause.REVIEW),
        (SUPERVISOR, ReopenCause.SOURCE),
        (HANDLER, ReopenCause.NEW_FACTS),
        (THE_SYSTEM, ReopenCause.SOURCE),
    ],
    ids=lambda value: str(value) if isinstance(value, ReopenCause) else value.role,
)
def test_nobody_reopens_a_case_for_anothers_cause(by: Actor, cause: ReopenCause) -> None:
    """A review reopens by itself, and a source only where a ledger is taken in."""
    there(*upto(CLOSED)).when(replace(REOPEN, by=by, cause=cause)).then_refused(NotYourRole)


def test_nobody_concerned_reopens() -> None:
    """The same guard as everywhere."""
    about = replace(REGISTERED, respondent=Respondent(staff=LI))
    there(about, *upto(CLOSED)[1:]).when(REOPEN).then_refused(OwnCause)


EX_OFFICIO: Final = replace(REOPEN, by=SUPERVISOR, cause=ReopenCause.EX_OFFICIO)


def test_a_withdrawn_case_goes_on_ex_officio_only() -> None:
    """The complainant took it back; a supervisor may go on with it and says so (domain.md §6.3)."""
    history = (*upto(SIGNED), WITHDRAWN)
    event = there(*history).when(EX_OFFICIO).event
    assert event == replace(ANEW, by=SUPERVISOR, cause=ReopenCause.EX_OFFICIO)
    assert folded(*history, event).step is Step.IN_PROGRESS
    there(*history).when(REOPEN).then_refused(OutOfTurn)
    there(*history, SHELVED).when(replace(REOPEN, at=local("04-02"))).then_refused(OutOfTurn)
    assert there(*history, SHELVED).when(replace(EX_OFFICIO, at=local("04-02"))).event.round == 2
    there(*upto(CLOSED)).when(EX_OFFICIO).then_refused(OutOfTurn, step=Step.CLOSED)


def test_what_went_elsewhere_is_not_reopened_from_the_archive() -> None:
    """Another authority has it."""
    there(REGISTERED, TRANSFERRED, SHELVED).when(replace(REOPEN, at=local("04-02"))).then_refused(
        OutOfTurn, step=Step.TRANSFERRED_OUT
    )
    ended = (*upto(SIGNED), TERMINATION, TERMINATED)
    there(*ended).when(REOPEN).then_refused(OutOfTurn)
    assert there(*ended, SHELVED).when(replace(REOPEN, at=local("04-02"))).event.round == 2


@pytest.mark.parametrize("other_side", ["left", "moved", "approved", "complained of"])
def test_without_its_handler_the_desk_assigns_it_anew(other_side: str) -> None:
    """Who left the unit, or stands on another side of the case by now, does not go on with it."""
    facts, history = WITH_ANNEX, list(upto(CLOSED))
    if other_side == "left":
        facts = gone(WANG, "approval-handler", local("03-11"))
    elif other_side == "moved":
        facts = gone(WANG, "approval-handler", local("03-11"), takes="tax-handler")
    elif other_side == "approved":
        history = [replace(e, by=replace(e.by, on_behalf_of=WANG)) if e is VERIFIED else e for e in history]
    else:
        history = [replace(e, respondent=Respondent(staff=WANG)) if e is REGISTERED else e for e in history]
    event = there(*history, facts=facts).when(REOPEN).event
    assert (event.department, event.handler, event.contact_due) == (None, None, None)
    assert event.assign_due == until("03-12", "14:30")
    assert folded(*history, event).step is Step.ACCEPTED


def test_a_new_round_begins_with_nothing_said_or_found() -> None:
    """Who took part never becomes a stranger, and what was late stays so; what is still to be put right stays owed."""
    longer = ExtensionRequested(
        at=local("02-24"), by=HANDLER, extension=key("longer"), days=5, reason=sealed("reason"), decide_due=None,
        basis=BASIS,
    )  # fmt: skip
    history = (*upto(SIGNED), longer, *upto(CLOSED)[5:])
    before, after = folded(*history), folded(*history, ANEW)
    assert len(before.extensions) == 1
    assert after.extensions == MappingProxyType({})
    assert (after.finding, after.reply, after.reached, after.contacts, after.revisited) == (None, None, False, 0, False)
    assert (after.contact_days, after.revisit_days, dict(after.rectifications)) == ((), (), {})
    assert after.handlers == before.handlers
    assert after.approvers == before.approvers
    assert after.revisitors == before.revisitors
    assert (after.reopened_at, after.review_until, after.review_level) == (ANEW.at, None, 0)
    unfinished = tuple(e for e in upto(CLOSED) if type(e).__name__ not in {"Rectified", "RectificationVerified"})
    assert len(folded(*unfinished, ANEW).rectifications) == 1


REWORK: Final = OrderRework(at=local("03-04"), by=REVISITOR, reply=REPLY, reason=sealed("reason"))
ORDERED: Final = ReworkOrdered(
    at=local("03-04"),
    by=REVISITOR,
    reply=REPLY,
    reason=sealed("reason"),
    rework_no=1,
    handle_due=until("03-11"),
    basis=BASIS,
)


@pytest.mark.parametrize("by", [REVISITOR, SUPERVISOR], ids=lambda by: by.role)
def test_an_answer_that_settles_nothing_goes_back_to_the_handler(by: Actor) -> None:
    """With a new limit in the same round (R4-27); who ordered it may still look at the result."""
    there(*upto(REVISITED)).when(replace(REWORK, by=by)).then([replace(ORDERED, by=by)])
    state = folded(*upto(REVISITED), replace(ORDERED, by=by))
    assert (state.step, state.round, state.reworks, state.reply) == (Step.IN_PROGRESS, 1, 1, None)
    assert state.due(PROMISE[state.step]) == until("03-11")
    assert by.person not in state.approvers
    assert by.person in state.revisitors


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (HANDLER, NotYourRole),
        (DESK, NotYourRole),
        (actor(WU, "revisits"), OwnWorkRevisited),
        (replace(REVISITOR, on_behalf_of=WANG), OwnWorkRevisited),
        (replace(SUPERVISOR, on_behalf_of=ZHAO), OwnWorkRevisited),
    ],
    ids=["handler", "desk", "of the unit", "for the handler", "for the approver"],
)
def test_nobody_orders_a_rework_of_their_own_work(by: Actor, refusal: type[Refused]) -> None:
    """Nor of their own unit's."""
    there(*upto(REVISITED)).when(replace(REWORK, by=by)).then_refused(refusal)


@pytest.mark.parametrize(("who", "post"), [(WANG, "approval-handler"), (ZHAO, "approval-head")])
def test_who_worked_on_it_orders_no_rework_after_leaving_the_unit(who: PersonKey, post: str) -> None:
    """It is still their own work."""
    facts = gone(who, post, local("03-01"), takes="revisits")
    own = replace(REWORK, by=actor(who, "revisits"))
    there(*upto(REVISITED), facts=facts).when(own).then_refused(OwnWorkRevisited)


def test_a_rework_needs_an_answer_and_nobody_concerned() -> None:
    """Before the answer the head of the unit sends it back."""
    there(*upto(VERIFIED)).when(REWORK).then_refused(OutOfTurn)
    there(*upto(REVISITED)).when(replace(REWORK, reply=PROPOSAL)).then_refused(Superseded, reply=PROPOSAL)
    about = replace(REGISTERED, respondent=Respondent(staff=ZHOU))
    there(about, *upto(REVISITED)[1:]).when(REWORK).then_refused(OwnCause)


def test_nothing_is_reopened_that_never_began() -> None:
    """Each command needs a case."""
    for command in (REOPEN, REWORK):
        there().when(command).then_refused(OutOfTurn)
