"""Every door of the program: open to all for a reason that stands here, or closed to strangers and to other roles.

A new route is found by walking the application; whoever adds one says here who may come in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from starlette.testclient import TestClient

from domain import register
from domain.decider import THE_SYSTEM, Role
from domain.errors import NotYourRole, Unknown
from domain.register import Add, Post
from service.casebook import Asked
from service.forms import FORMS
from service.forms.entries import OF_NOBODY
from service.web.own import OWN
from service.web.pages import PageRoute
from service.web.problems import FormTokenWrong, NoPostChosen, NotLoggedIn, PasswordChangeDue
from tests.service.web.house import LAST_STEP, NO_REQUEST, PASSWORD, STEPS, Case, Hall, Template, copy, take
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres

Door = tuple[str, str]
"""Method and path, as the application has them."""

V1: Final = "/api/v1"
CASE: Final = f"{V1}/complaints/{{case_id}}"

PUBLIC: Final[Mapping[Door, str]] = {
    ("GET", f"{V1}/openapi.json"): "says what the API can do, holds no data",
    ("GET", "/docs"): "the same for people",
    ("GET", "/docs/{name}"): "scripts and styles of that page",
    ("GET", "/healthz"): "says only that the process answers; asked by machines that hold no account",
    ("GET", "/readyz"): "says only how far the store is; asked by machines that hold no account",
    ("GET", f"{V1}/register"): "the public names of places and items, which the form of a complaint needs",
    ("POST", f"{V1}/complaints"): "nobody who complains is asked for an account",
    ("POST", f"{V1}/status"): "opens with number and query code, and is limited",
    ("POST", f"{V1}/session"): "the log-in itself, limited",
    ("POST", f"{V1}/privacy/requests"): "opens with number and query code, and is limited",
    ("GET", f"{V1}/published"): "what was published by two people, for everybody to read",
    **{("POST", f"{V1}/own/{name}"): "opens with number and query code, and is limited" for name in OWN},
}
"""Why a door needs no key."""

EVERYBODY: Final = frozenset(Role)
ADMINISTRATORS: Final = frozenset({Role.ADMINISTRATOR})
SEES_CASES: Final = frozenset(
    {
        Role.INTAKE,
        Role.DISPATCHER,
        Role.HANDLER,
        Role.UNIT_HEAD,
        Role.REVISIT_OFFICER,
        Role.SUPERVISOR,
        Role.PRIVACY_OFFICER,
        Role.AUDITOR,
        Role.SYSTEM,
    }
)

ROLES: Final[Mapping[Door, frozenset[Role]]] = {
    ("POST", f"{V1}/complaints"): frozenset({Role.INTAKE, Role.DISPATCHER, Role.SYSTEM}),
    ("GET", f"{V1}/complaints"): SEES_CASES,
    ("GET", CASE): SEES_CASES,
    ("GET", f"{CASE}/history"): SEES_CASES,
    ("POST", f"{CASE}/open"): SEES_CASES - {Role.PRIVACY_OFFICER, Role.SYSTEM},
    ("POST", f"{CASE}/erase"): frozenset({Role.PRIVACY_OFFICER}),
    ("GET", f"{V1}/privacy/requests"): frozenset({Role.PRIVACY_OFFICER, Role.SUPERVISOR}),
    ("GET", f"{V1}/session"): EVERYBODY,
    ("DELETE", f"{V1}/session"): EVERYBODY,
    ("POST", f"{V1}/session/post"): EVERYBODY,
    ("POST", f"{V1}/session/password"): EVERYBODY,
    ("GET", f"{V1}/accounts"): ADMINISTRATORS,
    ("POST", f"{V1}/accounts"): ADMINISTRATORS,
    ("POST", f"{V1}/accounts/reset-password"): ADMINISTRATORS,
    ("POST", f"{V1}/accounts/disable"): ADMINISTRATORS,
    ("POST", f"{V1}/accounts/enable"): ADMINISTRATORS,
    ("GET", f"{V1}/tokens"): ADMINISTRATORS,
    ("POST", f"{V1}/tokens"): ADMINISTRATORS,
    ("DELETE", f"{V1}/tokens/{{token_id}}"): ADMINISTRATORS,
    ("GET", f"{V1}/register/posts"): ADMINISTRATORS,
    ("POST", f"{V1}/register/entries"): ADMINISTRATORS,
    ("POST", f"{V1}/register/posts/{{post:path}}/take"): ADMINISTRATORS,
    ("POST", f"{V1}/register/posts/{{post:path}}/leave"): ADMINISTRATORS,
    ("POST", f"{V1}/register/posts/{{post:path}}/deputy"): ADMINISTRATORS,
    ("POST", f"{V1}/register/posts/{{post:path}}/end-deputy"): ADMINISTRATORS,
    ("POST", f"{V1}/register/{{kind}}/{{code:path}}/rename"): ADMINISTRATORS,
    ("POST", f"{V1}/register/department/{{code:path}}/merge"): ADMINISTRATORS,
    ("POST", f"{V1}/hand-over"): frozenset({Role.DISPATCHER, Role.UNIT_HEAD}),
    ("GET", f"{V1}/rulebook"): ADMINISTRATORS,
    ("POST", f"{V1}/rulebook/policies"): ADMINISTRATORS,
    ("POST", f"{V1}/rulebook/calendars"): ADMINISTRATORS,
    ("POST", f"{V1}/rulebook/categories"): ADMINISTRATORS,
    ("POST", f"{V1}/rulebook/stages"): ADMINISTRATORS,
}
"""Who may come in with an account; the commands on a case are open to the roles that the policy names."""

BY_ROWS: Final = frozenset({("GET", f"{V1}/complaints")})
"""Doors that open to everybody with a post and show nobody more than they may know of: an empty list is a refusal."""
WITHOUT_ACCOUNT: Final = frozenset(
    {("POST", f"{V1}/session"), ("POST", f"{V1}/status"), ("GET", f"{V1}/register"), ("POST", f"{V1}/privacy/requests")}
)
"""Public doors that do not look who asks."""
WHILE_PASSWORD_IS_DUE: Final = frozenset(
    {("GET", f"{V1}/session"), ("DELETE", f"{V1}/session"), ("POST", f"{V1}/session/password")}
)

BEFORE: Final[Mapping[str, str | None]] = {
    **dict(zip([name for name, _, _ in STEPS], [None, *(name for name, _, _ in STEPS)], strict=False)),
    "reject-reply": "submit-reply",
    "replace-query-code": None,
    "request-erasure": None,
    "decide-erasure": None,
    "witness-erasure": None,
    "lift-restriction": None,
    **dict.fromkeys(("propose-refuse", "confirm-refuse", "decline-proposal", "transfer-out", "withdraw")),
    **dict.fromkeys(("resolve-on-spot", "propose-disclose", "confirm-disclose")),
    **dict.fromkeys(("propose-terminate", "confirm-terminate"), "sign-for"),
    **dict.fromkeys(("request-review", "order-rework", "propose-publish", "confirm-publish", "unpublish"), "reply"),
    **dict.fromkeys(("request-return", "decide-return"), "assign"),
    **dict.fromkeys(("call-in", "answer-call", "hand-over"), "sign-for"),
    **dict.fromkeys(("merge", "propose-unmerge", "confirm-unmerge", "reply-linked", "revisit-linked", "split")),
    "decide-review": "request-review",
    "reopen": "close",
}
"""Up to which command a case is carried so that the next one can be given."""


def doors_of(app: FastAPI) -> list[Door]:
    """Walk the application; what has no methods, as a folder of files, is a door for all of them.

    Pages have doors of their own, in test_pages_doors.
    """
    return sorted(
        (method, str(context.path))
        for context in iter_route_contexts(app.routes)
        for method in (context.methods or {"ANY"}) - {"HEAD"}
        if not isinstance(context.original_route, PageRoute)
    )


def command_of(door: Door) -> str | None:
    """Give the name of the command on a case that a door takes."""
    found = re.fullmatch(re.escape(CASE) + "/([a-z-]+)", door[1])
    return found[1] if found and found[1] in FORMS and door[0] == "POST" else None


def unlisted(app: FastAPI) -> list[Door]:
    """Give the doors of which nobody has said who may come in, and those listed that are not there."""
    listed = PUBLIC.keys() | ROLES.keys()
    there = set(doors_of(app))
    return sorted({door for door in there if door not in listed and command_of(door) is None} | (listed - there))


@dataclass
class Walk:
    """A hall with somebody in every role, and for every door a request that only lacks the right to be made."""

    hall: Hall
    clients: dict[Role, TestClient] = field(default_factory=dict)
    cases: dict[str | None, Case] = field(default_factory=dict)
    examples: dict[Door, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for role in Role:
            self.clients[role] = self._somebody(role)
        described = self.hall.client().get(f"{V1}/openapi.json").json()
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
                schema = described["components"]["schemas"].get(
                    content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1], {}
                )
                shown = [*schema.get("examples", []), *(one["value"] for one in content.get("examples", {}).values())]
                self.examples[method.upper(), path] = next(iter(shown), {})

    def _somebody(self, role: Role) -> TestClient:
        parts, code = self.hall.parts, f"DOOR-{role}"
        post = Post(
            code=code,
            name_zh=code,
            name_en=code,
            role=role,
            site="GXQ",
            department="SJ" if role in {Role.HANDLER, Role.UNIT_HEAD, Role.RESPONDENT, Role.VERIFIER} else None,
            window="W00" if role is Role.INTAKE else None,
        )
        asked = Asked(command_id=uuid4(), source="test", name="add-post")
        parts.book.transact(register.REGISTER, register.STREAM, Add(at=SOME_TIME, by=THE_SYSTEM, entry=post), asked)
        person = parts.accounts.add(code, code, password=PASSWORD).person
        take(parts, person, code)
        return self.hall.client(Authorization=f"Bearer {parts.accounts.add_token(person, code, 'door', 1).token}")

    def case(self, door: Door, *, fresh: bool = False) -> Case:
        """Give a case, taken at the counter, at the step that a door belongs to."""
        command = command_of(door)
        until = "reply" if command is None else BEFORE[command]
        if fresh or until not in self.cases:
            case = self.hall.complain(by="QIAN")
            if until == "request-review":
                self.hall.carry(case, "reply")
                form = {"complaint_no": case.complaint_no, "query_code": case.query_code, "grounds": "不服。"}
                assert self.hall.as_("QIAN").post(f"{V1}/own/{until}", json=form).status_code == 200
            elif until is not None:
                self.hall.carry(case, until)
            self.cases[until] = case
        return self.cases[until]

    def ask(self, door: Door, client: TestClient, *, fresh: bool = False) -> Response:
        """Knock at a door with a form that fits."""
        method, path = door
        described = re.sub(r"\{(\w+):path}", r"{\1}", path)
        body = self.examples.get((method, described))
        if "{case_id}" in path:
            case = self.case(door, fresh=fresh)
            path = path.replace("{case_id}", case.id)
            if (command := command_of(door)) is not None:
                body = self.hall.form(case, command)
            elif path.endswith("/open"):
                body = {"fields": ["narrative"]}  # what identifies a person is open to fewer
            elif path.endswith("/erase"):
                body = {"erasure_request": NO_REQUEST}
        token = self.hall.parts.accounts.tokens_of(self.hall.people["CHEN"])[-1].token_id
        path = path.replace("{token_id}", str(token)).replace("{post:path}", "DESK").replace("{name}", "start.js")
        path = path.replace("{kind}", "department").replace("{code:path}", "SJ")
        assert "{" not in path, f"say what stands for the parameter in {path}"
        return client.request(method, path, json=body if method == "POST" else None)

    def let_in(self, door: Door) -> frozenset[Role]:
        """Give the roles that may come in."""
        if (command := command_of(door)) is not None:
            policy = self.hall.parts.book.facts().rulebook.latest("hall")
            assert policy is not None
            return frozenset(role for role in Role if policy.allows(command, role))
        return ROLES.get(door, EVERYBODY)

    def closed(self) -> list[Door]:
        """Give the doors that are not for everybody."""
        return [door for door in doors_of(self.hall.app) if door not in PUBLIC]


def is_problem(answer: Response, status: int, code: str, title: str) -> bool:
    """Whether an answer is this problem document, and says what to do next."""
    if answer.status_code != status or answer.headers.get("content-type") != "application/problem+json":
        return False
    told = answer.json()
    return (told["code"], told["title"], bool(told["then"])) == (code, title, True)


def refuses_role(door: Door, answer: Response) -> bool:
    """Whether a role is turned away: told so, or told that there is nothing, in our words and not for a wrong path."""
    if door in BY_ROWS:
        return answer.status_code == 200 and (answer.json()["items"], answer.json()["total"]) == ([], 0)
    return any(
        is_problem(answer, status, refusal.code, refusal.message())
        for status, refusal in ((403, NotYourRole), (404, Unknown))
    )


@pytest.fixture(scope="module")
def walk(hall_template: Template) -> Iterator[Walk]:
    """A hall at whose doors one only knocks: nothing in it changes after it was built."""
    with copy(hall_template) as hall:
        walk = Walk(hall)
        for door in doors_of(hall.app):
            if "{case_id}" in door[1]:
                walk.case(door)
        hall.project()
        yield walk


def test_of_every_door_it_is_said_who_may_come_in(walk: Walk) -> None:
    """No route is forgotten, none is listed that is gone, every command has its case, every open door its reason."""
    assert unlisted(walk.hall.app) == []
    assert FORMS.keys() == BEFORE.keys()
    assert {command_of(door) for door in doors_of(walk.hall.app)} - {None} == FORMS.keys()
    assert all(reason for reason in PUBLIC.values())
    assert len(walk.closed()) > 30


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer bh_nothing"},
        {"Authorization": "Basic bGk6bGk="},
        {"Cookie": "bihuan_session=nothing"},
    ],
    ids=["nothing", "token", "basic", "cookie"],
)
def test_strangers_stand_before_closed_doors(walk: Walk, headers: dict[str, str]) -> None:
    """Without a key, or with one that does not fit, every closed door asks to log in; nothing changes."""
    position, stranger = walk.hall.last_position(), walk.hall.client(**headers)
    expected = (401, NotLoggedIn.code, NotLoggedIn.message())
    found = {door: walk.ask(door, stranger) for door in walk.closed()}
    assert {door: answer.text for door, answer in found.items() if not is_problem(answer, *expected)} == {}
    assert walk.hall.last_position() == position


def test_open_doors_are_open(walk: Walk) -> None:
    """What is listed as public answers strangers; a wrong log-in or number is the only thing that may be refused."""
    stranger = walk.hall.client()
    by_code = (f"{V1}/status", f"{V1}/privacy/requests", f"{V1}/own/")
    refusals = {("POST", f"{V1}/session"): 401, **{door: 404 for door in PUBLIC if door[1].startswith(by_code)}}
    unknown = {"complaint_no": "TS-GXQ-20260101-00001-0", "query_code": "nothing"}
    forms: dict[str, dict[str, str]] = {
        "status": {},
        "requests": {"ground": "other_law"},
        "withdraw": {},
        "request-review": {"grounds": "不服。"},
        "provide-supplement": {"content": "发票。"},
        "request-recusal": {"ground": "own_interest"},
    }
    for door in PUBLIC:
        named = forms.get(door[1].rsplit("/", 1)[-1])
        body = None if named is None else {**unknown, **named}
        answer = walk.ask(door, stranger) if body is None else stranger.post(door[1], json=body)
        assert answer.status_code == refusals.get(door, 201 if door[0] == "POST" else 200), (door, answer.text)


@pytest.mark.parametrize("role", Role)
def test_no_role_comes_in_where_it_has_no_business(walk: Walk, role: Role) -> None:
    """Every door that is not for this role turns it away, and nothing changes."""
    position = walk.hall.last_position()
    # A reviewer's list holds what is under review, and of these doors one leads to such a case.
    rows = BY_ROWS if role is Role.REVIEWER else frozenset[Door]()
    doors = [door for door in [*walk.closed(), *ROLES] if role not in walk.let_in(door) and door not in rows]
    found = {door: walk.ask(door, walk.clients[role]) for door in doors}
    assert doors
    assert {door: answer.text for door, answer in found.items() if not refuses_role(door, answer)} == {}
    assert walk.hall.last_position() == position


def test_every_role_comes_in_where_it_has_business(hall: Hall) -> None:
    """The list of who may come in is not longer than the truth: each of them is let through to the rules."""
    walk = Walk(hall)
    hall.project()
    denied = {}
    for door in walk.closed():
        for role in sorted(walk.let_in(door) - OF_NOBODY):
            if door in BY_ROWS:
                walk.case(door, fresh=True)
                hall.project()
            answer = walk.ask(door, walk.clients[role], fresh=True)
            shows_nothing = door in BY_ROWS and answer.json()["total"] == 0
            told = answer.json() if answer.headers.get("content-type") == "application/problem+json" else {}
            codes = {NotLoggedIn.code, NotYourRole.code, Unknown.code, NoPostChosen.code, "malformed"}
            if shows_nothing or answer.status_code >= 500 or told.get("code") in codes:
                denied[door, role] = answer.text
    assert denied == {}


def test_a_cookie_alone_changes_nothing(walk: Walk) -> None:
    """Whatever could change something wants the token of the session too, also where strangers are let in."""
    browser, position = walk.hall.logged_in("ADMIN"), walk.hall.last_position()
    del browser.headers["X-CSRF-Token"]
    expected = (403, FormTokenWrong.code, FormTokenWrong.message())
    doors = [door for door in doors_of(walk.hall.app) if door[0] != "GET" and door not in WITHOUT_ACCOUNT]
    found = {door: walk.ask(door, browser) for door in doors}
    assert ("POST", f"{V1}/complaints") in doors
    assert {door: answer.text for door, answer in found.items() if not is_problem(answer, *expected)} == {}
    assert walk.hall.last_position() == position


def test_a_one_time_password_opens_no_other_door(walk: Walk) -> None:
    """Until it is changed, everything but its change is closed, also where strangers are let in."""
    code = f"DOOR-{Role.ADMINISTRATOR}"
    password = walk.hall.parts.accounts.reset_password(code).password
    browser = walk.hall.client()
    me = browser.post(f"{V1}/session", json={"login": code, "password": password}).json()
    browser.headers["X-CSRF-Token"] = me["csrf"]
    expected = (403, PasswordChangeDue.code, PasswordChangeDue.message())
    doors = [*(door for door in walk.closed() if door not in WHILE_PASSWORD_IS_DUE), ("POST", f"{V1}/complaints")]
    found = {door: walk.ask(door, browser) for door in doors}
    assert {door: answer.text for door, answer in found.items() if not is_problem(answer, *expected)} == {}


def test_a_door_that_nobody_listed_is_found(hall: Hall) -> None:
    """A new route fails this file until it is said who may come in, and again if it has no guard for that."""

    @hall.app.get("/api/v1/leak")
    def leak() -> dict[str, str]:
        """A route whose author forgot the guard."""
        return {"secret": "told"}

    door = ("GET", "/api/v1/leak")
    assert unlisted(hall.app) == [door]
    walk = Walk(hall)
    assert door in walk.closed()
    stranger, administrator = hall.client(), walk.clients[Role.ADMINISTRATOR]
    assert not is_problem(walk.ask(door, stranger), 401, NotLoggedIn.code, NotLoggedIn.message())
    assert not refuses_role(door, walk.ask(door, administrator))
    missing = ("GET", "/api/v1/missing")
    assert not refuses_role(missing, walk.ask(missing, administrator))
    assert LAST_STEP in BEFORE
