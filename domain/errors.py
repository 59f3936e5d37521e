"""Why a command is refused: one class per rule, its docstring the message, its `code` the public name."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

About: TypeAlias = Literal["person", "case", "content"]
"""What a refusal lies with: who asks, how the case stands, or only what was filled in."""


class Refused(Exception):
    """The command is not allowed."""

    code: ClassVar[str] = "refused"
    about: ClassVar[About] = "case"
    """`content` where the same person may ask for the same thing now in other words: the step itself is allowed."""
    watched: ClassVar[bool] = False
    """True: a supervisor would want to know of the attempt, so it goes on record."""
    then: ClassVar[str] = ""
    """What the person can do next."""

    def __init__(self, **facts: object) -> None:
        self.facts = {name: value for name, value in facts.items() if value is not None}
        super().__init__(self.code)

    @classmethod
    def message(cls) -> str:
        """Give the sentence for the person."""
        return (cls.__doc__ or "").strip().splitlines()[0]


class Unknown(Refused):
    """There is no such case, or you may not know of it."""

    code = "not-found"
    then = "Check the number. If it is right, ask the complaint desk."


class AlreadyThere(Refused):
    """Something with this identifier exists already, with other content."""

    code = "already-there"
    about = "content"
    then = "Read what exists; use another identifier for something new."


class OutOfTurn(Refused):
    """The case is not at the step this command belongs to."""

    code = "out-of-turn"
    then = "Read the case again: somebody may have acted meanwhile. Its next steps are listed with it."


class NotYourRole(Refused):
    """This role may not do this."""

    code = "not-your-role"
    about = "person"
    then = "Act in the post that carries the role, or ask somebody who holds it."


class NoPolicy(Refused):
    """No policy is in force for this case, so nobody can be told to handle it yet."""

    code = "no-policy"
    then = "An administrator adopts a policy; the complaint itself is safely registered."


class OwnCause(Refused):
    """You are, or work at the window of, the one this complaint is about."""

    code = "own-cause"
    about = "person"
    watched = True
    then = "Somebody not concerned must act; as respondent you may make a statement."


class OwnComplaint(Refused):
    """You made this complaint yourself, or made it for somebody."""

    code = "own-complaint"
    about = "person"
    watched = True
    then = "Somebody else must act on it."


class OwnWorkApproved(Refused):
    """Nobody approves a reply they worked on."""

    code = "own-work-approved"
    about = "person"
    watched = True
    then = "Another unit head, or the deputy, decides."


class OwnWorkRevisited(Refused):
    """Nobody revisits their own work, nor that of their own unit."""

    code = "own-work-revisited"
    about = "person"
    watched = True
    then = "A revisit officer outside the handling unit takes it."


class OwnWorkVerified(Refused):
    """Nobody verifies a rectification they planned, did or handled."""

    code = "own-work-verified"
    about = "person"
    watched = True
    then = "A supervisor who took no part verifies it."


class OwnAppointment(Refused):
    """Nobody gives themselves a post."""

    code = "own-appointment"
    about = "person"
    watched = True
    then = "Another administrator gives it, or whoever runs the machine, on its command line."


class UnitConcerned(Refused):
    """The complaint is about the head of this unit, so the unit cannot lead it."""

    code = "unit-concerned"
    about = "content"
    watched = True
    then = "Assign it to the upper unit."


class NotYourCase(Refused):
    """The case is assigned to another unit or person."""

    code = "not-your-case"
    about = "person"
    then = "The unit or person it is assigned to acts; the complaint desk can assign it anew."


class UnknownReference(Refused):
    """The command names something the register or the rulebook does not know."""

    code = "unknown-reference"
    about = "content"
    then = "Choose from the register; an administrator can add what is missing."


class UnfitPolicy(Refused):
    """The policy names a limit twice, or calls people unreachable who were never tried."""

    code = "unfit-policy"
    about = "content"
    then = "Name each limit once; ask for at least one attempt, on no more days than attempts."


class Designated(Refused):
    """It was decided for good that the case stays with this unit."""

    code = "designated"
    then = "Handle it; the complaint desk can hand it over to another unit."


class OwnReturn(Refused):
    """Nobody decides on a return they asked for."""

    code = "own-return"
    about = "person"
    watched = True
    then = "Somebody else at the complaint desk decides."


class HandlerNeeded(Refused):
    """After the answer a case goes to a person by name: nobody signs for it any more."""

    code = "handler-needed"
    about = "content"
    then = "Name the person who carries on what is still to be put right."


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


class PointsMisallotted(Refused):
    """Each point of the complaint goes into exactly one case, and this one keeps at least one."""

    code = "points-misallotted"
    about = "content"
    then = "Count the points from 1; name each of them once, and leave one or more here."


class Superseded(Refused):
    """What this decides on is no longer the current one."""

    code = "superseded"
    then = "Read the case again and decide on the current one."


class OwnProposal(Refused):
    """Nobody confirms or declines what they proposed themselves."""

    code = "own-proposal"
    about = "person"
    watched = True
    then = "Another person who may confirm it decides."


class ProposalPending(Refused):
    """The same is proposed already and waits for another person."""

    code = "proposal-pending"
    then = "Have it confirmed or declined, or wait until it expires; then propose anew."


class ProposalOver(Refused):
    """The proposal was not confirmed in time."""

    code = "proposal-over"
    then = "Propose it anew, and have another person confirm it in time."


class OwnWorkEnded(Refused):
    """Nobody who handled a case confirms that its handling ends."""

    code = "own-work-ended"
    about = "person"
    watched = True
    then = "A supervisor who took no part in it decides."


class OwnWorkReviewed(Refused):
    """Nobody reviews a case they had a part in, nor one of their own unit."""

    code = "own-work-reviewed"
    about = "person"
    watched = True
    then = "A reviewer of the upper unit who took no part decides."


class FinalDecision(Refused):
    """The second review has ended this; the same facts are not taken up again."""

    code = "final-decision"
    then = "With new facts, tell the complaint desk: it can reopen the case."


class NotSettledHere(Refused):
    """What bears a complaint out has to be put right, so it is not settled at the counter."""

    code = "not-settled-here"
    about = "content"
    then = "Accept the complaint and assign it; the unit plans the rectification."


class NotForPublication(Refused):
    """A sealed or restricted case is not published, and who complained there is not disclosed."""

    code = "not-for-publication"
    then = "Leave it; where the law requires otherwise, the restriction is lifted first."


class StillPersonal(Refused):
    """The text still holds what looks like a phone, an identity number, a plate or an address."""

    code = "still-personal"
    about = "content"
    then = "Take it out of the text and propose it again."


class AlreadyPublished(Refused):
    """The case is published already."""

    code = "already-published"
    then = "Take it out of publication first, then propose the new text."


class WithdrawalInvalid(Refused):
    """A withdrawal is not taken by whom the complaint is about, by their unit, or by who handles it."""

    code = "withdrawal-invalid"
    about = "person"
    watched = True
    then = "Somebody of the complaint window takes it, or the complainant withdraws by number and query code."


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


class NotEveryPointAnswered(Refused):
    """The reply does not answer every point of the complaint."""

    code = "points-unanswered"
    about = "content"
    then = "Answer each point; a point may be answered by saying why it cannot be."


class WrittenReplyOwed(Refused):
    """A complaint made in writing is answered in writing."""

    code = "written-reply-owed"
    about = "content"
    then = "Deliver the reply by letter, message or over the web."


class DeliveredByItself(Refused):
    """What a machine delivers, nobody can say has arrived but the machine."""

    code = "delivered-by-itself"
    about = "content"
    then = "It is sent by itself once it is approved; record only what you handed over, posted, or told in person."


class DateInPast(Refused):
    """The date given is already over."""

    code = "date-in-past"
    about = "content"
    then = "Give a day that is still to come."


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


class OwnClock(Refused):
    """Nobody stops the clock of a case they handle, or lengthens its limit."""

    code = "own-clock"
    about = "person"
    watched = True
    then = "Another head of the unit, or the deputy, decides."


class ExtensionTooLong(Refused):
    """The extension is longer than the policy allows for this limit."""

    code = "extension-too-long"
    about = "content"
    then = "Ask for no more than the policy allows."


class DecidedTooLate(Refused):
    """The extension was to be decided earlier, so it can no longer be approved."""

    code = "decided-too-late"
    then = "Reject it. While the limit is not over yet, another one can be asked for; afterwards reply, late as it is."


class NotYetHappened(Refused):
    """The time given is still to come."""

    code = "not-yet-happened"
    about = "content"
    then = "Give the time at which it happened, or leave it out if it was just now."


class BeforeLast(Refused):
    """An imported time lies before what the case already holds."""

    code = "before-last"
    about = "content"
    then = "Import the rows of a case in the order of their times."


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


class OwnErasure(Refused):
    """Who asked for an erasure does not decide on it, and who decides or carries it out does not witness it."""

    code = "own-erasure"
    about = "person"
    watched = True
    then = "Another person takes this step."


class OwnWorkErased(Refused):
    """Nobody decides on, witnesses or carries out the erasure of a case they handled or approved."""

    code = "own-work-erased"
    about = "person"
    watched = True
    then = "Somebody who took no part in the case acts."


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


class RecusalPending(Refused):
    """It is said that this person has an interest in the case, and that is not decided yet."""

    code = "recusal-pending"
    about = "person"
    watched = True
    then = "The head of the unit, or a supervisor, decides on it; until then only evidence may be secured."


class Recused(Refused):
    """This person keeps out of the case."""

    code = "recused"
    about = "person"
    watched = True
    then = "Somebody else acts; the case can be handed over."


class OwnRecusal(Refused):
    """Nobody decides whether they keep out themselves, nor on what they asked for."""

    code = "own-recusal"
    about = "person"
    watched = True
    then = "Another head of the unit, or a supervisor, decides."


class NotYourRecusal(Refused):
    """A head of a unit decides on the people of that unit, and not on its heads."""

    code = "not-your-recusal"
    about = "person"
    then = "A supervisor, or the upper unit, decides on it."


class AskedBefore(Refused):
    """This was asked for before on the same ground, and it was decided."""

    code = "asked-before"
    about = "content"
    then = "Name another ground; whether the decision was right can be looked at in a review."


class OwnAnswerLifted(Refused):
    """Nobody lifts an order that they answered, or on a case they worked on."""

    code = "own-answer-lifted"
    about = "person"
    watched = True
    then = "Another supervisor lifts it."


class ComplaintToRegister(Refused):
    """What somebody complains of is registered; there is no other end of it."""

    code = "complaint-to-register"
    then = "Register the complaint. If it was none, the complaint desk or a supervisor says what it was."


class NotAComplaint(Refused):
    """This contact was no complaint, so no case belongs to it."""

    code = "not-a-complaint"
    then = "Say first that it is a complaint."


class OwnContactReclassified(Refused):
    """Nobody says of a contact they took down that it is no complaint after all."""

    code = "own-contact-reclassified"
    about = "person"
    watched = True
    then = "Somebody else at the complaint desk, or a supervisor, says so."
