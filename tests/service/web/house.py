"""A small hall that runs: people in posts, each with a token and a password, and cases carried to any step.

The hall is built once for each server and copied for each test, so that a test may do to it what it likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID, uuid4

import argon2
import psycopg
from fastapi import FastAPI
from httpx2 import Response
from psycopg import sql
from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient

from domain import register
from domain.decider import THE_SYSTEM, Code, PersonKey
from domain.register import TakePost
from projections import PROJECTIONS
from projections.runner import Runner
from service.accounts import Accounts
from service.adoption import adopt_first, load_register
from service.casebook import Asked
from service.main import create_app
from service.master import LocalMaster
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.specimens import SOME_TIME

PASSWORD: Final = "harbour plum seventeen"
LAST_STEP: Final = "close"

REGISTER: Final = """
sites = [
    { code = "GXQ", name_zh = "高新区政务服务中心", name_en = "High-tech Zone Centre", level = "district" },
    { code = "JD", name_zh = "街道便民服务站", name_en = "Street Station", level = "street", parent = "GXQ" },
]
departments = [
    { code = "SJ", name_zh = "行政审批局", name_en = "Approval Bureau", site = "GXQ" },
    { code = "SW", name_zh = "税务局", name_en = "Tax Bureau", site = "GXQ" },
]
windows = [
    { code = "W00", name_zh = "诚信建设投诉窗口", name_en = "Integrity window", site = "GXQ", window_kind = "integrity_window" },
    { code = "W03", name_zh = "三号窗口", name_en = "Window 3", site = "GXQ", department = "SJ" },
]
items = [
    { code = "LICENCE", name_zh = "营业执照", name_en = "Licence", department = "SJ", promised_working_days = 3 },
]
posts = [
    { code = "SJ-HANDLER", name_zh = "审批局承办岗", name_en = "Handler", role = "handler", site = "GXQ", department = "SJ" },
    { code = "SJ-HANDLER-2", name_zh = "审批局承办二岗", name_en = "Handler 2", role = "handler", site = "GXQ", department = "SJ" },
    { code = "SJ-HEAD", name_zh = "审批局负责人", name_en = "Head", role = "unit_head", site = "GXQ", department = "SJ" },
    { code = "SW-HANDLER", name_zh = "税务局承办岗", name_en = "Handler, Tax", role = "handler", site = "GXQ", department = "SW" },
    { code = "DESK", name_zh = "投诉处置岗", name_en = "Complaint desk", role = "dispatcher", site = "GXQ" },
    { code = "INTAKE", name_zh = "投诉登记岗", name_en = "Intake", role = "intake", site = "GXQ", window = "W00" },
    { code = "REVISIT", name_zh = "回访岗", name_en = "Revisits", role = "revisit_officer", site = "GXQ" },
    { code = "REVISIT-2", name_zh = "回访二岗", name_en = "Revisits 2", role = "revisit_officer", site = "GXQ" },
    { code = "SUPERVISION", name_zh = "督查岗", name_en = "Supervision", role = "supervisor", site = "GXQ" },
    { code = "AUDIT", name_zh = "审计岗", name_en = "Audit", role = "auditor", site = "GXQ" },
    { code = "W03-CLERK", name_zh = "三号窗口岗", name_en = "Clerk", role = "respondent", site = "GXQ", department = "SJ", window = "W03" },
    { code = "ADMIN", name_zh = "系统管理员", name_en = "Administrator", role = "administrator", site = "GXQ" },
    { code = "VERIFY", name_zh = "差评核实岗", name_en = "Verifier", role = "verifier", site = "GXQ" },
    { code = "SW-VERIFY", name_zh = "税务局核实岗", name_en = "Verifier, Tax", role = "verifier", site = "GXQ", department = "SW" },
    { code = "PANEL-1", name_zh = "复核一岗", name_en = "Panel 1", role = "panel", site = "GXQ" },
    { code = "PANEL-2", name_zh = "复核二岗", name_en = "Panel 2", role = "panel", site = "GXQ" },
    { code = "PANEL-3", name_zh = "复核三岗", name_en = "Panel 3", role = "panel", site = "GXQ" },
    { code = "PANEL-4", name_zh = "复核四岗", name_en = "Panel 4", role = "panel", site = "GXQ" },
]
"""  # noqa: E501 - one entry, one line

HOLDERS: Final[Mapping[str, tuple[Code, ...]]] = MappingProxyType(
    {
        "LI": ("SJ-HANDLER",),
        "WANG": ("SJ-HEAD",),
        "ZHAO": ("DESK",),
        "SUN": ("REVISIT",),
        "ZHOU": ("SUPERVISION",),
        "QIAN": ("INTAKE",),
        "WU": ("AUDIT",),
        "ADMIN": ("ADMIN",),
        "FENG": ("SJ-HANDLER-2", "REVISIT-2"),  # holds two posts: is there to be kept apart
        "CHEN": ("W03-CLERK",),  # works at the window that is complained of
        "TAN": ("SW-HANDLER",),  # belongs to another unit
        "HE": ("VERIFY",),
        "LU": ("SW-VERIFY",),  # verifies for another unit
        "GUO": ("PANEL-1",),
        "MA": ("PANEL-2",),
        "XU": ("PANEL-3",),
        "DENG": ("PANEL-4",),
    }
)
"""Everybody by name, with the posts they hold. The log-in is the name in small letters."""

STEPS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("accept", "ZHAO", {}),
    ("assign", "ZHAO", {"department": "SJ"}),
    ("sign-for", "LI", {}),
    ("record-contact", "LI", {"method": "phone", "result": "reached"}),
    ("record-evidence", "LI", {"kind": "system_record", "description": "叫号系统记录"}),
    ("record-finding", "LI", {"finding": "substantiated", "facts": "两次告知内容不一致，属实。"}),
    ("plan-rectification", "LI", {"actions": "统一一次性告知单", "due": "2099-12-31"}),
    ("rectify", "LI", {"actions": "已统一一次性告知单"}),
    ("verify-rectification", "ZHOU", {"passed": True}),
    (
        "submit-reply",
        "LI",
        {
            "decision": "upheld",
            "reasons": "经查属实，已整改并致歉。",
            "legal_basis": "条例",
            "points": ["属实，已统一。"],
        },
    ),
    ("approve-reply", "WANG", {}),
    ("reply", "LI", {"method": "letter"}),
    ("revisit", "SUN", {"method": "phone", "result": "reached", "answers": {"resolved": "yes"}}),
    (LAST_STEP, "ZHAO", {"outcome": "resolved"}),
)
"""The way of a complaint: each command, who gives it, and its form without the ids of what it names."""
NO_REQUEST: Final = str(UUID(int=0))
BESIDE_THE_WAY: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "reject-reply": {"reason": "第一点没有答复。"},
        "replace-query-code": {},
        "request-erasure": {"ground": "purpose_fulfilled"},
        "decide-erasure": {"erasure_request": NO_REQUEST, "result": "restricted", "legal_basis": "L3-47"},
        "witness-erasure": {"erasure_request": NO_REQUEST},
        "lift-restriction": {"reason": "mistake"},
        "propose-refuse": {
            "refuse_reason": "not_gov_service",
            "legal_basis": "条例",
            "explanation": "不属于政务服务。",
            "proper_channel": "court",
        },
        "confirm-refuse": {"proposal": NO_REQUEST},
        "decline-proposal": {"proposal": NO_REQUEST, "reason": "理由不充分。"},
        "transfer-out": {"to": "petition"},
        "withdraw": {},
        "propose-terminate": {"terminate_reason": "turned_out_non_acceptable", "explanation": "已进入诉讼。"},
        "confirm-terminate": {"proposal": NO_REQUEST},
        "resolve-on-spot": {
            "finding": "unsubstantiated",
            "facts": "当场核对。",
            "content": "已说明。",
            "confirmed": "signature",
        },
        "request-review": {"grounds": "不服。"},
        "decide-review": {"review": NO_REQUEST, "result": "upheld", "reasons": "原处理正确。"},
        "reopen": {"cause": "new_facts", "reason": "有新的录音。"},
        "order-rework": {"reply": NO_REQUEST, "reason": "没有解决。"},
        "propose-publish": {"redaction": "某窗口告知不一致，已整改。"},
        "confirm-publish": {"proposal": NO_REQUEST},
        "unpublish": {"reason": "内容有误。"},
        "propose-disclose": {"fields": ["name"], "disclosure_recipient": "court", "legal_basis": "调查令"},
        "confirm-disclose": {"proposal": NO_REQUEST},
        "request-recusal": {"ground": "own_interest"},
        "decide-recusal": {"recusal": NO_REQUEST, "granted": False, "reason": "没有利害关系。"},
        "remind": {"clock": "handle"},
        "issue-supervision": {"rule_no": "overdue", "level": 1, "content": "请尽快办理。"},
        "answer-supervision": {"supervision": NO_REQUEST, "answer": "正在办理。"},
        "lift-supervision": {"supervision": NO_REQUEST},
        "correct-record": {"contact_name": "欧阳·𬭎", "reason": "登记有误。"},
        "invite-statement": {"question": "当时如何告知？"},
        "record-notice": {"about": "acceptance", "method": "phone"},
        "request-supplement": {"items": ["办件编号"]},
        "provide-supplement": {"supplement": NO_REQUEST, "content": "办件编号 1501。"},
        "pause-clock": {"reason": "expert_or_hearing"},
        "resume-clock": {"pause": NO_REQUEST},
        "request-extension": {"days": 5, "reason": "须两个部门共同核实。"},
        "decide-extension": {"extension": NO_REQUEST, "approved": True},
        "call-in": {"department": "SW", "question": "是否已完成税务登记？"},
        "answer-call": {"call": NO_REQUEST, "answer": "已完成。"},
        "request-return": {"return_reason": "not_our_duty", "explanation": "属税务部门职责。"},
        "decide-return": {"request": NO_REQUEST, "approved": True},
        "hand-over": {"department": "SW", "reason": "reorganised"},
        "merge": {"primary": NO_REQUEST, "link": "joint"},
        "propose-unmerge": {"reason": "不是同一事项。"},
        "confirm-unmerge": {"proposal": NO_REQUEST},
        "reply-linked": {"reply": NO_REQUEST, "method": "phone"},
        "revisit-linked": {"method": "phone", "result": "no_answer"},
        "split": {"parts": [{"points": [1], "narrative": "另一件事。"}]},
    }
)
"""Forms of commands that a smooth way does not need."""
NAMED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rectify": "rectification",
        "verify-rectification": "rectification",
        "approve-reply": "reply",
        "reject-reply": "reply",
        "reply": "reply",
    }
)
"""Which id a command names, of those that earlier commands created."""

CHEAP: Final = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes that take no time; what hashing costs is tested where passwords are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A built hall that nobody is connected to: the database to copy, the master key's home, keys and tokens."""

    server: str
    database: str
    home: Path
    people: Mapping[str, PersonKey]
    tokens: Mapping[tuple[str, Code], str]


