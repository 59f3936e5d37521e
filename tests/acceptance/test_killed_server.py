"""The whole program killed in the middle of registrations and ratings, and started again where it was."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest

from projections.reviews import REVIEWS
from projections.runner import rebuild
from service.adoption import adopt_first, load_register
from service.database import migrate
from service.embedded import open_database
from service.fsck import fsck
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.web.house import PASSWORD, REGISTER, take

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).parents[2]
MAIN = "import sys\nfrom service.cli import main\nif __name__ == '__main__': sys.exit(main())"
PATIENCE = 60
ROUNDS = 2
GOOD: Final = {"grade": "very_satisfied", "codes": ["517"], "device": "phone"}
BAD: Final = {"grade": "dissatisfied", "codes": ["214"], "text": "又让我白跑一趟。", "device": "tablet"}
CREATING: Final = frozenset({"/complaints", "/occasions", "/reviews"})
RATED: Final = """
select s.stream_id::text, max(c.position),
    count(distinct c.position) filter (where c.name in ('occasion.reviewed.1', 'review.submitted.1')),
    count(distinct c.stream_id) filter (where c.name = 'occasion.reviewed.1')
from events s join events c using (command_id) where s.name = 'review.submitted.1' group by s.stream_id
union all
select v.stream_id::text, 0, 0, 0 from events v where v.name = 'occasion.reviewed.1'
    and not exists (select from events s where s.command_id = v.command_id and s.name = 'review.submitted.1')
"""
"""Each review: where it ends, how many halves it has, of how many visits; and visits that were rated without one."""


def answering(port: int) -> bool:
    """Whether the program answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False


