"""A bad review is looked into: who gave a name is called, and a verdict is given by somebody who was not rated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.errors import (
    AlreadyThere,
    ContactMissing,
    NobodyToContact,
    NotYetHappened,
    NotYourCase,
    NotYourRole,
    OnceOnly,
    OutOfTurn,
    OwnWorkDecided,
    OwnWorkRevisited,
    UnknownReference,
)
from domain.handling import ContactResult, Facts
from domain.register import REGISTER, DepartmentMerged, Post, PostAdded
from domain.review import NEXT_STEPS, Review, ReviewCommand, ReviewEvent, Stage
from domain.review.appealing import Appealed
from domain.review.proposals import ProposalDeclined
from domain.review.state import Clock, Verdict, in_hand
from domain.review.verifying import Contacted, appeal_of
from domain.rulebook import Profile
from tests.bad_reviews import (
    APPEAL_ID,
    APPEALED,
    ATTEMPTED,
    CHECKED,
    CLOSED,
    COMPLEX,
    CONTACT,
    CONTACTED,
    DISCONTENT,
    EVIDENCED,
    EXPLAIN,
    FACTS,
    FIRST,
    GAO,
    GROUNDLESS,
    HALL_VERIFIER,
    HEAD,
    JIN,
    KONG,
    LOOP,
    NOTICED,
    OWED,
    PAPER,
    PLAN,
    PROPOSAL,
    PROPOSED,
    RATED,
    RECORD,
    RECTIFIED,
    RECTIFY,
    REJECTED,
    REPLIED,
    REPLY,
    REVISITED,
    REWORK,
    SHI,
    SUPERVISOR,
    TAO,
    UNIT,
    UNNAMED,
    UNNAMED_ORDER,
    VERIFIED,
    VERIFIER,
    VERIFY,
    XU,
    acting,
    bad,
    contested,
    holding,
    there,
    upto,
)
from tests.hall import CHU, JIANG, WANG, ZHAO, ZHOU, key, later, local, sealed, until
from tests.specification import When
from tests.visits import BADLY, SUBMITTED, WORK_ORDER

Asked = When[Review | None, ReviewCommand, ReviewEvent, Facts]
LATE = until("02-24").at
UNREACHED = replace(CONTACTED, result=ContactResult.NO_ANSWER)
MERGED = DepartmentMerged(at=local("02-20"), by=THE_SYSTEM, department="approval", into="joint")
TAKEN_OVER = replace(FACTS, register=REGISTER.evolve(FACTS.register, MERGED))


def attempt(number: int, day: str) -> Contacted:
    """Give an attempt to reach who rated, in vain."""
    return replace(UNREACHED, at=local(day), attempt_no=number, day=date.fromisoformat(f"2026-{day}"), late=None)


# Stages.


def test_a_bad_review_goes_from_stage_to_stage() -> None:
    """As domain.md §7.1 has them; a good one is only counted."""
    stages = [there(*LOOP[: place + 1]).stage for place in range(1, len(LOOP))]
    assert stages == [
        Stage.BAD_OPEN, Stage.BAD_CONTACTED, Stage.BAD_CONTACTED, Stage.BAD_VERIFIED, Stage.RECTIFIED, Stage.RECTIFIED,
        Stage.RECTIFIED, Stage.REVISITED, Stage.BAD_CLOSED,
    ]  # fmt: skip
    assert there(SUBMITTED).stage is Stage.COUNTED
    assert there(*contested(APPEALED)).stage is Stage.UNDER_APPEAL


def test_what_is_next_follows_from_the_stage() -> None:
    """The commands that carry the work on come first."""
    assert set(NEXT_STEPS) == set(Stage)
    forward = {
        Stage.BAD_OPEN: {"contact", "verify", "appeal"},
        Stage.BAD_CONTACTED: {"contact", "verify", "appeal"},
        Stage.BAD_VERIFIED: {"plan-rectification", "rectify", "explain", "appeal"},
        Stage.RECTIFYING: {"rectify", "appeal"},
        Stage.RECTIFIED: {"reply", "revisit", "appeal"},
        Stage.REVISITED: set(),
        Stage.BAD_CLOSED: {"appeal"},
        Stage.COUNTED: {"appeal"},
        Stage.UNDER_APPEAL: {"contact", "propose-decide-appeal", "confirm-decide-appeal", "decline-proposal"},
        Stage.EXCLUDED: {
            "tell", "object", "propose-decide-objection", "confirm-decide-objection", "decline-proposal",
        },
    }  # fmt: skip
    beside = {
        "record-evidence", "append", "corroborate", "confirm-mistake", "expire-proposal", "remind", "issue-supervision",
        "answer-supervision", "lift-supervision", "recompute-deadlines", "flag", "clear-flag", "owe-check", "check",
    }  # fmt: skip
    assert {stage: set(steps) - beside for stage, steps in NEXT_STEPS.items()} == forward
    assert NEXT_STEPS[Stage.BAD_OPEN][:3] == ("contact", "record-evidence", "verify")
    decided_on = {Stage.UNDER_APPEAL, Stage.EXCLUDED}
    for stage, steps in NEXT_STEPS.items():
        left_out = set() if stage in decided_on else {"expire-proposal"}
        if stage is Stage.EXCLUDED:
            left_out = {"confirm-mistake", "flag", "owe-check"}
        if stage is Stage.BAD_CLOSED:
            left_out |= {"record-evidence", "confirm-mistake"}
        assert beside - set(steps) == left_out, stage


# Contact.


def test_who_gave_a_name_is_called_within_a_working_day() -> None:
    """Rated on 14 February: the next working day is the 24th, to its last instant (R1, R2)."""
    bad(*upto(WORK_ORDER)).when(CONTACT).then([CONTACTED])
    bad(*upto(WORK_ORDER)).when(replace(CONTACT, at=LATE)).then([replace(CONTACTED, at=LATE)])
    too_late = bad(*upto(WORK_ORDER)).when(replace(CONTACT, at=later(LATE, microseconds=1))).event
    assert (too_late.late, too_late.day) == (True, date(2026, 2, 25))


def test_only_the_first_attempt_can_be_late() -> None:
    """It met the limit, whether they answered or not; every later one only counts."""
    second = bad(*upto(WORK_ORDER), UNREACHED).when(replace(CONTACT, at=local("02-26"))).event
    assert (second.attempt_no, second.late) == (2, None)
    assert there(*upto(WORK_ORDER), UNREACHED).stage is Stage.BAD_CONTACTED
    assert not there(*upto(WORK_ORDER), UNREACHED).reached
    assert there(*upto(WORK_ORDER), UNREACHED, CONTACTED).reached
    assert there(*upto(WORK_ORDER), CONTACTED, UNREACHED).reached


def test_nobody_calls_whoever_gave_no_name() -> None:
    """Whoever rated without a name is not looked for (domain.md §14 case 14)."""
    bad(UNNAMED, UNNAMED_ORDER).when(CONTACT).then_refused(NobodyToContact)
    assert in_hand(there(UNNAMED, UNNAMED_ORDER)) == (Clock.VERIFY,)
    assert in_hand(there(BADLY, WORK_ORDER)) == (Clock.CONTACT, Clock.VERIFY)
    assert in_hand(there(BADLY, WORK_ORDER, UNREACHED)) == (Clock.VERIFY,)


def test_an_appeal_does_not_stop_the_time_to_call() -> None:
    """The limit goes on, and the call can be made (domain.md §7.2); after a verdict nobody is called any more."""
    under_appeal = (BADLY, WORK_ORDER, replace(APPEALED, evidence=()))
    assert in_hand(there(*under_appeal)) == (Clock.CONTACT, Clock.APPEAL)
    bad(*under_appeal).when(CONTACT).then([CONTACTED])
    assert in_hand(there(*under_appeal, CONTACTED)) == (Clock.APPEAL,)
    verified = (*upto(VERIFIED), APPEALED)
    bad(*verified).when(replace(CONTACT, by=HALL_VERIFIER)).then_refused(OutOfTurn)
    assert in_hand(there(*verified)) == (Clock.APPEAL,)


def test_of_what_only_looks_forged_nobody_has_a_work_order() -> None:
    """A good review under appeal is nobody's to call about."""
    praise = (SUBMITTED, NOTICED, replace(APPEALED, by=SUPERVISOR))
    assert in_hand(there(*praise)) == (Clock.APPEAL,)
    bad(*praise).when(replace(CONTACT, by=HALL_VERIFIER)).then_refused(OutOfTurn, step=Stage.UNDER_APPEAL)


