"""What the complainant reads: what was done and the answer, never what is weighed within the house."""

from __future__ import annotations

import pytest

from domain import complaint
from domain.complaint import proposals, recusal, supervision
from domain.complaint.replying import Replied
from projections.codec import NAMES
from projections.own_case import WITHIN_THE_HOUSE, answer, for_the_complainant
from tests.controls import LOOP
from tests.projections.test_histories import SAMPLED
from tests.projections.town import entries

OF_A_CASE = sorted(name for name in NAMES if name.startswith("complaint."))


@pytest.mark.parametrize("name", OF_A_CASE)
def test_what_happened_to_the_case_is_told_and_what_is_weighed_is_not(name: str) -> None:
    """Each event is one or the other; proposals and orders are the house's own."""
    event = SAMPLED[name]
    told = bool(for_the_complainant(entries(event)))
    assert told is not isinstance(event, WITHIN_THE_HOUSE)
    words = name.split(".")[1].split("-")
    if "proposed" in words or "supervision" in words or "statement" in words:
        assert not told


def test_an_act_of_two_people_is_told_when_it_is_done() -> None:
    """Not before, and not when it was declined."""
    for kind in (proposals.Proposed, proposals.ProposalDeclined, supervision.Reminded, recusal.RecusalRequested):
        assert kind in WITHIN_THE_HOUSE
    for name in ("complaint.refused.1", "complaint.terminated.1", "complaint.unmerged.1", "complaint.replied.1"):
        assert for_the_complainant(entries(SAMPLED[name]))


def test_the_answer_is_what_was_submitted_and_given() -> None:
    """Approved it is not given yet; given it holds reasons, basis and the answer to each point."""
    before = [event for event in LOOP if not isinstance(event, Replied)]
    approved = before[: before.index(next(one for one in before if isinstance(one, complaint.ReplyApproved))) + 1]
    assert answer(entries(*approved)) == []
    kinds = [kind for kind, _ in answer(entries(*LOOP))]
    assert {"reasons", "legal_basis", "points"} <= set(kinds)