@dataclass(slots=True)
class Case:
    """A complaint as a test knows it: what the complainant took home, and the ids that commands created."""

    id: str
    complaint_no: str
    query_code: str
    version: int
    made: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where the case is."""
        return f"/api/v1/complaints/{self.id}"


@dataclass(slots=True)
class Hall:
    """A running hall."""

    parts: Parts
    app: FastAPI
    people: Mapping[str, PersonKey]
    tokens: Mapping[tuple[str, Code], str]
    _stack: ExitStack

    def client(self, **headers: str) -> TestClient:
        """Give a client that says nothing about who it is."""
        client = TestClient(self.app, headers=headers)
        self._stack.callback(client.close)
        return client

    def as_(self, name: str, post: Code | None = None) -> TestClient:
        """Give a client with somebody's token, for their only post or the one named."""
        return self.client(Authorization=f"Bearer {self.tokens[name, post or HOLDERS[name][0]]}")

    def logged_in(self, name: str) -> TestClient:
        """Give a browser in which somebody has logged in: with the cookie, and the token of its forms."""
        client = self.client()
        found = client.post("/api/v1/session", json={"login": name.lower(), "password": PASSWORD})
        assert found.status_code == 200, found.text
        client.headers["X-CSRF-Token"] = found.json()["csrf"]
        return client

    def complain(self, by: str | None = None, **more: object) -> Case:
        """Register a complaint about window 3: by staff with this name, else by somebody without an account."""
        form = {
            "hall": "GXQ",
            "narrative": "3号窗口两次让我回去补材料，每次说的都不一样。",
            "respondent": {"department": "SJ", "window": "W03"},
            "category": "NO_ONE_TIME_NOTICE",
            **more,
        }
        client = self.client() if by is None else self.as_(by)
        found = client.post("/api/v1/complaints", json=form)
        assert found.status_code == 201, found.text
        told = found.json()
        return Case(
            id=told["id"],
            complaint_no=told["complaint_no"],
            query_code=told["query_code"],
            version=told["version"],
        )

    def form(self, case: Case, command: str, **more: object) -> dict[str, Any]:
        """Give the usual form of a command on a case, with the ids it names."""
        usual = next((form for name, _, form in STEPS if name == command), None) or BESIDE_THE_WAY.get(command, {})
        named = {NAMED[command]: case.made[NAMED[command]]} if command in NAMED else {}
        return {**usual, **named, **more}

    def act(self, case: Case, command: str, name: str, post: Code | None = None, **more: object) -> Response:
        """Let somebody give a command on a case; what it creates is kept with the case."""
        answer = self.as_(name, post).post(f"{case.path}/{command}", json=self.form(case, command, **more))
        if answer.status_code == 200:
            told = answer.json()
            case.version = told["version"]
            case.made |= {kind: told[kind] for kind in ("reply", "rectification", "evidence") if kind in told}
            case.done.append(command)
        return answer

    def carry(self, case: Case, until: str = LAST_STEP) -> Case:
        """Carry a case along its way, up to and with this command, each step by the one whose duty it is."""
        names = [command for command, _, _ in STEPS]
        for command, name, _ in STEPS[len(case.done) : names.index(until) + 1]:
            answer = self.act(case, command, name)
            assert answer.status_code == 200, f"{command}: {answer.text}"
        return case

    def project(self) -> int:
        """Bring what people read to the end of the log; gives the position."""
        with psycopg.connect(self.parts.dsn, autocommit=True) as connection:
            runner = Runner(connection, PROJECTIONS)
            runner.take()
            runner.catch_up()
            return PROJECTIONS[0].position(connection)

    def last_position(self) -> int:
        """Give the last position of the log: what was refused has not moved it."""
        return self.parts.recorder.max_notification_id() or 0