def test_an_attempt_may_be_written_down_later_but_not_before_it_was_made() -> None:
    """What was told stands beside; the limit goes by the time of the record."""
    before = local("02-24", "08:00")
    event = bad(*upto(WORK_ORDER)).when(replace(CONTACT, happened_at=before)).event
    assert event == replace(CONTACTED, happened_at=before)
    ahead = replace(CONTACT, happened_at=later(CONTACT.at, seconds=1))
    bad(*upto(WORK_ORDER)).when(ahead).then_refused(NotYetHappened)


# Who.


def test_the_units_verifier_or_the_halls_looks_into_it() -> None:
    """Not one of another unit, who would answer for nothing (domain.md §7.2)."""
    for history, command in ((upto(WORK_ORDER), CONTACT), (upto(EVIDENCED), VERIFY), (upto(WORK_ORDER), RECORD)):
        for by in (VERIFIER, HALL_VERIFIER):
            assert bad(*history).when(replace(command, by=by)).events
        other = acting(JIN, "tax-verifier")
        bad(*history).when(replace(command, by=other)).then_refused(NotYourCase, department="approval")


@pytest.mark.parametrize("command", [PLAN, RECTIFY, EXPLAIN, REPLY])
def test_the_unit_with_the_work_order_settles_it(command: ReviewCommand) -> None:
    """Its handler or its head; nobody of another unit, and no verifier."""
    history = {
        PLAN: (*upto(EVIDENCED), COMPLEX), RECTIFY: upto(VERIFIED), EXPLAIN: (*upto(EVIDENCED), GROUNDLESS),
        REPLY: upto(RECTIFIED),
    }[command]  # fmt: skip
    for by in (UNIT, HEAD):
        assert bad(*history).when(replace(command, by=by)).events
    for by in (acting(CHU, "tax-handler"), acting(JIANG, "tax-head"), acting(GAO, "joint-head")):
        bad(*history).when(replace(command, by=by)).then_refused(NotYourCase)
    for by in (VERIFIER, HALL_VERIFIER, FIRST, SUPERVISOR):
        bad(*history).when(replace(command, by=by)).then_refused(NotYourRole)


