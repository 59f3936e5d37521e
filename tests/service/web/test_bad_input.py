"""What is malformed is told in a problem document and changes nothing; rare characters are not malformed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import pytest
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.forms import FORMS
from service.forms.intake import RegisterForm
from service.settings import Settings
from service.web.problems import MEDIA_TYPE
from tests.service.web.house import STEPS, Case, Hall, Template, copy

pytestmark = pytest.mark.postgres

COMPLAINTS: Final = "/api/v1/complaints"
STATUS: Final = "/api/v1/status"
JSON: Final = {"content-type": "application/json"}
REGISTRATION: Final = {"hall": "GXQ", "narrative": "排队两小时。"}

BODIES: Final = {
    "nothing": b"",
    "half": b'{"narrative": "a',
    "text": b'"abc"',
    "null": b"null",
    "number": b"7",
    "NaN": b"NaN",
    "infinity": b"-Infinity",
    "huge": b"9" * 5000,
    "list": b"[]",
    "list of forms": b"[{}]",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "bytes": b'{"narrative": "\xff\xfe"}',
    "half a letter": '{"narrative": "𬭎"}'.encode()[:-4] + b'"}',
    "unknown field": b'{"nobody_knows": 1}',
    "unreadable field": b'{"\\ud800": 1, "\\u0000": 2}',
    "a megabyte as a field": b'{"' + b"k" * 1_000_000 + b'": 1}',
    "two forms": b"{}{}",
}
SPOILT: Final = {
    "object": {"x": {}},
    "lists": [[[[]]]],
    "NUL": "a\x00b",
    "half a character": "\ud800",
    "a megabyte": "字" * 350_000,
    "huge": 10**400,
    "NaN": float("nan"),
    "infinity": float("inf"),
}
"""What no field takes, whatever it is for."""


@dataclass
class Stand:
    """A hall with a case before each command, and a supervisor who looks whether anything changed."""

    hall: Hall
    cases: dict[str, Case] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [name for name, _, _ in STEPS]
        for name, before in zip(names, [None, *names], strict=False):
            case = self.hall.complain(by="QIAN")
            self.cases[name] = case if before is None else self.hall.carry(case, before)
        self.cases["reject-reply"] = self.cases["approve-reply"]
        self.cases["replace-query-code"] = self.cases["accept"]
        # What is malformed, stale or of no case is told before anybody looks whose turn it is.
        self.cases = {**dict.fromkeys(FORMS, self.cases["close"]), **self.cases}

    def client(self, name: str | None) -> TestClient:
        """Give a client that sees a failure as an answer."""
        headers = {} if name is None else dict(self.hall.as_(name).headers)
        return TestClient(self.hall.app, headers=headers, raise_server_exceptions=False)

    def actor(self, command: str) -> TestClient:
        """Give a client of somebody whose duty a command is."""
        duty = {name: who for name, who, _ in STEPS} | {"reject-reply": "WANG", "replace-query-code": "QIAN"}
        return self.client(duty.get(command, "ZHOU"))

    def looks(self) -> tuple[int, Any]:
        """Give the end of the log and the docket."""
        position = self.hall.project()
        page = self.client("ZHOU").get(COMPLAINTS, params={"limit": 200, "order": "newest"}).json()
        return self.hall.last_position(), (position, page["items"], page["total"])


@pytest.fixture(scope="module")
def stand(hall_template: Template) -> Iterator[Stand]:
    """A hall in which nothing changes any more."""
    with copy(hall_template, Settings(registrations_per_hour=0)) as hall:
        stand = Stand(hall)
        before = stand.looks()
        yield stand
        assert stand.looks() == before


def wrong_with(answer: Response, *statuses: int, registering: bool = False) -> str | None:
    """Say what is wrong with a refusal; None where it is as it should be."""
    if answer.status_code not in (statuses or (400, 422)):
        return f"{answer.status_code}: {answer.text[:300]}"
    if answer.headers.get("content-type") != MEDIA_TYPE:
        return f"no problem document: {answer.headers.get('content-type')}"
    told = answer.json()
    if missing := {"type", "title", "status", "code", "then"} - told.keys():
        return f"lacks {missing}"
    if told["status"] != answer.status_code or not told["type"].endswith(f":{told['code']}"):
        return f"says another status or code than it has: {told}"
    if not told["title"] or not told["then"]:
        return f"says nothing: {told}"
    if registering and "12345" not in told.get("complain_instead", ""):
        return "does not say where else to complain"
    return None if len(answer.content) < 20_000 else f"echoes {len(answer.content)} bytes"


def spoilt(form: dict[str, Any], fields: set[str]) -> Iterator[tuple[str, bytes]]:
    """Give a good form with one field spoilt after the other, each in every way."""
    for name in sorted(fields):
        for way, value in SPOILT.items():
            yield f"{name}: {way}", json.dumps({**form, name: value}).encode()


@pytest.mark.parametrize("command", FORMS)
def test_a_malformed_command_changes_nothing(stand: Stand, command: str) -> None:
    """No body that is no form, and no field that holds nonsense, gets further than a problem document."""
    case, client, before = stand.cases[command], stand.actor(command), stand.hall.last_position()
    bodies = {**BODIES, **dict(spoilt(stand.hall.form(case, command), set(FORMS[command].model_fields)))}
    found = {
        way: wrong
        for way, body in bodies.items()
        if (wrong := wrong_with(client.post(f"{case.path}/{command}", content=body, headers=JSON)))
    }
    assert found == {}
    assert stand.hall.last_position() == before


def test_a_malformed_registration_says_where_else_to_complain(stand: Stand) -> None:
    """Who sends nonsense is told what is wrong with it, and where they can go instead; nothing is registered."""
    client, before = stand.client(None), stand.looks()
    bodies = {**BODIES, **dict(spoilt(REGISTRATION, set(RegisterForm.model_fields)))}
    more: dict[str, dict[str, object]] = {
        "no hall": {"hall": ""},
        "a hall too long for a complaint number": {"hall": "A" * 64},
        "blank": {"narrative": " \n\t"},
        "too long": {"narrative": "字" * 20_001},
        "a moment without offset": {"happened_at": "2026-11-22T10:00:00"},
        "a moment as a number": {"happened_at": 1_800_000_000},
        "a day without dashes": {"happened_at": "20261122"},
        "before the calendar": {"happened_at": "0001-01-01T00:00:00+14:00"},
        "after the calendar": {"claimed_at": "9999-12-31T23:59:59-14:00"},
        "no points": {"points": 0},
        "no such channel": {"channel": "pigeon"},
        "a field of another": {"respondent": {"window": "W03", "name": "x"}},
    }
    bodies |= {way: json.dumps({**REGISTRATION, **change}).encode() for way, change in more.items()}
    found = {
        way: wrong
        for way, body in bodies.items()
        if (wrong := wrong_with(client.post(COMPLAINTS, content=body, headers=JSON), registering=True))
    }
    assert found == {}
    assert stand.looks() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_is_not_sent_as_json_is_not_read(stand: Stand, kind: str) -> None:
    """A form of another site can send only these; none of them registers anything or acts."""
    body, before = json.dumps(REGISTRATION).encode(), stand.hall.last_position()
    answer = stand.client(None).post(COMPLAINTS, content=body, headers={"content-type": kind})
    assert wrong_with(answer, registering=True) is None
    case = stand.cases["sign-for"]
    assert (
        wrong_with(stand.client("LI").post(f"{case.path}/sign-for", content=b"{}", headers={"content-type": kind}))
        is None
    )
    assert stand.hall.last_position() == before


def test_a_body_that_is_too_large_is_not_taken(stand: Stand) -> None:
    """Announced or not, in one piece or in many; who wanted to complain is told where else."""
    client, before = stand.client(None), stand.hall.last_position()

    def pieces() -> Iterator[bytes]:
        for _ in range(9):
            yield b" " * 1_000_000

    lengths = ["8000001", "9" * 19, "9" * 5000, "0" * 5000 + "9000000"]
    answers = {
        one[:20]: client.post(COMPLAINTS, content=b"{}", headers={**JSON, "content-length": one}) for one in lengths
    }
    answers["announced"] = client.post(COMPLAINTS, content=b" " * 8_000_001, headers=JSON)
    answers["in pieces"] = client.post(COMPLAINTS, content=pieces(), headers=JSON)
    answers["smaller than announced"] = client.post(
        COMPLAINTS, content=pieces(), headers={**JSON, "content-length": "2"}
    )
    assert {way: wrong for way, one in answers.items() if (wrong := wrong_with(one, 413, registering=True))} == {}
    case = stand.cases["record-evidence"]
    answer = stand.client("LI").post(f"{case.path}/record-evidence", content=pieces(), headers=JSON)
    assert wrong_with(answer, 413) is None
    assert stand.hall.last_position() == before


@pytest.mark.parametrize(
    "query",
    [
        "nobody=1",
        "step=lost",
        "limit=0",
        "limit=201",
        "limit=many",
        "limit=" + "9" * 5000,
        "order=oldest",
        "wait_for=-1",
        "wait_for=soon",
        "complaint_no=%00",
        "complaint_no=%ED%A0%80",
        "department=" + "A" * 65,
        "window=%F0%AC%AD%8E",
        "due_before=tomorrow",
        "due_before=20261122",
        "due_before=2026-11-22T10:00:00",
        "due_before=0001-01-01T00:00:00%2B14:00",
        "due_before=9999-12-31T23:59:59-14:00",
        "cursor=%00",
        "cursor=" + "A" * 401,
        "cursor=bnVsbA",
        "cursor=WyJkdWUiXQ",
        "cursor=WyJkdWUiLCAiMjAyNi0wMS0wMVQwMDowMDowMCIsICJ4Il0",
        "cursor=%FF",
    ],
)
def test_a_worklist_is_asked_for_in_its_own_words(stand: Stand, query: str) -> None:
    """What a list does not understand is told, not ignored: an ignored filter would show the wrong cases."""
    assert wrong_with(stand.client("ZHAO").get(f"{COMPLAINTS}?{query}"), 422) is None


@pytest.mark.parametrize(
    "query",
    [
        "as_of=yesterday",
        "as_of=20261122",
        "as_of=2026-11-22T10:00:00",
        "as_of=0001-01-01T00:00:00%2B14:00",
        "known_at=9999-12-31T23:59:59-14:00",
        "language=xx",
        "asof=2026-01-01T00:00:00Z",
    ],
)
def test_a_history_is_asked_for_in_its_own_words(stand: Stand, query: str) -> None:
    """A moment that is misspelled is not taken for the present."""
    case = stand.cases["close"]
    assert wrong_with(stand.client("ZHAO").get(f"{case.path}/history?{query}"), 422) is None


@pytest.mark.parametrize("version", ['"x"', "7", '"99999999999"', "", '"2", "3"', '"²"', '"-1"', '"1.0"', "W/", "\xff"])
def test_an_if_match_that_is_no_version_is_told(stand: Stand, version: str) -> None:
    """Neither taken for the present version nor for any."""
    answer = stand.client("ZHAO").post(
        f"{stand.cases['accept'].path}/accept", json={}, headers={b"if-match": version.encode("latin-1")}
    )
    assert wrong_with(answer, 422) is None
    assert answer.json()["code"] == "version-malformed"


@pytest.mark.parametrize("key", ["", "a b", "\xe9", "x" * 201, "\t"])
def test_a_malformed_key_is_told(stand: Stand, key: str) -> None:
    """A key that could not be kept is refused; the public one must be long enough not to meet another's."""
    headers = {b"idempotency-key": key.encode("latin-1")}
    answer = stand.client("ZHAO").post(f"{stand.cases['accept'].path}/accept", json={}, headers=headers)
    assert (wrong_with(answer, 422), answer.json()["code"]) == (None, "key-malformed")
    answer = stand.client(None).post(COMPLAINTS, json=REGISTRATION, headers={"Idempotency-Key": "x" * 15})
    assert (wrong_with(answer, 422, registering=True), answer.json()["code"]) == (None, "key-malformed")


