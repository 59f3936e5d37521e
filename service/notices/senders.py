"""How a notice leaves the house: by SMTP, or as a signed signal to the hall's message platform."""

from __future__ import annotations

import base64
import hmac
import json
import smtplib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final, Protocol
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from uuid import UUID

from domain.notice import FailureCause

SECONDS: Final = 20
SUBJECT: Final = "投诉办理进展 / Your complaint {number}"
SMTP_PORTS: Final = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
SECRET: Final = "whsec_"  # noqa: S105  # the prefix of a secret, not one


class SenderMisconfigured(ValueError):
    """A sender cannot be used as it is set; the message says which setting and what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A notice ready to go: its id, the number of the case, where to, and the text; `to` is an address or nothing."""

    notice: UUID
    case: UUID
    complaint_no: str
    to: str | None
    text: str


class Sender(Protocol):
    """Sends one notice; gives why it failed, None when it went out."""

    def send(self, parcel: Parcel) -> FailureCause | None:
        """Send it."""
        ...


@dataclass(frozen=True, slots=True)
class Smtp:
    """An SMTP server, as `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`.

    A notice has the same Message-ID each time it is tried, so a mail system can drop what comes twice.
    """

    url: str
    sender: str

    def __post_init__(self) -> None:
        """Refuse what cannot be an address of a server, before the first notice is owed."""
        parts = urlsplit(self.url)
        if parts.scheme not in SMTP_PORTS or not parts.hostname:
            raise SenderMisconfigured("BIHUAN_SMTP: write it as smtp+starttls://user:password@mail.example.org:587")
        if "@" not in self.sender:
            raise SenderMisconfigured("BIHUAN_SMTP_FROM: write the address notices come from")

    def send(self, parcel: Parcel) -> FailureCause | None:
        """Hand it to the server; what that accepts has been sent."""
        if parcel.to is None:
            return FailureCause.NO_ADDRESS
        try:
            message = self._message(parcel)
        except ValueError:
            # A line break or a broken domain in what somebody gave as an address.
            return FailureCause.NO_ADDRESS
        try:
            with self._server() as server:
                server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError):
            return FailureCause.REFUSED
        except smtplib.SMTPServerDisconnected:
            return FailureCause.UNREACHABLE
        except smtplib.SMTPException:
            return FailureCause.TECHNICAL
        except OSError:
            return FailureCause.UNREACHABLE
        return None

    def _message(self, parcel: Parcel) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = parcel.to
        message["Subject"] = SUBJECT.format(number=parcel.complaint_no)
        message["Message-ID"] = f"<{parcel.notice}@{self.sender.rsplit('@', 1)[1].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(parcel.text)
        return message

    def _server(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or SMTP_PORTS[parts.scheme]
        context = ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        if parts.scheme == "smtp+starttls":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        return server


class _Straight(HTTPRedirectHandler):
    """Follows nobody elsewhere: a signal goes to the address that was set, or nowhere."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Give no request."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The hall's message platform, signalled after the Standard Webhooks specification, with ids and no personal data.

    It fetches the text with a token of its own, and confirms over the API when the complainant has it.
    """

    url: str
    secret: str
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """Refuse an address or a secret that cannot be meant."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SenderMisconfigured("BIHUAN_WEBHOOK: write the address as https://platform.example.org/hook")
        try:
            usable = self.secret.startswith(SECRET) and len(self._key()) in range(24, 65)
        except ValueError:
            usable = False
        if not usable:
            raise SenderMisconfigured("BIHUAN_WEBHOOK_SECRET: write whsec_ and 24 to 64 bytes in base64")

    def _key(self) -> bytes:
        return base64.b64decode(self.secret.removeprefix(SECRET), validate=True)

    def send(self, parcel: Parcel) -> FailureCause | None:
        """Signal that a notice waits; the same id each time, so that it is sent to the complainant once."""
        seconds = str(int(self.clock()))
        data = {"notice": str(parcel.notice), "case": str(parcel.case)}
        body = json.dumps({"type": "notice.queued", "timestamp": seconds, "data": data}).encode()
        signed = b".".join((str(parcel.notice).encode(), seconds.encode(), body))
        signature = base64.b64encode(hmac.digest(self._key(), signed, "sha256")).decode()
        headers = {
            "content-type": "application/json",
            "webhook-id": str(parcel.notice),
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{signature}",
        }
        request = Request(self.url, data=body, headers=headers, method="POST")  # noqa: S310  # the scheme was checked
        try:
            with build_opener(_Straight).open(request, timeout=SECONDS):
                return None
        except HTTPError as error:
            error.close()
            return FailureCause.REFUSED
        except OSError:
            return FailureCause.UNREACHABLE
