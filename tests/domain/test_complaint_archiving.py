"""What is over goes to the archive; whatever ends a case, its history loads."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Event, Step
from domain.complaint.archiving import Archive, Archived
from domain.decider import THE_SYSTEM, Actor
from domain.errors import (
    NotYourRole,
    OutOfTurn,
    RectificationOpen,
    TooEarly,
)
from tests.annex import (
    ARCHIVED,
    ASIDE,
    DECLINED,
    EXPIRED,
    PROPOSED,
    REFUSED,
    TERMINATED,
    TERMINATION,
    TRANSFERRED,
    WITHDRAWN,
    there,
)
from tests.controls import (
    CLOSED,
    PLANNED,
    VERIFIED,
    upto,
)
from tests.hall import (
    CITIZEN,
    DESK,
    NUMBER,
    SUPERVISOR,
    local,
    until,
)

ARCHIVE: Final = Archive(at=local("04-01"), by=THE_SYSTEM, package_sha256=None)


def test_a_closed_case_goes_to_the_archive_when_nothing_can_be_asked_for_any_more() -> None:
    """With its number there and the day until which it is kept: ten years after it was closed (P14)."""
    archived = there(*upto(CLOSED)).when(ARCHIVE).event
    assert archived == Archived(
        at=local("04-01"),
        by=THE_SYSTEM,
        archive_no=f"DA-{NUMBER}",
        retention_class="ordinary",
        retention_until=archived.retention_until,
        package_sha256=None,
    )
    assert archived.retention_until.day.isoformat() == "2036-03-04"
    over = COMPLAINT.fold([*upto(CLOSED), archived])
    assert over is not None
    assert over.step is Step.ARCHIVED
    there(*upto(CLOSED), archived).when(ARCHIVE).then_refused(OutOfTurn)


def test_the_archive_waits_while_a_review_may_be_asked_for() -> None:
    """An archived case could not be reviewed any more."""
    there(*upto(CLOSED)).when(replace(ARCHIVE, at=until("03-30").at)).then_refused(TooEarly, until=until("03-30").at)
    there(*ASIDE, REFUSED).when(replace(ARCHIVE, at=local("03-16"))).then_refused(TooEarly)
    kept = there(*ASIDE, REFUSED).when(replace(ARCHIVE, at=local("03-17"))).event
    assert (kept.retention_class, kept.retention_until.day.isoformat()) == ("refused", "2029-02-14")


def test_the_archive_waits_while_something_is_to_be_put_right() -> None:
    """A rectification may still be on its way when the case is closed; after a withdrawal nobody goes on with it."""
    planned = [e for e in upto(CLOSED) if type(e).__name__ not in {"Rectified", "RectificationVerified"}]
    there(*planned).when(ARCHIVE).then_refused(RectificationOpen)
    failed = [replace(e, passed=False) if e is VERIFIED else e for e in upto(CLOSED)]
    there(*failed).when(ARCHIVE).then_refused(RectificationOpen)
    withdrawn = (*upto(PLANNED), replace(WITHDRAWN, at=local("02-26")))
    assert there(*withdrawn).when(ARCHIVE).event.retention_class == "refused"


@pytest.mark.parametrize("by", [DESK, SUPERVISOR, CITIZEN], ids=lambda by: by.role)
def test_only_a_timer_archives(by: Actor) -> None:
    """Nobody puts a case away by hand."""
    there(*upto(CLOSED)).when(replace(ARCHIVE, by=by)).then_refused(NotYourRole)


def test_no_event_of_an_end_breaks_a_history_at_any_step() -> None:
    """Histories load, whatever came before (docs/decisions/0001)."""
    leads_to: dict[Event, Step] = {
        REFUSED: Step.REFUSED,
        TRANSFERRED: Step.TRANSFERRED_OUT,
        WITHDRAWN: Step.WITHDRAWN,
        TERMINATED: Step.TERMINATED,
        ARCHIVED: Step.ARCHIVED,
    }
    for last in upto(CLOSED):
        before = COMPLAINT.fold(upto(last))
        assert before is not None
        ends: tuple[Event, ...] = (PROPOSED, TERMINATION, DECLINED, EXPIRED, *leads_to)
        for end in ends:
            state = COMPLAINT.fold([*upto(last), end])
            assert state is not None
            assert state.step is leads_to.get(end, before.step)