def test_whoever_handles_for_no_unit_handles_nothing() -> None:
    """Only a verifier may be the hall's own; and where nobody has a work order, nobody has its duties."""
    office = Post(code="hall-handler", name_zh="承办岗", name_en="Handler", role=Role.HANDLER, site="GXQ")
    register = REGISTER.evolve(FACTS.register, PostAdded(at=local("01-05"), by=THE_SYSTEM, entry=office))
    facts = holding(TAO, "hall-handler", facts=replace(FACTS, register=register))
    nobody = replace(UNIT, person=TAO, post="hall-handler")
    bad(*upto(VERIFIED), facts=facts).when(replace(RECTIFY, by=nobody)).then_refused(NotYourCase)
    bad(*upto(CONTACTED), facts=facts).when(replace(RECORD, by=nobody)).then_refused(NotYourCase)
    for by in (nobody, UNIT, VERIFIER):
        bad(SUBMITTED, facts=facts).when(replace(RECORD, by=by)).then_refused(NotYourCase)
    assert bad(SUBMITTED).when(replace(RECORD, by=HALL_VERIFIER)).events


def test_who_took_the_unit_over_has_its_duties() -> None:
    """The approval department became part of another one; its people may go on, and so may the other one's."""
    for by in (acting(GAO, "joint-head"), UNIT):
        assert bad(*upto(VERIFIED), facts=TAKEN_OVER).when(replace(RECTIFY, by=by)).events
    other = replace(RECTIFY, by=acting(JIANG, "tax-head"))
    bad(*upto(VERIFIED), facts=TAKEN_OVER).when(other).then_refused(NotYourCase)


@pytest.mark.parametrize(
    ("history", "command"),
    [
        (upto(WORK_ORDER), CONTACT),
        (upto(WORK_ORDER), RECORD),
        (upto(EVIDENCED), VERIFY),
        (upto(VERIFIED), RECTIFY),
        (upto(RECTIFIED), REPLY),
    ],
)
def test_whoever_judged_it_does_not_work_on_it(history: tuple[ReviewEvent, ...], command: ReviewCommand) -> None:
    """Who proposed, declined or confirmed anything, who revisited it, and who checked it."""
    post = "approval-handler" if command in (RECTIFY, REPLY) else "hall-verifier"
    appealed = replace(APPEALED, evidence=())
    decided = (history[0], history[1], appealed, PROPOSED, REJECTED, *history[2:])
    declined = ProposalDeclined(at=local("02-26"), by=acting(XU, "panel"), proposal=PROPOSAL, reason=sealed("reason"))
    turned_down = (*decided[:4], declined, *decided[4:])

    def asked(who: PersonKey, *events: ReviewEvent) -> Asked:
        by = acting(who, post)
        return bad(*events, facts=holding(who, post)).when(replace(command, by=by))

    for who in (SHI, REJECTED.by.person):
        asked(who, *decided).then_refused(OwnWorkDecided)
    asked(XU, *turned_down).then_refused(OwnWorkDecided)
    checked = (*history[:2], OWED, CHECKED, *history[2:])
    asked(ZHOU, *checked).then_refused(OwnWorkRevisited)
    again = (*upto(REPLIED), ATTEMPTED, replace(REVISITED, satisfied=DISCONTENT.satisfied), REWORK)
    if command is RECTIFY:
        asked(ZHOU, *again).then_refused(OwnWorkRevisited)
        assert bad(*again).when(replace(RECTIFY, at=local("03-04"))).events


