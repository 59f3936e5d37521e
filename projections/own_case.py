"""What the complainant reads of the own case: what was done, not what is weighed within the house, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain import complaint
from domain.complaint import (
    archiving,
    correcting,
    extending,
    linking,
    proposals,
    recusal,
    returning,
    supervision,
    units,
)
from domain.decider import Event
from domain.sealed import Sealed, sealed_values
from projections.runner import Entry

WITHIN_THE_HOUSE: Final[tuple[type[Event], ...]] = (
    complaint.EvidenceRecorded,
    complaint.ReplySubmitted,
    complaint.ReplyApproved,
    complaint.ReworkOrdered,
    archiving.Archived,
    correcting.StatementInvited,
    correcting.RespondentStated,
    extending.ExtensionRequested,
    extending.ExtensionRejected,
    linking.DuplicateLinked,
    linking.DuplicateUnlinked,
    proposals.Proposed,
    proposals.ProposalDeclined,
    proposals.ProposalExpired,
    recusal.RecusalRequested,
    returning.AssignmentReturnRequested,
    returning.AssignmentReturnRejected,
    supervision.Reminded,
    supervision.SupervisionIssued,
    supervision.SupervisionAnswered,
    supervision.SupervisionLifted,
    units.UnitCalledIn,
    units.UnitAnswered,
)
"""What is asked and weighed within the house, and who else complains: not for the complainant (our design)."""


def for_the_complainant(entries: Sequence[Entry]) -> list[Entry]:
    """Give what the complainant reads of a history."""
    return [one for one in entries if not isinstance(one.event, WITHIN_THE_HOUSE)]


def answer(entries: Sequence[Entry]) -> list[tuple[str, Sealed]]:
    """Give the sealed texts of the answer that was given last, by kind, in their order; none where there is none."""
    given = [one.event for one in entries if isinstance(one.event, complaint.Replied)]
    if not given:
        return []
    last = given[-1]
    if last.content is not None:
        return [("content", last.content)]
    submitted = (one.event for one in entries if isinstance(one.event, complaint.ReplySubmitted))
    source = next((one for one in submitted if one.reply == last.reply), None)
    return [] if source is None else list(sealed_values(source))
