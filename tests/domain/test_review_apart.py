"""Whoever was rated, rated, or wrote it down takes no part in what becomes of it; nor does whoever acts for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.decider import Code, PersonKey, Role
from domain.errors import NotYourRole, OwnRating, OwnRecord, Unknown
from domain.review import NEXT_STEPS, ReviewCommand, ReviewEvent, proposals, watching
from domain.review.state import Clock
from domain.rulebook import Profile
from tests.bad_reviews import (
    APPEAL,
    APPEALED,
    CHECK,
    CLEAR,
    COMPLEX,
    CONFIRM,
    CONFIRM_BACK,
    CONTACT,
    DISPATCHER,
    EVIDENCED,
    EXCLUDED,
    EXPLAIN,
    GROUNDLESS,
    NOTICED,
    OBJECTED,
    OWED,
    PAN,
    PLAN,
    PROPOSE,
    PROPOSE_BACK,
    PROPOSED,
    PROPOSED_BACK,
    RATED,
    RECORD,
    RECTIFIED,
    RECTIFY,
    REPLIED,
    REPLY,
    REVISIT,
    TELL,
    VERIFIED,
    VERIFY,
    acting,
    bad,
    contested,
    holding,
    upto,
)
from tests.hall import COMPLAINANT, FENG, MEASURED, WEI, ZHENG, key, local, person, sealed
from tests.visits import BADLY, WORK_ORDER
from tests.visits import TOLD as WRITTEN_DOWN

OTHER: Final = person("LAO")  # a stranger to all of it
ORDER: Final = key("order")
ISSUE: Final = watching.IssueSupervision(
    at=local("02-25"), by=DISPATCHER, supervision=ORDER, rule_no="inspection", level=1, clock=None, content=None
)
ISSUED: Final = watching.SupervisionIssued(
    at=local("02-25"), by=DISPATCHER, supervision=ORDER, supervision_no="DB-P0000000000-1", rule_no="inspection",
    level=1, clock=None, about=None, content=None, due=None, basis=WORK_ORDER.basis,
)  # fmt: skip
ANSWER: Final = watching.AnswerSupervision(
    at=local("02-26"), by=DISPATCHER, supervision=ORDER, answer=sealed("answer"), answer_measured=MEASURED
)
LIFT: Final = watching.LiftSupervision(at=local("02-26"), by=DISPATCHER, supervision=ORDER, reason=None)
REMIND: Final = watching.Remind(at=local("02-24"), by=DISPATCHER, clock=Clock.VERIFY)
DECLINE: Final = proposals.DeclineProposal(
    at=local("02-27"), by=DISPATCHER, proposal=PROPOSED.proposal, reason=sealed("reason")
)

Act = tuple[str, tuple[ReviewEvent, ...], ReviewCommand, Code]
ACTS: Final[tuple[Act, ...]] = (
    ("contact", upto(WORK_ORDER), CONTACT, "hall-verifier"),
    ("record-evidence", upto(WORK_ORDER), RECORD, "hall-verifier"),
    ("verify", upto(EVIDENCED), VERIFY, "hall-verifier"),
    ("plan-rectification", (*upto(EVIDENCED), COMPLEX), PLAN, "approval-handler"),
    ("rectify", upto(VERIFIED), RECTIFY, "approval-handler"),
    ("explain", (*upto(EVIDENCED), GROUNDLESS), EXPLAIN, "approval-head"),
    ("reply", upto(RECTIFIED), REPLY, "approval-handler"),
    ("revisit", upto(REPLIED), REVISIT, "revisits"),
    ("appeal of a flagged one", (*upto(EVIDENCED), NOTICED), APPEAL, "supervisor"),
    ("propose-decide-appeal", contested(APPEALED), PROPOSE, "panel"),
    ("confirm-decide-appeal", contested(PROPOSED), CONFIRM, "panel"),
    ("decline-proposal", contested(PROPOSED), DECLINE, "panel"),
    ("tell", contested(EXCLUDED), TELL, "revisits"),
    ("propose-decide-objection", contested(OBJECTED), PROPOSE_BACK, "panel"),
    ("confirm-decide-objection", contested(PROPOSED_BACK), CONFIRM_BACK, "panel"),
    ("decline the way back", contested(PROPOSED_BACK), replace(DECLINE, proposal=PROPOSED_BACK.proposal), "panel"),
    ("check", (*upto(WORK_ORDER), OWED), CHECK, "revisits"),
    ("clear-flag", (*upto(WORK_ORDER), NOTICED), CLEAR, "audit"),
    ("remind", upto(WORK_ORDER), REMIND, "supervisor"),
    ("issue-supervision", upto(WORK_ORDER), ISSUE, "supervisor"),
    ("answer-supervision", (*upto(WORK_ORDER), ISSUED), ANSWER, "desk"),
    ("lift-supervision", (*upto(WORK_ORDER), ISSUED), LIFT, "supervisor"),
)
NAMES: Final = [name for name, *_ in ACTS]
acts = pytest.mark.parametrize("act", ACTS, ids=NAMES)


def by(act: Act, who: PersonKey, *, on_behalf_of: PersonKey | None = None) -> ReviewCommand:
    """Give the act by somebody in the post it needs."""
    *_, command, post = act
    return replace(command, by=acting(who, post, on_behalf_of=on_behalf_of))


@acts
def test_a_stranger_in_the_right_post_may(act: Act) -> None:
    """The examples below are refused for who acts, and for nothing else."""
    assert bad(*act[1], facts=holding(OTHER, act[3])).when(by(act, OTHER)).events


@acts
@pytest.mark.parametrize("who", [FENG, PAN])
def test_whoever_was_rated_has_no_part_in_it(act: Act, who: PersonKey) -> None:
    """Who served, and who held a post at the window then, whatever post they hold besides (domain.md §6.4, A5)."""
    bad(*act[1], facts=holding(who, act[3])).when(by(act, who)).then_refused(OwnRating)


@acts
@pytest.mark.parametrize("rated", [FENG, PAN])
def test_nobody_acts_for_whoever_was_rated(act: Act, rated: PersonKey) -> None:
    """Separation looks at the mandator too."""
    bad(*act[1], facts=holding(OTHER, act[3])).when(by(act, OTHER, on_behalf_of=rated)).then_refused(OwnRating)


@acts
def test_whoever_rated_has_no_part_in_it_either(act: Act) -> None:
    """Somebody of the house who was served and rated with a name is on the other side of their own rating."""
    bad(*act[1], facts=holding(COMPLAINANT, act[3])).when(by(act, COMPLAINANT)).then_refused(OwnRecord)
    by_an_agent = (replace(BADLY, by=replace(BADLY.by, person=person("AGENT"))), *act[1][1:])
    for who in (COMPLAINANT, person("AGENT")):
        bad(*by_an_agent, facts=holding(who, act[3])).when(by(act, who)).then_refused(OwnRecord)


@acts
def test_whoever_wrote_it_down_has_no_part_in_it(act: Act) -> None:
    """Nor whoever they wrote it down for another colleague as."""
    written = (replace(WRITTEN_DOWN, by=acting(ZHENG, "counter")), *act[1][1:])
    bad(*written, facts=holding(ZHENG, act[3])).when(by(act, ZHENG)).then_refused(OwnRecord)
    bad(*written, facts=holding(OTHER, act[3])).when(by(act, OTHER, on_behalf_of=ZHENG)).then_refused(OwnRecord)


@acts
def test_nobody_acts_in_a_post_they_do_not_hold(act: Act) -> None:
    """Nor in a role that the policy does not name."""
    bad(*act[1]).when(by(act, OTHER)).then_refused(NotYourRole)
    stranger = replace(by(act, OTHER).by, post="counter", role=Role.INTAKE)
    bad(*act[1], facts=holding(OTHER, "counter")).when(replace(act[2], by=stranger)).then_refused(NotYourRole)
    citizen = replace(stranger, post=None, role=Role.CITIZEN)
    bad(*act[1]).when(replace(act[2], by=citizen)).then_refused(NotYourRole)


@acts
def test_nothing_happens_to_what_is_only_counted(act: Act) -> None:
    """A ledger's review is another house's: no policy lets anybody act on it."""
    first = replace(BADLY, profile=Profile.LEDGER)
    bad(first, *act[1][1:], facts=holding(OTHER, act[3])).when(by(act, OTHER)).then_refused(NotYourRole)


def test_who_served_at_another_time_was_not_rated() -> None:
    """MENG came to the window a week later; a post there before or after says nothing about that day."""
    meng = acting(person("MENG"), "hall-verifier")
    assert bad(*upto(WORK_ORDER)).when(replace(CONTACT, by=meng)).events
    ahead = replace(BADLY, seconds_since_service=-3600)
    assert bad(ahead, WORK_ORDER).when(replace(CONTACT, by=meng)).events


def test_where_nobody_knows_when_it_was_the_time_of_the_rating_counts() -> None:
    """PAN left the window that very moment; a clock that ran ahead says nothing better."""
    pan = replace(CONTACT, by=acting(PAN, "hall-verifier"))
    for seconds in (None, -3600, 0):
        later = replace(BADLY, seconds_since_service=seconds)
        assert bad(later, WORK_ORDER).when(pan).events
    bad(replace(BADLY, seconds_since_service=1), WORK_ORDER).when(pan).then_refused(OwnRating)


def test_where_no_window_is_known_only_the_person_named_was_rated() -> None:
    """And where nobody is known, nobody was."""
    assert BADLY.attribution is not None
    no_window = replace(BADLY, attribution=replace(BADLY.attribution, window=None))
    assert bad(no_window, WORK_ORDER).when(replace(CONTACT, by=acting(PAN, "hall-verifier"))).events
    feng = replace(CONTACT, by=acting(FENG, "approval-verifier"))
    bad(no_window, WORK_ORDER).when(feng).then_refused(OwnRating)
    nobody = replace(BADLY, attribution=None)
    assert bad(nobody, WORK_ORDER).when(feng).events


def test_every_command_of_the_house_is_held_to_it() -> None:
    """Those left out are a machine's, a citizen's own, or the rated person's own appeal and evidence."""
    names = {name for steps in NEXT_STEPS.values() for name in steps}
    by_themselves = {"append", "corroborate", "confirm-mistake", "object"}
    by_the_machine = {"expire-proposal", "recompute-deadlines", "flag", "owe-check"}
    assert names - by_themselves - by_the_machine - {"appeal"} == set(NAMES) & names


