"""What complainants are told: by mail, by the message platform, on paper; a reply counts only when it arrived."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, Final, cast
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from domain import complaint
from domain.notice import Carriage, FailureCause
from projections.histories import read_stream
from projections.outbox import Posting
from service.notices.courier import Courier
from service.notices.senders import Parcel, Sender, SenderMisconfigured, Smtp, Webhook
from tests.service.web.house import Case, Hall

pytestmark = pytest.mark.postgres

SECRET: Final = "whsec_" + base64.b64encode(b"k" * 32).decode()
MAIL: Final = "sarnai@example.org"


@contextmanager
def nobody() -> Iterator[int]:
    """A port where nobody listens."""
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = server.server_port
    server.server_close()
    yield port


@dataclass
class Mailbox:
    """A mail server that keeps what it takes, or refuses as it is told; without slots, which its library trips over."""

    port: int = 0
    answer: str = "250 OK"
    taken: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message."""
        if self.answer.startswith("250"):
            found = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
            self.taken.append(found)
            self.to += envelope.rcpt_tos
        return self.answer


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on this machine."""
    with nobody() as port:
        box = Mailbox(port)
    # It tries its own port before it says it, so the port must be told.
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass(slots=True)
class Platform:
    """A message platform that keeps the signals it gets."""

    url: str = ""
    status: int = 200
    signals: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def platform() -> Iterator[Platform]:
    """A message platform on this machine."""
    found = Platform()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.signals.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            if 300 <= found.status < 400:
                self.send_header("location", found.url + "elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def by_mail(mailbox: Mailbox) -> dict[Carriage, Sender]:
    """Send by that mail server."""
    return {Carriage.EMAIL: Smtp(f"smtp://127.0.0.1:{mailbox.port}", "hall@example.org")}


def rounds(hall: Hall, senders: dict[Carriage, Sender], most: int = 12) -> int:
    """Let the courier go round until nothing moves; give how often something did."""
    courier, moved = Courier(hall.parts, senders), 0
    for _ in range(most):
        hall.project()
        now = courier.round()
        moved += now
        if not now:
            break
    return moved


def notices(hall: Hall, case: Case, name: str = "QIAN") -> list[dict[str, Any]]:
    """The notices of a case as somebody sees them."""
    hall.project()
    answer = hall.as_(name).get("/api/v1/notices", params={"case": case.id})
    assert answer.status_code == 200, answer.text
    return cast("list[dict[str, Any]]", answer.json()["items"])


def events(hall: Hall, case: Case, kind: type) -> list[Any]:
    """The events of one kind on a case."""
    with hall.parts.pool.connection() as connection:
        return [one.event for one in read_stream(connection, UUID(case.id)) if isinstance(one.event, kind)]


def test_a_reply_counts_when_it_arrived_by_mail(hall: Hall, mailbox: Mailbox) -> None:
    """Approved it is not yet given; taken by the mail server it is, by the system, with all that it says."""
    case = hall.carry(hall.complain("QIAN", name="萨日娜·𬭎", phone="13800000001", email=MAIL), "approve-reply")
    assert events(hall, case, complaint.Replied) == []
    assert rounds(hall, by_mail(mailbox)) > 0
    (replied,) = events(hall, case, complaint.Replied)
    assert (replied.by.role, replied.method) == ("system", "message")
    assert mailbox.to == [MAIL] * 2
    accepted, reply = (one.get_content() for one in mailbox.taken)
    assert case.complaint_no in accepted
    assert "经查属实，已整改并致歉。" in reply
    assert "属实，已统一。" in reply
    assert "萨日娜" not in reply
    assert {one["posting"] for one in notices(hall, case)} == {"delivered"}
    assert len(events(hall, case, complaint.correcting.ComplainantNotified)) == 2


def test_what_was_told_is_not_told_again(hall: Hall, mailbox: Mailbox) -> None:
    """Not in a second round, not by a second courier, not where the outbox is behind."""
    case = hall.carry(hall.complain("QIAN", email=MAIL, name="王"), "accept")
    hall.project()
    couriers = [Courier(hall.parts, by_mail(mailbox)) for _ in range(2)]
    for _ in range(3):
        for courier in couriers:
            courier.round()
    assert rounds(hall, by_mail(mailbox)) == 0
    assert len(mailbox.taken) == 1
    assert len(events(hall, case, complaint.correcting.ComplainantNotified)) == 1


def test_what_the_mail_server_refuses_is_tried_again_later(hall: Hall, mailbox: Mailbox) -> None:
    """With the same Message-ID, when its time has come and not before."""
    mailbox.answer = "451 later"
    case = hall.carry(hall.complain("QIAN", email=MAIL, name="王"), "accept")
    rounds(hall, by_mail(mailbox))
    (row,) = notices(hall, case)
    assert (row["posting"], row["attempts"], mailbox.taken) == ("failed", 1, [])
    mailbox.answer = "250 OK"
    assert rounds(hall, by_mail(mailbox)) == 0, "its time has not come"
    with hall.parts.pool.connection() as connection:
        connection.execute("update outbox_1 set retry_at = now() - interval '1 second'")
    assert Courier(hall.parts, by_mail(mailbox)).round() == 1
    assert [one["Message-ID"] for one in mailbox.taken] == [f"<{row['notice']}@example.org>"]
    (row,) = notices(hall, case)
    assert (row["posting"], row["attempts"]) == ("delivered", 2)


@dataclass(slots=True)
class Broken:
    """A sender that always fails in the same way."""

    cause: FailureCause
    tried: int = 0

    def send(self, _parcel: Parcel) -> FailureCause | None:
        """Fail."""
        self.tried += 1
        return self.cause


def test_what_cannot_go_keeps_nothing_else_from_going(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many notices stop at every look, those behind them have their turn."""
    monkeypatch.setattr("service.notices.courier.PORTION", 2)
    *others, good = [hall.carry(hall.complain(), "accept") for _ in range(6)]
    stuck = {case.id for case in others}
    hall.project()
    courier = Courier(hall.parts, {})
    step = courier._step
    moved: list[str] = []

    def stopping(row: Any) -> bool:  # noqa: ANN401 - a row of the outbox
        if str(row.case) in stuck:
            raise ValueError
        moved.append(str(row.case))
        return step(row)

    monkeypatch.setattr(courier, "_step", stopping)
    for _ in range(4):
        courier.round()
    assert good.id in moved


