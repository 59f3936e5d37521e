"""Role by route: everybody is tried at every door, also about cases they may not know of; docs/roles.md says the same.

On one server alone: who may come in is decided above the database, whose differences are tried elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from httpx2 import Response

from domain.decider import Role
from domain.errors import NotYourRole, Unknown
from domain.register import Post
from service.forms import FORMS
from tests.matrix import table
from tests.service.web.doors import (
    ADMINISTRATION,
    EVERYBODY,
    OTHERWISE,
    RECORDS_VISITS,
    REGISTRARS,
    ROLES,
    SEES_CASES,
    V1,
    Door,
    command_of,
    doors_of,
    expected,
)
from tests.service.web.house import Case, Template, copy, take
from tests.service.web.turns import IN_REVIEW, REPLIED, Turn
from tests.service.web.walking import UNLIMITED, Walk, is_problem

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("server", ["embedded"], indirect=True)]

DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "roles.md"
OF_SOMETHING: Final = re.compile(r"\{(case|contact|notice|statement|occasion|review)_id}")


@pytest.fixture(scope="module")
def walk(hall_template: Template) -> Iterator[Walk]:
    """A hall at whose doors one only knocks."""
    with copy(hall_template, UNLIMITED) as hall:
        yield Walk(hall)


def is_nowhere(door: Door, role: Role, answer: Response) -> bool:
    """Whether somebody was told of nothing; who has no business at a door may be told that before anybody looks."""
    if is_problem(answer, 404, Unknown.code, Unknown.message()):
        return True
    of_a_case = "{case_id}" in door[1]
    return (
        not of_a_case and role not in expected(door) and is_problem(answer, 403, "not-your-role", NotYourRole.message())
    )


def test_every_role_comes_in_where_the_tables_say_and_nowhere_else(hall_template: Template) -> None:
    """Each door is tried with each role and without an account; what is allowed is done, the rest changes nothing.

    The tables are the specification's, and those of docs/ that give a reason for each difference: never the policy.
    """
    with copy(hall_template, UNLIMITED) as hall:
        walk = Walk(hall)
        measured = walk.measured()
    told = table(measured)
    print(told)  # noqa: T201 - the matrix is there to be read: pytest -s
    wrong = [
        f"{method} {path}: {who or 'nobody'} {'came in' if who in came else 'was turned away'}"
        for (method, path), came in measured.items()
        for who in came ^ expected((method, path))
    ]
    assert wrong == [], "\n".join(wrong)
    otherwise = {door: code for (door, _), code in walk.otherwise.items() if ROLES.get(door) is not ADMINISTRATION}
    assert otherwise == OTHERWISE
    assert DOCUMENT.read_text(encoding="utf-8") == told


def test_a_case_of_another_hall_is_nowhere(walk: Walk) -> None:
    """Of a case of another hall, its notices, questions and contacts everybody is told what is told of none."""
    hall, doors = walk.hall, [door for door in doors_of(walk.hall.app) if OF_SOMETHING.search(door[1])]
    cases: dict[Door, Case] = {}
    for door in doors:
        turn = walk.turn(door, min(expected(door), key=str, default=None))
        cases[door] = walk.case(turn, at=walk.away)
    one = walk.case(Turn(REPLIED), at=walk.away)
    for case in {case.id: case for case in cases.values()}.values():
        # It is there for somebody of its own hall; where it is restricted, for the privacy officer.
        assert any(one.get(case.path).status_code == 200 for one in walk.away.cast.values())
    made = {kind: walk.contact(walk.away, kind) for kind in ("complaint", "enquiry")}
    made["notice"] = walk.notice(one, walk.away)
    made |= {"occasion": walk.visit(walk.away), **walk.rating(walk.away)}
    for case in cases.values():
        case.made |= made
    position = hall.last_position()
    for door, case in cases.items():
        for role in Role:
            answer = walk.knock(door, role, case, at=walk.away)
            assert is_nowhere(door, role, answer), (door, role, answer.text)
    assert hall.last_position() == position
    assert len(doors) > 70


def test_what_is_named_beside_a_case_must_be_known_too(walk: Walk) -> None:
    """A case is not merged into one of another hall, nor a contact linked to it, nor a visit there rated."""
    stranger, own, visit = walk.case(Turn(), at=walk.away), walk.case(Turn()), walk.visit(walk.away)
    contact = walk.contact(walk.here)
    position = walk.hall.last_position()
    form = {"primary": stranger.id, "link": "joint"}
    answer = walk.people[Role.DISPATCHER].post(f"{own.path}/merge", json=form)
    assert is_problem(answer, 404, Unknown.code, Unknown.message()), answer.text
    for role in REGISTRARS:
        named = {"complaint_no": stranger.complaint_no}
        answer = walk.people[role].post(f"{V1}/contacts/{contact}/link", json=named)
        assert is_problem(answer, 404, Unknown.code, Unknown.message()), (role, answer.text)
    for role in RECORDS_VISITS:
        answer = walk.people[role].post(f"{V1}/reviews", json={"occasion": visit, "grade": "satisfied"})
        assert is_problem(answer, 404, Unknown.code, Unknown.message()), (role, answer.text)
    assert walk.hall.last_position() == position


def test_a_case_about_oneself_is_nowhere(walk: Walk) -> None:
    """Whoever serves at the window complained of knows nothing of the case, in whatever role, at whatever door.

    They are asked for a statement at doors of their own, which tell nothing of the case.
    """
    hall, there = walk.hall, replace(walk.here, window="W09")
    people = {role: walk.somebody("ABOUT", role) for role in Role}
    usual, reviewed = there.prepared(Turn(REPLIED)), there.prepared(Turn(IN_REVIEW))
    cases = {role: reviewed if role is Role.REVIEWER else usual for role in Role}
    for case in (usual, reviewed):
        case.made["notice"] = walk.notice(case, there)
    for role in SEES_CASES:
        assert people[role].get(cases[role].path).status_code == 200, role
    walk.enter(Post(code="W09-CLERK", name_zh="岗", name_en="Clerk", role=Role.RESPONDENT, site="GXQ", window="W09"))
    for role in EVERYBODY:
        take(hall.parts, walk.persons[f"ABOUT-{role}"], "W09-CLERK")
    hall.project()
    position = hall.last_position()
    doors = [door for door in doors_of(hall.app) if re.search(r"\{(case|notice)_id}", door[1])]
    for door in doors:
        for role in Role:
            answer = walk.knock(door, role, cases[role], at=there, client=people[role])
            assert is_nowhere(door, role, answer), (door, role, answer.text)
    for role in Role:
        listed = people[role].get(f"{V1}/complaints", params={"complaint_no": cases[role].complaint_no})
        assert listed.json()["total"] == 0, role
    assert hall.last_position() == position
    assert {command_of(door) for door in doors} > FORMS.keys()
