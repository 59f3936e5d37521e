"""Named example data: a visit of February 2026, what was said of it, and every date worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from domain import occasion
from domain.code_sets import CodeSet, CodeSetRef
from domain.complaint.state import IdentityMode
from domain.decider import THE_SYSTEM, Actor, Role
from domain.grade import Grade
from domain.handling import Basis, Facts
from domain.occasion import OCCASION, Invited, Occasion, OccasionCommand, OccasionEvent, Open, Opened, Reviewed, Submit
from domain.review import (
    REVIEW,
    Accepted,
    Append,
    Appended,
    Attribution,
    Corroborate,
    Corroborated,
    Evidence,
    Opinion,
    Review,
    ReviewChannel,
    ReviewCommand,
    ReviewEvent,
    Submitted,
)
from domain.rulebook import RULEBOOK, CodeSetAdopted, PolicyRef, Profile, Rulebook
from domain.sealed import TextFacts
from service import adoption
from tests import hall
from tests.hall import CHEN, CITIZEN, COMPLAINANT, COUNTER, ENTERED, FENG, MEASURED, key, later, local, sealed, until
from tests.specification import Given, given

PROJECT: Final = "37GXQ2026000123"
VISIT: Final = occasion.stream(PROJECT, 1)
RATING: Final = occasion.review_of(VISIT)
TOKEN: Final = "a1" * 32
SECOND_TOKEN: Final = "a2" * 32
OWN_LINK: Final = "b1" * 32
FIVE: Final[CodeSet] = adoption.code_set().code_set()
DETAILS: Final = CodeSetRef(name="eval-detail", version=1)

# Since the 10th FENG serves alone at window 3.
FACTS: Final[Facts] = replace(
    hall.leaving(CHEN, "window-3", local("02-10")),
    rulebook=RULEBOOK.evolve(hall.FACTS.rulebook, CodeSetAdopted(at=ENTERED, by=THE_SYSTEM, code_set=FIVE)),
    rulebook_version=5,
)
BASIS: Final[Basis] = replace(hall.BASIS, rulebook=5)
WINDOW_CLERK: Final = hall.actor(FENG, "window-3")
SOMEBODY: Final = Actor(person=hall.person("SOMEBODY"), role=Role.CITIZEN)
"""Whoever rates without a name: another person each time."""
WORDS: Final[dict[str, Any]] = {"text": sealed("words"), "text_facts": MEASURED}
BLANK: Final[dict[str, Any]] = {"text": sealed("blank", 2), "text_facts": TextFacts(chars=2, has_text=False)}

# Served on Friday 13 February at 10:00. Seven days later is the 20th, a holiday; the first day after it is the 24th.
OPEN: Final = Open(
    at=local("02-13", "10:05"),
    by=THE_SYSTEM,
    hall="GXQ",
    profile=Profile.HALL,
    project_no=PROJECT,
    service_number=1,
    channel=occasion.ServiceChannel.ON_SITE,
    served_at=local("02-13", "10:00"),
    seconds=540,
    window="W03",
    department=None,
    item="licence",
    staff=None,
    applicant=COMPLAINANT,
    agent=None,
    name=sealed("applicant"),
    phone=sealed("telephone"),
)
SERVED: Final = Attribution(department="approval", window="W03", item="licence", staff=FENG)
OPENED: Final = Opened(
    at=OPEN.at,
    by=THE_SYSTEM,
    hall="GXQ",
    profile=Profile.HALL,
    project_no=PROJECT,
    service_number=1,
    channel=occasion.ServiceChannel.ON_SITE,
    served_at=local("02-13", "10:00"),
    seconds=540,
    attribution=SERVED,
    applicant=COMPLAINANT,
    agent=None,
    name=sealed("applicant"),
    phone=sealed("telephone"),
    review_until=until("02-24"),
    basis=BASIS,
)
# A visit of another house: little is known of it, and nobody is asked to rate it.
LEDGER: Final[Open] = replace(
    OPEN, profile=Profile.LEDGER, served_at=None, seconds=None, channel=None, window=None, item=None, applicant=None,
    name=None, phone=None,
)  # fmt: skip
OF_LEDGER: Final[Opened] = replace(
    OPENED, profile=Profile.LEDGER, served_at=None, seconds=None, channel=None, attribution=None, applicant=None,
    name=None, phone=None, review_until=None, basis=replace(BASIS, policy=PolicyRef(profile=Profile.LEDGER, version=1)),
)  # fmt: skip
LAST: Final = until("02-24").at
EXPIRE: Final = occasion.Expire(at=later(LAST, microseconds=1), by=THE_SYSTEM)
EXPIRED: Final = occasion.Expired(at=EXPIRE.at, by=THE_SYSTEM)
INVITE: Final = occasion.Invite(
    at=local("02-13", "10:06"), by=COUNTER, invitation=key("invitation"), medium=occasion.Medium.QR, token=TOKEN
)
INVITED: Final = Invited(
    at=INVITE.at,
    by=COUNTER,
    invitation=key("invitation"),
    medium=occasion.Medium.QR,
    token=TOKEN,
    until=until("02-24"),
)
EVIDENCE: Final = Evidence(
    terminal="KIOSK-03",
    device=key("device"),
    network=key("network"),
    input_ms=8_000,
    claimed_at=local("02-14", "10:00"),
    staff_terminal=False,
)
GOOD: Final = Opinion(
    grade=Grade.VERY_SATISFIED,
    codes=("510", "517"),
    text=None,
    text_facts=None,
    similar=(),
    identity_mode=IdentityMode.REAL_NAME,
    channel=ReviewChannel.QR,
    evidence=EVIDENCE,
    own_link=OWN_LINK,
)
BAD: Final[Opinion] = replace(GOOD, grade=Grade.VERY_DISSATISFIED, codes=("115",), **WORDS)
# Rated on Saturday the 14th, which is worked; the 15th to the 23rd are not, and Saturday the 28th is.
SUBMIT: Final = Submit(at=local("02-14"), by=CITIZEN, token=TOKEN, opinion=GOOD)
REVIEWED: Final = Reviewed(at=SUBMIT.at, by=CITIZEN, review=RATING, token=TOKEN)
SUBMITTED: Final = Submitted(
    at=SUBMIT.at,
    by=CITIZEN,
    occasion=VISIT,
    hall="GXQ",
    profile=Profile.HALL,
    attribution=SERVED,
    grade=Grade.VERY_SATISFIED,
    codes=("510", "517"),
    code_set=DETAILS,
    text=None,
    text_facts=None,
    similar=(),
    identity_mode=IdentityMode.REAL_NAME,
    channel=ReviewChannel.QR,
    evidence=EVIDENCE,
    token=TOKEN,
    own_link=OWN_LINK,
    reviewer=COMPLAINANT,
    corroborated=True,
    seconds_since_service=23 * 3600,
    follow_up_until=until("03-16"),
    basis=BASIS,
)
BADLY: Final[Submitted] = replace(SUBMITTED, grade=Grade.VERY_DISSATISFIED, codes=("115",), **WORDS)
WORK_ORDER: Final = Accepted(
    at=SUBMIT.at,
    by=THE_SYSTEM,
    grade=Grade.VERY_DISSATISFIED,
    lead="approval",
    contact_due=until("02-24"),
    appeal_until=until("02-28"),
    basis=BASIS,
    verify_due=until("02-26"),
)
# Written down at the window for somebody who said it there: nobody had an invitation.
TOLD: Final[Submitted] = replace(SUBMITTED, by=WINDOW_CLERK, token=None, corroborated=False)
APPEND: Final = Append(
    at=local("03-02"),
    by=CITIZEN,
    own_link=OWN_LINK,
    grade=Grade.SATISFIED,
    codes=("413",),
    text=None,
    text_facts=None,
    similar=(),
    channel=ReviewChannel.MOBILE,
    evidence=EVIDENCE,
)
APPENDED: Final = Appended(
    at=APPEND.at,
    by=CITIZEN,
    grade=Grade.SATISFIED,
    codes=("413",),
    code_set=DETAILS,
    text=None,
    text_facts=None,
    similar=(),
    channel=ReviewChannel.MOBILE,
    evidence=EVIDENCE,
)
CORROBORATE: Final = Corroborate(at=local("02-14", "12:00"), by=CITIZEN, own_link=OWN_LINK, network=key("network"))
CORROBORATED: Final = Corroborated(at=CORROBORATE.at, by=CITIZEN, network=key("network"))

AtVisit = Given[Occasion | None, OccasionCommand, OccasionEvent, Facts]
AtRating = Given[Review | None, ReviewCommand, ReviewEvent, Facts]


def without_calendar() -> Facts:
    """Give the facts where nobody knows yet which days of the year are worked."""
    return replace(FACTS, rulebook=replace(FACTS.rulebook, years=(), calendar=Rulebook().calendar))


def visit(*history: OccasionEvent, facts: Facts = FACTS) -> AtVisit:
    """Begin a sentence about a visit."""
    return given(OCCASION, *history, facts=facts)


def rating(*history: ReviewEvent, facts: Facts = FACTS) -> AtRating:
    """Begin a sentence about what was said of a visit."""
    return given(REVIEW, *history, facts=facts)
