"""Somebody in every role who knocks at every door, with requests that lack nothing but the right to be made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import uuid4

from httpx2 import Response
from starlette.testclient import TestClient

from domain import register
from domain.decider import THE_SYSTEM, Code, PersonKey, Role
from domain.errors import NotYourRole, Unknown
from domain.register import Add, Department, Item, Post, Site, SiteLevel, Window, WindowKind
from domain.review.drawing import stream
from domain.rulebook import Profile
from service.casebook import Asked
from service.draws import Draws, next_month
from service.receipts import sign_now
from service.settings import Settings
from service.web.problems import NotLoggedIn
from tests.service.web.doors import (
    ADMINISTRATION,
    ALL,
    BY_ROWS,
    OF_A_SESSION,
    RECORDS_VISITS,
    ROLES,
    STRANGER,
    V1,
    Door,
    Who,
    command_of,
    doors_of,
    expected,
    own_command_of,
)
from tests.service.web.house import NO_REQUEST, PASSWORD, Case, Hall, take
from tests.service.web.review_turns import CREW, Reviewed, bring, own_step_of, review_command_of, steps_before
from tests.service.web.review_turns import form as review_form
from tests.service.web.turns import BY, HANDLED, IN_REVIEW, REPLIED, TURNS, Place, Turn
from tests.specimens import SOME_TIME

AnyEntry: TypeAlias = Site | Department | Window | Item | Post
UNLIMITED: Final = Settings(lookups_per_hour=100_000, registrations_per_hour=0)
"""Knocking so often is limited elsewhere."""
IN_A_UNIT: Final = frozenset({Role.HANDLER, Role.UNIT_HEAD, Role.RESPONDENT, Role.VERIFIER})
CAST: Final = frozenset(
    {
        Role.INTAKE,
        Role.DISPATCHER,
        Role.HANDLER,
        Role.UNIT_HEAD,
        Role.REVISIT_OFFICER,
        Role.SUPERVISOR,
        Role.PRIVACY_OFFICER,
    }
)
"""Who is needed to carry a case to any step."""
STATED: Final = Turn((*HANDLED, "invite-statement"))
TURNED_AWAY: Final = frozenset({NotLoggedIn.code, NotYourRole.code, Unknown.code})
SPARE: Final = "SPARE"
"""The department, post and log-in at which administrators try what they may do."""


@dataclass
class Walk:
    """A hall with somebody in every role, a cast that carries cases to any step, and another hall beside it."""

    hall: Hall
    people: dict[Who, TestClient] = field(default_factory=dict)
    cases: dict[tuple[Code, str], Case] = field(default_factory=dict)
    reviews: dict[str, Reviewed] = field(default_factory=dict)
    crew: dict[str, TestClient] = field(default_factory=dict)
    examples: dict[Door, Any] = field(default_factory=dict)
    here: Place = field(init=False)
    away: Place = field(init=False)
    spare: str = field(init=False)
    persons: dict[Code, PersonKey] = field(default_factory=dict)
    otherwise: dict[tuple[Door, Who], Code] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._build()
        self.people = {role: self.somebody("DOOR", role) for role in Role}
        self.people[STRANGER] = self.hall.client()
        self.crew = {name: self.somebody(f"CREW-{name}", role) for name, role in CREW.items()}
        here = {role: self.somebody("STAFF", role) for role in CAST - {Role.HANDLER}}
        # Whoever signed for a case handles it: the one who knocks.
        cast = {**here, Role.HANDLER: self.people[Role.HANDLER]}
        self.here = Place(self.hall, "GXQ", "SJ", "SW", "W03", cast)
        away = {role: self.somebody("AWAY", role, "BQ", "BSJ", "B00", "B03") for role in CAST}
        self.away = Place(self.hall, "BQ", "BSJ", "BSW", "B03", away)
        described = self.hall.client().get(f"{V1}/openapi.json").json()
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
                schema = described["components"]["schemas"].get(
                    content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1], {}
                )
                shown = [*schema.get("examples", []), *(one["value"] for one in content.get("examples", {}).values())]
                self.examples[method.upper(), path] = next(iter(shown), {})

    def _build(self) -> None:
        zh, en = "某", "Some"
        self.enter(
            Site(code="BQ", name_zh=zh, name_en=en, level=SiteLevel.DISTRICT),
            Department(code="BSJ", name_zh=zh, name_en=en, site="BQ"),
            Department(code="BSW", name_zh=zh, name_en=en, site="BQ"),
            Department(code=SPARE, name_zh=zh, name_en=en, site="GXQ"),
            Window(code="B00", name_zh=zh, name_en=en, site="BQ", kind=WindowKind.SERVICE),
            Window(code="B03", name_zh=zh, name_en=en, site="BQ", department="BSJ", kind=WindowKind.SERVICE),
            Window(code="W09", name_zh=zh, name_en=en, site="GXQ", department="SJ", kind=WindowKind.SERVICE),
            Post(code=SPARE, name_zh=zh, name_en=en, role=Role.DISPATCHER, site="GXQ"),
        )
        self.spare = str(self.hall.parts.accounts.add(SPARE.lower(), SPARE, password=PASSWORD).person)

    def enter(self, *entries: AnyEntry) -> None:
        """Put something into the register."""
        for entry in entries:
            asked = Asked(command_id=uuid4(), source="test", name="add")
            command = Add(at=SOME_TIME, by=THE_SYSTEM, entry=entry)
            self.hall.parts.book.transact(register.REGISTER, register.STREAM, command, asked)

    def somebody(
        self,
        prefix: str,
        role: Role,
        site: Code = "GXQ",
        department: Code = "SJ",
        counter: Code = "W00",
        window: Code = "W03",
    ) -> TestClient:
        """Give a client of somebody new in a role.

        Roles that no post carries are given one all the same: whoever had it would come no further.
        """
        parts, code = self.hall.parts, f"{prefix}-{role}"
        self.enter(
            Post(
                code=code,
                name_zh=code,
                name_en=code,
                role=role,
                site=site,
                department=department if role in IN_A_UNIT else None,
                window={Role.INTAKE: counter, Role.RESPONDENT: window}.get(role),
            )
        )
        person = self.persons[code] = parts.accounts.add(code, code, password=PASSWORD).person
        take(parts, person, code)
        return self.hall.client(Authorization=f"Bearer {parts.accounts.add_token(person, code, 'door', 1).token}")

    def turn(self, door: Door, who: Who) -> Turn:
        """Give the case that a door is about, for somebody who may come in there."""
        command = command_of(door) or own_command_of(door)
        if command is not None:
            return TURNS[command] if who is STRANGER else BY.get((command, who), TURNS[command])
        if "statement" in door[1]:
            return STATED
        return Turn(IN_REVIEW) if who is Role.REVIEWER else Turn(REPLIED)

    def case(self, turn: Turn, *, at: Place | None = None, fresh: bool = False) -> Case:
        """Give a case that has come so far: one for all who change nothing, or a fresh one."""
        place = at or self.here
        key = (place.site, repr((turn.before, turn.points)))
        if fresh or key not in self.cases:
            case = place.prepared(turn)
            if fresh:
                return case
            self.cases[key] = case
        return self.cases[key]

    def contact(self, place: Place, kind: str = "complaint") -> str:
        """Give the id of somebody who came to a counter, to complain or with something else."""
        answer = place.cast[Role.INTAKE].post(f"{V1}/contacts", json={"kind": kind})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def notice(self, case: Case, place: Place) -> str:
        """Give the id of a notice of a case."""
        self.hall.project()
        found = place.cast[Role.DISPATCHER].get(f"{V1}/notices", params={"case": case.id}).json()["items"]
        return str(found[0]["notice"])

    def visit(self, place: Place, **known: str) -> str:
        """Give the id of a visit that may be rated."""
        form = {"project_no": f"P-{uuid4().hex[:12]}", "window": place.window, **known}
        answer = place.cast[Role.INTAKE].post(f"{V1}/occasions", json=form)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def invitation(self, place: Place, **known: str) -> str:
        """Give a token with which a visit may be rated."""
        path = f"{V1}/occasions/{self.visit(place, **known)}/invite"
        return str(place.cast[Role.INTAKE].post(path, json={"medium": "sms"}).json()["token"])

    def draw(self) -> str:
        """Give the id of a draw that is announced."""
        parts = self.hall.parts
        facts, (_, now) = parts.book.facts(), parts.book.register_now()
        with parts.pool.connection() as connection:
            Draws(parts).round(connection, facts, now)
        self.hall.project()
        policy = facts.rulebook.policy(Profile.HALL, now)
        assert policy is not None
        return str(stream("GXQ", next_month(policy, now)[0]))

    def rating(self, place: Place) -> dict[str, str]:
        """Give the id of a review, and the link that leads back to it."""
        form = {"token": self.invitation(place), "grade": "satisfied", "text": "还可以。"}
        told = self.hall.client().post(f"{V1}/reviews", json=form).json()
        return {"review": told["id"], "own_link": told["own_link"]}

    def reviewed(self, door: Door, who: Who, *, fresh: bool = False) -> Reviewed | None:
        """Give a bad rating that has come as far as a door needs it: one for all who change nothing, or a fresh one."""
        own = door[1].startswith(f"{V1}/own/review")
        if "{review_id}" not in door[1] and not own:
            return None
        if door[1].endswith("/slip"):
            if fresh or "slip" not in self.reviews:
                self.reviews["slip"] = self.written_down(who)
            return self.reviews["slip"]
        steps = steps_before(own_step_of(door) if own else review_command_of(door), who)
        if fresh or repr(steps) not in self.reviews:
            token = self.invitation(self.here, name="欧阳·𬭎", phone="13800138000")
            form = {"token": token, "grade": "very_dissatisfied", "text": "态度生硬。"}
            told = self.hall.client().post(f"{V1}/reviews", json=form).json()
            found = bring(self.hall, self.crew.__getitem__, Reviewed(told["id"], told["own_link"]), steps)
            if fresh:
                return found
            self.reviews[repr(steps)] = found
        return self.reviews[repr(steps)]

    def written_down(self, who: Who) -> Reviewed:
        """Give a rating that somebody wrote down, or a clerk for those who may not; its link is shown to nobody yet."""
        clerk = self.people[who if who in RECORDS_VISITS else Role.INTAKE]
        form = {"occasion": self.visit(self.here), "grade": "satisfied"}
        return Reviewed(clerk.post(f"{V1}/reviews", json=form).json()["id"], "")

    def knock(
        self,
        door: Door,
        who: Who,
        case: Case,
        *,
        at: Place | None = None,
        client: TestClient | None = None,
        review: Reviewed | None = None,
    ) -> Response:
        """Knock at a door with a form that fits, about a case or a review, and about what belongs to it."""
        turn = self.turn(door, who)
        method, path = door
        place = at or self.here
        body = self.body(door, who, case, turn, place)
        if "own_link" in (body or {}) and review is not None:
            body["own_link"] = review.own_link
        if (step := review_command_of(door)) is not None:
            body = review_form(step, {} if review is None else review.made)
        token = self.hall.parts.accounts.tokens_of(self.hall.people["CHEN"])[-1].token_id
        ids = {"case_id": case.id, "token_id": str(token), "name": "start.js", "kind": "department"}
        ids["position"] = "1"
        ids |= {"post:path": SPARE, "code:path": SPARE, "statement_id": case.made.get("statement", NO_REQUEST)}
        if "{notice_id}" in path:
            ids["notice_id"] = case.made.get("notice") or self.notice(case, place)
        if "{contact_id}" in path:
            # What is no complaint can be settled, and turn out to be another thing.
            kind = "enquiry" if path.endswith(("settle", "reclassify")) else "complaint"
            ids["contact_id"] = case.made.get(kind) or self.contact(place, kind)
        if "{draw}" in path:
            ids["draw"] = self.draw()
        if "{occasion_id}" in path:
            ids["occasion_id"] = case.made.get("occasion") or self.visit(place)
        if "{review_id}" in path:
            ids["review_id"] = case.made["review"] if review is None else review.id
        for name, value in ids.items():
            path = path.replace(f"{{{name}}}", value)
        if path.endswith("/consistency"):
            path += "?from=1"
        assert "{" not in path, f"say what stands for the parameter in {path}"
        return (client or self.people[who]).request(method, path, json=body if method == "POST" else None)

    def body(self, door: Door, who: Who, case: Case, turn: Turn, place: Place) -> Any:  # noqa: ANN401 - any form
        """Give a form that fits a door."""
        if (command := command_of(door)) is not None:
            return place.form(case, command, **turn.form)
        code = {"complaint_no": case.complaint_no, "query_code": case.query_code}
        if (command := own_command_of(door)) is not None:
            form = place.form(case, command)
            return {**code, **{name: value for name, value in form.items() if name != "supplement"}}
        if door == ("POST", f"{V1}/reviews"):
            if who is STRANGER:
                return {"token": case.made.get("token") or self.invitation(place), "grade": "satisfied"}
            return {"occasion": case.made.get("occasion") or self.visit(place), "grade": "satisfied"}
        if "/own/review" in door[1]:
            said = {"append": {"grade": "satisfied"}, "object": {"ground": "情况属实。"}}
            more = said.get(door[1].rsplit("/", 1)[-1], {})
            return {"own_link": case.made.get("own_link") or self.rating(place)["own_link"], **more}
        described = re.sub(r":path}", "}", door[1])
        known: Mapping[str, Any] = {
            "/reviews/{review_id}/open": {"fields": ["text"]},
            "/open": {"fields": ["narrative"]},
            "/erase": {"erasure_request": NO_REQUEST},
            "/status": code,
            "/status/receipt": code,
            "/privacy/requests": {**code, "ground": "purpose_fulfilled"},
            "/session/post": {"post": f"DOOR-{who}"},
            "/session/password": {"old": PASSWORD, "new": "kettle of quiet rivers"},
            "/session": {"login": SPARE.lower(), "password": PASSWORD},
            "/complaints": {"hall": place.site, "narrative": "排队两小时。"},
            "/contacts/{contact_id}/register": {"hall": place.site, "narrative": "排队两小时。"},
            "/contacts/{contact_id}/link": {"complaint_no": case.complaint_no},
            "/contacts/{contact_id}/settle": {"settlement": "answered"},
            "/contacts/{contact_id}/reclassify": {"kind": "praise"},
            "/confirm-delivery": {},
            "/take": {"person": self.spare},
            "/leave": {"person": self.spare},
            "/deputy": {"absent": self.spare, "deputy": str(self.hall.people["CHEN"])},
            "/end-deputy": {"absent": self.spare, "deputy": str(self.hall.people["CHEN"])},
            "/rename": {"name_zh": "某", "name_en": "Other"},
            "/register/department/{code}/merge": {"into": "SJ"},
            "/letter": None,
        }
        ends = (value for end, value in known.items() if described.removeprefix(V1).endswith(end))
        return next(ends, self.examples.get((door[0], described)))

    def refused(self, door: Door, who: Who) -> Response:
        """Knock at a door where somebody has no business: about a case that others are tried with too."""
        at_home = min(expected(door), key=str, default=STRANGER)
        return self.knock(door, who, self.case(self.turn(door, at_home)), review=self.reviewed(door, at_home))

    def admitted(self, door: Door, who: Who) -> Response:
        """Knock at a door where somebody may come in, about a case that is there for them alone."""
        moving = ("_id}", "/own/", "/privacy/", "/reviews")
        moves = door[0] == "POST" and any(one in door[1] for one in moving)
        case = self.case(self.turn(door, who), fresh=moves)
        if "/statements/" in door[1]:
            self.hall.project()
        client = self.browser(f"DOOR-{who}") if door in OF_A_SESSION else None
        return self.knock(door, who, case, client=client, review=self.reviewed(door, who, fresh=moves))

    def browser(self, login: str) -> TestClient:
        """Give a browser in which somebody has logged in."""
        client = self.hall.client()
        told = client.post(f"{V1}/session", json={"login": login, "password": PASSWORD}).json()
        client.headers |= {"X-CSRF-Token": told["csrf"]}
        return client

    def prepare(self) -> None:
        """Carry a case to each step at which somebody is refused, and show all of them in the lists."""
        for door in doors_of(self.hall.app):
            for who in expected(door) or {STRANGER}:
                self.case(self.turn(door, who))
                self.reviewed(door, who)
        case = self.case(Turn(REPLIED))
        case.made |= {kind: self.contact(self.here, kind) for kind in ("complaint", "enquiry")}
        case.made["notice"] = self.notice(case, self.here)
        case.made |= {"occasion": self.visit(self.here), **self.rating(self.here)}
        # No runner and no sealer run here: what is to be proved is sealed by hand.
        self.hall.project()
        sign_now(self.hall.parts)

    def measured(self) -> dict[Door, frozenset[Who]]:
        """Try every door with every role, and with nobody; give who came in.

        First those who should not, for nothing changes by them; then the others, each with a case of their own.
        """
        self.prepare()
        found: dict[Door, set[Who]] = {door: set() for door in doors_of(self.hall.app)}
        position = self.hall.last_position()
        for door, came in found.items():
            came |= {who for who in ALL - expected(door) if passes(door, self.refused(door, who))}
        assert any(found.values()) or self.hall.last_position() == position, "somebody who was refused wrote something"
        # What administrators change is the ground on which the others stand, and so is a password.
        for door in sorted(found, key=lambda one: (ROLES.get(one) is ADMINISTRATION, one[1].endswith("password"))):
            for who in expected(door):
                answer = self.admitted(door, who)
                if passes(door, answer):
                    found[door].add(who)
                    if not answer.is_success:
                        self.otherwise[door, who] = answer.json()["code"]
        return {door: frozenset(came) for door, came in found.items()}


def passes(door: Door, answer: Response) -> bool:
    """Whether somebody came in: it was done, or the rules had another reason than who asks."""
    assert answer.status_code < 500, (door, answer.text)
    if answer.is_success:
        return door not in BY_ROWS or bool(answer.json()["items"])
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", (door, answer.text)
    assert told["code"] not in {"malformed", "no-post-chosen"}, (door, answer.text)
    return told["code"] not in TURNED_AWAY


def is_problem(answer: Response, status: int, code: str, title: str) -> bool:
    """Whether an answer is this problem document, and says what to do next."""
    if answer.status_code != status or answer.headers.get("content-type") != "application/problem+json":
        return False
    told = answer.json()
    return (told["code"], told["title"], bool(told["then"])) == (code, title, True)
