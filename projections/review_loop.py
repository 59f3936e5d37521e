"""What happens to a bad or contested review, as it changes the columns; where it stands follows from step to step.

The rules look at what was done and say where it stands; here each event moves it on from where it stood. A test holds
the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from domain.deadlines import Due
from domain.decider import Event
from domain.review import Accepted, Stage
from domain.review.adding import MistakeConfirmed
from domain.review.appealing import AppealDecided, Appealed, Excluded, Told
from domain.review.flagging import Checked, CheckOwed, FlagCleared, Flagged
from domain.review.linking import ComplaintLinked
from domain.review.objecting import ExclusionObjected, ObjectionDecided, Reinstated
from domain.review.proposals import ProposalDeclined, ProposalExpired, Proposed
from domain.review.revisiting import Closed, Revisited, ReworkOrdered
from domain.review.settling import ExplanationGiven, RectificationPlanned, Rectified, Replied
from domain.review.state import Clock, Settled
from domain.review.verifying import Contacted, Verified
from domain.review.watching import DeadlineRecomputed, SupervisionIssued, SupervisionLifted
from projections.limits import limit_of, with_limits
from projections.review_row import ReviewRow, due_of

IN_WORK: Final[Mapping[Stage, tuple[Clock, ...]]] = {
    Stage.BAD_OPEN: (Clock.CONTACT, Clock.VERIFY),
    Stage.BAD_CONTACTED: (Clock.VERIFY,),
    Stage.BAD_VERIFIED: (Clock.RECTIFY,),
    Stage.RECTIFYING: (Clock.RECTIFY,),
}
"""Which limits run while the work order stands there, as long as nobody contests the review."""
UNCALLED: Final = frozenset({Stage.COUNTED, Stage.BAD_OPEN})
NOTHING_PROPOSED: Final[Mapping[str, Any]] = {"proposal": None, "proposal_until": None, "waiting_for": None}


def changes(row: ReviewRow, event: Event) -> dict[str, Any]:
    """Give the columns that an event of the loop changes, with all that follows from them."""
    changed = _changed(row, event)
    moved = row.but(changed)
    stage = _stage(moved)
    if stage is not row.stage:
        changed |= {"stage": stage, "stage_since": event.at}
    return changed | next_due(moved, stage)


def _stage(row: ReviewRow) -> Stage | None:
    if row.excluded:
        return Stage.EXCLUDED
    return row.work if row.appeal is None else Stage.UNDER_APPEAL


def in_hand(row: ReviewRow, stage: Stage | None) -> Iterable[Clock]:
    """Give the limits that somebody still has to keep where a review stands, as far as they may be set."""
    if row.checks:
        yield Clock.CHECK
    match stage:
        case Stage.EXCLUDED:
            if not row.told:
                yield Clock.TELL
            if row.objection is not None:
                yield Clock.OBJECTION
        case Stage.UNDER_APPEAL:
            # The time to contact who rated does not stand still for an appeal (domain.md §7.2).
            if row.work in UNCALLED:
                yield Clock.CONTACT
            yield Clock.APPEAL
        case Stage.RECTIFIED:
            if row.replied_at is None:
                yield Clock.REPLY
            yield Clock.REVISIT
        case None:
            return
        case _:
            yield from IN_WORK.get(stage, ())


def next_due(row: ReviewRow, stage: Stage | None) -> dict[str, Any]:
    """Give the columns of the limit that comes first of those that somebody still has to keep."""
    first: tuple[datetime, Clock, bool] | None = None
    for clock in in_hand(row, stage):
        due, provisional = limit_of(row.limits, clock)
        if due is not None and (first is None or due < first[0]):
            first = due, clock, provisional
    if first is None:
        return {"due": None, "due_clock": None, "due_provisional": False}
    return dict(zip(("due", "due_clock", "due_provisional"), first, strict=True))


def limits(row: ReviewRow, **started: Due | None) -> dict[str, Any]:
    """Give the columns of the limits after some were set, by their small names; None sets none."""
    known = {Clock(name): due for name, due in started.items() if due is not None}
    if not known:
        return {}
    columns = with_limits(row.limits, known)
    found = dict(zip(("clocks", "clock_dues", "clocks_provisional"), columns, strict=True))
    for clock in (Clock.CONTACT, Clock.VERIFY):
        if clock in known:
            found |= due_of(f"{clock}_due", known[clock])
    return found


def _changed(row: ReviewRow, event: Event) -> dict[str, Any]:
    match event:
        case Accepted():
            return {
                "work": Stage.BAD_OPEN,
                "accepted_at": event.at,
                "lead": event.lead,
                **due_of("appeal_until", event.appeal_until),
                **limits(row, contact=event.contact_due, verify=event.verify_due),
            }
        case Contacted():
            work = Stage.BAD_CONTACTED if row.work is Stage.BAD_OPEN else row.work
            return {"work": work, "contacted_at": row.contacted_at or event.at}
        case Verified(verdict=verdict) if verdict.contests:
            return {"verified_at": event.at, "verdict": None}
        case Verified():
            return {
                "work": Stage.BAD_VERIFIED,
                "verified_at": event.at,
                "verdict": event.verdict,
                **limits(row, rectify=event.rectify_due),
            }
        case RectificationPlanned(due=due):
            limit, _ = row.limit(Clock.RECTIFY)
            # What the unit promised is the limit from now on; it never lengthens one.
            promised = limits(row, rectify=due) if limit is None or limit >= due.at else {}
            return {"work": Stage.RECTIFYING, "planned_until": due.at, **promised}
        case Rectified() | ExplanationGiven():
            return {
                "work": Stage.RECTIFIED,
                "settled": Settled.RECTIFIED if isinstance(event, Rectified) else Settled.EXPLAINED,
                "settled_at": event.at,
                **limits(row, reply=event.reply_due, revisit=event.revisit_due),
            }
        case Replied():
            return {"replied_at": event.at}
        case Revisited():
            said = {"satisfied": event.satisfied, "wants_follow_up": event.wants_follow_up}
            return {"work": Stage.REVISITED, "revisited_at": event.at, **said}
        case ReworkOrdered(rework_no=reworks, rectify_due=due):
            again = dict.fromkeys(("planned_until", "settled", "settled_at", "replied_at", "revisited_at"))
            return {"work": Stage.BAD_VERIFIED, "reworks": reworks, **again, **limits(row, rectify=due)}
        case Closed():
            return {"work": Stage.BAD_CLOSED, "closed_at": event.at}
        case MistakeConfirmed():
            return {"mistake_confirmed": True}
        case ComplaintLinked(complaint=complaint):
            return {"complaint": complaint}
        case DeadlineRecomputed(clock=clock, new=new):
            return limits(row, **{clock: new}) if clock in row.clocks else {}
        case _:
            return _contested(row, event)


def _contested(row: ReviewRow, event: Event) -> dict[str, Any]:
    match event:
        case Appealed():
            told = {"appeal": event.appeal, "appealed_at": event.at, "appeal_ground": event.ground}
            return {**told, **limits(row, appeal=event.decide_due)}
        case Proposed(proposal=proposal, until=until):
            return {
                "proposal": proposal,
                "proposal_until": None if until is None else until.at,
                "waiting_for": type(event).confirm,
            }
        case ProposalDeclined() | ProposalExpired():
            return {**NOTHING_PROPOSED} if event.proposal == row.proposal else {}
        case AppealDecided():
            decided = {**NOTHING_PROPOSED, "appeal": None, "appeals": row.appeals + 1}
            return {
                **decided,
                **limits(
                    row,
                    verify=event.verify_due,
                    rectify=event.rectify_due,
                    reply=event.reply_due,
                    revisit=event.revisit_due,
                ),
            }
        case Excluded():
            return {
                "excluded": True,
                "excluded_at": event.at,
                "exclude_reason": event.reason,
                "told": not row.known,
                **due_of("objection_until", event.objection_until),
                **limits(row, tell=event.tell_due),
            }
        case Told(done=done, objection_until=until):
            return {"told": done, **due_of("objection_until", until)}
        case ExclusionObjected(objection=objection):
            return {"objection": objection, "objected_at": event.at, **limits(row, objection=event.decide_due)}
        case ObjectionDecided():
            return {**NOTHING_PROPOSED, "objection": None}
        case Reinstated():
            return {
                "excluded": False,
                "reinstated_at": event.at,
                **limits(
                    row,
                    contact=event.contact_due,
                    verify=event.verify_due,
                    rectify=event.rectify_due,
                    reply=event.reply_due,
                    revisit=event.revisit_due,
                ),
            }
        case _:
            return _watched(row, event)


def _watched(row: ReviewRow, event: Event) -> dict[str, Any]:
    match event:
        case SupervisionIssued(supervision=order, level=level):
            return _orders((*row.supervised, order), (*row.supervised_levels, level))
        case SupervisionLifted(supervision=order):
            left = [pair for pair in zip(row.supervised, row.supervised_levels, strict=True) if pair[0] != order]
            return _orders(tuple(one for one, _ in left), tuple(level for _, level in left))
        case Flagged(flag=flag, detector=detector):
            return {"flags": (*row.flags, flag), "detectors": (*row.detectors, detector)}
        case FlagCleared(flag=flag):
            open_ones = [pair for pair in zip(row.flags, row.detectors, strict=True) if pair[0] != flag]
            return {"flags": tuple(one for one, _ in open_ones), "detectors": tuple(by for _, by in open_ones)}
        case CheckOwed(draw=draw, check_due=due):
            # Drawn twice, they are asked once, within the first limit.
            return {"checks": (*row.checks, draw), **({} if row.checks else limits(row, check=due))}
        case Checked(done=done, genuine=genuine):
            still = () if done else row.checks
            return {"checks": still, "checked_at": event.at, "genuine": genuine or row.genuine}
        case _:
            return {}


def _orders(orders: tuple[Any, ...], levels: tuple[int, ...]) -> dict[str, Any]:
    return {"supervised": orders, "supervised_levels": levels, "supervision_level": max(levels, default=0)}
