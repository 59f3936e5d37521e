"""Carries notices: chooses how, sends, tries again, and tells the case what arrived; a reply counts only then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

import psycopg
from psycopg import sql

from domain import complaint, notice
from domain.access import Purpose
from domain.complaint.correcting import RecordNotice
from domain.complaint.replying import DeliveryFailure
from domain.decider import THE_SYSTEM, Code, Command, Decider
from domain.errors import Refused
from domain.notice import NOTICE, Carriage, Delivery, FailureCause, Notice
from domain.sealed import Sealed
from projections.histories import read_stream
from projections.outbox import OUTBOX, NoticeRow
from projections.runner import Entry
from service.asking import Asked
from service.background import Holding
from service.eventstore import Recorder
from service.notices.letters import Address, Draft, address_of, draft
from service.notices.senders import Parcel, Sender, Smtp, Webhook
from service.parts import Parts
from service.settings import Settings

SOURCE: Final[Code] = "courier"
PORTION: Final = 100
PAUSE: Final = 2.0
"""Seconds between two looks at the outbox."""
LOCK: Final = "select pg_try_advisory_lock(hashtext('bihuan.courier'))"
WAITING: Final = """
where position > %s and (posting = any('{owed,queued,given_up}')
    or (posting = 'failed' and retry_at <= clock_timestamp()) or (posting = 'delivered' and not told))
