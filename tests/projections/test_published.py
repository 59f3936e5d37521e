"""What is published stands in its list while it may, and no longer."""

from __future__ import annotations

from typing import Final

import pytest

from domain.complaint import Event, ProcessingRestricted, RestrictionLifted
from domain.complaint.ending import TransferredOut
from domain.complaint.privacy import Lifting
from domain.complaint.publishing import Published, Unpublished
from projections.codec import NAMES, decode
from projections.published import PublishedRow, evolve, key
from tests.annex import TRANSFERRED, officer
from tests.controls import CLOSED, upto
from tests.hall import key as name
from tests.hall import local, sealed
from tests.projections.test_codec import SAMPLES
from tests.projections.town import but, entries

PUBLICATION: Final = Published(
    at=local("03-06"),
    by=officer(),
    proposal=name("proposal"),
    proposer=officer().person,
    redaction=sealed("redaction"),
    reply=None,
)
UNPUBLISHED: Final = Unpublished(at=local("03-07"), by=officer(), reason=sealed("reason"))
RESTRICTED: Final = ProcessingRestricted(
    at=local("03-07"), by=officer(), erasure_request=name("wish"), restricted_until=None
)
LIFTED: Final = RestrictionLifted(at=local("03-08"), by=officer(), erasure_request=name("wish"), reason=Lifting.MISTAKE)


def folded(*events: Event) -> PublishedRow | None:
    """Give the row of a closed case after these."""
    row = None
    for one in entries(*upto(CLOSED), *events):
        if key(one) is not None:
            row = evolve(row, one)
    return row


def test_a_published_case_has_a_row_that_names_its_event() -> None:
    """Before it has none; published anew it names the new event."""
    assert folded() is None
    row = folded(PUBLICATION)
    assert row is not None
    assert (row.version, row.published_at) == (len(upto(CLOSED)) + 1, PUBLICATION.at)
    again = folded(PUBLICATION, UNPUBLISHED, but(PUBLICATION, at=local("03-09")))
    assert again is not None
    assert again.version == row.version + 2


def test_what_is_taken_out_or_erased_has_no_row() -> None:
    """And nothing that happens later brings one."""
    erased = decode("privacy.erased.1", SAMPLES["privacy.erased.1"])[0]
    assert isinstance(erased, NAMES["privacy.erased.1"])
    for end in (UNPUBLISHED, erased):
        assert folded(PUBLICATION, end) is None  # type: ignore[arg-type]  # an event of the complaint
        assert folded(PUBLICATION, end, LIFTED) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("events", "accused", "restricted"),
    [
        ((RESTRICTED,), False, True),
        ((RESTRICTED, LIFTED), False, False),
        ((but(TRANSFERRED, sealed=True),), True, False),
        ((but(TRANSFERRED, sealed=True), RESTRICTED, LIFTED), True, False),
        ((TRANSFERRED,), False, False),
    ],
)
def test_what_is_closed_to_others_is_marked(events: tuple[Event, ...], accused: bool, restricted: bool) -> None:  # noqa: FBT001
    """An accusation that went on stays closed; a restriction may end."""
    assert isinstance(TRANSFERRED, TransferredOut)
    row = folded(PUBLICATION, *events)
    assert row is not None
    assert (row.accused, row.restricted) == (accused, restricted)