@pytest.mark.parametrize("command", FORMS)
def test_a_stale_version_is_told_and_changes_nothing(stand: Stand, command: str) -> None:
    """Who acts on what they read before somebody else acted is asked to read again (412)."""
    case, before = stand.cases[command], stand.hall.last_position()
    other = {"primary": stand.cases["accept"].id} if command == "merge" else {}
    form = stand.hall.form(case, command, **other)
    for version in (0, 1, 999):
        answer = stand.actor(command).post(f"{case.path}/{command}", json=form, headers={"If-Match": f'"{version}"'})
        assert (wrong_with(answer, 412), answer.json()["code"]) == (None, "stale")
    assert stand.hall.last_position() == before


@pytest.mark.parametrize("case_id", ["1", "%00", "..", "%2e%2e", "x" * 5000, "null", "%F0%AC%AD%8E", "' or 1=1 --"])
def test_an_id_that_is_none_leads_nowhere(stand: Stand, case_id: str) -> None:
    """Neither further nor up."""
    client = stand.client("ZHAO")
    answers = [client.get(f"{COMPLAINTS}/{case_id}/history"), client.post(f"{COMPLAINTS}/{case_id}/accept", json={})]
    assert [wrong_with(answer, 404, 405, 422) for answer in answers] == [None, None]


