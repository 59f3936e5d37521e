"""Restricted cases: hidden from everybody but who carries them on, who decides about them, and audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import psycopg
import pytest

from domain import complaint
from domain.complaint.privacy import Lifting, RestrictionLifted
from domain.complaint.state import ErasureResult, Step
from domain.decider import THE_SYSTEM, Actor, Role
from domain.register import REGISTER, Post, PostAdded, PostTaken, Register
from domain.rulebook import Profile
from projections.docket import DocketRow, fold
from projections.queries import Wanted, docket, may_know
from projections.restriction import Erasure
from projections.sight import viewer
from tests.controls import CLOSED, LOOP, REGISTERED, REPLIED, SIGNED, SUBMITTED, upto
from tests.domain.test_privacy import ERASED, GRANTED, KEPT, LAST_DAY, REQUEST, REQUESTED, RESTRICTED, WITNESSED
from tests.hall import CITIZEN, COUNTER, DESK, ENTERED, FACTS, HANDLER, HEAD, QIAN, REVISITOR, SUPERVISOR, actor, person
from tests.projections.test_sight import keep
from tests.projections.town import CASE, entries


def officials() -> tuple[Register, dict[Role, Actor]]:
    """Give the hall with somebody in each role that looks after data."""
    register, found = FACTS.register, {}
    for role in (Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SYSTEM, Role.ADMINISTRATOR, Role.REVIEWER):
        who, post = person(role), Post(code=f"x-{role}", name_zh="岗", name_en="Post", role=role, site="GXQ")
        taken = PostTaken(at=ENTERED, by=THE_SYSTEM, post=post.code, person=who, since=ENTERED)
        register = REGISTER.fold((PostAdded(at=ENTERED, by=THE_SYSTEM, entry=post), taken), register)
        found[role] = Actor(person=who, post=post.code, role=role)
    return register, found


HALL, OFFICIALS = officials()
HANDS: Final = {"intake": COUNTER, "desk": DESK, "handler": HANDLER, "another handler": actor(QIAN, "approval-handler")}
EVERYBODY: Final = {
    **HANDS,
    "head": HEAD,
    "revisits": REVISITOR,
    "supervisor": SUPERVISOR,
    "citizen": CITIZEN,
    **{str(role): by for role, by in OFFICIALS.items()},
}
ALWAYS: Final = {"citizen", "privacy_officer", "auditor", "system"}


def row_of(history: Sequence[complaint.Event]) -> DocketRow:
    """Give the row after these events."""
    row = fold(entries(*history))
    assert row is not None
    return row


def seeing(connection: psycopg.Connection, row: DocketRow) -> set[str]:
    """Give who may know of a case; lists, counts and the look at one case agree."""
    keep(connection, [row])
    found = set()
    for name, by in EVERYBODY.items():
        looking = viewer(HALL, by, CLOSED.at)
        page = docket(connection, looking, Wanted())
        known = may_know(connection, looking, row)
        assert (len(page.rows), page.total) == (int(known), int(known))
        if known:
            found.add(name)
    return found


@pytest.mark.parametrize("end", [Step.CLOSED, Step.ARCHIVED, Step.REFUSED, Step.WITHDRAWN])
@pytest.mark.postgres
def test_a_restricted_case_that_has_ended_is_hidden(connection: psycopg.Connection, end: Step) -> None:
    """From all but the complainant, who decides about it, audit and archive (domain.md §11.2)."""
    row = replace(row_of(LOOP), step=end)
    assert seeing(connection, row) > ALWAYS | {"desk", "supervisor", "intake"}
    assert seeing(connection, replace(row, restricted=True)) == ALWAYS


@pytest.mark.parametrize(
    ("last", "carry_on"),
    [
        (REGISTERED, {"desk", "supervisor"}),
        (SIGNED, {"desk", "supervisor", "handler", "head"}),
        (SUBMITTED, {"desk", "supervisor", "handler", "head"}),
        (REPLIED, {"desk", "supervisor", "handler", "head", "revisits"}),
    ],
)
@pytest.mark.postgres
def test_a_restricted_case_in_hand_is_known_to_who_has_it_in_hand(
    connection: psycopg.Connection, last: complaint.Event, carry_on: set[str]
) -> None:
    """Domain.md §14 case 19: it is handled on, by nobody who has no part in it."""
    row = row_of(upto(last))
    restricted = replace(row, restricted=True)
    assert seeing(connection, restricted) == ALWAYS | carry_on
    assert "intake" in seeing(connection, row)


@pytest.mark.postgres
def test_a_ledger_case_that_was_answered_is_in_nobodys_hand(connection: psycopg.Connection) -> None:
    """It ends with its reply."""
    row = replace(row_of(upto(REPLIED)), restricted=True, profile=Profile.LEDGER)
    assert seeing(connection, row) == ALWAYS


@pytest.mark.postgres
def test_once_erased_its_numbers_are_everybodys_again(connection: psycopg.Connection) -> None:
    """Whoever counted it before counts it now: nothing personal is left, and no number changes."""
    before = row_of(LOOP)
    erased = row_of((*LOOP, REQUESTED, KEPT, RESTRICTED, GRANTED, WITNESSED, ERASED))
    assert seeing(connection, erased) == seeing(connection, before)
    marks = ("erasure", "erasure_request", "position", "version", "changed_at")
    assert replace(erased, **{name: getattr(before, name) for name in marks}) == before


def test_the_row_tells_how_far_a_wish_has_come() -> None:
    """Each event moves it; nothing else does."""
    told = (REQUESTED, KEPT, RESTRICTED, GRANTED, WITNESSED, ERASED)
    found = [row_of((*LOOP, *told[: n + 1])) for n in range(len(told))]
    assert [row.erasure for row in found] == [
        Erasure.REQUESTED,
        Erasure.RESTRICTED,
        Erasure.RESTRICTED,
        Erasure.GRANTED,
        Erasure.WITNESSED,
        Erasure.ERASED,
    ]
    assert [(row.restricted, row.restricted_until) for row in found] == [
        (False, None),
        (False, None),
        *[(True, LAST_DAY)] * 3,
        (False, None),
    ]
    assert {row.erasure_request for row in found} == {REQUEST}
    assert {row.step for row in found} == {Step.CLOSED}


@pytest.mark.parametrize(
    ("reason", "left"), [(Lifting.REQUEST_WITHDRAWN, None), (Lifting.REQUEST_REFUSED, Erasure.REFUSED)]
)
def test_a_lifted_restriction_is_gone(reason: Lifting, left: Erasure | None) -> None:
    """What is left is that it was refused, if it was."""
    lifted = RestrictionLifted(at=RESTRICTED.at, by=RESTRICTED.by, erasure_request=REQUEST, reason=reason)
    row = row_of((*LOOP, REQUESTED, KEPT, RESTRICTED, lifted))
    assert (row.restricted, row.restricted_until, row.erasure) == (False, None, left)
    refused = row_of((*LOOP, REQUESTED, replace(KEPT, result=ErasureResult.REFUSED)))
    assert (refused.case, refused.erasure) == (CASE, Erasure.REFUSED)


@pytest.mark.postgres
def test_the_officer_finds_what_waits(connection: psycopg.Connection) -> None:
    """By how far it has come."""
    keep(connection, [row_of((*LOOP, REQUESTED))])
    looking = viewer(HALL, OFFICIALS[Role.PRIVACY_OFFICER], CLOSED.at)
    assert docket(connection, looking, Wanted(erasure=(Erasure.REQUESTED, Erasure.GRANTED))).total == 1
    assert docket(connection, looking, Wanted(erasure=(Erasure.GRANTED,))).total == 0
