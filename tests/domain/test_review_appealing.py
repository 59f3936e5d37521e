"""A review leaves the figures only after an appeal, for a listed reason, with evidence, by two from outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.decider import THE_SYSTEM, Actor, Code, PersonKey
from domain.errors import (
    EvidenceMissing,
    MistakeUnconfirmed,
    NotFlagged,
    NotYourCase,
    NotYourRole,
    OnceOnly,
    OutOfTurn,
    OwnProposal,
    OwnRating,
    OwnRecord,
    OwnWorkDecided,
    ProposalOver,
    ProposalPending,
    Superseded,
    TooEarly,
    TooLate,
    UnitRated,
    UnknownReference,
)
from domain.grade import Grade
from domain.handling import ContactResult, Method
from domain.register import REGISTER, DepartmentMerged
from domain.review import ReviewCommand, ReviewEvent, Stage
from domain.review.adding import ConfirmMistake, MistakeConfirmed
from domain.review.appealing import AppealResult
from domain.review.proposals import DeclineProposal, ExpireProposal, ProposalDeclined, ProposalExpired
from domain.review.state import Clock, Verdict, in_hand
from domain.rulebook import RULEBOOK, PolicyAdopted
from tests.bad_reviews import (
    APPEAL,
    APPEAL_ID,
    APPEALED,
    ATTEMPTED,
    CHECKED,
    CLEARED,
    CLOSED,
    COMPLEX,
    CONFIRM,
    CONTACTED,
    DECIDED,
    DISPATCHER,
    EVIDENCED,
    EXCLUDED,
    FACTS,
    FIRST,
    GAO,
    HEAD,
    KONG,
    NOTICED,
    OWED,
    PAPER,
    PLANNED,
    PROPOSAL,
    PROPOSE,
    PROPOSED,
    RATED,
    RECTIFIED,
    REFUSE,
    REFUSED,
    REJECTED,
    REPLIED,
    REVISITED,
    REVISITOR,
    REWORK,
    SECOND,
    SHI,
    SUPERVISOR,
    TAO,
    TELL,
    THIRD,
    TOLD,
    UNIT,
    UNNAMED,
    UNNAMED_ORDER,
    VERIFIED,
    XU,
    YUAN,
    acting,
    bad,
    contested,
    holding,
    there,
    upto,
)
from tests.hall import CITIZEN, FENG, HALL, JIANG, SUN, WU, ZHAO, ZHOU, key, later, local, sealed, until
from tests.visits import BADLY, OWN_LINK, SUBMITTED, WORK_ORDER
from tests.visits import TOLD as WRITTEN_DOWN

WAITS = contested(APPEALED)
PENDING = contested(PROPOSED)
OUT = contested(EXCLUDED)
FLAGGED: tuple[ReviewEvent, ...] = (SUBMITTED, NOTICED, EVIDENCED)
"""Praise that looks forged."""
CONFIRM_MISTAKE = ConfirmMistake(at=local("02-26"), by=CITIZEN, own_link=OWN_LINK)
MISTAKE = MistakeConfirmed(at=local("02-26"), by=CITIZEN)
DECLINE = DeclineProposal(at=local("02-27"), by=SECOND, proposal=PROPOSAL, reason=sealed("reason"))
DECLINED = ProposalDeclined(at=DECLINE.at, by=SECOND, proposal=PROPOSAL, reason=sealed("reason"))
EXPIRE = ExpireProposal(at=later(until("02-28").at, microseconds=1), by=THE_SYSTEM, proposal=PROPOSAL)
EXPIRED = ProposalExpired(at=EXPIRE.at, by=THE_SYSTEM, proposal=PROPOSAL)
BY_HEAD = replace(APPEAL, by=HEAD)
BY_SUPERVISOR = replace(APPEAL, by=SUPERVISOR, ground="fabricated")

# The appeal.


@pytest.mark.parametrize("by", [RATED, HEAD, acting(FENG, "approval-verifier", RATED.role)])
def test_whoever_is_rated_and_the_head_of_the_unit_may_appeal(by: Actor) -> None:
    """With a listed ground; the review stays in the figures meanwhile (domain.md §7.2)."""
    bad(*upto(EVIDENCED)).when(replace(APPEAL, by=by)).then([replace(APPEALED, by=by)])
    state = there(*WAITS)
    assert (state.stage, state.excluded, in_hand(state)) == (Stage.UNDER_APPEAL, False, (Clock.APPEAL,))


@pytest.mark.parametrize("last", [WORK_ORDER, CONTACTED, EVIDENCED, VERIFIED])
def test_an_appeal_is_made_until_the_work_begins(last: ReviewEvent) -> None:
    """From the order to the verdict; what was planned, put right or closed is accepted by that."""
    bare = replace(APPEAL, evidence=())
    assert bad(*upto(last)).when(bare).events == [replace(APPEALED, evidence=())]
    for later_on in (RECTIFIED, REPLIED, CLOSED):
        for by in (RATED, HEAD):
            bad(*upto(later_on)).when(replace(bare, by=by)).then_refused(OutOfTurn)
    bad(*upto(EVIDENCED), COMPLEX, PLANNED).when(bare).then_refused(OutOfTurn, step=Stage.RECTIFYING)


def test_an_appeal_is_made_in_time() -> None:
    """Five working days after the order came: 24 to 28 February."""
    last = until("02-28").at
    assert bad(*upto(EVIDENCED)).when(replace(APPEAL, at=last)).events
    for by in (RATED, HEAD):
        late = replace(APPEAL, at=later(last, microseconds=1), by=by)
        bad(*upto(EVIDENCED)).when(late).then_refused(TooLate, due=until("02-28"))
    open_end = (BADLY, replace(WORK_ORDER, appeal_until=None), EVIDENCED)
    assert bad(*open_end).when(replace(APPEAL, at=local("12-01"))).events


def test_praise_is_not_contested_by_whom_it_praises() -> None:
    """Nor a bad review by another unit, or by whoever has no word in it."""
    bad(*FLAGGED).when(BY_HEAD).then_refused(OutOfTurn, step=Stage.COUNTED)
    bad(*FLAGGED).when(APPEAL).then_refused(OutOfTurn, step=Stage.COUNTED)
    bad(*upto(EVIDENCED)).when(replace(APPEAL, by=acting(JIANG, "tax-head"))).then_refused(NotYourCase)
    for by in (UNIT, FIRST, DISPATCHER, REVISITOR, acting(KONG, "approval-verifier"), THE_SYSTEM, CITIZEN):
        bad(*upto(EVIDENCED)).when(replace(APPEAL, by=by)).then_refused(NotYourRole)


def test_who_took_the_unit_over_may_appeal() -> None:
    """The head of what the department became."""
    merged = DepartmentMerged(at=local("02-20"), by=THE_SYSTEM, department="approval", into="joint")
    facts = replace(FACTS, register=REGISTER.evolve(FACTS.register, merged))
    head = replace(APPEAL, by=acting(GAO, "joint-head"))
    bad(*upto(EVIDENCED)).when(head).then_refused(NotYourCase)
    assert bad(*upto(EVIDENCED), facts=facts).when(head).events


def test_a_supervisor_contests_what_was_flagged_of_any_grade() -> None:
    """At any stage, and after its end; not while nothing is noticed, or all of it was cleared."""
    bad(*FLAGGED).when(BY_SUPERVISOR).then([replace(APPEALED, by=SUPERVISOR, ground="fabricated")])
    for last in (WORK_ORDER, VERIFIED, RECTIFIED, REPLIED, CLOSED):
        history = (*upto(last), NOTICED)
        asked = replace(BY_SUPERVISOR, at=local("05-01"), evidence=())
        assert there(*history, *bad(*history).when(asked).events).stage is Stage.UNDER_APPEAL  # type: ignore[arg-type]
    bad(SUBMITTED, EVIDENCED).when(BY_SUPERVISOR).then_refused(NotFlagged)
    bad(*FLAGGED, CLEARED).when(BY_SUPERVISOR).then_refused(NotFlagged)
    again = replace(NOTICED, flag=key("second flag"), detector="run")
    assert bad(*FLAGGED, CLEARED, again).when(BY_SUPERVISOR).events
    rated = replace(BY_SUPERVISOR, by=acting(FENG, "supervisor"))
    bad(*FLAGGED, facts=holding(FENG, "supervisor")).when(rated).then_refused(OwnRating)


def test_an_appeal_rests_on_a_listed_ground_and_known_evidence() -> None:
    """Too harsh is no ground (domain.md §7.2)."""
    for ground in ("too_harsh", "malicious_proven"):
        bad(*upto(EVIDENCED)).when(replace(APPEAL, ground=ground)).then_refused(
            UnknownReference, kind="appeal_ground", value=ground
        )
    strange = replace(APPEAL, evidence=(PAPER, key("other")))
    bad(*upto(EVIDENCED)).when(strange).then_refused(UnknownReference, kind="evidence", value=[str(key("other"))])


def test_a_review_is_contested_once() -> None:
    """Not twice at a time, and not again after two decided that it stays."""
    bad(*WAITS).when(replace(APPEAL, appeal=key("second"))).then_refused(OutOfTurn)
    bad(*OUT).when(replace(APPEAL, appeal=key("second"))).then_refused(OutOfTurn)
    kept = (*PENDING, REJECTED)
    for command in (APPEAL, BY_HEAD):
        bad(*kept).when(replace(command, at=local("02-28"), appeal=key("second"))).then_refused(OnceOnly)
    bad(*kept, NOTICED).when(replace(BY_SUPERVISOR, appeal=key("second"))).then_refused(OnceOnly)


def test_whoever_wrote_it_down_does_not_appeal() -> None:
    """Or a clerk could write a bad one down and take it out again."""
    own = (replace(WRITTEN_DOWN, by=acting(FENG, "window-3")), WORK_ORDER, EVIDENCED)
    bad(*own).when(APPEAL).then_refused(OwnRecord)
    by_head = (replace(WRITTEN_DOWN, by=acting(ZHAO, "counter")), WORK_ORDER, EVIDENCED)
    bad(*by_head).when(BY_HEAD).then_refused(OwnRecord)


# Its decision.


def test_one_proposes_and_another_confirms() -> None:
    """Then it is out, and who rated is to be told within two working days."""
    bad(*WAITS).when(PROPOSE).then([PROPOSED])
    bad(*PENDING).when(CONFIRM).then([DECIDED, EXCLUDED])
    state = there(*OUT)
    assert (state.stage, state.excluded, in_hand(state)) == (Stage.EXCLUDED, True, (Clock.TELL,))
    assert state.deciders == state.used == {SHI, YUAN}
    assert not there(*PENDING).excluded


def test_nobody_confirms_or_declines_their_own_proposal() -> None:
    """Not for somebody else either (domain.md §6.4)."""
    facts = holding(XU, "panel")
    for command in (CONFIRM, DECLINE):
        bad(*PENDING).when(replace(command, by=FIRST)).then_refused(OwnProposal)
        mandated = replace(SECOND, on_behalf_of=SHI)
        bad(*PENDING, facts=facts).when(replace(command, by=mandated)).then_refused(OwnProposal)


@pytest.mark.parametrize(("history", "command"), [(WAITS, PROPOSE), (PENDING, CONFIRM), (PENDING, DECLINE)])
def test_nobody_of_the_unit_decides(history: tuple[ReviewEvent, ...], command: ReviewCommand) -> None:
    """XU handles in the department that was rated besides; nobody acts for its people either."""
    inside = replace(command, by=acting(XU, "panel"))
    bad(*history).when(inside).then_refused(UnitRated, departments=["approval"])
    mandated = replace(command, by=replace(THIRD, on_behalf_of=ZHAO))
    bad(*history).when(mandated).then_refused(UnitRated)
    other = (history[0], replace(WORK_ORDER, lead="tax"), *history[2:])
    for who in (XU, JIANG):
        at_tax = replace(command, by=acting(who, "panel"))
        bad(*other, facts=holding(who, "panel")).when(at_tax).then_refused(UnitRated)
    gao = replace(command, by=acting(GAO, "panel"))
    facts = holding(GAO, "panel")
    assert bad(*history, facts=facts).when(gao).events
    merged = DepartmentMerged(at=local("02-20"), by=THE_SYSTEM, department="approval", into="joint")
    after = replace(facts, register=REGISTER.evolve(facts.register, merged))
    bad(*history, facts=after).when(gao).then_refused(UnitRated)


@pytest.mark.parametrize(("rest", "command"), [((), PROPOSE), ((PROPOSED,), CONFIRM), ((PROPOSED,), DECLINE)])
@pytest.mark.parametrize("who", [TAO, SUN, ZHOU])
def test_whoever_had_a_part_does_not_decide(
    who: PersonKey, rest: tuple[ReviewEvent, ...], command: ReviewCommand
) -> None:
    """TAO looked into it for the hall, SUN appealed, ZHOU asked who rated whether it was theirs."""
    by_tao = replace(CONTACTED, by=acting(TAO, "hall-verifier"))
    history = (BADLY, WORK_ORDER, by_tao, EVIDENCED, NOTICED, OWED, CHECKED, replace(APPEALED, by=SUPERVISOR), *rest)
    asked = replace(command, by=acting(who, "panel"))
    bad(*history, facts=holding(who, "panel")).when(asked).then_refused(OwnWorkDecided)


def test_whoever_revisited_does_not_decide() -> None:
    """A review sent back, and contested by a supervisor then."""
    again = (*upto(REPLIED), ATTEMPTED, REVISITED, REWORK, NOTICED, replace(APPEALED, by=SUPERVISOR))
    asked = replace(PROPOSE, by=acting(ZHOU, "panel"))
    bad(*again, facts=holding(ZHOU, "panel")).when(asked).then_refused(OwnWorkDecided)


def test_only_the_panel_decides() -> None:
    """No supervisor, no head, no verifier, no machine."""
    for by in (SUPERVISOR, HEAD, UNIT, RATED, DISPATCHER, REVISITOR, acting(TAO, "hall-verifier"), THE_SYSTEM, CITIZEN):
        bad(*WAITS).when(replace(PROPOSE, by=by)).then_refused(NotYourRole)
        bad(*PENDING).when(replace(CONFIRM, by=by)).then_refused(NotYourRole)


def test_an_exclusion_has_a_listed_reason() -> None:
    """Nothing else takes a review out; a rejection needs none, and keeps none."""
    for reason in ("too_harsh", "malicious", None):
        bad(*WAITS).when(replace(PROPOSE, reason=reason)).then_refused(
            UnknownReference, kind="exclude_reason", value=reason or ""
        )
    for reason in ("mistaken_target", "fabricated", "duplicate", "not_service_recipient", "malicious_proven"):
        assert bad(*WAITS).when(replace(PROPOSE, reason=reason)).event.reason == reason
    bad(*WAITS).when(REFUSE).then([REFUSED])
    bad(*WAITS).when(replace(REFUSE, reason="fabricated")).then([REFUSED])


def test_an_exclusion_names_evidence() -> None:
    """What was recorded; a rejection may name some."""
    bad(*WAITS).when(replace(PROPOSE, evidence=())).then_refused(EvidenceMissing)
    for command in (PROPOSE, REFUSE):
        strange = replace(command, evidence=(key("other"),))
        bad(*WAITS).when(strange).then_refused(UnknownReference, kind="evidence", value=[str(key("other"))])
    assert bad(*WAITS).when(replace(REFUSE, evidence=(PAPER,))).event.evidence == (PAPER,)


def test_only_who_rated_says_that_the_grade_was_a_mistake() -> None:
    """Before anybody proposes it; by itself their word changes nothing (domain.md §7.2)."""
    mistaken = replace(PROPOSE, reason="mistaken_grade")
    bad(*WAITS).when(mistaken).then_refused(MistakeUnconfirmed)
    bad(*WAITS).when(CONFIRM_MISTAKE).then([MISTAKE])
    assert bad(*WAITS, MISTAKE).when(mistaken).event.reason == "mistaken_grade"
    bad(*WAITS, MISTAKE).when(CONFIRM_MISTAKE).then_nothing()
    assert there(*WAITS, MISTAKE).stage is Stage.UNDER_APPEAL
    assert replace(there(*WAITS, MISTAKE), mistake_confirmed=False) == there(*WAITS)


def test_nobody_confirms_a_mistake_of_what_is_over() -> None:
    """Closed or excluded; a wrong link learns nothing of that."""
    bad(*upto(CLOSED)).when(CONFIRM_MISTAKE).then_refused(OutOfTurn)
    bad(*OUT).when(CONFIRM_MISTAKE).then_refused(OutOfTurn)
    assert bad(SUBMITTED).when(CONFIRM_MISTAKE).events == [MISTAKE]


def test_one_proposal_waits_at_a_time_and_is_about_this_appeal() -> None:
    """A second one waits until the first is decided on, declined or over."""
    bad(*PENDING).when(replace(REFUSE, by=SECOND, proposal=key("other"))).then_refused(
        ProposalPending, proposal=PROPOSAL
    )
    bad(*WAITS).when(replace(PROPOSE, appeal=key("other"))).then_refused(Superseded, appeal=key("other"))
    bad(*PENDING).when(replace(CONFIRM, proposal=key("other"))).then_refused(Superseded, proposal=key("other"))
    bad(*PENDING).when(replace(DECLINE, proposal=key("other"))).then_refused(Superseded)
    bad(*WAITS).when(CONFIRM).then_refused(Superseded)


def test_a_proposal_is_confirmed_in_time_or_ends() -> None:
    """Two working days: 27 and 28 February; then another one can be made, by anybody."""
    last = until("02-28").at
    assert len(bad(*PENDING).when(replace(CONFIRM, at=last)).events) == 2
    for command in (CONFIRM, DECLINE):
        bad(*PENDING).when(replace(command, at=EXPIRE.at)).then_refused(ProposalOver)
    bad(*PENDING).when(replace(EXPIRE, at=last)).then_refused(TooEarly, until=last)
    bad(*PENDING).when(EXPIRE).then([EXPIRED])
    bad(*PENDING, EXPIRED).when(EXPIRE).then_nothing()
    bad(*PENDING).when(replace(EXPIRE, by=FIRST)).then_refused(NotYourRole)
    again = replace(PROPOSE, at=local("03-02"), proposal=key("again"))
    assert bad(*PENDING, EXPIRED).when(again).events
    assert bad(*PENDING, EXPIRED).when(replace(again, by=SECOND)).events
    endless = replace(PROPOSED, until=None)
    bad(*WAITS, endless).when(EXPIRE).then_refused(TooEarly)
    assert bad(*WAITS, endless).when(replace(CONFIRM, at=local("12-01"))).events


def test_what_is_declined_stays_open() -> None:
    """The review is where it was; whoever proposed or declined had a part in deciding."""
    bad(*PENDING).when(DECLINE).then([DECLINED])
    state = there(*PENDING, DECLINED)
    assert (state.stage, dict(state.proposals)) == (Stage.UNDER_APPEAL, {})
    assert state.deciders == state.used == {SHI, YUAN}
    assert bad(*PENDING, DECLINED).when(replace(REFUSE, by=SECOND, proposal=key("other"))).events
    for command in (DECLINE, EXPIRE):
        bad(*upto(EVIDENCED)).when(command).then_refused(OutOfTurn)


def test_what_is_rejected_is_handled_on_by_new_limits() -> None:
    """Nobody worked on it meanwhile: for the verdict, or for what the verdict asked for."""
    refused = (*WAITS, REFUSED)
    bad(*refused).when(CONFIRM).then([REJECTED])
    state = there(*refused, REJECTED)
    assert (state.stage, state.appeals, in_hand(state)) == (Stage.BAD_CONTACTED, 1, (Clock.VERIFY,))
    assert state.due(Clock.VERIFY) == until("03-03")
    for verdict, due in ((Verdict.VALID_CLEAR, "03-05"), (Verdict.VALID_COMPLEX, "03-19")):
        verified = (*upto(EVIDENCED), replace(VERIFIED, verdict=verdict), APPEALED, REFUSED)
        decided = replace(REJECTED, verify_due=None, rectify_due=until(due))
        bad(*verified).when(CONFIRM).then([decided])
        state = there(*verified, decided)
        assert (state.stage, in_hand(state)) == (Stage.BAD_VERIFIED, (Clock.RECTIFY,))
        assert state.due(Clock.RECTIFY) == until(due)


def test_what_is_settled_and_contested_waits_anew_for_reply_and_revisit() -> None:
    """A supervisor contested it in between; its limits ran on while nobody could keep them."""
    appealed = replace(APPEALED, by=SUPERVISOR)
    for last, reply, clocks in ((RECTIFIED, "03-02", (Clock.REPLY, Clock.REVISIT)), (REPLIED, None, (Clock.REVISIT,))):
        history = (*upto(last), NOTICED, appealed, REFUSED)
        decided = replace(
            REJECTED,
            verify_due=None,
            reply_due=None if reply is None else until(reply),
            revisit_due=until("03-05"),
        )
        bad(*history).when(CONFIRM).then([decided])
        assert in_hand(there(*history, decided)) == clocks
        assert there(*history, decided).due(Clock.REVISIT) == until("03-05")
    unnamed = (UNNAMED, UNNAMED_ORDER, EVIDENCED, VERIFIED, RECTIFIED, NOTICED, appealed, REFUSED)
    decided = replace(REJECTED, verify_due=None, reply_due=until("03-02"))
    bad(*unnamed).when(CONFIRM).then([decided])


def test_what_was_over_or_only_counted_waits_for_nothing() -> None:
    """Praise that stays, and a bad review that was closed already."""
    appealed = replace(APPEALED, by=SUPERVISOR)
    for history, stage in (
        ((SUBMITTED, NOTICED, EVIDENCED), Stage.COUNTED),
        ((*upto(CLOSED), NOTICED), Stage.BAD_CLOSED),
    ):
        decided = replace(REJECTED, verify_due=None)
        bad(*history, appealed, REFUSED).when(CONFIRM).then([decided])
        assert there(*history, appealed, REFUSED, decided).stage is stage


def test_an_appeal_is_decided_in_time_or_late() -> None:
    """Five working days after it was made: 26, 27, 28 February, 2, 3 March."""
    for at, late in ((until("03-03").at, False), (later(until("03-03").at, microseconds=1), True)):
        slow = replace(PROPOSED, until=until("03-06"))
        for proposed in (slow, replace(slow, result=AppealResult.REJECTED, reason=None)):
            assert bad(*WAITS, proposed).when(replace(CONFIRM, at=at)).events[0].late is late  # type: ignore[attr-defined]


def test_praise_that_was_forged_is_taken_out_like_a_bad_one() -> None:
    """By the same two, for the same reasons."""
    praise = (*FLAGGED, replace(APPEALED, by=SUPERVISOR, ground="fabricated"), replace(PROPOSED, reason="fabricated"))
    _, excluded = bad(*praise).when(CONFIRM).events
    assert excluded == replace(EXCLUDED, reason="fabricated")
    assert there(*praise).submitted.grade is Grade.VERY_SATISFIED


def test_each_step_of_a_decision_has_its_turn() -> None:
    """Nothing is decided before there is an appeal, nor again afterwards."""
    for history in (upto(EVIDENCED), (SUBMITTED,), OUT, upto(CLOSED)):
        bad(*history).when(PROPOSE).then_refused(OutOfTurn)
        bad(*history).when(CONFIRM).then_refused(OutOfTurn)


# Who rated is told.


def test_who_rated_is_told_and_may_object_from_then() -> None:
    """Five working days from being told, not from the exclusion."""
    bad(*OUT).when(TELL).then([TOLD])
    state = there(*OUT, TOLD)
    assert (state.told, state.objection_until, in_hand(state)) == (True, until("03-06"), ())
    bad(*OUT, TOLD).when(TELL).then_nothing()
    for by in (FIRST, THIRD, REVISITOR, DISPATCHER):
        assert bad(*OUT).when(replace(TELL, by=by)).events
    for by in (SUPERVISOR, HEAD, UNIT, acting(TAO, "hall-verifier")):
        bad(*OUT).when(replace(TELL, by=by)).then_refused(NotYourRole)
    for last in (APPEALED, PROPOSED):
        bad(*contested(last)).when(TELL).then_refused(OutOfTurn)


def test_telling_is_in_time_or_late() -> None:
    """Two working days after the exclusion: 28 February, 2 March."""
    last = until("03-02").at
    for at, late in ((last, False), (later(last, microseconds=1), True)):
        event = bad(*OUT).when(replace(TELL, at=at, method=Method.LETTER)).event
        assert (event.late, event.done) == (late, True)


def test_whoever_cannot_be_reached_is_tried_three_times_on_two_days() -> None:
    """Then they count as told, and read it with the own link; until then no time to object runs."""
    unheard = replace(TELL, result=ContactResult.NO_ANSWER)
    tried = replace(TOLD, result=ContactResult.NO_ANSWER, done=False, objection_until=None, late=None)
    bad(*OUT).when(unheard).then([tried])
    second = replace(tried, attempt_no=2)
    third = bad(*OUT, tried, second).when(unheard).event
    assert (third.attempt_no, third.done, third.objection_until) == (3, False, None)
    assert in_hand(there(*OUT, tried, second, third)) == (Clock.TELL,)
    next_day = replace(unheard, at=local("03-02"))
    last = bad(*OUT, tried, second).when(next_day).event
    assert (last.done, last.objection_until, last.late, last.day) == (True, until("03-09"), False, date(2026, 3, 2))
    reached = bad(*OUT, tried, second).when(TELL).event
    assert (reached.attempt_no, reached.done, reached.objection_until) == (3, True, until("03-06"))


def test_being_told_counts_though_nobody_knows_the_limit() -> None:
    """Where a policy sets no time to object, who rated is told all the same, and may object for ever."""
    terms = tuple(term for term in HALL.terms if term.key != "bad.objection")
    policy = replace(HALL, version=2, terms=terms)
    adopted = PolicyAdopted(at=local("02-01"), by=THE_SYSTEM, policy=policy, in_force_from=local("02-01"))
    facts = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted))
    told = bad(*OUT, facts=facts).when(TELL).event
    assert told == replace(TOLD, objection_until=None)
    assert there(*OUT, told).told


def test_whoever_gave_no_name_reads_it_with_the_own_link() -> None:
    """Their time runs from the exclusion, and nobody looks for them (domain.md §14 case 14)."""
    unnamed = (UNNAMED, UNNAMED_ORDER, EVIDENCED, APPEALED, PROPOSED)
    excluded = replace(EXCLUDED, tell_due=None, objection_until=until("03-05"))
    bad(*unnamed).when(CONFIRM).then([DECIDED, excluded])
    state = there(*unnamed, DECIDED, excluded)
    assert (state.told, in_hand(state), state.objection_until) == (True, (), until("03-05"))
    bad(*unnamed, DECIDED, excluded).when(TELL).then_nothing()


@pytest.mark.parametrize("post", ["revisits", "supervisor"])
def test_who_tells_holds_a_post_for_it(post: Code) -> None:
    """The unit's own people may hold one; they tell what others decided."""
    asked = bad(*OUT).when(replace(TELL, by=acting(WU, post)))
    if post == "revisits":
        assert asked.events
    else:
        asked.then_refused(NotYourRole)


def test_the_appeal_is_the_one_that_was_made() -> None:
    """Its id stands in everything that follows from it."""
    _, excluded = bad(*PENDING).when(CONFIRM).events
    assert excluded.appeal == DECIDED.appeal == APPEAL_ID  # type: ignore[attr-defined]