def test_what_cannot_go_by_mail_goes_on_paper_and_the_case_knows(hall: Hall) -> None:
    """A reply that could not be sent is on record as such; the letter counts when somebody has posted it."""
    case = hall.carry(hall.complain("QIAN", email=MAIL, name="王"), "approve-reply")
    broken = Broken(FailureCause.NO_ADDRESS)
    rounds(hall, {Carriage.EMAIL: broken})
    assert broken.tried == 2
    (failure,) = events(hall, case, complaint.ReplyDeliveryFailed)
    assert failure.by.role == "system"
    reply = next(one for one in notices(hall, case) if one["reply"])
    assert (reply["medium"], reply["posting"]) == ("print", "sent")
    assert events(hall, case, complaint.Replied) == []

    path = f"/api/v1/notices/{reply['notice']}"
    printed = hall.as_("QIAN").post(f"{path}/letter")
    assert printed.status_code == 200
    assert "经查属实，已整改并致歉。" in printed.json()["text"]
    posted = hall.as_("QIAN").post(f"{path}/confirm-delivery", json={})
    assert posted.status_code == 200
    rounds(hall, {Carriage.EMAIL: broken})
    (replied,) = events(hall, case, complaint.Replied)
    assert replied.method == "letter"
    told = hall.as_("ZHOU").get(f"{case.path}/history", params={"language": "en"}).json()["history"]
    assert any("purpose: telling the complainant" in line["said"] for line in told), "printing goes on record"


def test_the_message_platform_is_signalled_with_ids_and_a_signature(hall: Hall, platform: Platform) -> None:
    """After Standard Webhooks; nothing of anybody stands in it, and the platform confirms when it was read."""
    case = hall.carry(hall.complain("QIAN", name="王小明", phone="13912345678"), "accept")
    senders: dict[Carriage, Sender] = {Carriage.WEBHOOK: Webhook(platform.url, SECRET)}
    rounds(hall, senders)
    ((headers, body),) = platform.signals
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["data"] == {"notice": headers["webhook-id"], "case": case.id}
    assert "13912345678" not in body.decode()
    (row,) = notices(hall, case)
    assert (row["posting"], row["medium"]) == ("sent", "webhook")
    assert hall.as_("QIAN").post(f"/api/v1/notices/{row['notice']}/confirm-delivery", json={}).status_code == 200
    rounds(hall, senders)
    (told,) = events(hall, case, complaint.correcting.ComplainantNotified)
    assert (told.about, told.method) == ("complaint.accepted", "message")


