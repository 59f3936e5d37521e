"""Who rated objects to the exclusion; two who took no part in it decide, and the review may count again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.decider import Actor, PersonKey
from domain.errors import (
    NotYourRole,
    OnceOnly,
    OutOfTurn,
    OwnProposal,
    OwnWorkDecided,
    PanelUsed,
    ProposalOver,
    ProposalPending,
    Superseded,
    TooLate,
    UnitRated,
    Unknown,
)
from domain.review import ReviewCommand, ReviewEvent, Stage
from domain.review.objecting import ObjectionResult
from domain.review.proposals import DeclineProposal, ExpireProposal, ProposalDeclined, ProposalExpired
from domain.review.state import Clock, Verdict, in_hand
from domain.review.verifying import Contacted
from tests.bad_reviews import (
    APPEAL_ID,
    APPEALED,
    CLOSED,
    CONFIRM,
    CONFIRM_BACK,
    CONTACT,
    CONTACTED,
    DECIDED,
    DECIDED_BACK,
    DING,
    EVIDENCED,
    EXCLUDED,
    FOURTH,
    HUO,
    NOTICED,
    OBJECT,
    OBJECTED,
    OBJECTION,
    PROPOSAL,
    PROPOSE,
    PROPOSE_BACK,
    PROPOSED,
    PROPOSED_BACK,
    RECTIFIED,
    REINSTATED,
    REPLIED,
    SECOND_PROPOSAL,
    SHI,
    SUPERVISOR,
    TAO,
    TELL,
    TOLD,
    UNNAMED,
    UNNAMED_ORDER,
    VERIFIED,
    VERIFIER,
    VERIFY,
    XU,
    YUAN,
    acting,
    bad,
    contested,
    holding,
    there,
    upto,
)
from tests.hall import CITIZEN, COMPLAINANT, SUN, later, local, person, sealed, until
from tests.visits import BADLY, SOMEBODY, SUBMITTED, WORK_ORDER

OUT = contested(TOLD)
WAITS = contested(OBJECTED)
PENDING = contested(PROPOSED_BACK)
UPHELD = replace(PROPOSED_BACK, result=ObjectionResult.UPHOLD)
DECLINE = DeclineProposal(at=local("03-06"), by=FOURTH, proposal=SECOND_PROPOSAL, reason=sealed("reason"))
NEW = acting(person("LAO"), "panel")
KNOWN = holding(person("LAO"), "panel")


# The objection.


def test_who_rated_objects_with_the_own_link() -> None:
    """The review stays out meanwhile; a decision is due within five working days: 5, 6, 9, 10, 11 March."""
    bad(*OUT).when(OBJECT).then([OBJECTED])
    state = there(*WAITS)
    assert (state.stage, state.objection, in_hand(state)) == (Stage.EXCLUDED, OBJECTION, (Clock.OBJECTION,))


def test_a_wrong_link_looks_like_no_review() -> None:
    """Whoever has none learns nothing, not even whether it was excluded."""
    wrong = replace(OBJECT, own_link="b2" * 32)
    for history in ((), OUT, upto(CLOSED), (replace(BADLY, own_link=None), *OUT[1:])):
        bad(*history).when(wrong).then_refused(Unknown)
    bad().when(OBJECT).then_refused(Unknown)
    bad(replace(BADLY, own_link=None), *OUT[1:]).when(OBJECT).then_refused(Unknown)


@pytest.mark.parametrize("by", [VERIFIER, SUPERVISOR, FOURTH, acting(COMPLAINANT, "panel")])
def test_nobody_objects_for_them(by: Actor) -> None:
    """Not with the link either; whoever has it and comes as a citizen does."""
    bad(*OUT, facts=holding(COMPLAINANT, "panel")).when(replace(OBJECT, by=by)).then_refused(NotYourRole)
    assert bad(*OUT).when(replace(OBJECT, by=SOMEBODY)).events


def test_there_is_time_to_object() -> None:
    """Until the last instant of the fifth working day after being told: 6 March."""
    last = until("03-06").at
    assert bad(*OUT).when(replace(OBJECT, at=last)).events
    bad(*OUT).when(replace(OBJECT, at=later(last, microseconds=1))).then_refused(TooLate, due=until("03-06"))


def test_whoever_was_not_told_yet_may_object_at_any_time() -> None:
    """Their time has not begun; they are told all the same."""
    untold = contested(EXCLUDED)
    assert bad(*untold).when(replace(OBJECT, at=local("06-01"))).events
    assert in_hand(there(*untold, OBJECTED)) == (Clock.TELL, Clock.OBJECTION)
    assert bad(*untold, OBJECTED).when(TELL).events


def test_an_exclusion_is_objected_to_once() -> None:
    """While the objection waits, and after it was decided; what was not excluded is not objected to."""
    upheld = (*WAITS, UPHELD, replace(DECIDED_BACK, result=ObjectionResult.UPHOLD))
    for history in (WAITS, PENDING, upheld):
        bad(*history).when(replace(OBJECT, at=local("03-06"))).then_refused(OnceOnly)
    for history in (contested(APPEALED), upto(CLOSED), contested(REINSTATED)):
        bad(*history).when(OBJECT).then_refused(OutOfTurn)


# Its decision.


def test_two_others_let_it_count_again() -> None:
    """One proposes, another confirms; neither had to do with the exclusion."""
    bad(*WAITS).when(PROPOSE_BACK).then([PROPOSED_BACK])
    bad(*PENDING).when(CONFIRM_BACK).then([DECIDED_BACK, REINSTATED])
    state = there(*contested(REINSTATED))
    assert (state.excluded, state.stage, in_hand(state)) == (False, Stage.BAD_CONTACTED, (Clock.VERIFY,))
    assert state.deciders == {SHI, YUAN, DING, HUO}
    assert state.used == {SHI, YUAN}
    assert state.submitted == BADLY


def test_or_they_uphold_the_exclusion() -> None:
    """Then it stays out."""
    decided = replace(DECIDED_BACK, result=ObjectionResult.UPHOLD)
    bad(*WAITS).when(replace(PROPOSE_BACK, result=ObjectionResult.UPHOLD)).then([UPHELD])
    bad(*WAITS, UPHELD).when(CONFIRM_BACK).then([decided])
    state = there(*WAITS, UPHELD, decided)
    assert (state.stage, state.objection, in_hand(state)) == (Stage.EXCLUDED, None, ())
    bad(*WAITS, UPHELD, decided).when(PROPOSE_BACK).then_refused(Superseded)


OTHERS: list[tuple[tuple[ReviewEvent, ...], ReviewCommand]] = [
    (WAITS, PROPOSE_BACK), (PENDING, CONFIRM_BACK), (PENDING, DECLINE),
]  # fmt: skip


@pytest.mark.parametrize(("history", "command"), OTHERS)
@pytest.mark.parametrize("who", [SHI, YUAN])
def test_nobody_decides_who_took_part_in_the_exclusion(
    who: PersonKey, history: tuple[ReviewEvent, ...], command: ReviewCommand
) -> None:
    """Nor declines: or they could keep it from ever counting again; nor does anybody for them."""
    bad(*history).when(replace(command, by=acting(who, "panel"))).then_refused(PanelUsed)
    bad(*history, facts=KNOWN).when(replace(command, by=replace(NEW, on_behalf_of=who))).then_refused(PanelUsed)


@pytest.mark.parametrize(("history", "command"), OTHERS)
def test_whoever_only_proposed_or_declined_on_the_appeal_was_used_too(
    history: tuple[ReviewEvent, ...], command: ReviewCommand
) -> None:
    """Their proposal came to nothing, and still they have said what they think of it."""
    first = replace(PROPOSED, by=NEW, proposal=APPEAL_ID)
    declined = ProposalDeclined(
        at=local("02-26"), by=acting(person("HAO"), "panel"), proposal=APPEAL_ID, reason=sealed("reason")
    )
    expired = ProposalExpired(at=local("02-26"), by=FOURTH, proposal=APPEAL_ID)
    start = contested(APPEALED)
    facts = holding(person("HAO"), "panel", facts=KNOWN)
    for over in (declined, expired):
        before = (*start, first, over, *history[len(start) :])
        bad(*before, facts=facts).when(replace(command, by=NEW)).then_refused(PanelUsed)
    before = (*start, first, declined, *history[len(start) :])
    bad(*before, facts=facts).when(replace(command, by=declined.by)).then_refused(PanelUsed)
    assert bad(*history, facts=facts).when(replace(command, by=NEW)).events


@pytest.mark.parametrize(("history", "command"), OTHERS)
def test_nobody_of_the_unit_or_of_the_work_decides(history: tuple[ReviewEvent, ...], command: ReviewCommand) -> None:
    """The same as for the appeal."""
    bad(*history).when(replace(command, by=acting(XU, "panel"))).then_refused(UnitRated)
    by_tao = tuple(replace(one, by=acting(TAO, "hall-verifier")) if one == CONTACTED else one for one in history)
    tao = replace(command, by=acting(TAO, "panel"))
    bad(*by_tao, facts=holding(TAO, "panel")).when(tao).then_refused(OwnWorkDecided)
    by_sun = tuple(replace(one, by=SUPERVISOR) if one == APPEALED else one for one in history)
    sun = replace(command, by=acting(SUN, "panel"))
    bad(*by_sun, facts=holding(SUN, "panel")).when(sun).then_refused(OwnWorkDecided)
    for by in (SUPERVISOR, VERIFIER, CITIZEN):
        bad(*history).when(replace(command, by=by)).then_refused(NotYourRole)


def test_nobody_confirms_or_declines_their_own_proposal() -> None:
    """Nor does anybody for them."""
    for command in (CONFIRM_BACK, DECLINE):
        bad(*PENDING).when(replace(command, by=acting(DING, "panel"))).then_refused(OwnProposal)
        bad(*PENDING).when(replace(command, by=replace(FOURTH, on_behalf_of=DING))).then_refused(OwnProposal)


def test_whoever_proposed_before_may_propose_again() -> None:
    """Within one decision that is the same work; the one on the objection uses nobody up."""
    declined = bad(*PENDING).when(DECLINE).event
    again = replace(PROPOSE_BACK, at=local("03-06"), proposal=PROPOSAL)
    for by in (DING, HUO):
        assert bad(*PENDING, declined).when(replace(again, by=acting(by, "panel"))).events
    assert there(*PENDING, declined).used == {SHI, YUAN}
    assert HUO in there(*PENDING, declined).deciders


def test_one_proposal_waits_at_a_time_and_is_about_this_objection() -> None:
    """In time, or not at all."""
    bad(*PENDING).when(replace(PROPOSE_BACK, by=FOURTH, proposal=PROPOSAL)).then_refused(ProposalPending)
    bad(*WAITS).when(replace(PROPOSE_BACK, objection=APPEAL_ID)).then_refused(Superseded, objection=APPEAL_ID)
    bad(*OUT).when(PROPOSE_BACK).then_refused(Superseded)
    bad(*WAITS).when(CONFIRM_BACK).then_refused(Superseded)
    over = later(until("03-09").at, microseconds=1)
    assert bad(*PENDING).when(replace(CONFIRM_BACK, at=until("03-09").at)).events
    bad(*PENDING).when(replace(CONFIRM_BACK, at=over)).then_refused(ProposalOver)
    expire = ExpireProposal(at=over, by=PROPOSED_BACK.by, proposal=SECOND_PROPOSAL)
    bad(*PENDING).when(expire).then_refused(NotYourRole)
    for command in (PROPOSE_BACK, CONFIRM_BACK):
        bad(*contested(APPEALED)).when(command).then_refused(OutOfTurn)
        bad(*contested(REINSTATED)).when(command).then_refused(OutOfTurn)


def test_a_proposal_on_the_appeal_is_not_confirmed_as_one_on_the_objection() -> None:
    """Each decision has its own kind of proposal."""
    wrong = replace(PROPOSED, proposal=SECOND_PROPOSAL, by=acting(DING, "panel"))
    bad(*WAITS, wrong).when(CONFIRM_BACK).then_refused(Superseded)
    other = replace(PROPOSED_BACK, proposal=PROPOSAL)
    bad(*contested(APPEALED), other).when(CONFIRM).then_refused(Superseded)


def test_an_objection_is_decided_in_time_or_late() -> None:
    """Until the last instant of 11 March."""
    slow = replace(PROPOSED_BACK, until=until("03-31"))
    last = until("03-11").at
    for at, late in ((last, False), (later(last, microseconds=1), True)):
        for proposed in (slow, replace(slow, result=ObjectionResult.UPHOLD)):
            assert bad(*WAITS, proposed).when(replace(CONFIRM_BACK, at=at)).events[0].late is late  # type: ignore[attr-defined]


# What counts again goes on.


@pytest.mark.parametrize(("verdict", "due"), [(Verdict.VALID_CLEAR, "03-13"), (Verdict.VALID_COMPLEX, "03-27")])
def test_excluded_objected_to_and_reinstated(verdict: Verdict, due: str) -> None:
    """It counts again and goes on by new limits (domain.md §14 case 15)."""
    before = (*upto(EVIDENCED), replace(VERIFIED, verdict=verdict), *contested(PROPOSED_BACK)[4:])
    back = replace(REINSTATED, verify_due=None, rectify_due=until(due))
    bad(*before).when(CONFIRM_BACK).then([DECIDED_BACK, back])
    state = there(*before, DECIDED_BACK, back)
    assert (state.excluded, state.stage, in_hand(state)) == (False, Stage.BAD_VERIFIED, (Clock.RECTIFY,))
    assert state.due(Clock.RECTIFY) == until(due)
    bad(*before, DECIDED_BACK, back).when(replace(PROPOSE, appeal=APPEAL_ID)).then_refused(OutOfTurn)


def test_what_was_settled_waits_anew_for_reply_and_revisit() -> None:
    """Contested by a supervisor after it was put right: both limits ran out while it was out of the figures."""
    out = contested(PROPOSED_BACK)[5:]
    appealed = replace(APPEALED, by=SUPERVISOR)
    revisit = until("03-13")
    for last, reply in ((RECTIFIED, until("03-10")), (REPLIED, None)):
        history = (*upto(last), NOTICED, appealed, *out)
        back = replace(REINSTATED, verify_due=None, reply_due=reply, revisit_due=revisit)
        bad(*history).when(CONFIRM_BACK).then([DECIDED_BACK, back])
        state = there(*history, DECIDED_BACK, back)
        assert state.due(Clock.REVISIT) == revisit
        assert in_hand(state) == ((Clock.REVISIT,) if reply is None else (Clock.REPLY, Clock.REVISIT))
    for history in ((*upto(CLOSED), NOTICED, appealed, *out), (SUBMITTED, EVIDENCED, NOTICED, appealed, *out)):
        bad(*history).when(CONFIRM_BACK).then([DECIDED_BACK, replace(REINSTATED, verify_due=None)])


UNCALLED: tuple[ReviewEvent, ...] = (BADLY, WORK_ORDER, EVIDENCED, APPEALED)


def test_whom_nobody_could_call_meanwhile_is_called_by_a_new_limit() -> None:
    """An appeal does not stop that time, but an exclusion does: nobody calls about what does not count."""
    early = [replace(one, at=local("02-24", "12:00")) for one in (APPEALED, PROPOSED, DECIDED, EXCLUDED)]
    history: tuple[ReviewEvent, ...] = (*UNCALLED[:3], *early, OBJECTED, PROPOSED_BACK)
    bad(*history).when(CONTACT).then_refused(OutOfTurn)
    back = replace(REINSTATED, contact_due=until("03-09"))
    bad(*history).when(CONFIRM_BACK).then([DECIDED_BACK, back])
    state = there(*history, DECIDED_BACK, back)
    assert in_hand(state) == (Clock.CONTACT, Clock.VERIFY)
    event = bad(*history, DECIDED_BACK, back).when(replace(CONTACT, at=local("03-09"))).event
    assert isinstance(event, Contacted)
    assert event.late is False


def test_what_was_missed_before_the_exclusion_stays_missed() -> None:
    """Excluded on the 27th, three days after somebody should have called."""
    history: tuple[ReviewEvent, ...] = (*UNCALLED, PROPOSED, DECIDED, EXCLUDED, OBJECTED, PROPOSED_BACK)
    bad(*history).when(CONFIRM_BACK).then([DECIDED_BACK, REINSTATED])
    event = bad(*history, DECIDED_BACK, REINSTATED).when(replace(CONTACT, at=local("03-09"))).event
    assert event.late is True


def test_nobody_is_called_anew_who_gave_no_name_or_was_called_or_judged_already() -> None:
    """Only who is still waited for has a new time to be called in."""
    early = [replace(one, at=local("02-24", "12:00")) for one in (APPEALED, PROPOSED, DECIDED, EXCLUDED)]
    out: tuple[Any, ...] = (*early, OBJECTED, PROPOSED_BACK)
    for begin in ((UNNAMED, UNNAMED_ORDER, EVIDENCED), (BADLY, WORK_ORDER, EVIDENCED, CONTACTED)):
        bad(*begin, *out).when(CONFIRM_BACK).then([DECIDED_BACK, REINSTATED])
    verified = (BADLY, WORK_ORDER, EVIDENCED, VERIFIED, *out)
    bad(*verified).when(CONFIRM_BACK).then(
        [DECIDED_BACK, replace(REINSTATED, verify_due=None, rectify_due=until("03-13"))]
    )
    praise = bad(SUBMITTED, NOTICED, EVIDENCED, *out).when(CONFIRM_BACK)
    praise.then([DECIDED_BACK, replace(REINSTATED, verify_due=None)])


def test_a_reinstated_review_is_handled_to_its_end() -> None:
    """Verified by the new limit, and never excluded again."""
    event = bad(*contested(REINSTATED)).when(replace(VERIFY, at=local("03-11"))).event
    assert (event.late, event.rectify_due) == (False, until("03-18"))
    late = bad(*contested(REINSTATED)).when(replace(VERIFY, at=local("03-12"))).event
    assert late.late is True
    mistaken = replace(VERIFY, at=local("03-11"), verdict=Verdict.MISTAKEN)
    bad(*contested(REINSTATED)).when(mistaken).then_refused(OnceOnly)
