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


class OwnRating(Refused):
    """This rating is about you, or about the window where you served then."""

    code = "own-rating"
    about = "person"
    watched = True
    then = "Somebody who was not rated acts; you may appeal against the rating."


class OwnRecord(Refused):
    """Nobody handles a rating that they gave, or wrote down for somebody."""

    code = "own-record"
    about = "person"
    watched = True
    then = "Somebody else acts."


class OwnWorkDecided(Refused):
    """Nobody decides on an appeal they made, or on a rating they worked on, nor works on one they decided on."""

    code = "own-work-decided"
    about = "person"
    watched = True
    then = "Another decider from outside the unit, who took no part, decides."


class UnitRated(Refused):
    """Nobody of the unit that was rated decides here."""

    code = "unit-rated"
    about = "person"
    watched = True
    then = "Two deciders from outside the unit decide."


class PanelUsed(Refused):
    """Whoever took part in the decision does not decide on the objection to it."""

    code = "panel-used"
    about = "person"
    watched = True
    then = "Two deciders who took no part in the exclusion decide."


class NobodyToContact(Refused):
    """Whoever rated gave no name, so nobody is called."""

    code = "nobody-to-contact"
    then = "Verify it from the records; they read the reply with the link of their rating."


class EvidenceMissing(Refused):
    """Without evidence nothing is taken out of the figures."""

    code = "evidence-missing"
    about = "content"
    then = "Record the evidence first, and name it."


class MistakeUnconfirmed(Refused):
    """Only whoever rated can say that the grade was a mistake."""

    code = "mistake-unconfirmed"
    then = "They confirm it with the link of their rating; until then the rating stays."


class NotFlagged(Refused):
    """Nothing was noticed about this review that would have to be decided on."""

    code = "not-flagged"
    then = "Leave it as it is; a bad review is appealed against by whom it is about."


class VerdictAsksOtherwise(Refused):
    """The verdict asks for another step."""

    code = "verdict-asks-otherwise"
    then = "What is valid is put right, and planned first where it is complex; everything else is explained."


class PlannedTooLate(Refused):
    """The date lies after the limit by which this has to be put right."""

    code = "planned-too-late"
    about = "content"
    then = "Plan it for the limit at the latest."


class ReplyMissing(Refused):
    """Whoever rated has not been given a reply yet."""

    code = "reply-missing"
    then = "Reply first; the revisit asks what they say of it."


class NotABadReview(Refused):
    """This rating is not a bad one, so nothing follows from it by itself."""

    code = "not-a-bad-review"
    then = "A complaint can always be made on its own."


class SeedMismatch(Refused):
    """The seed is not the one that was announced, or was announced and published in no checkpoint yet."""

    code = "seed-mismatch"
    then = "Wait for the next checkpoint; the seed of a draw never changes."
