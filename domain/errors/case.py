"""Refusals that lie with how the case stands: its step, its limits, what is missing or over."""

from __future__ import annotations

from domain.errors.refused import Refused


class Unknown(Refused):
    """There is no such case, or you may not know of it."""

    code = "not-found"
    then = "Check the number. If it is right, ask the complaint desk."


class OutOfTurn(Refused):
    """The case is not at the step this command belongs to."""

    code = "out-of-turn"
    then = "Read the case again: somebody may have acted meanwhile. Its next steps are listed with it."


class NoPolicy(Refused):
    """No policy is in force for this case, so nobody can be told to handle it yet."""

    code = "no-policy"
    then = "An administrator adopts a policy; the complaint itself is safely registered."


class Designated(Refused):
    """It was decided for good that the case stays with this unit."""

    code = "designated"
    then = "Handle it; the complaint desk can hand it over to another unit."


class CannotMerge(Refused):
    """These two cases cannot be joined."""

    code = "cannot-merge"
    then = "Choose an open case of the same hall, no less advanced than this one, that nothing else is joined to."


class LinkedCases(Refused):
    """Other complainants are joined to this case, and none of them may be lost with it."""

    code = "linked-cases"
    then = "Take the cases apart first; each of them then ends for itself."


class LinkedUnserved(Refused):
    """Somebody who is joined to this case has not been answered, or not been asked afterwards."""

    code = "linked-unserved"
    then = "Give each of them the reply and the revisit; the merged cases are listed with this one."


class Superseded(Refused):
    """What this decides on is no longer the current one."""

    code = "superseded"
    then = "Read the case again and decide on the current one."


class ProposalPending(Refused):
    """The same is proposed already and waits for another person."""

    code = "proposal-pending"
    then = "Have it confirmed or declined, or wait until it expires; then propose anew."


class ProposalOver(Refused):
    """The proposal was not confirmed in time."""

    code = "proposal-over"
    then = "Propose it anew, and have another person confirm it in time."


class FinalDecision(Refused):
    """The second review has ended this; the same facts are not taken up again."""

    code = "final-decision"
    then = "With new facts, tell the complaint desk: it can reopen the case."


class NotForPublication(Refused):
    """A sealed or restricted case is not published, and who complained there is not disclosed."""

    code = "not-for-publication"
    then = "Leave it; where the law requires otherwise, the restriction is lifted first."


class AlreadyPublished(Refused):
    """The case is published already."""

    code = "already-published"
    then = "Take it out of publication first, then propose the new text."


class NothingOpen(Refused):
    """There is nothing in this case that this could be about."""

    code = "nothing-open"
    then = "Take another of the next steps; what can be decided on is listed with the case."


class ContactMissing(Refused):
    """The complainant has not been contacted, and contact was not tried often enough."""

    code = "contact-missing"
    then = "Record a contact, or the required attempts on different days."


class FindingMissing(Refused):
    """There is no finding yet."""

    code = "finding-missing"
    then = "Record the finding first."


class NothingToRectify(Refused):
    """The finding asks for no rectification."""

    code = "nothing-to-rectify"
    then = "Go on to the reply; if the finding was wrong, record the right one first."


class RectificationMissing(Refused):
    """The finding asks for a rectification, and none is planned."""

    code = "rectification-missing"
    then = "Plan the rectification, with a date, then reply."


class RectificationOpen(Refused):
    """A rectification is neither verified nor tracked with a date that is still to come."""

    code = "rectification-open"
    then = "Have it carried out and verified; where the verification failed, plan it anew with a date."


class RevisitMissing(Refused):
    """The result has not been revisited, and the revisit was not tried often enough."""

    code = "revisit-missing"
    then = "Record a revisit, or the required attempts on different days."


class AlreadyRevisited(Refused):
    """What the complainant says of this reply is on record already."""

    code = "already-revisited"
    then = "Read what was answered; a new reply is revisited anew."


class TooLate(Refused):
    """The time in which this could be done is over."""

    code = "too-late"
    then = "Read until when there was time; the complaint desk says what is still possible."


class TooEarly(Refused):
    """The time for this has not come yet."""

    code = "too-early"
    then = "Do it after the time that is told."


class OnceOnly(Refused):
    """This can be done only once, and it has been done or is being decided on."""

    code = "once-only"
    then = "Read what came of it; go on with what there is."


class ClockStands(Refused):
    """The clock of this case stands still."""

    code = "clock-paused"
    then = "Have the clock resumed first; the head of the unit does it."


class PausedEnough(Refused):
    """The clock of this round stood still for as long as the policy allows."""

    code = "paused-enough"
    then = "Answer with what there is, or ask for an extension."


class DecidedTooLate(Refused):
    """The extension was to be decided earlier, so it can no longer be approved."""

    code = "decided-too-late"
    then = "Reject it. While the limit is not over yet, another one can be asked for; afterwards reply, late as it is."


class StillInHandling(Refused):
    """The case is still in hand, so its personal data cannot be erased."""

    code = "still-in-handling"
    then = "Restrict it; decide again when the case has ended and its retention is over."


class RetentionRuns(Refused):
    """The case must be kept until a date that is still to come."""

    code = "retention-runs"
    then = "Restrict it; decide again after that date."


class RetentionUnknown(Refused):
    """The rules name no retention for such a case."""

    code = "retention-unknown"
    then = "An administrator adopts a policy with the retention; restrict the case until then."


class WitnessMissing(Refused):
    """Nobody has witnessed this erasure."""

    code = "witness-missing"
    then = "Another person witnesses it, in a session of their own; then erase."


class ErasureUnderWay(Refused):
    """The erasure of this case is granted, so nothing else is done with it."""

    code = "erasure-under-way"
    then = "It is witnessed and carried out; before it is witnessed, the privacy officer can decide otherwise."


class WarrantMissing(Refused):
    """The processing of this case is restricted, so it is opened under a warrant only."""

    code = "warrant-missing"
    then = "Give the number of the document that allows it."


class DataErased(Refused):
    """The personal data of this case are erased."""

    code = "data-erased"
    then = "Register a new complaint for whatever is new."


class ComplaintToRegister(Refused):
    """What somebody complains of is registered; there is no other end of it."""

    code = "complaint-to-register"
    then = "Register the complaint. If it was none, the complaint desk or a supervisor says what it was."


class NotAComplaint(Refused):
    """This contact was no complaint, so no case belongs to it."""

    code = "not-a-complaint"
    then = "Say first that it is a complaint."
