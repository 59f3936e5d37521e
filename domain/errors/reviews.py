"""Refusals of ratings: a visit is rated once, by whoever was served, with codes that belong to the grade."""

from __future__ import annotations

from domain.errors.refused import Refused


class NobodyServed(Refused):
    """Nothing says who served: no window with a department, no item and no department."""

    code = "nobody-served"
    about = "content"
    then = "Name the window, the item or the department."


class InvitationUnknown(Refused):
    """This link invites to no rating."""

    code = "invitation-unknown"
    then = "Scan the code again, or ask at the window for a new one; without it a complaint can always be made."


class InvitationUsed(Refused):
    """With this link a rating was given already."""

    code = "invitation-used"
    then = "What was rated can be added to once, with the link that came with the rating."


class AlreadyReviewed(Refused):
    """This visit has been rated already."""

    code = "already-reviewed"
    then = "It can be added to once, with the link that came with the rating; a complaint can always be made."


class ReasonMissing(Refused):
    """A bad rating needs a reason: a code or a few words."""

    code = "reason-missing"
    about = "content"
    then = "Tick what was wrong, or write it in your own words."


class CodeNotOfGrade(Refused):
    """A code that was ticked belongs to another grade."""

    code = "code-not-of-grade"
    about = "content"
    then = "Tick only codes that are offered with the grade."


class NothingAdded(Refused):
    """A follow-up adds a grade or a few words; codes belong to a grade."""

    code = "nothing-added"
    about = "content"
    then = "Choose a grade, or write something; the one follow-up is still yours."


class FollowedUp(Refused):
    """This rating was added to already."""

    code = "followed-up"
    then = "A rating is added to once; if something is still wrong, make a complaint."