def build(server: str, home: Path) -> Template:
    """Build the hall in a database of its own."""
    name = f"hall_{uuid4().hex}"
    _create(server, name, "template_bihuan")
    people: dict[str, PersonKey] = {}
    tokens: dict[tuple[str, Code], str] = {}
    with opened(make_conninfo(server, dbname=name), home, Settings()) as parts:
        adopt_first(parts.book)
        load_register(parts.book, "hall.toml", REGISTER)
        for person, posts in HOLDERS.items():
            people[person] = parts.accounts.add(person.lower(), f"{person}·𬭎", password=PASSWORD).person
            for post in posts:
                take(parts, people[person], post)
                tokens[person, post] = parts.accounts.add_token(people[person], post, "test", 30).token
    return Template(server=server, database=name, home=home, people=people, tokens=tokens)


def take(parts: Parts, person: PersonKey, post: Code) -> None:
    """Let somebody take a post."""
    asked = Asked(command_id=uuid4(), source="test", name="take-post")
    command = TakePost(at=SOME_TIME, by=THE_SYSTEM, post=post, person=person)
    parts.book.transact(register.REGISTER, register.STREAM, command, asked)


@contextmanager
def opened(dsn: str, home: Path, settings: Settings) -> Iterator[Parts]:
    """Give the parts over a database, with a master key that lies in `home` and cheap hashes."""
    found = replace(settings, database_url=dsn, home=home, pool=6)
    with open_parts(found, dsn, master=LocalMaster(home, {})) as parts:
        yield replace(parts, accounts=Accounts(parts.pool, parts.vault, hasher=CHEAP))


@contextmanager
def copy(template: Template, settings: Settings | None = None) -> Iterator[Hall]:
    """Give a copy of the hall that runs, with these settings but for database, home and pool."""
    name = f"test_{uuid4().hex}"
    _create(template.server, name, template.database)
    try:
        with ExitStack() as stack:
            dsn = make_conninfo(template.server, dbname=name)
            # A home of its own: who signs remembers there what was signed, and all copies are of one log.
            home = Path(stack.enter_context(TemporaryDirectory(prefix="bihuan-hall-", ignore_cleanup_errors=True)))
            copytree(template.home, home, dirs_exist_ok=True)
            parts = stack.enter_context(opened(dsn, home, settings or Settings()))
            yield Hall(parts, create_app(parts), template.people, template.tokens, stack)
    finally:
        _drop(template.server, name)


def drop(template: Template) -> None:
    """Remove a built hall."""
    _drop(template.server, template.database)


def _create(server: str, name: str, template: str) -> None:
    # As files, as in tests/conftest.py.
    copying = sql.SQL("create database {} template {} strategy file_copy")
    statement = copying.format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
