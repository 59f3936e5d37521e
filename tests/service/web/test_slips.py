"""Receipts and proofs on pages: to print, to scan, to keep as a file that the verifier takes, to compare by eye."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
import segno
from httpx2 import Response

from domain.decider import THE_SYSTEM
from domain.rulebook import Profile
from service import receipts, verifier
from service.asking import Asked
from service.forms.intake import RegisterForm
from service.query_codes import ISSUE_SQL
from service.web.slips import Code, code
from service.web.texts import catalogue
from tests.service.judging import judged
from tests.service.web.house import Hall
from tests.service.web.reading_pages import PageReader
from tests.service.web.visits import browser, complain, send, trouble

KEPT: Final = "data:application/json;base64,"
LARGEST: Final = 16
"""A code of this version has 81 modules: on 52 mm each has 0.6 mm, which telephones read from paper."""


def painted(drawn: Code) -> list[list[int]]:
    """Paint the strokes of a code on its square."""
    rows = [[0] * drawn.side for _ in range(drawn.side)]
    for found in re.finditer(r"M(\d+) (\d+)\.5h(\d+)", drawn.path):
        x, y, length = map(int, found.groups())
        rows[y][x : x + length] = [1] * length
    assert re.sub(r"M\d+ \d+\.5h\d+", "", drawn.path) == ""
    return rows


@pytest.mark.parametrize("text", ["1", "bihuan/", "— 𬭎·闭环\n" * 9, "x" * 400])
def test_a_code_is_drawn_as_it_was_made(text: str) -> None:
    """Module by module, with the blank border that readers need."""
    made = segno.make(text.encode(), error="M", micro=False, boost_error=False)
    assert painted(code(text)) == [list(row) for row in made.matrix_iter(border=4)]


def shown(page: Response, name: str) -> str:
    """Give the text under an id."""
    found = re.search(rf'id="{name}">([^<]+)<', page.text)
    assert found is not None, name
    return found[1]


def kept(page: Response) -> dict[str, Any]:
    """Give the receipt that a page holds as a file."""
    (link,) = [found for tag, found in PageReader(page.text).tags if tag == "a" and "download" in found]
    assert str(link["download"]).endswith(".receipt.json")
    address = str(link["href"])
    assert address.startswith(KEPT)
    found: dict[str, Any] = json.loads(base64.b64decode(address.removeprefix(KEPT)))
    return found


def as_told(page: Response, receipt: dict[str, Any]) -> None:
    """See that position and fingerprint are those of the receipt."""
    lines = dict(line.split(" ", 1) for line in receipt["promise"].splitlines()[1:5])
    assert shown(page, "position") == lines["position"]
    digits = shown(page, "fingerprint").replace(" ", "")
    assert base64.b64decode(lines["leaf"]).hex().startswith(digits)
    assert len(digits) == 16


@pytest.mark.postgres
def test_a_receipt_page_holds_the_promise_to_scan_and_to_keep(hall: Hall, tmp_path: Path) -> None:
    """From home and at the counter: the code has the text that the hall signed, in a size that paper bears."""
    for page in (complain(browser(hall)), complain(browser(hall, "QIAN"))):
        receipt = kept(page)
        verdict = judged(tmp_path, receipt, "--key", hall.parts.signer.vkey)
        assert verdict.good, verdict.said
        assert shown(page, "number") in verdict.said
        assert shown(page, "code") not in json.dumps(receipt)
        as_told(page, receipt)
        scanned = judged(tmp_path, receipt["promise"], "--key", hall.parts.signer.vkey)
        assert (scanned.good, f"promised: complaint {shown(page, 'number')}" in scanned.said) == (True, True)
        assert not judged(
            tmp_path, receipt["promise"].replace("position ", "position 1"), "--key", hall.parts.signer.vkey
        ).good
        drawn = code(receipt["promise"])
        assert f'd="{drawn.path}"' in page.text
        assert drawn.side - 8 <= 17 + 4 * LARGEST


@pytest.mark.postgres
def test_number_and_code_are_shown_whatever_became_of_the_row(hall: Hall) -> None:
    """They are shown once; where the row was altered meanwhile, nothing is promised beside them."""
    form = {"hall": "GXQ", "narrative": "排队两小时。"}
    api = hall.client(**{"Idempotency-Key": "a-key-that-nobody-guesses"})
    first = api.post("/api/v1/complaints", json=form).json()
    client = hall.client()
    client.follow_redirects = False
    assert complain(client).status_code == 303
    with hall.parts.pool.connection() as connection:
        connection.execute("alter table events disable trigger all")
        connection.execute("update events set command_seq = 7 where name like 'complaint.registered.%'")
    page = client.get("/receipt")
    assert (page.status_code, shown(page, "number")[:7], "receipt.json" in page.text) == (200, "TS-GXQ-", False)
    assert api.post("/api/v1/complaints", json=form).json() == {**first, "receipt": None}


@pytest.mark.postgres
def test_the_own_case_tells_how_far_its_receipt_is(hall: Hall, tmp_path: Path) -> None:
    """Promised at first, then sealed; the file there has the proof, and the fingerprint of the paper."""
    client = browser(hall)
    paper = complain(client)
    opening = {"complaint_no": shown(paper, "number"), "query_code": shown(paper, "code")}
    words = catalogue("pages")
    before = send(client, client.get("/status"), "/status", **opening)
    assert words["status.promised"]["zh"] in before.text
    assert kept(before) == kept(paper)
    hall.project()
    signed = receipts.sign_now(hall.parts).checkpoint
    after = send(client, client.get("/status"), "/status", **opening)
    assert words["status.promised"]["zh"] not in after.text
    assert f"{signed.size} 条记录的检查点" in after.text
    verdict = judged(tmp_path, kept(after), "--key", hall.parts.signer.vkey)
    assert verdict.good, verdict.said
    assert "sealed by the checkpoint" in verdict.said
    as_told(paper, kept(after))
    wrong = send(client, client.get("/status"), "/status", **{**opening, "query_code": "0000-0000-0000-0000"})
    assert (trouble(wrong), "receipt.json" in wrong.text) == ("not-found", False)


@pytest.mark.postgres
def test_where_nothing_was_promised_a_page_says_why(hall: Hall) -> None:
    """A case of a ledger that was given a code all the same is told, and has no receipt."""
    asked = Asked(command_id=uuid4(), source="test", name="register")
    form = RegisterForm(hall="GXQ", narrative="台账。")
    case = hall.parts.desk.register(form, THE_SYSTEM, asked, profile=Profile.LEDGER)
    opening = {"complaint_no": case.complaint_no, "query_code": hall.parts.desk.codes.code_for(asked.command_id)}
    with hall.parts.pool.connection() as connection:
        connection.execute(ISSUE_SQL, hall.parts.desk.codes.issue(case.case, opening["query_code"]))
    client = browser(hall)
    told = send(client, client.get("/status"), "/status", **opening)
    assert told.status_code == 200
    assert catalogue("refusals")["nothing-promised"]["zh"] in told.text
    assert "receipt.json" not in told.text
    for answer in (
        client.post("/api/v1/status/receipt", json=opening),
        hall.as_("ZHOU").get(f"/api/v1/complaints/{case.case}/receipt"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing-promised")


@pytest.mark.postgres
def test_everybody_reads_how_far_the_log_is_sealed(hall: Hall, tmp_path: Path) -> None:
    """Key and checkpoint as the API has them, the verifier as it is; before the first checkpoint that is said."""
    hall.complain()
    stranger = hall.client()
    words = catalogue("pages")
    first = stranger.get("/audit?lang=en")
    assert (first.status_code, words["audit.newest.none"]["en"] in first.text) == (200, True)
    assert stranger.get("/audit/checkpoint.txt").status_code == 409
    hall.project()
    signed = receipts.sign_now(hall.parts)
    page = stranger.get("/audit")
    vkey = hall.parts.signer.vkey
    assert (shown(page, "vkey"), signed.checkpoint.root.hex() in page.text) == (vkey, True)
    assert f'd="{code(vkey).path}"' in page.text
    files = {name: stranger.get(f"/audit/{name}") for name in ("key.txt", "checkpoint.txt", "verifier.py")}
    assert {one.headers["content-type"] for one in files.values()} == {"text/plain; charset=utf-8"}
    assert files["verifier.py"].content == Path(verifier.__file__).read_bytes()
    (tmp_path / "key.txt").write_bytes(files["key.txt"].content)
    assert judged(tmp_path, files["checkpoint.txt"].text, "--key", str(tmp_path / "key.txt")).good
    assert files["checkpoint.txt"].text == signed.note
    for name in ("signing.py", "..%2Fsigning.py", "key"):
        assert stranger.get(f"/audit/{name}").status_code == 404


@pytest.mark.postgres
def test_pages_say_that_the_log_was_altered(hall: Hall) -> None:
    """In the reader's language, with whom to tell; the key stays to be compared, and the own case is still told."""
    client = browser(hall)
    paper = complain(client)
    hall.project()
    receipts.sign_now(hall.parts)
    with hall.parts.pool.connection() as connection:
        connection.execute("alter table checkpoints disable trigger all")
        connection.execute("update checkpoints set note = replace(note, 'epoch 1', 'epoch 2')")
    page = client.get("/audit")
    assert (page.status_code, trouble(page)) == (503, "log-altered")
    assert hall.parts.signer.vkey in page.text
    told = send(
        client, client.get("/status"), "/status", complaint_no=shown(paper, "number"), query_code=shown(paper, "code")
    )
    assert told.status_code == 200
    assert catalogue("refusals")["log-altered"]["zh"] in told.text
