"""A case taken over from a ledger: registered and answered as the ledger says, and nothing is invented besides."""

from __future__ import annotations

from dataclasses import replace

from domain.complaint import (
    Replied,
    ReplyToLedgerCase,
)
from domain.deadlines import Calendar
from domain.decider import THE_SYSTEM
from domain.errors import (
    NoPolicy,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    Superseded,
)
from domain.handling import Basis
from domain.rulebook import RULEBOOK, PolicyRef, Profile
from tests.controls import (
    REGISTERED,
    REPLY,
    case,
)
from tests.hall import (
    FACTS,
    FENG,
    HANDLER,
    MEASURED,
    local,
    sealed,
)

LEDGER_CASE = replace(REGISTERED, profile=Profile.LEDGER, by=THE_SYSTEM, at=local("09-16"), accept_due=None)
LEDGER_REPLY = ReplyToLedgerCase(
    at=local("10-08", "12:00"), by=THE_SYSTEM, reply=REPLY, content=sealed("content"), content_measured=MEASURED
)


def test_a_ledger_case_is_answered_as_the_ledger_says() -> None:
    """Its text, its time, and whether it is late by the yardstick; nothing is invented besides.

    Fifteen natural days from 16 September end in a holiday, so the last day is 8 October (domain.md §4.4).
    """
    case(LEDGER_CASE).when(LEDGER_REPLY).then([
        Replied(
            at=LEDGER_REPLY.at,
            by=THE_SYSTEM,
            reply=REPLY,
            method=None,
            content=sealed("content"),
            content_measured=MEASURED,
            late=False,
            review_request_until=None,
            revisit_due=None,
            basis=Basis(policy=PolicyRef(profile="ledger", version=1), rulebook=4),
        )
    ])  # fmt: skip
    assert case(LEDGER_CASE).when(replace(LEDGER_REPLY, at=local("10-09", "00:00"))).event.late is True
    unmeasured = replace(FACTS, rulebook=replace(FACTS.rulebook, calendar=Calendar()))
    beyond = replace(LEDGER_REPLY, at=local("10-09", "00:00"))
    assert case(LEDGER_CASE, facts=unmeasured).when(beyond).event.late is None


def test_a_ledger_case_is_answered_once() -> None:
    """The second row is a contradiction for a person to look at."""
    replied = case(LEDGER_CASE).when(LEDGER_REPLY).event
    case(LEDGER_CASE, replied).when(LEDGER_REPLY).then_refused(OutOfTurn)


def test_only_an_import_answers_a_ledger_case_and_only_a_ledger_case() -> None:
    """No handler goes round the approval by this door."""
    case(LEDGER_CASE).when(replace(LEDGER_REPLY, by=HANDLER)).then_refused(NotYourRole)
    behind = replace(THE_SYSTEM, on_behalf_of=FENG)
    case(LEDGER_CASE).when(replace(LEDGER_REPLY, by=behind)).then_refused(OwnCause)
    case(REGISTERED).when(LEDGER_REPLY).then_refused(Superseded, profile=Profile.HALL)
    case(REGISTERED).when(replace(LEDGER_REPLY, by=HANDLER)).then_refused(Superseded)
    case(LEDGER_CASE, facts=replace(FACTS, rulebook=RULEBOOK.initial)).when(LEDGER_REPLY).then_refused(NoPolicy)
