"""What becomes known outside: a redacted text, or who complained, by two people; never what is closed to others."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Event
from domain.complaint.intake import Confidentiality
from domain.complaint.privacy import ErasureGround, ErasureRequested, ProcessingRestricted
from domain.complaint.publishing import (
    ConfirmDisclosure,
    ConfirmPublication,
    DisclosureProposed,
    IdentityDisclosed,
    ProposeDisclosure,
    ProposePublication,
    PublicationProposed,
    Published,
    Unpublish,
    Unpublished,
)
from domain.complaint.reviewing import ReopenCause, Reopened
from domain.complaint.state import Respondent
from domain.decider import Actor
from domain.errors import (
    AlreadyPublished,
    NotForPublication,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnProposal,
    ProposalOver,
    ProposalPending,
    Refused,
    StillPersonal,
    Superseded,
    UnknownReference,
)
from domain.sealed import measure
from tests.annex import ASIDE, HE, PROPOSAL, REFUSED, TRANSFERRED, XU, desk, officer, there
from tests.controls import CLOSED, REGISTERED, REPLIED, SIGNED, upto
from tests.hall import (
    BASIS,
    CITIZEN,
    DESK,
    HANDLER,
    LI,
    MEASURED,
    SUN,
    SUPERVISOR,
    key,
    later,
    local,
    sealed,
    until,
)

OTHER: Final = key("another proposal")
PROPOSE: Final = ProposePublication(
    at=local("03-05"),
    by=DESK,
    proposal=PROPOSAL,
    redaction=sealed("redaction"),
    redaction_measured=MEASURED,
    reply=sealed("reply"),
    reply_measured=MEASURED,
)
PROPOSED: Final = PublicationProposed(
    at=local("03-05"),
    by=DESK,
    proposal=PROPOSAL,
    redaction=sealed("redaction"),
    redaction_measured=MEASURED,
    reply=sealed("reply"),
    reply_measured=MEASURED,
    until=until("03-09"),
    basis=BASIS,
)
CONFIRM: Final = ConfirmPublication(at=local("03-06"), by=officer(), proposal=PROPOSAL)
PUBLISHED: Final = Published(
    at=local("03-06"),
    by=officer(),
    proposal=PROPOSAL,
    proposer=LI,
    redaction=sealed("redaction"),
    reply=sealed("reply"),
)
UNPUBLISH: Final = Unpublish(at=local("03-07"), by=officer(), reason=sealed("reason"))
UNPUBLISHED: Final = Unpublished(at=local("03-07"), by=officer(), reason=sealed("reason"))
RESTRICTED: Final = (
    ErasureRequested(
        at=local("03-05"), by=CITIZEN, erasure_request=key("wish"), ground=ErasureGround.PURPOSE_FULFILLED
    ),
    ProcessingRestricted(at=local("03-05"), by=officer(), erasure_request=key("wish"), restricted_until=None),
)
SEALED: Final = replace(REGISTERED, confidentiality=Confidentiality.SEALED)


@pytest.mark.parametrize(
    "history", [(*ASIDE, REFUSED), upto(REPLIED), upto(CLOSED)], ids=["refused", "replied", "closed"]
)
def test_a_case_is_published_by_two_people_once_its_complainant_has_heard(history: tuple[Event, ...]) -> None:
    """The desk proposes a redacted text, a privacy officer confirms that very text (domain.md §6.3)."""
    there(*history).when(PROPOSE).then([PROPOSED])
    there(*history, PROPOSED).when(CONFIRM).then([PUBLISHED])
    state = COMPLAINT.fold([*history, PROPOSED, PUBLISHED])
    before = COMPLAINT.fold(history)
    assert state is not None
    assert before is not None
    assert (state.step, state.published, state.proposals) == (before.step, True, {})


@pytest.mark.parametrize("last", [REGISTERED, SIGNED])
def test_nothing_is_published_before_the_complainant_has_heard(last: Event) -> None:
    """Nor is what was proposed before the case was taken up again."""
    there(*upto(last)).when(PROPOSE).then_refused(OutOfTurn)
    reopened = Reopened(
        at=local("03-06"), by=DESK, round=2, cause=ReopenCause.NEW_FACTS, reason=None, handle_due=None, basis=BASIS
    )
    there(*upto(CLOSED), PROPOSED, reopened).when(CONFIRM).then_refused(OutOfTurn)
    there(*upto(CLOSED), PROPOSED, reopened, replace(REPLIED, at=local("03-06"))).when(CONFIRM).then_refused(Superseded)


@pytest.mark.parametrize(
    "text",
    ["请回电 13800138000", "身份证 150102199003070011", "车牌蒙A12345", "写信到 zhang@example.cn"],
    ids=["phone", "identity number", "plate", "address"],
)
def test_a_text_that_still_looks_personal_is_not_proposed(text: str) -> None:
    """Neither the case nor the answer; what a machine cannot see, the second person has to (domain.md §11.4)."""
    for field in ("redaction_measured", "reply_measured"):
        command = replace(PROPOSE, **{field: measure(text)})  # type: ignore[arg-type]
        there(*upto(CLOSED)).when(command).then_refused(StillPersonal)
    clean = replace(PROPOSE, reply=None, reply_measured=None)
    assert there(*upto(CLOSED)).when(clean).event.reply is None


def test_what_is_closed_to_others_is_never_published() -> None:
    """A sealed case, an accusation sent on, a restricted one; also where it was closed while the proposal waited."""
    for history in (
        (SEALED, *upto(CLOSED)[1:]),
        (REGISTERED, replace(TRANSFERRED, sealed=True)),
        (*upto(CLOSED), *RESTRICTED),
    ):
        there(*history).when(PROPOSE).then_refused(NotForPublication)
    there(*upto(CLOSED), PROPOSED, *RESTRICTED).when(CONFIRM).then_refused(NotForPublication)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [(HANDLER, NotYourRole), (SUPERVISOR, NotYourRole), (officer(), NotYourRole)],
    ids=lambda value: value.role if isinstance(value, Actor) else "",
)
def test_only_the_desk_proposes_a_publication(by: Actor, refusal: type[Refused]) -> None:
    """The policy says who."""
    there(*upto(CLOSED)).when(replace(PROPOSE, by=by)).then_refused(refusal)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [(desk(HE), NotYourRole), (SUPERVISOR, NotYourRole), (officer(LI), OwnProposal)],
    ids=["desk", "supervisor", "who proposed it, as privacy officer"],
)
def test_only_another_person_who_guards_privacy_confirms(by: Actor, refusal: type[Refused]) -> None:
    """LI holds both posts and still needs somebody else."""
    there(*upto(CLOSED), PROPOSED).when(replace(CONFIRM, by=by)).then_refused(refusal)


def test_nobody_concerned_publishes_or_takes_out() -> None:
    """On either side, and afterwards."""
    about = tuple(replace(REGISTERED, respondent=Respondent(staff=who)) for who in (LI, XU))
    there(about[0], *upto(CLOSED)[1:]).when(PROPOSE).then_refused(OwnCause)
    there(about[1], *upto(CLOSED)[1:], PROPOSED).when(CONFIRM).then_refused(OwnCause)
    there(about[1], *upto(CLOSED)[1:], PROPOSED, PUBLISHED).when(UNPUBLISH).then_refused(OwnCause)


def test_one_publication_waits_at_a_time_and_for_two_working_days() -> None:
    """Afterwards it is proposed anew."""
    there(*upto(CLOSED), PROPOSED).when(replace(PROPOSE, proposal=OTHER)).then_refused(ProposalPending)
    over = later(until("03-09").at, microseconds=1)
    there(*upto(CLOSED), PROPOSED).when(replace(CONFIRM, at=over)).then_refused(ProposalOver)
    there(*upto(CLOSED), PROPOSED).when(replace(CONFIRM, proposal=OTHER)).then_refused(Superseded)


def test_what_is_published_is_taken_out_before_another_text_comes() -> None:
    """A privacy officer takes it out alone: that must go fast."""
    public = (*upto(CLOSED), PROPOSED, PUBLISHED)
    there(*public).when(replace(PROPOSE, proposal=OTHER)).then_refused(AlreadyPublished)
    there(*public).when(UNPUBLISH).then([UNPUBLISHED])
    there(*public).when(replace(UNPUBLISH, by=DESK)).then_refused(NotYourRole)
    out = (*public, UNPUBLISHED)
    there(*out).when(UNPUBLISH).then_nothing()
    assert there(*out).when(replace(PROPOSE, proposal=OTHER)).event.proposal == OTHER
    there().when(UNPUBLISH).then_refused(OutOfTurn)


DISCLOSE: Final = ProposeDisclosure(
    at=local("03-05"),
    by=SUPERVISOR,
    proposal=PROPOSAL,
    fields=("phone", "name", "name"),
    recipient="court",
    legal_basis=sealed("legal_basis"),
)
DISCLOSURE: Final = DisclosureProposed(
    at=local("03-05"),
    by=SUPERVISOR,
    proposal=PROPOSAL,
    fields=("name", "phone"),
    recipient="court",
    legal_basis=sealed("legal_basis"),
    until=until("03-09"),
    basis=BASIS,
)
AGREE: Final = ConfirmDisclosure(at=local("03-06"), by=officer(), proposal=PROPOSAL)
DISCLOSED: Final = IdentityDisclosed(
    at=local("03-06"),
    by=officer(),
    proposal=PROPOSAL,
    proposer=SUN,
    fields=("name", "phone"),
    recipient="court",
    legal_basis=sealed("legal_basis"),
)


@pytest.mark.parametrize("last", [REGISTERED, SIGNED, CLOSED], ids=lambda e: type(e).__name__)
def test_who_complained_is_disclosed_by_two_people_at_any_step(last: Event) -> None:
    """A supervisor proposes, a privacy officer confirms; the case stands where it stood (our design)."""
    there(*upto(last)).when(DISCLOSE).then([DISCLOSURE])
    there(*upto(last), DISCLOSURE).when(AGREE).then([DISCLOSED])
    assert COMPLAINT.fold([*upto(last), DISCLOSURE, DISCLOSED]) == COMPLAINT.fold(upto(last))


def test_of_a_sealed_case_too_who_complained_may_be_disclosed_to_whom_the_law_names() -> None:
    """The discipline inspection asks just for these; while processing is restricted nothing goes out."""
    there(SEALED).when(DISCLOSE).then([DISCLOSURE])
    there(REGISTERED, *RESTRICTED).when(DISCLOSE).then_refused(NotForPublication)
    there(REGISTERED, DISCLOSURE, *RESTRICTED).when(AGREE).then_refused(NotForPublication)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"recipient": "newspaper"}, UnknownReference),
        ({"fields": ("name", "narrative")}, UnknownReference),
        ({"fields": ()}, UnknownReference),
        ({"by": DESK}, NotYourRole),
        ({"by": officer()}, NotYourRole),
        ({"by": HANDLER}, NotYourRole),
    ],
)
def test_only_name_and_phone_go_to_a_listed_authority(change: dict[str, object], refusal: type[Refused]) -> None:
    """Anything else is no disclosure but a hand-over of the case."""
    there(*upto(CLOSED)).when(replace(DISCLOSE, **change)).then_refused(refusal)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (SUPERVISOR, NotYourRole),
        (replace(officer(), on_behalf_of=SUN), OwnProposal),
        (officer(), None),
    ],
    ids=["proposer", "deputy of the proposer", "privacy officer"],
)
def test_only_another_person_agrees_to_a_disclosure(by: Actor, refusal: type[Refused] | None) -> None:
    """Never the proposer, under whatever hat."""
    asked = there(*upto(CLOSED), DISCLOSURE).when(replace(AGREE, by=by))
    if refusal is None:
        asked.then([DISCLOSED])
    else:
        asked.then_refused(refusal)


def test_one_disclosure_waits_at_a_time_and_nobody_concerned_takes_part() -> None:
    """The one complained of does not learn who complained by way of a form."""
    there(*upto(CLOSED), DISCLOSURE).when(replace(DISCLOSE, proposal=OTHER)).then_refused(ProposalPending)
    there(*upto(CLOSED), DISCLOSURE).when(replace(AGREE, proposal=OTHER)).then_refused(Superseded)
    about = tuple(replace(REGISTERED, respondent=Respondent(staff=who)) for who in (SUN, XU))
    there(about[0]).when(DISCLOSE).then_refused(OwnCause)
    there(about[1], DISCLOSURE).when(AGREE).then_refused(OwnCause)
