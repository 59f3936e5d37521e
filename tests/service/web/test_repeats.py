"""What is sent twice happens once, what is sent at once happens in one order, and asking by code is limited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Final

import pytest
from httpx2 import Response

from service.forms import FORMS
from service.settings import Settings
from tests.service.web.house import STEPS, Case, Hall, Template, copy

pytestmark = pytest.mark.postgres

COMPLAINTS: Final = "/api/v1/complaints"
STATUS: Final = "/api/v1/status"
REGISTRATION: Final[dict[str, Any]] = {"hall": "GXQ", "narrative": "排队两小时。", "phone": "13800000000"}
KEY: Final = "a key that nobody guesses".replace(" ", "-")
THREADS: Final = 8


def as_answered(answer: Response) -> tuple[int, str, str | None, str | None, str | None]:
    """Give what a repeated request must give again."""
    headers = answer.headers
    return answer.status_code, answer.text, headers.get("etag"), headers.get("x-position"), headers.get("location")


def at_once(act: Callable[[int], Response]) -> list[Response]:
    """Let eight do something at the same moment."""
    barrier = Barrier(THREADS)

    def one(number: int) -> Response:
        barrier.wait(timeout=30)
        return act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


@pytest.mark.parametrize("name", [None, "QIAN"])
def test_a_complaint_sent_twice_is_one(hall: Hall, name: str | None) -> None:
    """Number, code, version and position come again, also when the case has moved on; another form is refused."""
    client = hall.client() if name is None else hall.as_(name)
    client.headers["Idempotency-Key"] = KEY
    first = client.post(COMPLAINTS, json=REGISTRATION)
    assert first.status_code == 201
    position = hall.last_position()
    assert as_answered(client.post(COMPLAINTS, json=REGISTRATION)) == as_answered(first)
    assert hall.last_position() == position
    case = Case(id=first.json()["id"], complaint_no="", query_code="", version=2)
    assert hall.act(case, "accept", "ZHAO", category="NO_ONE_TIME_NOTICE").status_code == 200
    assert as_answered(client.post(COMPLAINTS, json=dict(reversed(REGISTRATION.items())))) == as_answered(first)
    position = hall.last_position()
    other = client.post(COMPLAINTS, json={**REGISTRATION, "narrative": "排队三小时。"})
    assert (other.status_code, other.json()["code"], "complain_instead" in other.json()) == (409, "key-reused", True)
    assert hall.last_position() == position


def test_one_key_of_several_people_is_several_keys(hall: Hall) -> None:
    """Nobody's key is in the way of another's, and nobody is answered with what another did."""
    told = [
        client.post(COMPLAINTS, json=REGISTRATION, headers={"Idempotency-Key": KEY}).json()
        for client in (hall.client(), hall.as_("QIAN"), hall.as_("ZHAO"))
    ]
    assert len({one["complaint_no"] for one in told}) == 3
    assert len({one["query_code"] for one in told}) == 3


def test_every_command_of_the_loop_sent_twice_happens_once(hall: Hall) -> None:
    """At once, and again when the case is closed: the same answer to the letter, and nothing more in the log.

    Of all other commands the laws say so (tests/service/test_repeated_stories.py).
    """
    case, sent = hall.complain(by="QIAN"), []
    steps = [(command, name) for command, name, _ in STEPS]
    steps.insert(steps.index(("submit-reply", "LI")) + 1, ("reject-reply", "WANG"))
    steps.insert(steps.index(("reject-reply", "WANG")) + 1, ("submit-reply", "LI"))
    for number, (command, name) in enumerate([("replace-query-code", "QIAN"), *steps]):
        client, form = hall.as_(name), hall.form(case, command)
        client.headers["Idempotency-Key"] = f"{number}"
        answer = client.post(f"{case.path}/{command}", json=form)
        assert answer.status_code == 200, f"{command}: {answer.text}"
        assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
        assert answer.headers["x-position"] == str(hall.last_position())
        case.made |= {kind: answer.json()[kind] for kind in ("reply", "rectification") if kind in answer.json()}
        assert as_answered(client.post(f"{case.path}/{command}", json=form)) == as_answered(answer)
        sent.append((client, command, form, answer))
    assert {command for _, command, _, _ in sent} <= FORMS.keys()
    position = hall.last_position()
    for client, command, form, answer in sent:
        again = client.post(f"{case.path}/{command}", json=form, headers={"If-Match": '"1"'})
        assert as_answered(again) == as_answered(answer), command
    for client, command, form, _ in sent:
        other = {**form, "note": "x"} if "note" in FORMS[command].model_fields else None
        if other is not None:
            found = client.post(f"{case.path}/{command}", json=other)
            assert (found.status_code, found.json()["code"]) == (409, "key-reused"), command
    assert hall.last_position() == position


def test_a_key_belongs_to_one_command_on_one_case(hall: Hall) -> None:
    """Used for another command, another case or a registration it is refused."""
    one, other = hall.complain(by="QIAN"), hall.complain(by="QIAN")
    client = hall.as_("ZHAO")
    client.headers["Idempotency-Key"] = "k"
    assert client.post(f"{one.path}/accept", json={}).status_code == 200
    position = hall.last_position()
    for path, form in (
        (f"{other.path}/accept", {}),
        (f"{one.path}/assign", {"department": "SJ"}),
        (COMPLAINTS, REGISTRATION),
    ):
        found = client.post(path, json=form)
        assert (found.status_code, found.json()["code"]) == (409, "key-reused"), found.text
    assert hall.last_position() == position


def test_a_refused_command_may_be_sent_again_with_its_key(hall: Hall) -> None:
    """A key is spent by what happened, not by what did not: when the reason is gone it works."""
    case, client = hall.complain(by="QIAN"), hall.as_("ZHAO")
    client.headers["Idempotency-Key"] = "k"
    assert client.post(f"{case.path}/assign", json={"department": "SJ"}).status_code == 409
    assert hall.act(case, "accept", "ZHAO").status_code == 200
    assert client.post(f"{case.path}/assign", json={"department": "SJ"}).status_code == 200


def test_eight_at_once_with_one_key_are_one(hall: Hall) -> None:
    """A registration and a command, each sent eight times at the same moment, happen once and are answered alike."""
    clients = [hall.client(**{"Idempotency-Key": KEY}) for _ in range(THREADS)]
    position = hall.last_position()
    found = at_once(lambda number: clients[number].post(COMPLAINTS, json=REGISTRATION))
    assert {as_answered(answer) for answer in found} == {as_answered(found[0])}
    assert (found[0].status_code, hall.last_position()) == (201, position + 2)
    path = f"{COMPLAINTS}/{found[0].json()['id']}/accept"
    desks = [hall.as_("ZHAO") for _ in range(THREADS)]
    form = {"category": "NO_ONE_TIME_NOTICE"}
    found = at_once(lambda number: desks[number].post(path, json=form, headers={"Idempotency-Key": "k"}))
    assert {as_answered(answer) for answer in found} == {as_answered(found[0])}
    assert (found[0].status_code, hall.last_position()) == (200, position + 3)


@pytest.mark.parametrize(("headers", "status", "code"), [({}, 409, "out-of-turn"), ({"If-Match": '"2"'}, 412, "stale")])
def test_of_eight_at_once_one_wins(hall: Hall, headers: dict[str, str], status: int, code: str) -> None:
    """The same step without a key: one takes it, seven are told; with If-Match that what they read is old."""
    case, desks = hall.complain(by="QIAN"), [hall.as_("ZHAO") for _ in range(THREADS)]
    position = hall.last_position()
    found = at_once(lambda number: desks[number].post(f"{case.path}/accept", json={}, headers=headers))
    assert Counter(answer.status_code for answer in found) == {200: 1, status: 7}
    assert {answer.json()["code"] for answer in found if answer.status_code == status} == {code}
    assert hall.last_position() == position + 1


def test_eight_complaints_at_once_are_eight(hall: Hall) -> None:
    """Each has a number and a code of its own, and none is refused."""
    clients = [hall.client() for _ in range(THREADS)]
    told = [answer.json() for answer in at_once(lambda number: clients[number].post(COMPLAINTS, json=REGISTRATION))]
    assert len({one["complaint_no"] for one in told}) == len({one["query_code"] for one in told}) == THREADS
    assert len({one["position"] for one in told}) == THREADS


def test_if_match_is_honoured(hall: Hall) -> None:
    """The version read goes through, as the ETag gave it; the one before does not."""
    case, client = hall.complain(by="QIAN"), hall.as_("ZHAO")
    etag = client.get(case.path).headers["etag"]
    assert client.post(f"{case.path}/accept", json={}, headers={"If-Match": etag}).status_code == 200
    form = {"department": "SJ"}
    assert client.post(f"{case.path}/assign", json=form, headers={"If-Match": etag}).status_code == 412
    etag = client.get(case.path).headers["etag"]
    assert client.post(f"{case.path}/assign", json=form, headers={"If-Match": etag}).status_code == 200


@pytest.fixture
def strict(hall_template: Template) -> Iterator[Hall]:
    """A hall that answers five questions and takes three complaints an hour."""
    with copy(hall_template, Settings(lookups_per_hour=5, registrations_per_hour=3)) as hall:
        yield hall


def ask(hall: Hall, number: str, code: str) -> Response:
    """Ask after a complaint."""
    return hall.client().post(STATUS, json={"complaint_no": number, "query_code": code})


def test_a_wrong_number_and_a_wrong_code_look_alike(hall: Hall) -> None:
    """Unknown number, wrong code, no code at all, the code of another: one answer; the right ones open."""
    case, other = hall.complain(), hall.complain()
    wrong = [
        ask(hall, "TS-GXQ-20200101-00001-0", case.query_code),
        ask(hall, case.complaint_no, other.query_code),
        ask(hall, case.complaint_no, "0000-0000-0000-0000"),
        ask(hall, case.complaint_no, "nothing"),
        ask(hall, case.id, case.query_code),
        ask(hall, "' or 1=1 --", "' or 1=1 --"),
    ]
    assert {(one.status_code, one.text) for one in wrong} == {(404, wrong[0].text)}
    assert ask(hall, f" {case.complaint_no.lower()} ", case.query_code.lower()).status_code == 200


def test_a_number_of_a_hall_in_small_letters_is_found(hall: Hall) -> None:
    """A hall that nobody has entered is taken as it is written; who complained there can ask all the same."""
    case = hall.complain(hall="gxqEast")
    assert ask(hall, case.complaint_no, case.query_code).status_code == 200


def test_no_hall_can_take_the_numbers_of_another(hall: Hall) -> None:
    """A hall named like the beginning of another one's number would block that one's complaints for a day."""
    first = hall.complain()
    day = first.complaint_no.split("-")[2]
    taken = hall.client().post("/api/v1/complaints", json={"hall": f"GXQ-{day}", "narrative": "占号"})
    assert (taken.status_code, taken.json()["code"]) == (422, "malformed")
    assert hall.complain().complaint_no.split("-")[2:4] == [day, "00002"]


def test_guessing_codes_is_stopped_however_the_number_is_typed(strict: Hall) -> None:
    """From many places, in other letters and with blanks around: the sixth question for one number is refused."""
    case = strict.complain()
    spellings = [case.complaint_no, case.complaint_no.lower(), f" {case.complaint_no}", f"{case.complaint_no}\t"]
    for number in [*spellings, f"　{case.complaint_no.lower()} "]:
        assert ask_from(strict, number, number, "0000-0000-0000-0000").status_code == 404
    stopped = ask_from(strict, "elsewhere", f"  {case.complaint_no}", case.query_code)
    assert (stopped.status_code, stopped.json()["code"]) == (429, "too-many")
    assert int(stopped.headers["retry-after"]) > 0


def ask_from(hall: Hall, place: str, number: str, code: str) -> Response:
    """Ask from a place of its own."""
    client = hall.client()
    client._transport.client = (f"place {place}", 1)  # type: ignore[attr-defined]
    return client.post(STATUS, json={"complaint_no": number, "query_code": code})


def test_asking_and_complaining_too_often_says_until_when(strict: Hall) -> None:
    """429 with Retry-After; who wanted to complain is told where else; staff at the counter go on."""
    for number in range(5):
        assert ask(strict, f"TS-{number}", "nothing").status_code == 404
    stopped = ask(strict, "TS-6", "nothing")
    assert (stopped.status_code, stopped.headers["content-type"]) == (429, "application/problem+json")
    assert int(stopped.headers["retry-after"]) > 0
    for _ in range(3):
        strict.complain()
    position = strict.last_position()
    stopped = strict.client().post(COMPLAINTS, json=REGISTRATION)
    assert (stopped.status_code, "12345" in stopped.json()["complain_instead"]) == (429, True)
    assert int(stopped.headers["retry-after"]) > 0
    assert strict.last_position() == position
    strict.complain(by="QIAN")


def test_a_new_code_kills_the_old(hall: Hall) -> None:
    """The counter gives a new one, which is told once more when the answer was lost; the old one opens nothing."""
    case, client = hall.complain(by="QIAN"), hall.as_("QIAN")
    client.headers["Idempotency-Key"] = "k"
    answer = client.post(f"{case.path}/replace-query-code", json={})
    assert answer.status_code == 200
    code = answer.json()["query_code"]
    assert code != case.query_code
    assert ask(hall, case.complaint_no, code).status_code == 200
    assert ask(hall, case.complaint_no, case.query_code).status_code == 404
    assert client.post(f"{case.path}/replace-query-code", json={}).json()["query_code"] == code
    assert ask(hall, case.complaint_no, code).status_code == 200
    assert code not in hall.as_("ZHOU").get(f"{case.path}/history").text
