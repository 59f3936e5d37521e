"""Every limit of a bad review is counted by the term of the policy that is meant for it, and by no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from domain.decider import THE_SYSTEM, Code
from domain.handling import Facts
from domain.review import ReviewCommand, ReviewEvent
from domain.review.objecting import Object
from domain.review.state import Clock, Verdict
from domain.rulebook import RULEBOOK, PolicyAdopted
from tests.bad_reviews import (
    APPEAL,
    APPEALED,
    COMPLEX,
    CONFIRM,
    CONFIRM_BACK,
    DECIDED,
    DISCONTENT,
    EVIDENCED,
    EXCLUDED,
    EXPLAIN,
    FACTS,
    GROUNDLESS,
    NOTICED,
    OBJECT,
    OBJECTED,
    OWE,
    PROPOSE,
    PROPOSE_BACK,
    PROPOSED,
    PROPOSED_BACK,
    RECTIFIED,
    RECTIFY,
    REFUSED,
    REPLIED,
    REVISIT,
    SUPERVISOR,
    TELL,
    TOLD,
    UNNAMED,
    UNNAMED_ORDER,
    VERIFIED,
    VERIFY,
    bad,
    contested,
    there,
    upto,
)
from tests.domain.test_review_watching import OWN
from tests.hall import HALL, local
from tests.visits import BADLY, SUBMITTED, WORK_ORDER

CONTEST: Final = replace(APPEALED, by=SUPERVISOR)
OUT: Final = contested(PROPOSED_BACK)[5:]
EARLY: Final[tuple[Any, ...]] = tuple(
    replace(one, at=local("02-24", "12:00")) for one in (APPEALED, PROPOSED, DECIDED, EXCLUDED)
)
Case = tuple[tuple[ReviewEvent, ...], ReviewCommand, str, Code]
LIMITS: Final[tuple[Case, ...]] = (
    (upto(EVIDENCED), VERIFY, "rectify_due", "bad.rectify.simple"),
    (upto(EVIDENCED), replace(VERIFY, verdict=Verdict.VALID_COMPLEX), "rectify_due", "bad.rectify.complex"),
    (upto(EVIDENCED), replace(VERIFY, verdict=Verdict.UNVERIFIABLE), "rectify_due", "bad.rectify.simple"),
    (upto(EVIDENCED), replace(VERIFY, verdict=Verdict.MISTAKEN), "decide_due", "bad.appeal_decide"),
    (upto(VERIFIED), RECTIFY, "reply_due", "bad.reply"),
    (upto(VERIFIED), RECTIFY, "revisit_due", "bad.revisit"),
    ((*upto(EVIDENCED), GROUNDLESS), EXPLAIN, "reply_due", "bad.reply"),
    ((*upto(EVIDENCED), GROUNDLESS), EXPLAIN, "revisit_due", "bad.revisit"),
    (upto(REPLIED), replace(REVISIT, answers=DISCONTENT), "rectify_due", "bad.rectify.simple"),
    (upto(EVIDENCED), APPEAL, "decide_due", "bad.appeal_decide"),
    (contested(APPEALED), PROPOSE, "until", "proposal"),
    ((*contested(APPEALED), REFUSED), CONFIRM, "verify_due", "bad.verify"),
    ((*upto(VERIFIED), APPEALED, REFUSED), CONFIRM, "rectify_due", "bad.rectify.simple"),
    ((*upto(EVIDENCED), COMPLEX, APPEALED, REFUSED), CONFIRM, "rectify_due", "bad.rectify.complex"),
    ((*upto(RECTIFIED), NOTICED, CONTEST, REFUSED), CONFIRM, "reply_due", "bad.reply"),
    ((*upto(RECTIFIED), NOTICED, CONTEST, REFUSED), CONFIRM, "revisit_due", "bad.revisit"),
    (contested(PROPOSED), CONFIRM, "tell_due", "bad.tell"),
    ((UNNAMED, UNNAMED_ORDER, EVIDENCED, APPEALED, PROPOSED), CONFIRM, "objection_until", "bad.objection"),
    (contested(EXCLUDED), TELL, "objection_until", "bad.objection"),
    (contested(TOLD), OBJECT, "decide_due", "bad.appeal_decide"),
    (contested(OBJECTED), PROPOSE_BACK, "until", "proposal"),
    (contested(PROPOSED_BACK), CONFIRM_BACK, "verify_due", "bad.verify"),
    ((*upto(VERIFIED), CONTEST, *OUT), CONFIRM_BACK, "rectify_due", "bad.rectify.simple"),
    ((*upto(RECTIFIED), NOTICED, CONTEST, *OUT), CONFIRM_BACK, "reply_due", "bad.reply"),
    ((*upto(RECTIFIED), NOTICED, CONTEST, *OUT), CONFIRM_BACK, "revisit_due", "bad.revisit"),
    (
        (BADLY, WORK_ORDER, EVIDENCED, *EARLY, OBJECTED, PROPOSED_BACK),
        CONFIRM_BACK, "contact_due", "bad.contact",
    ),
    ((SUBMITTED,), OWE, "check_due", "review.check"),
    (upto(WORK_ORDER), OWN, "due", "complaint.supervision_answer"),
)  # fmt: skip


def counting(*keys: Code, other: bool) -> Facts:
    """Give the facts under a policy that counts forty days by the terms named, or by all others."""
    terms = tuple(replace(term, amount=40) if (term.key in keys) is not other else term for term in HALL.terms)
    policy = replace(HALL, version=2, terms=terms)
    adopted = PolicyAdopted(at=local("02-01"), by=THE_SYSTEM, policy=policy, in_force_from=local("02-01"))
    return replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted))


def limit(case: Case, facts: Facts) -> Any:  # noqa: ANN401 - a limit, or none
    """Give the limit that follows."""
    history, command, name, _ = case
    (found,) = [
        getattr(one, name) for one in bad(*history, facts=facts).when(command).events if getattr(one, name, None)
    ]
    return found


@pytest.mark.parametrize("case", LIMITS, ids=lambda case: f"{type(case[1]).__name__}-{case[2]}-{case[3]}")
def test_a_limit_is_counted_by_its_own_term(case: Case) -> None:
    """Another amount of this term moves it, other amounts of all others do not."""
    assert limit(case, counting(case[3], other=True)) == limit(case, FACTS)
    assert limit(case, counting(case[3], other=False)).day > limit(case, FACTS).day


@pytest.mark.parametrize("case", LIMITS, ids=lambda case: f"{type(case[1]).__name__}-{case[2]}-{case[3]}")
def test_a_limit_that_runs_remembers_its_term(case: Case) -> None:
    """By it a new calendar counts it again."""
    history, command, name, key = case
    events: Any = bad(*history).when(command).events
    review = there(*history, *events)
    small = name.removesuffix("_due")
    if small == "decide":
        small = "objection" if isinstance(command, Object) else "appeal"
    if small in set(Clock):
        assert review.clocks[Clock(small)].term == key
        assert review.due(Clock(small)) == limit(case, FACTS)
