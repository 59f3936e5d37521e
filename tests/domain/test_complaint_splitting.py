"""One narrative with several grievances becomes linked cases with one receipt (domain.md §14 case 18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.complaint import COMPLAINT, Case, Event
from domain.complaint.intake import Registered
from domain.complaint.splitting import Allotted, Part, Split, SplitCase
from domain.complaint.state import Clock, Respondent, Step
from domain.decider import Actor, For, Role
from domain.errors import (
    AlreadyThere,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    PointsMisallotted,
    Refused,
    UnknownReference,
)
from domain.handling import Facts
from projections.codec import decode, encode
from tests.controls import ACCEPTED, ASSIGNED, REGISTERED, case
from tests.hall import COMPLAINANT, DESK, FACTS, FENG, MEASURED, STRANGER, SUPERVISOR, key, local, sealed, until
from tests.specification import METADATA

PARENT, FIRST, SECOND = key("parent"), key("first"), key("second")
NUMBERS = ("TS-GXQ-20260214-00001-A", "TS-GXQ-20260214-00002-B")
KNOWN = replace(FACTS, itself=PARENT, complaint_nos=NUMBERS)
TOLD = replace(REGISTERED, points=4)
PART = Part(
    case=FIRST,
    points=(2,),
    narrative=sealed("part-1"),
    narrative_facts=MEASURED,
    desired_outcome=None,
    category="BROKEN_PROMISE",
    respondent=Respondent(department="tax"),
)
OTHER = replace(PART, case=SECOND, points=(4, 3), narrative=sealed("part-2"), category=None)
SPLIT = SplitCase(at=local("02-14", "09:30"), by=DESK, parts=(PART, OTHER))


def placed(history: Sequence[Event], command: SplitCase = SPLIT, facts: Facts = KNOWN) -> list[tuple[UUID, Any]]:
    """What follows on which stream, each checked to come back from its bytes."""
    found = COMPLAINT.decide(COMPLAINT.fold(history), command, facts)
    listed = [(one.stream, one.event) if isinstance(one, For) else (PARENT, one) for one in found]
    for _, event in listed:
        assert decode(*encode(event, METADATA)) == (event, METADATA)
    return listed


def folded(*history: Event) -> Case:
    """What the rules remember of a story."""
    found = case(*history).state
    assert found is not None
    return found


def test_every_point_lies_in_exactly_one_case() -> None:
    """The parent keeps the rest; each part is a whole complaint with a number of its own."""
    listed = placed((TOLD,))
    assert [stream for stream, _ in listed] == [PARENT, FIRST, SECOND]
    split, first, second = (event for _, event in listed)
    assert split == Split(
        at=SPLIT.at,
        by=DESK,
        children=(
            Allotted(case=FIRST, complaint_no=NUMBERS[0], points=(2,)),
            Allotted(case=SECOND, complaint_no=NUMBERS[1], points=(4, 3)),
        ),
        kept=(1,),
    )
    assert (folded(TOLD, split).points, folded(first).points, folded(second).points) == (1, 1, 2)
    assert (first.complaint_no, second.complaint_no) == NUMBERS
    assert folded(TOLD, split).step is Step.REGISTERED


def test_a_part_was_received_with_the_whole() -> None:
    """Its limits run from then: whoever waited does not wait anew, and it may be late at once."""
    _, (_, first), _ = placed((TOLD,))
    assert (first.received_at, first.accept_due) == (TOLD.at, until("02-14"))
    part = folded(first)
    assert part.clocks[Clock.ACCEPT].since == TOLD.at
    assert part.noticed == (local("02-12", "10:00"), SPLIT.at, TOLD.at)
    later = placed((TOLD, ACCEPTED), replace(SPLIT, at=local("02-24")))[1][1]
    assert FACTS.late("hall", later.accept_due, SPLIT.at) is False
    assert FACTS.late("hall", later.accept_due, local("02-24")) is True
    by_letter = replace(TOLD, received_at=local("02-12"))
    assert placed((by_letter,))[1][1].received_at == local("02-12")
    again = placed((replace(first, points=2),), replace(SPLIT, parts=(replace(PART, case=key("third")),)),
                   replace(KNOWN, itself=FIRST, complaint_nos=NUMBERS[:1]))  # fmt: skip
    assert again[1][1].received_at == TOLD.at


def test_the_same_people_complain_with_the_one_receipt() -> None:
    """Name and phone go along; the text is that of the part alone, under a key of its own."""
    _, (_, first), (_, second) = placed((TOLD,))
    for part in (first, second):
        assert (part.complainant, part.name, part.phone) == (COMPLAINANT, TOLD.name, TOLD.phone)
        assert (part.subject, part.split_from, part.by) == (None, PARENT, DESK)
    assert (first.narrative, first.category, second.category) == (sealed("part-1"), "BROKEN_PROMISE", "SHIRK")
    assert not [event for _, event in placed((TOLD,)) if not isinstance(event, Split | Registered)]


def test_whoever_complained_for_somebody_keeps_out_of_the_parts() -> None:
    """The desk registers them, yet the agent stays one of those who complained."""
    by_agent = replace(TOLD, by=Actor(person=STRANGER, role=Role.CITIZEN))
    _, (_, first), _ = placed((by_agent,))
    assert folded(first).made_by == {STRANGER, COMPLAINANT}
    assert first.by_respondent is False


@pytest.mark.parametrize(
    "points",
    [((1,), (2, 3, 4)), ((2,), (2,)), ((2,), ()), ((0,), (2,)), ((2,), (5,)), ((2, 2), (3,))],
)
def test_no_point_is_lost_or_counted_twice(points: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """The parent keeps at least one, each part has at least one, and none is made up."""
    parts = (replace(PART, points=points[0]), replace(OTHER, points=points[1]))
    with pytest.raises(PointsMisallotted):
        placed((TOLD,), replace(SPLIT, parts=parts))


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (replace(SPLIT, parts=()), PointsMisallotted),
        (replace(SPLIT, by=SUPERVISOR), NotYourRole),
        (replace(SPLIT, by=replace(DESK, on_behalf_of=FENG)), OwnCause),
        (replace(SPLIT, parts=(PART, replace(OTHER, case=FIRST))), AlreadyThere),
        (replace(SPLIT, parts=(PART, replace(OTHER, case=PARENT))), AlreadyThere),
        (replace(SPLIT, parts=(PART, replace(OTHER, category="NONE"))), UnknownReference),
    ],
)
def test_the_desk_splits_before_a_unit_has_the_case(command: SplitCase, refusal: type[Refused]) -> None:
    """Nobody concerned; each part a new case, in a category there is."""
    with pytest.raises(refusal):
        placed((TOLD,), command)
    with pytest.raises(OutOfTurn):
        placed((TOLD, ACCEPTED, ASSIGNED), command)


def test_without_numbers_nothing_is_split() -> None:
    """The casebook gives one for each part."""
    for facts in (replace(KNOWN, complaint_nos=NUMBERS[:1]), replace(KNOWN, itself=None), FACTS):
        with pytest.raises(ValueError, match="must be among the facts"):
            placed((TOLD,), SPLIT, facts)