def started(home: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the program, and wait until it answers."""
    told = {
        **os.environ,
        "BIHUAN_HOME": str(home),
        "BIHUAN_REGISTRATIONS_PER_HOUR": "0",
        "BIHUAN_LOOKUPS_PER_HOUR": "1000000",
        "PYTHONPATH": str(ROOT),
    }
    told.pop("DATABASE_URL", None)
    program = subprocess.Popen(
        [sys.executable, "-c", MAIN, "serve", "--port", str(port), "--workers", "2"],
        env=told, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    while not answering(port):
        assert program.poll() is None, "the program ended"
        assert time.monotonic() < end, "the program does not answer"
        time.sleep(0.05)
    return program


@dataclass(frozen=True, slots=True)
class Request:
    """Something to ask of the program, which may be asked again: by its key, or by a token that works once."""

    path: str
    form: str
    key: str | None = None
    bearer: str | None = None


def request(path: str, form: object, bearer: str | None = None, *, keyed: bool = True) -> Request:
    """Make a request nobody has made."""
    return Request(path, json.dumps(form), uuid4().hex if keyed else None, bearer)


def ask(port: int, asked: Request) -> tuple[int, dict[str, Any]] | None:
    """Ask; give the status and what was said, None where the answer did not come."""
    headers = {"Content-Type": "application/json"}
    if asked.key is not None:
        headers["Idempotency-Key"] = asked.key
    if asked.bearer is not None:
        headers["Authorization"] = f"Bearer {asked.bearer}"
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", f"/api/v1{asked.path}", asked.form.encode(), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


class Crowd:
    """People who complain, are served and rate, all at once, over however many lives of the program."""

    def __init__(self, port: int, bearer: str) -> None:
        self.port = port
        self.bearer = bearer
        self.answers: dict[Request, dict[str, Any]] = {}
        self.lost: list[Request] = []
        self.unexpected: list[object] = []
        self.enough = Event()
        self.over = Event()

    def say(self, asked: Request) -> dict[str, Any] | None:
        """Ask, and note what came of it: an answer, none at all, or that somebody was faster with this token."""
        answer = ask(self.port, asked)
        if answer is None:
            self.lost.append(asked)
            self.over.wait(0.05)
            return None
        status, told = answer
        if status in {200, 201}:
            self.answers[asked] = told
            return told
        if (asked.path, told.get("code")) != ("/reviews", "invitation-used"):
            self.unexpected.append((asked, answer))
        return None

    def complain(self) -> None:
        """Register one complaint after the other."""
        while not self.over.is_set():
            self.say(request("/complaints", {"hall": "GXQ", "narrative": f"第{uuid4().hex}件"}))

    def be_served(self) -> None:
        """Be served, invited, rate with three devices that race, and follow up, again and again."""
        while not self.over.is_set():
            visit = {"hall": "GXQ", "project_no": f"P-{uuid4().hex[:12]}", "window": "W03"}
            opened = self.say(request("/occasions", visit, self.bearer))
            invited = opened and self.say(request(f"/occasions/{opened['id']}/invite", {"medium": "qr"}, self.bearer))
            if not invited:
                continue
            says = [request("/reviews", {"token": invited["token"], **said}, keyed=False) for said in (GOOD, GOOD, BAD)]
            with ThreadPoolExecutor(len(says)) as devices:
                rated = [answer for answer in devices.map(self.say, says) if answer is not None]
            if rated and self.say(
                request("/own/review/append", {"own_link": rated[0]["own_link"], "grade": "satisfied"}, keyed=False)
            ):
                self.enough.set()

    def at_work_until(self, blow: Callable[[], object]) -> None:
        """Let everybody do what they do, and strike in the middle of it."""
        self.enough.clear()
        self.over.clear()
        with ThreadPoolExecutor(5) as threads:
            doing = [threads.submit(one) for one in (*[self.complain] * 3, *[self.be_served] * 2)]
            assert self.enough.wait(PATIENCE)
            self.over.wait(0.3)
            blow()
            self.over.set()
            for one in doing:
                one.result()

    def ask_again(self) -> None:
        """Ask everything again: what was answered is answered the same, what was not is now."""
        lost, self.lost = self.lost, []
        for asked in lost:
            self.say(asked)
        for asked, told in self.answers.items():
            assert ask(self.port, asked) == (201 if asked.path in CREATING else 200, told)
        assert not self.lost
        assert not self.unexpected

    def told(self, path: str) -> list[dict[str, Any]]:
        """Give what was answered to requests of one kind."""
        return [told for asked, told in self.answers.items() if asked.path == path]


def prepared(home: Path) -> str:
    """Prepare a hall with a window and somebody who records visits; give their token."""
    with open_database(home / "postgres") as dsn:
        migrate(dsn)
        with open_parts(Settings(home=home), dsn) as parts:
            adopt_first(parts.book)
            load_register(parts.book, "hall.toml", REGISTER)
            person = parts.accounts.add("qian", "QIAN", password=PASSWORD).person
            take(parts, person, "INTAKE")
            return parts.accounts.add_token(person, "INTAKE", "test", 30).token


def test_a_killed_program_loses_nothing_and_starts_again_on_the_same_address(tmp_path: Path) -> None:
    """What was answered stands, what was not is done once when it is asked again, and numbers have no gap."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    crowd = Crowd(port, prepared(home))
    for _ in range(ROUNDS):
        program = started(home, port)

        def kill(program: subprocess.Popen[bytes] = program) -> None:
            program.send_signal(signal.SIGKILL)
            program.wait(PATIENCE)

        crowd.at_work_until(kill)
        program = started(home, port)
        crowd.ask_again()
        program.send_signal(signal.SIGINT)
        program.wait(PATIENCE)
    with open_database(home / "postgres") as dsn, open_parts(Settings(home=home), dsn) as parts:
        every_answer_holds(parts, crowd)


def every_answer_holds(parts: Parts, crowd: Crowd) -> None:
    """Look at the log beside what was answered: dense, each once, a rating whole and the only one of its visit."""
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        found = connection.execute(
            "select count(*), max(position) from events union all"
            " select count(*), count(distinct stream_id) from events where name = 'complaint.registered.1'"
        ).fetchall()
        numbers = connection.execute("select key from claims where kind = 'complaint_no' order by key").fetchall()
        rated = connection.execute(RATED).fetchall()
        report = fsck(connection, parts.recorder.log_id, parts.signer.vkey)
        _, differing = rebuild(connection, REVIEWS)
    assert found[0][0] == found[0][1]
    complaints = {told["id"] for told in crowd.told("/complaints")}
    assert found[1] == (len(complaints), len(complaints))
    days: dict[str, list[int]] = {}
    for (number,) in numbers:
        days.setdefault(number[:16], []).append(int(number.split("-")[3]))
    assert all(sorted(day) == list(range(1, len(day) + 1)) for day in days.values())
    # Two devices that delivered one rating were told the same.
    assert {(told["id"], told["position"]) for told in crowd.told("/reviews")} == {(one, at) for one, at, _, _ in rated}
    assert [(halves, visits) for _, _, halves, visits in rated] == [(2, 1)] * len(rated)
    assert len({told["own_link"] for told in crowd.told("/reviews")}) == len(rated)
    assert not report.findings
    assert differing == 0
