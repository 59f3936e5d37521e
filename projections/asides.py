"""What happens beside the loop, as it changes the row of a complaint on the docket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.complaint import (
    archiving,
    correcting,
    ending,
    extending,
    linking,
    proposals,
    publishing,
    recusal,
    returning,
    reviewing,
    supervision,
    supplementing,
    timing,
    units,
)
from domain.complaint.intake import Confidentiality
from domain.complaint.state import Clock, Respondent, Step
from domain.decider import Event
from domain.rulebook import Profile
from projections.docket_row import DocketRow, with_limits

T = TypeVar("T")
PROPOSED: Final[Mapping[type[Event], str]] = {
    ending.RefusalProposed: "confirm-refuse",
    ending.TerminationProposed: "confirm-terminate",
    linking.UnmergeProposed: "confirm-unmerge",
    publishing.PublicationProposed: "confirm-publish",
    publishing.DisclosureProposed: "confirm-disclose",
}
"""What a proposal waits for."""


def joined(there: tuple[T, ...], more: Iterable[T | None]) -> tuple[T, ...]:
    """Give all of them once, in the order in which they came."""
    return tuple(dict.fromkeys(one for one in (*there, *more) if one is not None))


def waits(row: DocketRow, what: UUID, command: str, event: Event) -> dict[str, Any]:
    """Give the columns after something came that somebody else has to decide by a command."""
    rest = settled(row, what)
    return {
        "waiting": (*rest["waiting"], what),
        "waiting_for": (*rest["waiting_for"], command),
        "waiting_by": (*rest["waiting_by"], event.by.person),
    }


def settled(row: DocketRow, what: UUID) -> dict[str, Any]:
    """Give the columns after something was decided, or needs no decision any more."""
    return _kept(row, [place for place, waiting in enumerate(row.waiting) if waiting != what])


def in_turn(row: DocketRow, commands: Iterable[str]) -> dict[str, Any]:
    """Give what still waits where only these commands are in turn."""
    allowed = set(commands)
    return _kept(row, [place for place, command in enumerate(row.waiting_for) if command in allowed])


def _kept(row: DocketRow, places: list[int]) -> dict[str, Any]:
    return {
        name: tuple(getattr(row, name)[place] for place in places) for name in ("waiting", "waiting_for", "waiting_by")
    }


def _without(row: DocketRow, what: UUID, first: str, *beside: str) -> dict[str, Any]:
    """Give columns that stand side by side without the place that belongs to an id in the first of them."""
    places = [place for place, one in enumerate(getattr(row, first)) if one != what]
    return {name: tuple(getattr(row, name)[place] for place in places) for name in (first, *beside)}


def changes(row: DocketRow, event: Event) -> dict[str, Any]:
    """Give what an event changes in a row; nothing where the docket does not tell of it."""
    if (command := PROPOSED.get(type(event))) is not None:
        return waits(row, event.proposal, command, event)  # type: ignore[attr-defined]  # as each of them has
    match event:
        case supplementing.SupplementRequested():
            return {"step": Step.AWAITING_SUPPLEMENT}
        case supplementing.SupplementProvided() | supplementing.SupplementExpired():
            return {"step": Step.REGISTERED}
        case timing.ClockPaused(pause=pause, until=until):
            rest = _without(row, pause, "pauses", "pauses_until", "pauses_provisional")
            return {
                "pauses": (*rest["pauses"], pause),
                "pauses_until": (*rest["pauses_until"], None if until is None else until.at),
                "pauses_provisional": (*rest["pauses_provisional"], until is not None and until.provisional),
            }
        case timing.ClockResumed(pause=pause):
            return _without(row, pause, "pauses", "pauses_until", "pauses_provisional")
        case extending.ExtensionRequested(extension=extension):
            return waits(row, extension, "decide-extension", event)
        case extending.ExtensionApproved(extension=what) | extending.ExtensionRejected(extension=what):
            return settled(row, what)
        case timing.DeadlineRecomputed(clock=clock, new=new):
            return with_limits(row, {clock: new})
        case ending.Refused(proposal=proposal):
            return {"step": Step.REFUSED, "before": row.step, **settled(row, proposal)}
        case ending.Terminated(proposal=proposal):
            return {"step": Step.TERMINATED, "before": row.step, **settled(row, proposal)}
        case proposals.ProposalDeclined(proposal=proposal) | proposals.ProposalExpired(proposal=proposal):
            return settled(row, proposal)
        case ending.TransferredOut(sealed=sealed):
            hidden = {"confidentiality": Confidentiality.SEALED} if sealed else {}
            return {"step": Step.TRANSFERRED_OUT, "before": row.step, **hidden}
        case ending.Withdrawn():
            return {"step": Step.WITHDRAWN, "before": row.step}
        case archiving.Archived():
            return {"step": Step.ARCHIVED, "before": row.step}
        case linking.Merged(primary=primary):
            return {"step": Step.MERGED, "before": row.step, "primary": primary, "answered_with": None}
        case linking.Unmerged(proposal=proposal):
            apart = {"step": row.before or row.step, "before": None, "primary": None, "answered_with": None}
            return {**apart, **settled(row, proposal)}
        case linking.DuplicateLinked(complainants=complainants, respondent=respondent, noticed=noticed):
            return {
                "linked": row.linked + 1,
                "made_by": joined(row.made_by, complainants),
                "noticed": joined(row.noticed, noticed),
                **_named(row, respondent),
            }
        case linking.DuplicateUnlinked():
            return {"linked": row.linked - 1}
        case units.UnitCalledIn(call=call, department=department):
            return {
                "departments": joined(row.departments, [department]),
                "called": joined(row.called, [department]),
                "calls": (*row.calls, call),
                "calls_to": (*row.calls_to, department),
            }
        case units.UnitAnswered(call=call):
            return _without(row, call, "calls", "calls_to")
        case returning.AssignmentReturnRequested(request=request):
            return waits(row, request, "decide-return", event)
        case returning.AssignmentReturnApproved(request=request, assign_due=due):
            relieved = {"step": Step.ACCEPTED, "department": None, "handler": None}
            return {**relieved, **with_limits(row, {Clock.ASSIGN: due}), **settled(row, request)}
        case returning.AssignmentReturnRejected(request=request):
            return settled(row, request)
        case units.HandedOver():
            return _handed_over(row, event)
        case recusal.RecusalRequested(recusal=asked, target=target):
            return {
                "recusals": (*row.recusals, asked),
                "recusing": (*row.recusing, target),
                **waits(row, asked, "decide-recusal", event),
            }
        case recusal.RecusalDecided(recusal=asked, granted=granted):
            targets = [target for one, target in zip(row.recusals, row.recusing, strict=True) if one == asked]
            out = {"recused": joined(row.recused, targets)} if granted else {}
            return {**out, **_without(row, asked, "recusals", "recusing"), **settled(row, asked)}
        case supervision.SupervisionIssued(supervision=order, level=level):
            levels = (*row.supervised_levels, level)
            return {
                "supervised": (*row.supervised, order),
                "supervised_levels": levels,
                "supervision_level": max(levels),
            }
        case supervision.SupervisionAnswered(supervision=order):
            return waits(row, order, "lift-supervision", event)
        case supervision.SupervisionLifted(supervision=order):
            left = _without(row, order, "supervised", "supervised_levels")
            return {**left, "supervision_level": max(left["supervised_levels"], default=0), **settled(row, order)}
        case _:
            return _later(row, event)


def _later(row: DocketRow, event: Event) -> dict[str, Any]:
    """Go on with what comes after the answer, and with what is corrected."""
    match event:
        case reviewing.ReviewRequested(review=review, level=level, due=due):
            return {
                "step": Step.UNDER_REVIEW,
                "before": row.step,
                "review_level": level,
                **with_limits(row, {Clock.REVIEW: due}),
                **waits(row, review, "decide-review", event),
            }
        case reviewing.ReviewDecided(review=review):
            return {"step": row.before or row.step, "before": None, **settled(row, review)}
        case reviewing.Reopened():
            return _reopened(row, event)
        case correcting.RecordCorrected(category=category, respondent=respondent, sealed=sealed):
            corrected: dict[str, Any] = {} if category is None else {"category": category}
            if sealed:
                corrected["confidentiality"] = Confidentiality.SEALED
            if respondent is not None:
                corrected |= {
                    "respondent_department": respondent.department,
                    "respondent_window": respondent.window,
                    "respondent_staff": respondent.staff,
                    **_named(row, respondent),
                }
            return corrected
        case correcting.RespondentStated(by=by):
            return {"named_staff": joined(row.named_staff, sorted(by.persons))}
        case publishing.Published(proposal=proposal):
            return {"published": True, **settled(row, proposal)}
        case publishing.IdentityDisclosed(proposal=proposal):
            return settled(row, proposal)
        case publishing.Unpublished():
            return {"published": False}
        case _:
            return {}


def _named(row: DocketRow, respondent: Respondent) -> dict[str, Any]:
    return {
        "named_windows": joined(row.named_windows, [respondent.window]),
        "named_staff": joined(row.named_staff, [respondent.staff]),
    }


def _handed_over(row: DocketRow, event: units.HandedOver) -> dict[str, Any]:
    step = units.after_hand_over(row.step, event.from_department, event.department, event.handler)
    taken = {
        "step": step,
        "department": event.department,
        "departments": joined(row.departments, [event.department]),
        "handler": event.handler,
    }
    if step is not Step.ASSIGNED:
        return taken
    if event.department == event.from_department:
        return {**taken, **with_limits(row, {Clock.SIGN: event.sign_due})}
    # A wish to return the case was about the other unit.
    stays = [place for place, command in enumerate(row.waiting_for) if command != "decide-return"]
    limits = with_limits(row, {Clock.SIGN: event.sign_due, Clock.RETURN: event.return_due})
    return {**taken, **limits, **_kept(row, stays)}


def _reopened(row: DocketRow, event: reviewing.Reopened) -> dict[str, Any]:
    """Begin a round, in which nobody was called, answered or revisited yet."""
    anew: dict[str, Any] = {
        "step": Step.ACCEPTED if event.handler is None else Step.IN_PROGRESS,
        "before": None,
        "round": event.round,
        "replied_at": None,
        "replied_late": None,
        "revisited_at": None,
        "revisited_late": None,
        "closed_at": None,
    }
    if row.profile == Profile.LEDGER:
        return anew
    begins = Clock.ASSIGN if event.handler is None else Clock.CONTACT
    due = event.assign_due if event.handler is None else event.contact_due
    return {
        **anew,
        "department": event.department,
        "handler": event.handler,
        "contacted_at": None,
        "contacted_late": None,
        "finding": None,
        "review_level": row.review_level if event.cause is reviewing.ReopenCause.REVIEW else 0,
        **with_limits(row, {Clock.HANDLE: event.handle_due, begins: due}),
    }
