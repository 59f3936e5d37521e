"""Proofs over HTTP: what is handed out holds by the tree and by the verifier, and what cannot be proved is refused."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

import pytest
from httpx2 import Response

from projections.merkle import check_consistency, check_inclusion
from service import receipts
from service.settings import Settings
from service.signing import Checkpoint, opened
from service.worker import Worker
from tests.service.judging import judged
from tests.service.web.house import Hall, Template, copy

pytestmark = pytest.mark.postgres

AUDIT: Final = "/api/v1/audit"
LONG_KEY: Final = "receipt-of-my-complaint-2026-11-23"


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody carries the tree on here, so waiting for it is in vain."""
    monkeypatch.setattr(receipts, "PATIENCE", 0)


def sealed(hall: Hall) -> Checkpoint:
    """Seal everything, by the hand of an auditor; gives what was signed."""
    hall.project()
    answer = hall.as_("WU").post(f"{AUDIT}/checkpoint")
    assert answer.status_code == 200, answer.text
    return read(hall, answer.json()["checkpoint"])


def read(hall: Hall, note: str) -> Checkpoint:
    """Read a checkpoint that our key signed."""
    return Checkpoint.read(opened(note, [hall.parts.signer.vkey]))


def told(answer: Response, status: int = 200) -> Any:  # noqa: ANN401 - any answer
    """Give what was answered, with this status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def refusal(answer: Response) -> tuple[int, str]:
    """Give status and code of a refusal, which says what to do next."""
    found = answer.json()
    assert found["then"]
    return answer.status_code, found["code"]


def hashes(spelled: list[str]) -> list[bytes]:
    """Read hashes."""
    return [base64.b64decode(one, validate=True) for one in spelled]


def test_a_checkpoint_is_for_everybody(hall: Hall) -> None:
    """Before the first one it is said when there will be one; then it comes as JSON, or as the note alone."""
    stranger = hall.client()
    hall.complain()
    assert refusal(stranger.get(f"{AUDIT}/checkpoint")) == (409, "not-sealed-yet")
    signed = sealed(hall)
    assert signed.size == hall.last_position()
    found = told(stranger.get(f"{AUDIT}/checkpoint"))
    assert found["key"] == hall.parts.signer.vkey
    assert read(hall, found["checkpoint"]) == signed
    note = stranger.get(f"{AUDIT}/checkpoint", headers={"Accept": "text/plain"})
    assert (note.text, note.headers["content-type"]) == (found["checkpoint"], "text/plain; charset=utf-8")
    assert sealed(hall) == signed
    hall.complain()
    assert sealed(hall).size > signed.size


def test_every_position_is_proved_in_every_size(hall: Hall, tmp_path: Path) -> None:
    """Under the root that was signed for that size, where one was; the others anybody holds themselves."""
    hall.complain()
    first = sealed(hall)
    hall.complain()
    last = sealed(hall)
    with hall.parts.pool.connection() as connection:
        leaves = [row[0] for row in connection.execute("select leaf_hash from events order by position")]
    stranger = hall.client()
    for size, signed in ((first.size, first), (last.size, last)):
        for position in (1, 2, size // 2, size - 1, size):
            found = told(stranger.get(f"{AUDIT}/proof/{position}", params={"size": size}))
            assert (found["position"], found["size"]) == (position, size)
            (leaf,) = hashes([found["leaf"]])
            assert leaf == leaves[position - 1]
            check_inclusion(leaf, position - 1, size, hashes(found["inclusion"]), signed.root)
            assert read(hall, found["checkpoint"]) == signed
    assert told(stranger.get(f"{AUDIT}/proof/3"))["size"] == last.size
    unsigned = told(stranger.get(f"{AUDIT}/proof/3", params={"size": first.size - 1}))
    assert unsigned["checkpoint"] is None
    assert not judged(tmp_path, unsigned).good


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("proof/0", (422, "no-such-proof")),
        ("proof/3?size=2", (422, "no-such-proof")),
        ("proof/1?size=0", (422, "no-such-proof")),
        ("proof/999999", (409, "not-sealed-yet")),
        ("proof/1?size=999999", (409, "not-sealed-yet")),
        ("proof/-1", (422, "malformed")),
        ("proof/one", (422, "malformed")),
        ("proof/9223372036854775808", (422, "malformed")),
        ("consistency?from=0", (422, "no-such-proof")),
        ("consistency?from=0&to=0", (422, "no-such-proof")),
        ("consistency?from=3&to=2", (422, "no-such-proof")),
        ("consistency?from=1&to=999999", (409, "not-sealed-yet")),
        ("consistency?from=999999", (409, "not-sealed-yet")),
        ("consistency", (422, "malformed")),
    ],
)
def test_what_cannot_be_proved_is_refused(sealed_hall: Hall, question: str, expected: tuple[int, str]) -> None:
    """An empty log, a position behind the end, what is not signed yet: each is said, and what to ask instead."""
    assert refusal_of(sealed_hall.client().get(f"{AUDIT}/{question}")) == expected


def refusal_of(answer: Response) -> tuple[int, str]:
    """Give status and code."""
    return answer.status_code, answer.json()["code"]


@pytest.fixture(scope="module")
def sealed_hall(hall_template: Template) -> Any:  # noqa: ANN401 - a generator of halls
    """A hall whose log is sealed, for what is only asked."""
    with copy(hall_template) as hall:
        hall.project()
        receipts.sign_now(hall.parts)
        yield hall


def test_growth_is_proved_between_any_two_sizes(hall: Hall, tmp_path: Path) -> None:
    """The file is checked by the verifier, with checkpoints held for what was never signed."""
    first = sealed(hall)
    hall.complain()
    middle = sealed(hall)
    hall.complain()
    last = sealed(hall)
    stranger, key = hall.client(), hall.parts.signer.vkey
    for old, new in ((first, middle), (first, last), (middle, last), (last, last)):
        found = told(stranger.get(f"{AUDIT}/consistency", params={"from": old.size, "to": new.size}))
        check_consistency(old.size, old.root, new.size, new.root, hashes(found["proof"]))
        verdict = judged(tmp_path, found, "--key", key)
        assert verdict.good, verdict.said
    assert told(stranger.get(f"{AUDIT}/consistency", params={"from": first.size}))["to"]["size"] == last.size
    gap = told(stranger.get(f"{AUDIT}/consistency", params={"from": first.size + 1, "to": last.size}))
    assert gap["from"] == {"size": first.size + 1, "note": None}
    assert "--checkpoint" in judged(tmp_path, gap, "--key", key).said


def test_proofs_are_limited_for_each_place(hall_template: Template) -> None:
    """Whoever asks for too many is told when to come again; a checkpoint is always to be had."""
    with copy(hall_template, Settings(proofs_per_hour=2)) as hall:
        sealed(hall)
        stranger = hall.client()
        assert stranger.get(f"{AUDIT}/proof/1").status_code == 200
        assert stranger.get(f"{AUDIT}/consistency?from=1").status_code == 200
        for question in ("proof/1", "consistency?from=1"):
            answer = stranger.get(f"{AUDIT}/{question}")
            assert refusal(answer) == (429, "too-many")
            assert int(answer.headers["Retry-After"]) > 0
        assert stranger.get(f"{AUDIT}/checkpoint").status_code == 200


def test_who_complains_gets_the_promise_at_once(hall: Hall, tmp_path: Path) -> None:
    """A repeated request gives it again to the letter, also after it was sealed."""
    form = {"hall": "GXQ", "narrative": "排队两小时。"}
    client = hall.client(**{"Idempotency-Key": LONG_KEY})
    first = client.post("/api/v1/complaints", json=form)
    receipt = told(first, 201)["receipt"]
    assert (receipt["checkpoint"], receipt["inclusion"]) == (None, None)
    verdict = judged(tmp_path, receipt, "--key", hall.parts.signer.vkey)
    assert verdict.good, verdict.said
    assert first.json()["complaint_no"] in verdict.said
    sealed(hall)
    assert client.post("/api/v1/complaints", json=form).content == first.content
    at_the_counter = hall.as_("QIAN")
    contact = told(at_the_counter.post("/api/v1/contacts", json={"kind": "complaint"}), 201)["id"]
    registered = told(at_the_counter.post(f"/api/v1/contacts/{contact}/register", json=form), 201)
    assert judged(tmp_path, registered["receipt"]).good


def test_a_receipt_is_asked_for_by_number_and_code(hall: Hall, tmp_path: Path) -> None:
    """As people type them; a promise first, then the proof. A wrong number and a wrong code look alike."""
    case, other = hall.complain(), hall.complain()
    stranger = hall.client()
    ask = {"complaint_no": f" {case.complaint_no.lower()}", "query_code": case.query_code.lower().replace("-", " ")}
    before = told(stranger.post("/api/v1/status/receipt", json=ask))
    sealed(hall)
    after = told(stranger.post("/api/v1/status/receipt", json=ask))
    assert (before["checkpoint"], after["promise"]) == (None, before["promise"])
    verdict = judged(tmp_path, after, "--key", hall.parts.signer.vkey)
    assert verdict.good, verdict.said
    assert case.complaint_no in verdict.said
    wrong = [
        stranger.post("/api/v1/status/receipt", json={**ask, **one})
        for one in ({"query_code": other.query_code}, {"complaint_no": "TS-GXQ-20260101-00001-0"})
    ]
    assert {(one.status_code, one.text) for one in wrong} == {(404, wrong[0].text)}


def test_receipts_by_code_are_limited_as_all_looks_by_code(hall_template: Template) -> None:
    """Codes cannot be tried out here either."""
    with copy(hall_template, Settings(lookups_per_hour=2)) as hall:
        case = hall.complain()
        wrong = {"complaint_no": case.complaint_no, "query_code": "0000-0000-0000-0000"}
        stranger = hall.client()
        assert [stranger.post("/api/v1/status/receipt", json=wrong).status_code for _ in range(2)] == [404, 404]
        assert stranger.post("/api/v1/status/receipt", json=wrong).status_code == 429
        assert stranger.post("/api/v1/status", json=wrong).status_code == 429


def test_a_case_is_proved_with_who_opened_and_who_tried(hall: Hall, tmp_path: Path) -> None:
    """The events of the case and of the streams beside it, in the order of the log, to whoever may read them."""
    case = hall.carry(hall.complain("QIAN", respondent={"staff": str(hall.people["WANG"])}), "accept")
    assert told(hall.as_("ZHAO").post(f"{case.path}/open", json={"fields": ["narrative"]}))["values"]
    assert hall.act(case, "assign", "ZHAO", department="SJ").json()["code"] == "unit-concerned"
    assert refusal(hall.as_("ZHOU").get(f"{case.path}/proof")) == (409, "not-sealed-yet")
    hall.project()
    found = told(hall.as_("ZHOU").get(f"{case.path}/proof"))
    assert [row[3] for row in found["events"]][-2:] == ["access.opened.1", "attempts.refused.1"]
    assert found["stream"] == case.id
    verdict = judged(tmp_path, found, "--key", hall.parts.signer.vkey)
    assert verdict.good, verdict.said
    root = read(hall, found["checkpoint"])
    assert len(found["events"]) == len(found["inclusion"]) > 4
    assert told(hall.as_("WU").get(f"{case.path}/proof")) == found
    proof = told(hall.client().get(f"{AUDIT}/proof/{found['events'][0][0]}", params={"size": root.size}))
    assert proof["inclusion"] == found["inclusion"][0]


def test_only_who_watches_is_given_what_is_stored(hall: Hall) -> None:
    """The others who may know of the case get its receipt; who may not know of it, nothing, and the log is quiet."""
    case = hall.carry(hall.complain("QIAN"), "sign-for")
    sealed(hall)
    position = hall.last_position()
    for name in ("LI", "QIAN", "ZHAO"):
        assert hall.as_(name).get(f"{case.path}/receipt").status_code == 200
        for what in ("proof", "package"):
            assert refusal(hall.as_(name).get(f"{case.path}/{what}")) == (403, "not-your-role")
    for name in ("TAN", "CHEN", "ADMIN"):
        for what in ("receipt", "proof", "package"):
            assert refusal(hall.as_(name).get(f"{case.path}/{what}")) == (404, "not-found"), (name, what)
    for what in ("proof", "package"):
        assert hall.as_("WU").get(f"{case.path}/{what}").status_code == 200
    assert hall.last_position() == position


def test_with_a_server_that_runs_nobody_waits_for_a_proof(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written a moment ago is signed and proved as soon as it is asked for."""
    monkeypatch.setattr(receipts, "PATIENCE", 30)
    with Worker(hall.parts.dsn):
        for _ in range(3):
            case = hall.complain("QIAN")
            assert hall.as_("ZHOU").get(f"{case.path}/proof").status_code == 200
            assert told(hall.as_("ZHOU").get(f"{case.path}/receipt"))["checkpoint"] is not None