@pytest.mark.parametrize("command", FORMS)
def test_ids_that_nothing_has_are_told(stand: Stand, command: str) -> None:
    """An unknown case is 404; an unknown reply, rectification or evidence is refused."""
    case, client, before = stand.cases[command], stand.actor(command), stand.hall.last_position()
    form = stand.hall.form(case, command)
    assert wrong_with(client.post(f"{COMPLAINTS}/{uuid4()}/{command}", json=form), 404) is None
    duties = {name for name, _, _ in STEPS} | {"reject-reply"}
    for name in {"reply", "rectification"} & form.keys() if command in duties else ():
        for wrong in (str(uuid4()), "none", None, 5):
            answer = client.post(f"{case.path}/{command}", json={**form, name: wrong})
            assert wrong_with(answer, 409, 422) is None
    assert stand.hall.last_position() == before


@pytest.mark.parametrize(
    ("command", "change"),
    [
        ("accept", {"category": "NOTHING"}),
        ("assign", {"department": "NOBODY"}),
        ("assign", {"handler": str(uuid4())}),
        ("assign", {"assist": ["NOBODY"]}),
        ("record-finding", {"evidence": [str(uuid4())]}),
        ("record-finding", {"responsibility": [{"department": "NOBODY"}]}),
        ("record-finding", {"responsibility": [{"department": "SJ", "window": "W99"}]}),
        ("plan-rectification", {"due": "2020-01-01"}),
        ("plan-rectification", {"due": "20991231"}),
        ("plan-rectification", {"due": 1_893_456_000}),
        ("rectify", {"evidence": [str(uuid4())]}),
        ("submit-reply", {"points": []}),
        ("submit-reply", {"points": ["一", "二"]}),
        ("record-evidence", {"content": "不是base64"}),
        ("record-evidence", {"content": "6K+B*5o2u"}),
        ("record-evidence", {"content": "6K+B5o2"}),
        ("revisit", {"result": "unreachable"}),
        ("revisit", {"answers": None}),
    ],
)
def test_what_does_not_fit_the_case_is_told(stand: Stand, command: str, change: dict[str, object]) -> None:
    """Words the register does not know, days gone by, points that are too few."""
    case, before = stand.cases[command], stand.hall.last_position()
    answer = stand.actor(command).post(f"{case.path}/{command}", json=stand.hall.form(case, command, **change))
    assert wrong_with(answer, 409, 422) is None
    assert stand.hall.last_position() == before


