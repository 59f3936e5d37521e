"""Refusals that lie with who asks: no role, no post, their own cause, or the other side of their own work."""

from __future__ import annotations

from domain.errors.refused import Refused


class NotYourRole(Refused):
    """This role may not do this."""

    code = "not-your-role"
    about = "person"
    then = "Act in the post that carries the role, or ask somebody who holds it."


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


class OwnReturn(Refused):
    """Nobody decides on a return they asked for."""

    code = "own-return"
    about = "person"
    watched = True
    then = "Somebody else at the complaint desk decides."


class OwnProposal(Refused):
    """Nobody confirms or declines what they proposed themselves."""

    code = "own-proposal"
    about = "person"
    watched = True
    then = "Another person who may confirm it decides."


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


class WithdrawalInvalid(Refused):
    """A withdrawal is not taken by whom the complaint is about, by their unit, or by who handles it."""

    code = "withdrawal-invalid"
    about = "person"
    watched = True
    then = "Somebody of the complaint window takes it, or the complainant withdraws by number and query code."


class OwnClock(Refused):
    """Nobody stops the clock of a case they handle, or lengthens its limit."""

    code = "own-clock"
    about = "person"
    watched = True
    then = "Another head of the unit, or the deputy, decides."


class OwnErasure(Refused):
    """Who asked for an erasure does not decide on it, and who decides or carries it out does not witness it."""

    code = "own-erasure"
    about = "person"
    watched = True
    then = "Another person takes this step."


class OwnWorkErased(Refused):
    """Nobody decides on, witnesses or carries out the erasure of a case they handled, approved or reviewed."""

    code = "own-work-erased"
    about = "person"
    watched = True
    then = "Somebody who took no part in the case acts."


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


class OwnAnswerLifted(Refused):
    """Nobody lifts an order that they answered, or on a case they worked on."""

    code = "own-answer-lifted"
    about = "person"
    watched = True
    then = "Another supervisor lifts it."


class OwnContactReclassified(Refused):
    """Nobody says of a contact they took down that it is no complaint after all."""

    code = "own-contact-reclassified"
    about = "person"
    watched = True
    then = "Somebody else at the complaint desk, or a supervisor, says so."