def test_a_merged_case_keeps_its_proof(hall: Hall, tmp_path: Path) -> None:
    """Its receipt and its history stand by themselves, whatever case answers for it."""
    primary, child = hall.carry(hall.complain(), "sign-for"), hall.carry(hall.complain(), "accept")
    assert hall.act(child, "merge", "ZHAO", primary=primary.id, link="joint").status_code == 200
    sealed(hall)
    for case in (primary, child):
        for path in ("receipt", "proof", "package"):
            answer = hall.as_("ZHOU").get(f"{case.path}/{path}")
            verdict = judged(tmp_path, answer.content, "--key", hall.parts.signer.vkey)
            assert verdict.good, (path, verdict.said)
            assert (case.complaint_no if path != "proof" else case.id) in verdict.said


def test_nothing_is_handed_out_over_a_log_that_was_altered(hall: Hall) -> None:
    """It is said that it was, and to whom to turn; the same where the database has forgotten what was signed."""
    case = hall.complain("QIAN")
    sealed(hall)
    with hall.parts.pool.connection() as connection:
        connection.execute("alter table events disable trigger all")
        connection.execute(
            "update events set recorded_at = recorded_at - interval '1 hour' where stream_id = %s", (case.id,)
        )
    supervisor = hall.as_("ZHOU")
    for what in ("receipt", "proof", "package"):
        assert refusal(supervisor.get(f"{case.path}/{what}")) == (503, "log-altered")
    with hall.parts.pool.connection() as connection:
        connection.execute("alter table checkpoints disable trigger all")
        connection.execute("update checkpoints set note = replace(note, 'epoch 1', 'epoch 2')")
    for path in (f"{AUDIT}/checkpoint", f"{AUDIT}/proof/1", f"{AUDIT}/consistency?from=1"):
        assert refusal(hall.client().get(path)) == (503, "log-altered")
    assert refusal(supervisor.post(f"{AUDIT}/checkpoint")) == (503, "log-altered")