def test_a_wrong_method_or_path_is_told(stand: Stand) -> None:
    """Where nothing is, or only something else may be done, a problem document says so."""
    client, path = stand.client("ZHAO"), stand.cases["accept"].path
    doors = [
        ("PUT", COMPLAINTS),
        ("DELETE", path),
        ("PATCH", path),
        ("GET", f"{path}/accept"),
        ("POST", f"{path}/history"),
    ]
    doors += [("GET", STATUS), ("TRACE", COMPLAINTS), ("POST", f"{path}/refuse-all"), ("GET", "//api/v1/complaints")]
    doors += [("GET", "/api/v1/../v1/nothing"), ("GET", "/%ff"), ("GET", "/docs/nothing"), ("GET", "/docs/..%2f..%2fx")]
    found = {door: wrong for door in doors if (wrong := wrong_with(client.request(*door), 404, 405))}
    assert found == {}


RARE: Final = {
    "rare": "欧阳·𬭎",
    "traditional Mongolian": "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ᠌",
    "a family": "投诉👨‍👩‍👧‍👦🇨🇳",
    "combined": "e\u0301 ﷽ \u200f\u200d\ufeff",
    "line ends": "一\r\n二\u2028三\t",
    "looks like code": "\\u0000 %s {0} <b>' or 1=1 --",
}


