"""One row per complaint: where it stands, who has it, what is due."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from domain import complaint
from domain.complaint.ledger import LedgerEvent, step_after
from domain.complaint.privacy import PrivacyEvent
from domain.complaint.state import TERMINAL, Clock, Step
from domain.complaint.units import HandedOver
from domain.decider import Event
from domain.rulebook import Profile
from projections.asides import changes, in_turn, joined, settled, waits
from projections.docket_row import DERIVING, DocketRow, dates, first_row, with_limits
from projections.restriction import erasing
from projections.tables import Entry, Projection

__all__ = ["DOCKET", "DUE_OR_NEVER", "DocketRow", "evolve", "fold", "key"]


def evolve(row: DocketRow | None, entry: Entry) -> DocketRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, complaint.Registered):
        return first_row(event, entry)
    if row is None:
        return None
    changed = _of_the_loop(row, event)
    if changed is None:
        changed = erasing(event) if isinstance(event, PrivacyEvent) else changes(row, event)
    if row.profile == Profile.LEDGER and isinstance(event, LedgerEvent):
        has = event if isinstance(event, complaint.Assigned | HandedOver) else row
        held = has.department is not None or has.handler is not None
        changed["step"] = step_after(row.step, event, held=held)
    step = changed.get("step", row.step)
    if step is not row.step:
        changed |= _moved(row, step, event)
        if row.waiting or "waiting" in changed:
            # What was to be decided at an earlier step is not to be decided any more.
            changed |= in_turn(row.but(changed), complaint.NEXT_STEPS[step])
    if not DERIVING.isdisjoint(changed):
        changed |= dates(row, changed)
    return row.but({"position": entry.position, "version": entry.version, "changed_at": event.at, **changed})


def _moved(row: DocketRow, step: Step, event: Event) -> dict[str, Any]:
    """Give when and how a case ended, which its archiving does not change; nothing stands still any more then."""
    if step in TERMINAL and row.step not in TERMINAL:
        return {"ended_at": event.at, "ended_as": step, "pauses": (), "pauses_until": (), "pauses_provisional": ()}
    return {} if step in TERMINAL else {"ended_at": None, "ended_as": None}


def _of_the_loop(row: DocketRow, event: Event) -> dict[str, Any] | None:
    match event:
        case complaint.Accepted():
            return {
                "step": Step.ACCEPTED,
                "category": event.category,
                "severity": event.severity,
                "accepted_at": event.at,
                "accepted_late": event.late,
                **with_limits(row, {Clock.ASSIGN: event.assign_due, Clock.HANDLE: event.handle_due}),
            }
        case complaint.Assigned(department=department):
            return {
                "step": Step.ASSIGNED,
                "department": department,
                "departments": joined(row.departments, [department, *event.assist]),
                "handler": event.handler,
                **with_limits(
                    row,
                    {Clock.SIGN: event.sign_due, Clock.CONTACT: event.contact_due, Clock.RETURN: event.return_due},
                ),
            }
        case complaint.AssignmentAccepted(by=by):
            return {"step": Step.IN_PROGRESS, "handler": by.principal}
        case complaint.ComplainantContacted(attempt_no=1, late=late):
            return {"contacted_at": event.at, "contacted_late": late}
        case complaint.FindingRecorded(finding=finding):
            return {"finding": finding, "responsible": joined((), [part.staff for part in event.responsibility])}
        case complaint.ReplySubmitted(reply=reply):
            return {"step": Step.REPLY_PENDING_APPROVAL, **waits(row, reply, "approve-reply", event)}
        case complaint.ReplyApproved(reply=reply):
            return {"step": Step.REPLY_APPROVED, **settled(row, reply)}
        case complaint.ReworkOrdered(rework_no=reworks, handle_due=due):
            if row.step is not Step.REPLIED:
                return {"step": Step.IN_PROGRESS, "reworks": reworks}
            # What was settled at a counter has no unit yet.
            again = Step.ACCEPTED if row.handler is None else Step.IN_PROGRESS
            return {"step": again, "reworks": reworks, **with_limits(row, {Clock.HANDLE: due})}
        case complaint.Replied(reply=reply, late=late, revisit_due=revisit):
            # A merged case stays merged; its complainant is told what the primary was answered.
            merged = row.step is Step.MERGED
            return {
                "step": Step.MERGED if merged else Step.REPLIED,
                "answered_with": reply if merged else None,
                "replied_at": event.at,
                "replied_late": late,
                "revisited_at": None,
                "revisited_late": None,
                **with_limits(row, {Clock.REVISIT: revisit}),
            }
        case complaint.Revisited(late=late):
            return {"revisited_at": event.at, "revisited_late": late}
        case complaint.Closed():
            return {"step": Step.CLOSED, "closed_at": event.at}
        case _:
            return None


DUE_OR_NEVER: Final = "coalesce(due, 'infinity'::timestamptz)"
"""How a worklist is sorted: what nobody knows the limit of comes last."""


def key(entry: Entry) -> UUID | None:
    """Give the case an event belongs to."""
    return entry.stream if entry.name.startswith(("complaint.", "privacy.")) else None


DOCKET: Final = Projection(
    name="docket",
    number=2,
    row=DocketRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType(
        {
            "number": "complaint_no",
            "by_due": f'{DUE_OR_NEVER}, "case"',
            "newest": 'registered_at, "case"',
            "department": "department",
            "complainant": "complainant",
            "primary": '"primary"',
        }
    ),
)
fold: Final = DOCKET.fold
