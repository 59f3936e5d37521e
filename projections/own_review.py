"""What whoever rated reads of the own rating: what became of it, not what is weighed or looked for within the house."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.decider import Event
from domain.review import Appended, Submitted, flagging, proposals, settling, verifying, watching
from domain.sealed import Sealed
from projections.tables import Entry

WITHIN_THE_HOUSE: Final[tuple[type[Event], ...]] = (
    verifying.EvidenceRecorded,
    proposals.Proposed,
    proposals.ProposalDeclined,
    proposals.ProposalExpired,
    watching.Reminded,
    watching.SupervisionIssued,
    watching.SupervisionAnswered,
    watching.SupervisionLifted,
    # Whoever gives forged ratings must not read what gave them away.
    flagging.Flagged,
    flagging.FlagCleared,
    flagging.CheckOwed,
    flagging.Checked,
)
"""What is not for whoever rated (our design)."""


def for_who_rated(entries: Sequence[Entry]) -> list[Entry]:
    """Give what whoever rated reads of the history of their rating."""
    return [one for one in entries if not isinstance(one.event, WITHIN_THE_HOUSE)]


def own_words(entries: Sequence[Entry]) -> list[Sealed]:
    """Give what they wrote themselves: the words of the rating, and those of the follow-up."""
    said = (one.event.text for one in entries if isinstance(one.event, Submitted | Appended))
    return [text for text in said if text is not None]


def told_back(entries: Sequence[Entry]) -> dict[str, tuple[str, Sealed]]:
    """Give what the unit told them last, by what it is, each with the kind under which it is sealed.

    `planned` says why it takes longer, `put_right` what was done, `explained` why there was nothing to do.
    """
    found: dict[str, tuple[str, Sealed]] = {}
    for event in (one.event for one in entries):
        match event:
            case settling.RectificationPlanned(reason_told=text):
                found["planned"] = "reason_told", text
            case settling.Rectified(actions=text):
                found["put_right"] = "actions", text
            case settling.ExplanationGiven(explanation=text):
                found["explained"] = "explanation", text
            case settling.Replied(text=text):
                found["reply"] = "text", text
            case _:
                pass
    return found
