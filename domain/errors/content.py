"""Refusals that lie with what was filled in: the same person may ask for the same thing in other words."""

from __future__ import annotations

from domain.errors.refused import Refused


class DepartmentGone(Refused):
    """This department was merged into another one."""

    code = "department-gone"
    about = "content"
    then = "Choose the department that has its duties now."


class AlreadyThere(Refused):
    """Something with this identifier exists already, with other content."""

    code = "already-there"
    about = "content"
    then = "Read what exists; use another identifier for something new."


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


class HandlerNeeded(Refused):
    """After the answer a case goes to a person by name: nobody signs for it any more."""

    code = "handler-needed"
    about = "content"
    then = "Name the person who carries on what is still to be put right."


class PointsMisallotted(Refused):
    """Each point of the complaint goes into exactly one case, and this one keeps at least one."""

    code = "points-misallotted"
    about = "content"
    then = "Count the points from 1; name each of them once, and leave one or more here."


class NotSettledHere(Refused):
    """What bears a complaint out has to be put right, so it is not settled at the counter."""

    code = "not-settled-here"
    about = "content"
    then = "Accept the complaint and assign it; the unit plans the rectification."


class StillPersonal(Refused):
    """The text still holds what looks like a phone, an identity number, a plate or an address."""

    code = "still-personal"
    about = "content"
    then = "Take it out of the text and propose it again."


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


class ExtensionTooLong(Refused):
    """The extension is longer than the policy allows for this limit."""

    code = "extension-too-long"
    about = "content"
    then = "Ask for no more than the policy allows."


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


class AskedBefore(Refused):
    """This was asked for before on the same ground, and it was decided."""

    code = "asked-before"
    about = "content"
    then = "Name another ground; whether the decision was right can be looked at in a review."


class NotKept(Refused):
    """The log holds less than this, or was taken back to a later position already."""

    code = "not-kept"
    about = "content"
    then = "Give the last position known to be as it was: after the last return, and no more than the log holds."
