"""A notice goes out, fails, is tried again, arrives or is given up; only the machine says that it sent it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.decider import THE_SYSTEM, Event
from domain.errors import NotYetHappened, NotYourRole, OutOfTurn
from domain.handling import Method
from domain.notice import (
    AFTER,
    NOTICE,
    Carriage,
    ConfirmDelivery,
    Delivered,
    Delivery,
    FailureCause,
    NoticeEvent,
    Queue,
    Queued,
    RecordSending,
    SendingFailed,
    Sent,
    notice_of,
)
from tests.hall import CITIZEN, COUNTER, HANDLER, key, local
from tests.specification import Given, given

AT = local("02-14", "10:00")
CASE = key("case")
QUEUE = Queue(
    at=AT, by=THE_SYSTEM, case=CASE, version=3, about="complaint.accepted", medium=Carriage.EMAIL, reply=key("reply")
)
QUEUED = Queued(
    at=AT, by=THE_SYSTEM, case=CASE, version=3, about="complaint.accepted", medium=Carriage.EMAIL, reply=key("reply")
)
SEND = RecordSending(at=AT, by=THE_SYSTEM, failed=None)
SENT = Sent(at=AT, by=THE_SYSTEM, attempt_no=1)
CONFIRM = ConfirmDelivery(at=AT, by=COUNTER)
DELIVERED = Delivered(at=AT, by=COUNTER)


def notice(*history: Event) -> Given:  # type: ignore[type-arg]
    """A notice to which this happened."""
    return given(NOTICE, *history, facts=None)


def failed(attempt: int, cause: FailureCause = FailureCause.UNREACHABLE, *, last: bool = False) -> SendingFailed:
    """An attempt that failed."""
    again = None if last else AT + AFTER[attempt - 1]
    return SendingFailed(at=AT, by=THE_SYSTEM, attempt_no=attempt, cause=cause, retry_at=again)


def test_a_notice_is_queued_once() -> None:
    """The outbox may propose it as often as it likes."""
    notice().when(QUEUE).then([QUEUED])
    for history in ([QUEUED], [QUEUED, SENT], [QUEUED, failed(1)], [QUEUED, SENT, DELIVERED]):
        notice(*history).when(QUEUE).then_nothing()


def test_what_was_given_up_goes_by_another_way() -> None:
    """Attempts are counted anew by the other medium."""
    given_up = notice(QUEUED, failed(1, last=True))
    on_paper = replace(QUEUE, medium=Carriage.PRINT)
    given_up.when(on_paper).then([replace(QUEUED, medium=Carriage.PRINT)])
    again = notice(QUEUED, failed(1, last=True), replace(QUEUED, medium=Carriage.PRINT))
    again.when(SEND).then([SENT])
    assert again.state.medium is Carriage.PRINT


def test_what_could_not_be_sent_is_tried_again_ever_later_and_then_given_up() -> None:
    """Ten attempts: at once, after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 hours (domain.md §13.7)."""
    history: list[NoticeEvent] = [QUEUED]
    waits: list[timedelta | None] = []
    for _ in range(10):
        event = notice(*history).when(replace(SEND, failed=FailureCause.UNREACHABLE)).event
        waits.append(None if event.retry_at is None else event.retry_at - AT)
        history.append(event)
    hours = [timedelta(hours=n) for n in (2, 5, 10, 14, 20, 24)]
    assert waits == [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), *hours, None]
    assert notice(*history).state.state is Delivery.GIVEN_UP
    assert [event.attempt_no for event in history[1:] if isinstance(event, SendingFailed)] == list(range(1, 11))
    notice(*history).when(SEND).then_refused(OutOfTurn)


def test_without_an_address_nothing_is_tried_again() -> None:
    """The same address would be missing the next time."""
    notice(QUEUED).when(replace(SEND, failed=FailureCause.NO_ADDRESS)).then(
        [failed(1, FailureCause.NO_ADDRESS, last=True)]
    )


def test_what_was_sent_is_not_sent_again() -> None:
    """Nor what never was queued."""
    for history in ([], [QUEUED, SENT], [QUEUED, SENT, DELIVERED]):
        notice(*history).when(SEND).then_refused(OutOfTurn)
    notice(QUEUED, failed(1)).when(SEND).then([replace(SENT, attempt_no=2)])


@pytest.mark.parametrize("command", [replace(QUEUE, by=HANDLER), replace(SEND, by=COUNTER)])
def test_only_the_machine_says_that_it_sent_something(command: Queue | RecordSending) -> None:
    """People say that paper arrived, no more."""
    notice(QUEUED).when(command).then_refused(NotYourRole)


def test_arrival_is_confirmed_once_by_who_handed_it_out() -> None:
    """Not before it went out, not by the complainant, not in the future."""
    notice(QUEUED, SENT).when(CONFIRM).then([DELIVERED])
    earlier = AT - timedelta(hours=2)
    notice(QUEUED, SENT).when(replace(CONFIRM, delivered_at=earlier)).then([replace(DELIVERED, delivered_at=earlier)])
    notice(QUEUED, SENT, DELIVERED).when(CONFIRM).then_nothing()
    for history in ([], [QUEUED], [QUEUED, failed(1)]):
        notice(*history).when(CONFIRM).then_refused(OutOfTurn)
    notice(QUEUED, SENT).when(replace(CONFIRM, by=CITIZEN)).then_refused(NotYourRole)
    notice(QUEUED, SENT).when(replace(CONFIRM, delivered_at=AT + timedelta(seconds=1))).then_refused(NotYetHappened)


@pytest.mark.parametrize("event", [SENT, failed(1), DELIVERED])
def test_a_notice_nobody_queued_is_none(event: NoticeEvent) -> None:
    """A history loads whatever stands in it."""
    assert NOTICE.fold([event]) is None


def test_each_event_of_a_case_has_a_notice_of_its_own() -> None:
    """The same event always the same one, so it is told once."""
    keys = {notice_of(case, version) for case in (CASE, key("other")) for version in (1, 2, 3)}
    assert len(keys) == 6
    assert notice_of(CASE, 1) in keys


def test_how_somebody_is_reached_follows_from_the_medium() -> None:
    """Only paper passes through anybody's hands."""
    methods = {medium: medium.method for medium in Carriage}
    assert methods == {
        Carriage.EMAIL: Method.MESSAGE,
        Carriage.WEBHOOK: Method.MESSAGE,
        Carriage.PRINT: Method.LETTER,
        Carriage.STATUS_PAGE: Method.WEB,
    }
    assert [medium for medium in Carriage if not medium.method.by_machine] == [Carriage.PRINT]
    assert isinstance(QUEUED, Event)