def test_whoever_only_proposed_does_not_call_in_between() -> None:
    """Or they would have worked on what they decide on."""
    pending = (BADLY, WORK_ORDER, replace(APPEALED, evidence=()), PROPOSED)
    by = acting(SHI, "hall-verifier")
    bad(*pending, facts=holding(SHI, "hall-verifier")).when(replace(CONTACT, by=by)).then_refused(OwnWorkDecided)


# Evidence.


def test_evidence_is_recorded_once_under_its_id() -> None:
    """What was recorded stays what it was; a closed review needs none."""
    bad(*upto(CONTACTED)).when(RECORD).then([EVIDENCED])
    bad(*upto(EVIDENCED)).when(RECORD).then_refused(AlreadyThere, evidence=PAPER)
    bad(*upto(CLOSED)).when(replace(RECORD, evidence=key("more"))).then_refused(OutOfTurn)


@pytest.mark.parametrize("by", [VERIFIER, HALL_VERIFIER, UNIT, HEAD, SUPERVISOR, FIRST, RATED])
def test_whoever_has_a_part_brings_evidence(by: Actor) -> None:
    """Those who work on it, those who decide, and whoever is rated."""
    bad(*upto(CONTACTED)).when(replace(RECORD, by=by)).then([replace(EVIDENCED, by=by)])


def test_whoever_secures_evidence_for_the_unit_works_on_it() -> None:
    """Who brings it from outside, for a decision, does not."""
    for who, by in ((KONG, VERIFIER), (TAO, HALL_VERIFIER), (WANG, UNIT), (ZHAO, HEAD)):
        assert there(*upto(WORK_ORDER), replace(EVIDENCED, by=by)).workers == {who}
    for by in (SUPERVISOR, FIRST, RATED):
        assert there(*upto(WORK_ORDER), replace(EVIDENCED, by=by)).workers == frozenset()


# Verdict.


@pytest.mark.parametrize(
    ("verdict", "due"),
    [
        (Verdict.VALID_CLEAR, "03-03"),
        (Verdict.VALID_COMPLEX, "03-17"),
        (Verdict.NO_LEGAL_BASIS, "03-03"),
        (Verdict.UNVERIFIABLE, "03-03"),
    ],
)
def test_a_verdict_sets_the_limit_for_what_it_asks(verdict: Verdict, due: str) -> None:
    """Five working days, fifteen where it is complex; an explanation takes no longer than what is clear."""
    expected = replace(VERIFIED, verdict=verdict, rectify_due=until(due))
    bad(*upto(EVIDENCED)).when(replace(VERIFY, verdict=verdict)).then([expected])
    state = there(*upto(EVIDENCED), expected)
    assert (state.verdict, state.stage, in_hand(state)) == (verdict, Stage.BAD_VERIFIED, (Clock.RECTIFY,))
    assert state.due(Clock.RECTIFY) == until(due)
    assert verdict.valid == verdict.startswith("valid")


@pytest.mark.parametrize("verdict", [Verdict.MISTAKEN, Verdict.MALICIOUS])
def test_who_verifies_cannot_take_a_review_out(verdict: Verdict) -> None:
    """Mistaken or malicious goes before two outside deciders at once (domain.md §7.2); the verdict itself is open."""
    verified, appealed = bad(*upto(EVIDENCED)).when(replace(VERIFY, verdict=verdict)).events
    assert verified == replace(VERIFIED, verdict=verdict, rectify_due=None)
    assert appealed == Appealed(
        at=VERIFY.at, by=VERIFIER, appeal=APPEAL_ID, ground=verdict, explanation=sealed("facts"),
        explanation_measured=VERIFY.facts_measured, evidence=(PAPER,), decide_due=until("03-03"), basis=VERIFIED.basis,
    )  # fmt: skip
    state = there(*upto(EVIDENCED), verified, appealed)
    assert (state.stage, state.verdict, state.excluded) == (Stage.UNDER_APPEAL, None, False)
    assert state.appellants == {KONG}
    assert state.workers == {KONG}


