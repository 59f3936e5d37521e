"""A complaint about the complaint desk is kept from the desk; nobody's wrong word blocks a registration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.complaint.intake import Confidentiality
from domain.complaint.state import Respondent
from domain.decider import THE_SYSTEM, PersonKey
from domain.register import REGISTER, Window, WindowAdded, WindowKind
from tests.controls import REGISTRATION, case
from tests.hall import CHEN, COUNTER, ENTERED, FACTS, FENG, LI, STRANGER, WANG, ZHENG, leaving, local


def sealed(respondent: Respondent, **changes: object) -> bool:
    """Say whether a complaint about them is sealed when it is registered."""
    command = replace(REGISTRATION, respondent=respondent, **changes)  # type: ignore[arg-type]  # fields of it
    events = case(facts=FACTS).when(command).events
    return events[0].confidentiality is Confidentiality.SEALED  # type: ignore[attr-defined]  # it is registered


@pytest.mark.parametrize(
    ("respondent", "expected"),
    [
        (Respondent(window="W00"), True),  # the integrity window
        (Respondent(staff=LI), True),  # the dispatcher
        (Respondent(staff=ZHENG), True),  # the clerk there
        (Respondent(department="approval", window="W03", staff=LI), True),  # somebody at the desk, wherever it was
        (Respondent(window="W03"), False),
        (Respondent(department="approval", window="W03", staff=FENG), False),  # a clerk at an ordinary window
        (Respondent(staff=WANG), False),
        (Respondent(staff=CHEN), False),
        (Respondent(staff=STRANGER), False),
        (Respondent(window="W99"), False),
        (Respondent(), False),
    ],
)
def test_a_complaint_about_the_desk_is_kept_from_it(respondent: Respondent, *, expected: bool) -> None:
    """About its window or its people; the upper desk takes it up (domain.md §14 case 16)."""
    assert sealed(respondent) is expected


def test_a_window_for_stuck_cases_is_the_desk_too() -> None:
    """Whatever it is called, complaints are taken there."""
    window = Window(code="W05", name_zh="办不成事", name_en="Stuck", site="GXQ", kind=WindowKind.STUCK_CASE)
    register = REGISTER.evolve(FACTS.register, WindowAdded(at=ENTERED, by=THE_SYSTEM, entry=window))
    command = replace(REGISTRATION, respondent=Respondent(window="W05"))
    events = case(facts=replace(FACTS, register=register)).when(command).events
    assert events[0].confidentiality is Confidentiality.SEALED  # type: ignore[attr-defined]


def test_who_has_left_the_desk_is_kept_from_what_happened_before() -> None:
    """What counts is when it happened, and when it was told."""
    gone = leaving(LI, "desk", local("02-13", "08:00"))
    command = replace(REGISTRATION, respondent=Respondent(staff=LI))
    before = case(facts=gone).when(command).events[0]
    assert before.confidentiality is Confidentiality.SEALED  # type: ignore[attr-defined]
    long_after = replace(command, happened_at=None)
    after = case(facts=gone).when(long_after).events[0]
    assert after.confidentiality is Confidentiality.NORMAL  # type: ignore[attr-defined]


def test_who_wants_it_sealed_has_it_sealed() -> None:
    """The rule only adds to what the complainant asks for."""
    assert sealed(Respondent(window="W03"), confidentiality=Confidentiality.SEALED)


@pytest.mark.parametrize("staff", [STRANGER, WANG])
def test_a_colleague_who_complains_is_registered_like_anybody(staff: PersonKey) -> None:
    """And handles nothing of it afterwards (domain.md §14 case 17)."""
    command = replace(REGISTRATION, by=COUNTER, complainant_staff=staff, people=12, representatives=5)
    registered = case().when(command).events[0]
    assert registered.complainant_staff == staff  # type: ignore[attr-defined]
    state = case(registered).state  # type: ignore[arg-type]
    assert state is not None
    assert staff in state.made_by
