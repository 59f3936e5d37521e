"""A rating has a reason where it is bad, is added to once, never changes, and is confirmed by whoever was served."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from domain.complaint.state import IdentityMode
from domain.decider import THE_SYSTEM, Actor, Role
from domain.errors import (
    CodeNotOfGrade,
    FollowedUp,
    NoPolicy,
    NothingAdded,
    NotYourRole,
    ReasonMissing,
    TooLate,
    Unknown,
    UnknownReference,
)
from domain.grade import Grade
from domain.review import Append, Opinion, ReviewEvent, Submitted
from domain.rulebook import RULEBOOK, Permission, PolicyAdopted, Profile, Rulebook
from tests.hall import COUNTER, HALL, HANDLER, STRANGER, later, local, until
from tests.visits import (
    APPEND,
    APPENDED,
    BAD,
    BADLY,
    BLANK,
    CORROBORATE,
    CORROBORATED,
    DETAILS,
    FACTS,
    GOOD,
    INVITED,
    OPENED,
    SUBMIT,
    SUBMITTED,
    TOLD,
    WINDOW_CLERK,
    WORDS,
    WORK_ORDER,
    rating,
    visit,
)

LAST = until("03-16").at
BADLY_AGAIN: Append = replace(APPEND, grade=Grade.DISSATISFIED, codes=("214",))
LATER_ORDER = replace(
    WORK_ORDER,
    at=APPEND.at,
    grade=Grade.DISSATISFIED,
    contact_due=until("03-03"),
    appeal_until=until("03-09"),
    verify_due=until("03-05"),
)


def rate(opinion: Opinion) -> list[object]:
    """Give what follows from saying this of the visit."""
    return list(visit(OPENED, INVITED).when(replace(SUBMIT, opinion=opinion)).events)


# A reason.


@pytest.mark.parametrize("grade", list(Grade))
def test_the_last_two_grades_are_bad(grade: Grade) -> None:
    """Dissatisfied and very dissatisfied, and no other."""
    assert grade.bad == grade.endswith("dissatisfied")


@pytest.mark.parametrize("grade", list(Grade))
def test_a_bad_rating_needs_a_reason_and_a_good_one_none(grade: Grade) -> None:
    """A code or a few words (差评必须勾选详情或填写文字评价); white space is no word."""
    bare = replace(GOOD, grade=grade, codes=())
    for opinion in (bare, replace(bare, **BLANK)):
        asked = visit(OPENED, INVITED).when(replace(SUBMIT, opinion=opinion))
        if grade.bad:
            asked.then_refused(ReasonMissing)
        else:
            assert len(asked.events) == 2
    assert len(rate(replace(bare, **WORDS))) == 2 + grade.bad
    own = {"very_dissatisfied": "115", "dissatisfied": "214", "basically_satisfied": "314", "satisfied": "413"}
    assert len(rate(replace(bare, codes=(own.get(grade, "517"),)))) == 2 + grade.bad


def test_codes_belong_to_the_grade_and_are_known() -> None:
    """One of another grade, an unknown one, one out of use, or the same twice, is refused and named."""
    visit(OPENED, INVITED).when(replace(SUBMIT, opinion=replace(GOOD, codes=("510", "413")))).then_refused(
        CodeNotOfGrade, codes="413"
    )
    for wrong in ("999", "403", "501", "51"):
        visit(OPENED, INVITED).when(replace(SUBMIT, opinion=replace(GOOD, codes=("510", wrong)))).then_refused(
            UnknownReference, kind="eval-detail", value=wrong
        )
    visit(OPENED, INVITED).when(replace(SUBMIT, opinion=replace(GOOD, codes=("510", "510")))).then_refused(
        UnknownReference, value="510"
    )


def test_codes_are_of_the_set_in_force() -> None:
    """The rating says which; without codes it names none, and without a set there are none."""
    for opinion, code_set in ((GOOD, DETAILS), (replace(GOOD, codes=()), None)):
        submitted = rate(opinion)[1]
        assert isinstance(submitted, Submitted)
        assert submitted.code_set == code_set
    bare = replace(FACTS, rulebook=replace(FACTS.rulebook, code_sets={}))
    visit(OPENED, INVITED, facts=bare).when(SUBMIT).then_refused(UnknownReference, kind="eval-detail", value="510")


# A work order.


@pytest.mark.parametrize("grade", [Grade.DISSATISFIED, Grade.VERY_DISSATISFIED])
def test_a_bad_rating_is_the_work_of_who_served(grade: Grade) -> None:
    """Whoever gave a name is called within a working day; the department may object within five."""
    opinion = replace(BAD, grade=grade, codes=())
    assert rate(opinion)[2:] == [replace(WORK_ORDER, grade=grade)]
    unnamed = replace(opinion, identity_mode=IdentityMode.ANONYMOUS)
    assert rate(unnamed)[2:] == [replace(WORK_ORDER, grade=grade, contact_due=None)]


@pytest.mark.parametrize("grade", [Grade.VERY_SATISFIED, Grade.SATISFIED, Grade.BASICALLY_SATISFIED])
def test_no_other_rating_is_anybodys_work(grade: Grade) -> None:
    """Basically satisfied is not bad."""
    assert len(rate(replace(GOOD, grade=grade, codes=()))) == 2


# The one follow-up.


def test_a_rating_is_added_to_once() -> None:
    """Until the last instant of the thirtieth day; a second time is refused, whatever it says."""
    rating(SUBMITTED).when(APPEND).then([APPENDED])
    rating(SUBMITTED).when(replace(APPEND, at=LAST)).then([replace(APPENDED, at=LAST)])
    rating(SUBMITTED).when(replace(APPEND, at=later(LAST, microseconds=1))).then_refused(TooLate)
    rating(SUBMITTED, APPENDED).when(APPEND).then_refused(FollowedUp)
    rating(SUBMITTED, APPENDED).when(BADLY_AGAIN).then_refused(FollowedUp)


def test_a_follow_up_says_something() -> None:
    """A grade or words; codes alone belong to no grade, and white space is no word."""
    empty = replace(APPEND, grade=None, codes=())
    rating(SUBMITTED).when(empty).then_refused(NothingAdded)
    rating(SUBMITTED).when(replace(empty, **BLANK)).then_refused(NothingAdded)
    rating(SUBMITTED).when(replace(empty, codes=("413",))).then_refused(NothingAdded)
    rating(SUBMITTED).when(replace(empty, codes=("413",), **WORDS)).then_refused(CodeNotOfGrade, codes="413")
    words = rating(SUBMITTED).when(replace(empty, **WORDS)).event
    assert words == replace(APPENDED, grade=None, codes=(), code_set=None, **WORDS)


def test_a_follow_up_keeps_to_the_rules_of_a_rating() -> None:
    """A bad one has a reason, and its codes are those of its grade."""
    rating(SUBMITTED).when(replace(APPEND, grade=Grade.DISSATISFIED, codes=())).then_refused(ReasonMissing)
    rating(SUBMITTED).when(replace(APPEND, codes=("510",))).then_refused(CodeNotOfGrade, codes="510")
    rating(SUBMITTED).when(replace(APPEND, codes=("999",))).then_refused(UnknownReference)


def test_a_follow_up_changes_nothing_of_the_first_rating() -> None:
    """Better or worse, what was said first stays."""
    for first in (SUBMITTED, BADLY):
        for event in (APPENDED, replace(APPENDED, grade=Grade.VERY_DISSATISFIED, codes=("115",))):
            state = rating(first, event).state
            assert state is not None
            assert (state.submitted, state.appended) == (first, event)


def test_a_better_word_ends_no_work_order() -> None:
    """Five stars after one: the bad rating is still followed up (domain.md §14 case 9)."""
    better = replace(APPEND, grade=Grade.VERY_SATISFIED, codes=("517",))
    bad = rating(BADLY, WORK_ORDER)
    event = bad.when(better).event
    state = rating(BADLY, WORK_ORDER, event).state
    assert state is not None
    assert state.accepted == WORK_ORDER
    assert state.submitted.grade is Grade.VERY_DISSATISFIED


def test_a_worse_word_opens_one_work_order() -> None:
    """Where the first rating was good, with limits from the follow-up; where there is one, it is the same matter."""
    worse = replace(APPENDED, grade=Grade.DISSATISFIED, codes=("214",))
    rating(SUBMITTED).when(BADLY_AGAIN).then([worse, LATER_ORDER])
    unnamed = replace(SUBMITTED, identity_mode=IdentityMode.ANONYMOUS, reviewer=None)
    rating(unnamed).when(BADLY_AGAIN).then([worse, replace(LATER_ORDER, contact_due=None)])
    rating(BADLY, WORK_ORDER).when(BADLY_AGAIN).then([worse])


def test_a_rating_that_is_about_nobody_is_nobodys_work() -> None:
    """Where a history does not say who served, the follow-up is kept and no order is made up."""
    unknown = replace(SUBMITTED, attribution=None)
    rating(unknown).when(BADLY_AGAIN).then([replace(APPENDED, grade=Grade.DISSATISFIED, codes=("214",))])


def test_only_the_own_link_leads_to_a_rating() -> None:
    """A wrong one, and a rating that is not there, look alike; where there is no link nobody has one."""
    for command in (APPEND, CORROBORATE):
        rating().when(command).then_refused(Unknown)
        rating(SUBMITTED).when(replace(command, own_link="b2" * 32)).then_refused(Unknown)
        rating(replace(SUBMITTED, own_link=None)).when(command).then_refused(Unknown)


@pytest.mark.parametrize("by", [COUNTER, WINDOW_CLERK, HANDLER, THE_SYSTEM, Actor(person=STRANGER, role=Role.INTAKE)])
def test_nobody_else_adds_or_confirms(by: Actor) -> None:
    """Not even with the link, and not even where a policy lets every role."""
    open_to_all = replace(
        HALL,
        version=2,
        permissions=(
            *HALL.permissions,
            Permission(command="review/append", roles=tuple(Role)),
            Permission(command="review/corroborate", roles=tuple(Role)),
        ),
    )
    adopted = PolicyAdopted(at=local("02-01"), by=THE_SYSTEM, policy=open_to_all, in_force_from=local("02-01"))
    facts = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted))
    for known in (FACTS, facts):
        rating(SUBMITTED, facts=known).when(replace(APPEND, by=by)).then_refused(NotYourRole, role=by.role)
        rating(TOLD, facts=known).when(replace(CORROBORATE, by=by)).then_refused(NotYourRole, role=by.role)


def test_a_ledgers_rating_is_closed() -> None:
    """Nobody adds to what another house counted, and nobody acts without rules."""
    ledger = replace(SUBMITTED, profile=Profile.LEDGER, follow_up_until=None)
    rating(ledger).when(APPEND).then_refused(NotYourRole, command="review/append")
    rating(ledger).when(CORROBORATE).then_refused(NotYourRole, command="review/corroborate")
    nothing = replace(FACTS, rulebook=Rulebook())
    rating(SUBMITTED, facts=nothing).when(APPEND).then_refused(NoPolicy)
    rating(TOLD, facts=nothing).when(CORROBORATE).then_refused(NoPolicy)


def test_a_follow_up_has_no_end_where_nobody_knows_it() -> None:
    """Without a limit nobody is late."""
    rating(replace(SUBMITTED, follow_up_until=None)).when(replace(APPEND, at=local("12-31"))).then(
        [replace(APPENDED, at=local("12-31"))]
    )


# Confirmed.


def test_who_was_served_confirms_what_was_written_down() -> None:
    """Once; what came with an invitation is confirmed by that."""
    rating(TOLD).when(CORROBORATE).then([CORROBORATED])
    rating(TOLD, CORROBORATED).when(CORROBORATE).then_nothing()
    rating(SUBMITTED).when(CORROBORATE).then_nothing()
    for events, confirmed in (((TOLD,), False), ((TOLD, CORROBORATED), True), ((SUBMITTED,), True)):
        state = rating(*events).state
        assert state is not None
        assert state.corroborated is confirmed


def test_confirming_changes_nothing_else() -> None:
    """The rating, its follow-up and its work order stay."""
    before = rating(TOLD, APPENDED, WORK_ORDER).state
    after = rating(TOLD, APPENDED, WORK_ORDER, CORROBORATED).state
    assert before is not None
    assert after == replace(before, corroborated=True)


def test_a_history_that_lost_its_beginning_still_loads() -> None:
    """What is read never refuses: without a rating, nothing becomes of it."""
    rest: tuple[ReviewEvent, ...] = (APPENDED, CORROBORATED, WORK_ORDER)
    for event in rest:
        assert rating(event).state is None


def test_evidence_names_nobody() -> None:
    """No text and no sealed value stands in it: keys, numbers, codes and moments only (domain.md §9.3)."""
    kinds = {str(field.type).removesuffix(" | None") for field in fields(SUBMITTED.evidence)}
    assert kinds == {"Code", "UUID", "int", "Instant", "bool"}