def test_the_appeal_of_a_verdict_is_explained_in_a_text_of_its_own() -> None:
    """Sealed for it besides, because a text opens only as what it was sealed as."""
    told = replace(VERIFY, verdict=Verdict.MISTAKEN, explanation=sealed("explanation"))
    verified, appealed = bad(*upto(EVIDENCED)).when(told).events
    assert (verified.facts, appealed.explanation) == (sealed("facts"), sealed("explanation"))  # type: ignore[attr-defined]


def test_what_two_left_in_the_figures_is_not_contested_again() -> None:
    """It is verified anew, with a new limit, and not as mistaken or malicious."""
    kept = (*contested(APPEALED), PROPOSED, REJECTED)
    again = replace(VERIFY, at=local("02-28"))
    for verdict in (Verdict.MISTAKEN, Verdict.MALICIOUS):
        bad(*kept).when(replace(again, verdict=verdict)).then_refused(OnceOnly)
    event = bad(*kept).when(replace(again, verdict=Verdict.UNVERIFIABLE)).event
    assert (event.late, event.rectify_due) == (False, until("03-06"))  # 2 to 6 March
    assert bad(*kept).when(replace(again, at=local("03-04"))).event.late


def test_nobody_is_judged_over_whose_head() -> None:
    """Who gave a name is reached first, or tried three times on two days; without a name there is nobody to ask."""
    bad(*upto(WORK_ORDER), EVIDENCED).when(VERIFY).then_refused(ContactMissing, attempts=0, required=3)
    tries = [attempt(1, "02-24"), attempt(2, "02-24"), attempt(3, "02-24")]
    start = (*upto(WORK_ORDER), EVIDENCED)
    bad(*start, *tries).when(VERIFY).then_refused(ContactMissing, attempts=3)
    bad(*start, *tries[:2]).when(VERIFY).then_refused(ContactMissing)
    bad(*start, *tries[:2], attempt(3, "02-25")).when(VERIFY).then([VERIFIED])
    bad(UNNAMED, UNNAMED_ORDER, EVIDENCED).when(VERIFY).then([VERIFIED])


def test_a_verdict_is_in_time_or_late() -> None:
    """Three working days after the order: 24, 25, 26 February."""
    last = until("02-26").at
    assert bad(*upto(EVIDENCED)).when(replace(VERIFY, at=last)).event.late is False
    assert bad(*upto(EVIDENCED)).when(replace(VERIFY, at=later(last, microseconds=1))).event.late is True


def test_a_verdict_rests_on_evidence_that_is_there() -> None:
    """What it names was recorded; it may rest on none."""
    strange = replace(VERIFY, evidence=(PAPER, key("other")))
    bad(*upto(EVIDENCED)).when(strange).then_refused(UnknownReference, kind="evidence", value=[str(key("other"))])
    bad(*upto(CONTACTED)).when(replace(VERIFY, evidence=())).then([replace(VERIFIED, evidence=())])


def test_a_verdict_is_given_once() -> None:
    """And only on what is open."""
    for last in (VERIFIED, RECTIFIED, REPLIED, CLOSED):
        bad(*upto(last)).when(VERIFY).then_refused(OutOfTurn)
    for history in ((SUBMITTED,), contested(APPEALED)):
        bad(*history).when(VERIFY).then_refused(OutOfTurn)


def test_the_appeal_of_a_verdict_has_one_name() -> None:
    """The same command again names the same appeal, another one another."""
    assert appeal_of(key("command")) == appeal_of(key("command")) != appeal_of(key("other"))


def test_a_follow_up_that_is_bad_is_looked_into_like_any_other() -> None:
    """After praise, with limits from then; the first word stays counted as it is (domain.md §7.2)."""
    order = replace(WORK_ORDER, at=local("03-02"), contact_due=until("03-03"), verify_due=until("03-05"))
    event = bad(SUBMITTED, order).when(replace(CONTACT, at=local("03-03"))).event
    assert (event.late, event.attempt_no) == (False, 1)


def test_nothing_is_verified_for_a_ledger() -> None:
    """It is only counted there."""
    bad(replace(BADLY, profile=Profile.LEDGER), WORK_ORDER).when(VERIFY).then_refused(NotYourRole)