@pytest.mark.parametrize("status", [301, 410, 500])
def test_a_platform_that_does_not_take_it_is_tried_again(platform: Platform, status: int) -> None:
    """Nobody is followed elsewhere."""
    platform.status = status
    parcel = Parcel(notice=UUID(int=1), case=UUID(int=2), complaint_no="TS", to=None, text="")
    assert Webhook(platform.url, SECRET).send(parcel) is FailureCause.REFUSED
    assert len(platform.signals) == 1


def test_who_gave_no_name_and_no_number_reads_it_on_the_status_page(hall: Hall) -> None:
    """Nobody can be written to; the answer is there for whoever has the code."""
    case = hall.carry(hall.complain(), "approve-reply")
    rounds(hall, {})
    (replied,) = events(hall, case, complaint.Replied)
    assert replied.method == "web"
    assert {one["medium"] for one in notices(hall, case, "ZHAO")} == {"status_page"}


def test_an_answer_given_in_person_needs_no_other(hall: Hall, mailbox: Mailbox) -> None:
    """The handler was faster; the notice goes out all the same, and nothing is replied twice."""
    case = hall.carry(hall.complain("QIAN", email=MAIL, name="王"), "reply")
    rounds(hall, by_mail(mailbox))
    assert len(events(hall, case, complaint.Replied)) == 1


def test_nobody_sees_notices_of_cases_they_may_not_know_of(hall: Hall) -> None:
    """Neither listed, nor opened, nor confirmed: as if they did not exist."""
    case = hall.carry(hall.complain("QIAN", name="王"), "accept")
    rounds(hall, {})
    (row,) = notices(hall, case)
    for name in ("TAN", "CHEN", "ADMIN"):
        assert hall.as_(name).get("/api/v1/notices").json().get("items", []) == []
    assert hall.as_("TAN").post(f"/api/v1/notices/{row['notice']}/letter").status_code == 404
    assert hall.as_("TAN").post(f"/api/v1/notices/{row['notice']}/confirm-delivery", json={}).status_code == 404
    assert notices(hall, case)[0]["posting"] == Posting.SENT


@pytest.mark.parametrize(
    ("setting", "make"),
    [
        ("BIHUAN_SMTP", lambda: Smtp("mail.example.org", "a@b")),
        ("BIHUAN_SMTP_FROM", lambda: Smtp("smtp://mail.example.org", "nobody")),
        ("BIHUAN_WEBHOOK", lambda: Webhook("ftp://x", SECRET)),
        ("BIHUAN_WEBHOOK_SECRET", lambda: Webhook("https://x", "short")),
        ("BIHUAN_WEBHOOK_SECRET", lambda: Webhook("https://x", "whsec_!!!")),
    ],
)
def test_a_sender_that_cannot_work_is_refused_at_the_start(setting: str, make: Any) -> None:  # noqa: ANN401
    """Not when the first notice is owed."""
    with pytest.raises(SenderMisconfigured, match=setting):
        make()


def test_a_server_that_is_away_is_unreachable() -> None:
    """For both ways out."""
    parcel = Parcel(notice=UUID(int=1), case=UUID(int=2), complaint_no="TS", to=MAIL, text="x")
    with nobody() as port:
        assert Smtp(f"smtp://127.0.0.1:{port}", "a@example.org").send(parcel) is FailureCause.UNREACHABLE
        assert Webhook(f"http://127.0.0.1:{port}/", SECRET).send(parcel) is FailureCause.UNREACHABLE


def test_an_address_that_is_none_is_never_sent_to(mailbox: Mailbox) -> None:
    """A line break in an address would make headers of its own."""
    sender = Smtp(f"smtp://127.0.0.1:{mailbox.port}", "a@example.org")
    for to in (None, "a@example.org\r\nBcc: b@example.org"):
        parcel = Parcel(notice=UUID(int=1), case=UUID(int=2), complaint_no="TS", to=to, text="x")
        assert sender.send(parcel) is FailureCause.NO_ADDRESS
    assert mailbox.taken == []