def test_the_rated_speak_as_the_other_side_only() -> None:
    """They bring evidence and appeal; nobody else speaks as the other side (domain.md §7.2)."""
    evidence = bad(*upto(WORK_ORDER)).when(replace(RECORD, by=RATED))
    assert evidence.event == replace(EVIDENCED, by=RATED)
    for post in ("approval-handler", "counter"):
        other = acting(WEI, post, Role.RESPONDENT)
        bad(*upto(WORK_ORDER)).when(replace(RECORD, by=other)).then_refused(
            NotYourRole, command="review/record-evidence"
        )
        bad(*upto(EVIDENCED)).when(replace(APPEAL, by=other)).then_refused(NotYourRole, command="review/appeal")
    own = (replace(WRITTEN_DOWN, by=acting(FENG, "window-3")), WORK_ORDER)
    bad(*own).when(replace(RECORD, by=RATED)).then_refused(OwnRecord)
    ledger = replace(BADLY, profile=Profile.LEDGER)
    bad(ledger, WORK_ORDER).when(replace(RECORD, by=RATED)).then_refused(NotYourRole)


def test_a_review_that_is_not_there_is_unknown_to_everybody() -> None:
    """Whatever is asked of it."""
    for act in ACTS:
        bad(facts=holding(OTHER, act[3])).when(by(act, OTHER)).then_refused(Unknown)