order by position limit %s
"""


def senders(settings: Settings) -> dict[Carriage, Sender]:
    """Give what is set up to send by; paper and the status page need nothing. Raises SenderMisconfigured."""
    found: dict[Carriage, Sender] = {}
    if settings.smtp is not None:
        found[Carriage.EMAIL] = Smtp(settings.smtp, settings.smtp_from)
    if settings.webhook is not None:
        found[Carriage.WEBHOOK] = Webhook(settings.webhook, settings.webhook_secret)
    return found


@dataclass(frozen=True, slots=True)
class Case:
    """What is read of a case for one notice: its events, and how its complainant can be reached."""

    entries: Sequence[Entry]
    address: Address


class Courier(Holding):
    """Does one step for each notice that waits; in as many processes as you like, an advisory lock chooses one.

    The outbox proposes, the notice's own stream decides: what was sent is not sent again because the outbox is behind.
    A crash between sending and recording sends once more, under the same id.
    """

    def __init__(self, parts: Parts, by: Mapping[Carriage, Sender] | None = None) -> None:
        super().__init__("courier", PAUSE, parts.dsn)
        self._parts = parts
        self._senders = senders(parts.settings) if by is None else by
        # Where the last portion ended: what cannot go, however much, must not keep the rest from going.
        self._after = 0

    def look_over(self, connection: psycopg.Connection) -> None:
        """Do a round, if this process is the one that sends."""
        row = connection.execute(LOCK).fetchone()
        if row is not None and row[0]:
            self.round()

    def round(self) -> int:
        """Do one step for each notice that waits, a portion at most; give how many moved."""
        with self._parts.pool.connection() as connection:
            rows = OUTBOX.select(connection, sql.SQL(WAITING), (self._after, PORTION))
            self._after = rows[-1].position if len(rows) == PORTION else 0
            if rows:
                # Nothing leaves the database unflushed (architecture.md §3).
                Recorder.flush(connection)
        moved = 0
        for row in rows:
            try:
                moved += self._step(row)
            except Exception as error:  # noqa: BLE001  # one notice that cannot go must not hold up the others
                # Never the error's text: it may quote what was sealed.
                self.say.error("notice stopped", notice=str(row.notice), kind=type(error).__name__)
        return moved

    def _step(self, row: NoticeRow) -> bool:
        """Do what is next for one notice; gives whether anything was."""
        with self._parts.pool.connection() as connection:
            stream = read_stream(connection, row.notice)
            entries = read_stream(connection, row.case)
        state = NOTICE.fold(one.event for one in stream)  # type: ignore[misc]  # a stream holds its decider's events
        case = Case(entries, address_of(entries))
        if state is None:
            return self._queue(row, self._media(case.address)[0], "first")
        match state.state:
            case Delivery.QUEUED | Delivery.FAILED:
                return self._send(row, state, case)
            case Delivery.SENT:
                return state.medium is Carriage.STATUS_PAGE and self._delivered(row)
            case Delivery.DELIVERED:
                return self._tell(row, state)
            case Delivery.GIVEN_UP:
                return self._by_another_way(row, state, case)

    def _media(self, address: Address) -> list[Carriage]:
        """Give the ways to a complainant, the best first; without any address it waits on the status page."""
        ways = []
        if address.email is not None and Carriage.EMAIL in self._senders:
            ways.append(Carriage.EMAIL)
        if address.phone is not None and Carriage.WEBHOOK in self._senders:
            ways.append(Carriage.WEBHOOK)
        ways.append(Carriage.STATUS_PAGE if address.nameless and address.phone is None else Carriage.PRINT)
        return ways

    def _queue(self, row: NoticeRow, medium: Carriage, turn: str) -> bool:
        command = notice.Queue(
            at=row.owed_at,
            by=THE_SYSTEM,
            case=row.case,
            version=row.version,
            about=row.about,
            medium=medium,
            reply=row.reply,
        )
        return self._give(row.notice, command, "queue-notice", f"queue:{turn}")

    def _send(self, row: NoticeRow, state: Notice, case: Case) -> bool:
        sender = self._senders.get(state.medium)
        failed: FailureCause | None = None
        if sender is not None:
            parcel = self._parcel(row, state, case)
            failed = FailureCause.NO_ADDRESS if parcel is None else sender.send(parcel)
        elif state.medium in {Carriage.EMAIL, Carriage.WEBHOOK}:
            # It was taken out of the settings meanwhile; another way is found.
            failed = FailureCause.NO_ADDRESS
        command = notice.RecordSending(at=row.owed_at, by=THE_SYSTEM, failed=failed)
        moved = self._give(row.notice, command, "send-notice", f"send:{state.medium}:{state.attempts}")
        if failed is None and state.medium in {Carriage.EMAIL, Carriage.STATUS_PAGE}:
            # A mail server that took it answers for it from then on; what stands on the status page is there to read.
            self._delivered(row)
        return moved

    def _parcel(self, row: NoticeRow, state: Notice, case: Case) -> Parcel | None:
        """Compose a notice; a signal to the platform opens nothing. None where there is nothing to tell any more."""
        found = draft(case.entries, row.version, row.reply, self._parts.book.facts().register)
        if found is None:
            return None
        if state.medium is Carriage.WEBHOOK:
            return Parcel(notice=row.notice, case=row.case, complaint_no=found.complaint_no, to=None, text="")
        to, text = self._opened(row, found, case.address.email)
        return Parcel(notice=row.notice, case=row.case, complaint_no=found.complaint_no, to=to, text=text)

    def _opened(self, row: NoticeRow, found: Draft, email: Sealed | None) -> tuple[str | None, str]:
        values = [*found.texts, *([] if email is None else [("email", email)])]
        if values:
            self._parts.book.opened(row.case, THE_SYSTEM, Purpose.NOTICE, [kind for kind, _ in values], SOURCE)
        opened = self._parts.vault.open_many(values)
        return (None if email is None else opened[-1]), found.letter(opened[: len(found.texts)])

    def _delivered(self, row: NoticeRow) -> bool:
        command = notice.ConfirmDelivery(at=row.owed_at, by=THE_SYSTEM)
        return self._give(row.notice, command, "confirm-delivery", "delivered")

    def _tell(self, row: NoticeRow, state: Notice) -> bool:
        """Tell the case that its complainant knows; the answer counts as given only now."""
        if row.told:
            return False
        method = state.medium.method
        if state.reply is not None:
            reply = complaint.Reply(at=row.owed_at, by=THE_SYSTEM, reply=state.reply, method=method, failed=None)
            self._give_case(row, reply, "reply", "reply")
        record = RecordNotice(
            at=row.owed_at, by=THE_SYSTEM, notice=row.notice, about=row.about, method=method, delivered_at=None
        )
        return self._give_case(row, record, "record-notice", "told")

    def _by_another_way(self, row: NoticeRow, state: Notice, case: Case) -> bool:
        """Say on record that an answer did not arrive, and take the next way; paper and the status page never fail."""
        if state.reply is not None:
            failure = complaint.Reply(
                at=row.owed_at,
                by=THE_SYSTEM,
                reply=state.reply,
                method=state.medium.method,
                failed=DeliveryFailure.TECHNICAL,
            )
            self._give_case(row, failure, "reply", f"failed:{state.medium}")
        ways = self._media(case.address)
        later = ways[ways.index(state.medium) + 1 :] if state.medium in ways else ways
        return self._queue(row, (later or ways)[0], f"after:{state.medium}")

    def _give(self, stream: UUID, command: notice.NoticeCommand, name: Code, turn: str) -> bool:
        return self._transact(NOTICE, stream, command, Asked(command_id=uuid5(stream, turn), source=SOURCE, name=name))

    def _give_case(self, row: NoticeRow, command: complaint.Command, name: Code, turn: str) -> bool:
        asked = Asked(command_id=uuid5(row.notice, turn), source=SOURCE, name=name, cause=row.notice)
        return self._transact(complaint.COMPLAINT, row.case, command, asked)

    def _transact(self, decider: Decider[Any, Any, Any, Any], stream: UUID, command: Command, asked: Asked) -> bool:
        try:
            return bool(self._parts.book.transact(decider, stream, command, asked).events)
        except Refused as refused:
            # Somebody was faster: a handler who told the complainant in person, say. That stands on record.
            self.say.info("not needed", notice=str(stream), action=asked.name, code=refused.code)
            return False
