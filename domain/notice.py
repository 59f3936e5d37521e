"""A notice on its way to the complainant: queued, tried, delivered or given up; only what arrived counts as told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias, assert_never, get_args
from uuid import UUID, uuid5

from domain.decider import Code, Command, Decider, Event, For, Instant, Role
from domain.errors import NotYourRole, OutOfTurn
from domain.handling import Method, not_later

AFTER: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long after each failure it is tried again (Standard Webhooks); after the last one it is given up."""


class Carriage(StrEnum):
    """By what a notice goes out: an electronic letter, the hall's message platform, paper, or the status page."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    PRINT = "print"
    STATUS_PAGE = "status_page"

    @property
    def method(self) -> Method:
        """How the complainant is reached by it."""
        return {Carriage.PRINT: Method.LETTER, Carriage.STATUS_PAGE: Method.WEB}.get(self, Method.MESSAGE)


class Delivery(StrEnum):
    """Where a notice stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class FailureCause(StrEnum):
    """Why a notice could not be sent."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NO_ADDRESS = "no_address"
    TECHNICAL = "technical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice as its rules see it; `attempts` are those by the present medium."""

    case: UUID
    about: Code
    medium: Carriage
    state: Delivery
    reply: UUID | None
    attempts: int = 0
    retry_at: datetime | None = None


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued(Event):
    """Something is to be told to the complainant: the event of a case at this version; `reply` if it is the answer."""

    case: UUID
    version: int
    about: Code
    medium: Carriage
    reply: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Event):
    """It went out; whether it arrived is not known yet."""

    attempt_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingFailed(Event):
    """It could not be sent; it is tried again at `retry_at`, or no more."""

    attempt_no: int
    cause: FailureCause
    retry_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Event):
    """It arrived, at `delivered_at` if that was earlier than this record."""

    delivered_at: Instant | None = None


NoticeEvent: TypeAlias = Queued | Sent | SendingFailed | Delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Command):
    """Queue a notice, or send one by another medium that was given up."""

    case: UUID
    version: int
    about: Code
    medium: Carriage
    reply: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSending(Command):
    """Record that it went out, or why it did not."""

    failed: FailureCause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDelivery(Command):
    """Record that it arrived."""

    delivered_at: datetime | None = None


NoticeCommand: TypeAlias = Queue | RecordSending | ConfirmDelivery

CONFIRMS: Final = frozenset({Role.SYSTEM, Role.INTAKE, Role.DISPATCHER, Role.HANDLER})
"""Who may say that a notice arrived: the sender itself, or who handed out or posted the paper (our design)."""


def notice_of(case: UUID, version: int) -> UUID:
    """Give the stream of the notice that tells of the event of a case at this version."""
    return uuid5(case, f"notice:{version}")


def decide(notice: Notice | None, command: NoticeCommand, _facts: object = None) -> list[Event | For]:
    """Answer what becomes of a notice; what is so already is nothing new.

    Raises NotYourRole, OutOfTurn, NotYetHappened.
    """
    at, by = command.at, command.by
    match command:
        case Queue():
            _by_the_system(command)
            if notice is not None and notice.state is not Delivery.GIVEN_UP:
                return []
            return [
                Queued(
                    at=at,
                    by=by,
                    case=command.case,
                    version=command.version,
                    about=command.about,
                    medium=command.medium,
                    reply=command.reply,
                )
            ]
        case RecordSending(failed=failed):
            _by_the_system(command)
            if notice is None or notice.state not in {Delivery.QUEUED, Delivery.FAILED}:
                raise OutOfTurn(step=None if notice is None else notice.state)
            attempt = notice.attempts + 1
            if failed is None:
                return [Sent(at=at, by=by, attempt_no=attempt)]
            again = at + AFTER[attempt - 1] if attempt <= len(AFTER) and failed is not FailureCause.NO_ADDRESS else None
            return [SendingFailed(at=at, by=by, attempt_no=attempt, cause=failed, retry_at=again)]
        case ConfirmDelivery(delivered_at=delivered_at):
            if by.role not in CONFIRMS:
                raise NotYourRole(role=by.role, command="confirm-delivery")
            if notice is None or notice.state not in {Delivery.SENT, Delivery.DELIVERED}:
                raise OutOfTurn(step=None if notice is None else notice.state)
            if notice.state is Delivery.DELIVERED:
                return []
            return [Delivered(at=at, by=by, delivered_at=not_later(delivered_at, at))]
        case _:
            assert_never(command)


def _by_the_system(command: Command) -> None:
    if command.by.role is not Role.SYSTEM:
        raise NotYourRole(role=command.by.role, command="send-notice")


def evolve(notice: Notice | None, event: NoticeEvent) -> Notice | None:
    """Take one event in; never refuses."""
    if isinstance(event, Queued):
        return Notice(case=event.case, about=event.about, medium=event.medium, state=Delivery.QUEUED, reply=event.reply)
    if notice is None:
        return None
    match event:
        case Sent(attempt_no=attempt):
            return replace(notice, state=Delivery.SENT, attempts=attempt, retry_at=None)
        case SendingFailed(attempt_no=attempt, retry_at=retry_at):
            state = Delivery.GIVEN_UP if retry_at is None else Delivery.FAILED
            return replace(notice, state=state, attempts=attempt, retry_at=retry_at)
        case Delivered():
            return replace(notice, state=Delivery.DELIVERED)
        case _:
            assert_never(event)


NOTICE: Final[Decider[Notice | None, NoticeCommand, NoticeEvent, object]] = Decider(
    "notice", None, decide, evolve, get_args(NoticeEvent)
)