@pytest.mark.parametrize("text", RARE.values(), ids=RARE)
def test_rare_characters_come_back_whole_and_only_where_they_are_opened(hall: Hall, text: str) -> None:
    """Every sealed text is opened as it was written; no list, history, error or row of the log holds it."""
    case = hall.complain(by="QIAN", narrative=text, name=text, desired_outcome=text, phone="13800000000", subject=text)
    hall.carry(case, "record-contact")
    assert hall.act(case, "record-evidence", "LI", description=text).status_code == 200
    assert hall.act(case, "record-finding", "LI", facts=text).status_code == 200
    hall.project()
    fields = ["narrative", "name", "desired_outcome", "subject", "description", "facts"]
    opened = hall.as_("LI").post(f"{case.path}/open", json={"fields": fields}).json()["values"]
    assert sorted((one["field"], one["text"]) for one in opened) == sorted((name, text) for name in fields)
    elsewhere = [
        hall.as_("LI").get(case.path).text,
        hall.as_("ZHOU").get(f"{case.path}/history").text,
        hall.as_("ZHAO").get(COMPLAINTS).text,
        hall.client().post(STATUS, json={"complaint_no": case.complaint_no, "query_code": case.query_code}).text,
        hall.act(case, "record-evidence", "LI", kind="no kind", description=text).text,
    ]
    spelled = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    assert [one for one in elsewhere if any(way in one for way in spelled)] == []
    with hall.parts.pool.connection() as connection:
        rows = connection.execute("select state from events").fetchall()
    assert not any(text.encode() in bytes(state) for (state,) in rows)


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\x00", "\ud800", "GXQ"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def exposed(hall_template: Template) -> Iterator[Stand]:
    """A hall to which anything may be sent, also what fits."""
    with copy(hall_template, Settings(registrations_per_hour=0, lookups_per_hour=100_000)) as hall:
        yield Stand(hall)


@settings(derandomize=True, database=None, deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_json_whatsoever_breaks_anything(exposed: Stand, data: st.DataObject) -> None:
    """On every address of the description, whoever asks: an answer, or a problem document; never a failure of ours."""
    described = exposed.client(None).get("/api/v1/openapi.json").json()
    doors = [(method, path) for path, methods in described["paths"].items() for method in methods]
    method, path = data.draw(st.sampled_from(sorted(doors)))
    command = path.rsplit("/", 1)[-1]
    case = exposed.cases.get(command, exposed.cases["close"])
    form: dict[str, Any] = exposed.hall.form(case, command) if command in FORMS else {}
    if path == COMPLAINTS:
        form = dict(REGISTRATION)
    body: Any = data.draw(ANY_JSON)
    if form and data.draw(st.sampled_from((False, True))):
        body = {**form, data.draw(st.sampled_from(sorted(form))): body}
    ids = st.sampled_from([case.id, str(uuid4()), "x", "%00"])
    for name in ("case_id", "token_id", "post"):
        path = path.replace(f"{{{name}}}", data.draw(ids))
    asked = data.draw(
        st.dictionaries(
            st.sampled_from(["limit", "cursor", "as_of", "due_before", "person"]), st.text(max_size=9), max_size=2
        )
    )
    who = data.draw(st.sampled_from([None, "ZHAO", "LI", "QIAN", "ADMIN"]))
    answer = exposed.client(who).request(
        method.upper(),
        path,
        content=json.dumps(body),
        headers=JSON,
        params={k: v.encode("utf-8", "replace") for k, v in asked.items()},
    )
    assert answer.status_code < 500, (method, path, body, asked, answer.text)
    if answer.status_code >= 400:
        assert wrong_with(answer, answer.status_code) is None
