"""A hall whose rules are old: its complaints were closed in 2012, so their retention is over and they can be erased."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from starlette.testclient import TestClient

from domain import complaint, register
from domain.decider import THE_SYSTEM, Actor, Code, PersonKey, Role
from domain.register import Add, Post, TakePost
from projections import PROJECTIONS
from projections.histories import read_stream
from projections.runner import Runner
from service.adoption import adopt_first, load_register
from service.asking import Asked
from service.forms import FORMS
from service.forms.intake import RegisterForm
from service.main import create_app
from service.parts import Parts
from service.settings import Settings
from tests.service.web.house import HOLDERS, NAMED, REGISTER, STEPS, opened

BEFORE: Final = datetime(2011, 1, 3, 1, tzinfo=UTC)
THEN: Final = datetime(2012, 3, 5, 1, tzinfo=UTC)
"""Ten years of retention from these days were over in 2022."""
OFFICERS: Final[Mapping[str, tuple[Code, Role]]] = {
    "HAN": ("PRIVACY", Role.PRIVACY_OFFICER),
    "YU": ("PRIVACY", Role.PRIVACY_OFFICER),
}
NAME: Final = "欧阳·𬭎马克标"
PHONE: Final = "13912345678"
STORY: Final = "三号窗口两次让我回去补材料，暗号梧桐七号。"
FILE: Final = b"scan of the receipt, mark plane-tree-seven"


@dataclass(slots=True)
class Old:
    """A case of then."""

    id: UUID
    complaint_no: str
    query_code: str
    made: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class OldHall:
    """The hall, its people, and what they did then; what they do now goes through the API."""

    parts: Parts
    people: dict[str, PersonKey]
    client: TestClient
    tokens: dict[str, str]
    at: datetime = THEN

    def later(self) -> datetime:
        """Give the next moment of then."""
        self.at += timedelta(minutes=1)
        return self.at

    def asked(self, name: str, *, now: bool = False) -> Asked:
        """Ask then, or now."""
        return Asked(command_id=uuid4(), source="test", name=name, moment=None if now else self.later())

    def complain(self, *, now: bool = False, **more: Any) -> Old:  # noqa: ANN401 - a field of the form
        """Register a complaint without an account."""
        told = {
            "hall": "GXQ",
            "narrative": STORY,
            "name": NAME,
            "phone": PHONE,
            "respondent": {"window": "W03"},
            **more,
        }
        receipt = self.parts.desk.register(RegisterForm(**told), None, self.asked("register", now=now))
        assert receipt.query_code is not None
        return Old(id=receipt.case, complaint_no=receipt.complaint_no, query_code=receipt.query_code)

    def carry(self, case: Old, until: str = "close") -> Old:
        """Carry a case along its way, up to and with this command, with a file among the evidence."""
        for command, name, form in STEPS:
            more: dict[str, Any] = {NAMED[command]: case.made[NAMED[command]]} if command in NAMED else {}
            if command == "reply":
                more["method"] = "letter"
            if command == "record-evidence":
                more["content"] = base64.b64encode(FILE).decode()
            read = FORMS[command].model_validate({**form, **more})
            done = self.parts.desk.act(case.id, read, self.actor(name), self.asked(command))
            for event in done.events:
                for kind in ("reply", "rectification", "evidence"):
                    if hasattr(event, kind):
                        made = getattr(event, kind)
                        case.made[kind] = str(made) if isinstance(made, UUID) else ""
            if command == until:
                break
        return case

    def actor(self, name: str) -> Actor:
        """Give somebody in their first post."""
        code = OFFICERS[name][0] if name in OFFICERS else HOLDERS[name][0]
        return Actor(person=self.people[name], post=code, role=self.parts.book.facts().register.posts[code].role)

    def ask(self, name: str | None, path: str, form: Mapping[str, object], status: int = 200) -> Any:  # noqa: ANN401 - any answer
        """Post something as somebody, or as nobody; give the answer, which has this status."""
        headers = {} if name is None else {"Authorization": f"Bearer {self.tokens[name]}"}
        answer = self.client.post(f"/api/v1/{path}", json=dict(form), headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def look(self, name: str, path: str, status: int = 200) -> Any:  # noqa: ANN401 - any answer
        """Get something as somebody."""
        answer = self.client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {self.tokens[name]}"})
        assert answer.status_code == status, answer.text
        return answer.json()

    def grant(self, case: Old) -> str:
        """Have an erasure asked for by the complainant, granted and witnessed; give the request."""
        request = self.request(case)
        path = f"complaints/{case.id}"
        self.ask(
            "HAN", f"{path}/decide-erasure", {"erasure_request": request, "result": "granted", "legal_basis": "L3-47"}
        )
        self.ask("ZHANG", f"{path}/witness-erasure", {"erasure_request": request})
        return request

    def request(self, case: Old) -> str:
        """Ask with number and code; give the request."""
        form = {"complaint_no": case.complaint_no, "query_code": case.query_code, "ground": "purpose_fulfilled"}
        self.ask(None, "privacy/requests", form)
        with self.parts.pool.connection() as connection:
            events = [one.event for one in read_stream(connection, case.id)]
        return str(next(one.erasure_request for one in reversed(events) if isinstance(one, complaint.ErasureRequested)))

    def erase(self, case: Old, name: str = "HAN") -> Any:  # noqa: ANN401 - any answer
        """Have a case erased."""
        return self.ask(name, f"complaints/{case.id}/erase", {"erasure_request": self.grant(case)})

    def values(self, case: Old, name: str = "LI", *fields: str, **more: object) -> list[str | None]:
        """Open values of a case."""
        form = {"fields": fields or ("name", "phone", "narrative"), **more}
        return [one["text"] for one in self.ask(name, f"complaints/{case.id}/open", form)["values"]]

    def one(self, query: str, *parameters: object) -> Any:  # noqa: ANN401 - whatever stands there
        """Ask the database for one value."""
        with self.parts.pool.connection() as connection:
            row = connection.execute(query.encode(), parameters).fetchone()
        assert row is not None
        return row[0]

    def project(self) -> None:
        """Bring what people read to the end of the log."""
        with psycopg.connect(self.parts.dsn, autocommit=True) as connection:
            runner = Runner(connection, PROJECTIONS)
            runner.take()
            runner.catch_up()

    def leaves(self) -> list[tuple[Any, ...]]:
        """Give every leaf with what it is computed again to be."""
        with self.parts.pool.connection() as connection:
            return connection.execute(
                "select position, leaf_hash, leaf_hash((select log_id from log), position, stream_id, version, name,"
                " recorded_at, command_id, command_seq, state) from events order by position"
            ).fetchall()


@contextmanager
def old_hall(dsn: str, home: Path) -> Iterator[OldHall]:
    """Build the hall over a fresh database."""
    with opened(dsn, home, Settings()) as parts:
        adopt_first(parts.book, BEFORE)
        load_register(parts.book, "hall.toml", REGISTER, BEFORE)
        people: dict[str, PersonKey] = {}
        tokens: dict[str, str] = {}

        def hire(name: str, code: Code) -> None:
            if name not in people:
                people[name] = parts.accounts.add(name.lower(), name, password=None).person
            command = TakePost(at=BEFORE, by=THE_SYSTEM, post=code, person=people[name])
            asked = Asked(command_id=uuid4(), source="test", name="take-post", moment=BEFORE)
            parts.book.transact(register.REGISTER, register.STREAM, command, asked)
            tokens.setdefault(name, parts.accounts.add_token(people[name], code, "test", 30).token)

        for code, role in {**dict(OFFICERS.values()), "SUPERVISION-2": Role.SUPERVISOR}.items():
            post = Post(code=code, name_zh="岗", name_en="Post", role=role, site="GXQ")
            asked = Asked(command_id=uuid4(), source="test", name="add-post", moment=BEFORE)
            parts.book.transact(register.REGISTER, register.STREAM, Add(at=BEFORE, by=THE_SYSTEM, entry=post), asked)
        for name, codes in {
            **HOLDERS,
            **{n: (c,) for n, (c, _) in OFFICERS.items()},
            "ZHANG": ("SUPERVISION-2",),
        }.items():
            for code in codes:
                hire(name, code)
        with TestClient(create_app(parts)) as client:
            yield OldHall(parts, people, client, tokens)


def events_of(hall: OldHall, case: Old) -> list[str]:
    """Name the events of a case."""
    with hall.parts.pool.connection() as connection:
        rows = connection.execute("select name from events where stream_id = %s order by version", (case.id,))
        return [row[0] for row in rows]


def erased_event(hall: OldHall, case: Old) -> complaint.Erased:
    """Give the event that says a case was erased."""
    with hall.parts.pool.connection() as connection:
        last = read_stream(connection, case.id)[-1].event
    assert isinstance(last, complaint.Erased)
    return last
