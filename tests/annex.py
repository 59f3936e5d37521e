"""Named example data: people beside the ordinary round of a case, for acts of two and for reviews."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from domain.complaint import Event
from domain.complaint.archiving import Archived
from domain.complaint.ending import (
    Destination,
    RefusalProposed,
    Refused,
    Terminated,
    TerminationProposed,
    TransferredOut,
    Withdrawn,
)
from domain.complaint.proposals import ProposalDeclined, ProposalExpired
from domain.complaint.replying import AppealRoute
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.handling import Facts, Proof
from domain.register import REGISTER, Post, PostAdded, PostLeft, PostTaken, RegisterEvent
from tests.controls import REGISTERED, CaseGiven, case
from tests.hall import (
    BASIS,
    CITIZEN,
    DESK,
    ENTERED,
    FACTS,
    LI,
    MEASURED,
    NUMBER,
    QIAN,
    SUPERVISOR,
    WEI,
    key,
    local,
    person,
    sealed,
    until,
)

HE: Final = person("HE")  # complaint desk, beside LI
XU: Final = person("XU")  # privacy officer
LYU: Final = person("LYU")  # reviews, in no department
SHI: Final = person("SHI")  # reviews too
KONG: Final = person("KONG")  # reviews, and handles in the tax department

POSTS: Final = (
    Post(code="privacy", name_zh="个保岗", name_en="Privacy", role=Role.PRIVACY_OFFICER, site="GXQ"),
    Post(code="review", name_zh="复核", name_en="Review", role=Role.REVIEWER, site="GXQ"),
)
HOLDERS: Final = (
    (HE, "desk"),
    (XU, "privacy"),
    (LYU, "review"),
    (SHI, "review"),
    (KONG, "review"),
    (KONG, "tax-handler"),
    *((who, post) for who in (WEI, LI, QIAN) for post in ("privacy", "review")),
)
WITH_ANNEX: Final[Facts] = replace(
    FACTS,
    register=REGISTER.fold(
        [
            *(PostAdded(at=ENTERED, by=THE_SYSTEM, entry=post) for post in POSTS),
            *(PostTaken(at=ENTERED, by=THE_SYSTEM, post=post, person=who, since=ENTERED) for who, post in HOLDERS),
        ],
        FACTS.register,
    ),
)


def gone(who: PersonKey, post: str, at: datetime, *, takes: str | None = None) -> Facts:
    """Give the facts after somebody left one of the posts, and perhaps took another."""
    events: list[RegisterEvent] = [PostLeft(at=at, by=THE_SYSTEM, post=post, person=who, until=at)]
    if takes is not None:
        events.append(PostTaken(at=at, by=THE_SYSTEM, post=takes, person=who, since=at))
    return replace(WITH_ANNEX, register=REGISTER.fold(events, WITH_ANNEX.register))


def desk(who: PersonKey, *, on_behalf_of: PersonKey | None = None) -> Actor:
    """Give somebody at the complaint desk."""
    return Actor(person=who, post="desk", role=Role.DISPATCHER, on_behalf_of=on_behalf_of)


def officer(who: PersonKey = XU) -> Actor:
    """Give a privacy officer."""
    return Actor(person=who, post="privacy", role=Role.PRIVACY_OFFICER)


def reviewer(who: PersonKey = LYU) -> Actor:
    """Give a reviewer."""
    return Actor(person=who, post="review", role=Role.REVIEWER)


def there(*history: Event, facts: Facts = WITH_ANNEX) -> CaseGiven:
    """Begin a sentence about a complaint in the hall with these people."""
    return case(*history, facts=facts)


# What happens beside the round: each of these follows the registration or the signing of the example complaint.
PROPOSAL: Final = key("proposal")
OTHER: Final = key("other proposal")
MORNING: Final = local("02-14", "09:00")
AFTERNOON: Final = local("02-14", "15:00")
PROPOSED: Final = RefusalProposed(
    at=MORNING,
    by=DESK,
    proposal=PROPOSAL,
    reason="out_of_jurisdiction",
    legal_basis=sealed("legal_basis"),
    explanation=sealed("explanation"),
    explanation_measured=MEASURED,
    proper_channel="court",
    appeal_route=AppealRoute.REVIEW_REQUEST,
    until=until("02-25"),  # two working days after Saturday the 14th, which is worked: 24 and 25
    basis=BASIS,
)
REFUSED: Final = Refused(
    at=AFTERNOON,
    by=desk(HE),
    proposal=PROPOSAL,
    proposer=LI,
    reason="out_of_jurisdiction",
    legal_basis=sealed("legal_basis"),
    explanation=sealed("explanation"),
    proper_channel="court",
    appeal_route=AppealRoute.REVIEW_REQUEST,
    late=False,
    review_request_until=until("03-16"),  # thirty natural days after the 14th: a Monday
    basis=BASIS,
)
ASIDE: Final[tuple[Event, ...]] = (REGISTERED, PROPOSED)
TRANSFERRED: Final = TransferredOut(
    at=MORNING,
    by=DESK,
    to=Destination.PETITION,
    doc_no=sealed("doc_no"),
    explanation=sealed("explanation"),
    sealed=False,
    late=False,
)
WITHDRAWN: Final = Withdrawn(
    at=local("02-24"), by=CITIZEN, reason=sealed("reason"), proof=Proof.QUERY_CODE, confirmed_by=None
)
TERMINATION: Final = TerminationProposed(
    at=local("02-24"),
    by=DESK,
    proposal=PROPOSAL,
    reason="turned_out_non_acceptable",
    explanation=sealed("explanation"),
    until=until("02-26"),
    basis=BASIS,
)
TERMINATED: Final = Terminated(
    at=local("02-25"),
    by=SUPERVISOR,
    proposal=PROPOSAL,
    proposer=LI,
    reason="turned_out_non_acceptable",
    explanation=sealed("explanation"),
)
DECLINED: Final = ProposalDeclined(at=AFTERNOON, by=desk(HE), proposal=OTHER, reason=sealed("reason"))
EXPIRED: Final = ProposalExpired(at=AFTERNOON, by=THE_SYSTEM, proposal=OTHER)
ARCHIVED: Final = Archived(
    at=local("04-01"),
    by=THE_SYSTEM,
    archive_no=f"DA-{NUMBER}",
    retention_class="ordinary",
    retention_until=None,
    package_sha256=None,
)
