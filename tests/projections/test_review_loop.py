"""Where a bad review stands is said twice, by the rules and by the row; told by chance, the two never differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import uuid5

import psycopg
import pytest
from psycopg import sql

from domain.complaint.inquiry import EvidenceKind
from domain.decider import THE_SYSTEM, Actor, Event, For, PersonKey, Role
from domain.errors import Refused
from domain.handling import ContactResult, Facts, Method
from domain.occasion import review_of
from domain.register import REGISTER, Post, PostAdded, PostTaken, RegisterEvent
from domain.review import REVIEW, ReviewCommand, Stage
from domain.review.adding import ConfirmMistake
from domain.review.appealing import Appeal, AppealResult, ConfirmDecideAppeal, ProposeDecideAppeal, Tell
from domain.review.flagging import Check, FlagReview, OweCheck
from domain.review.objecting import ConfirmDecideObjection, Object, ObjectionResult, ProposeDecideObjection
from domain.review.owed import owed
from domain.review.revisiting import Revisit, RevisitAnswers
from domain.review.settling import Explain, PlanRectification, Rectify, Reply
from domain.review.state import Review, Satisfied, in_hand
from domain.review.verifying import Contact, EvidenceRecorded, Verify
from projections.reviews import REVIEWS, ReviewRow, evolve, fold
from projections.runner import rebuild
from projections.tables import Entry, entry
from service.review_steps import EXAMPLES, Asking, under_way
from tests.hall import ENTERED, FENG, HANDLER, HEAD, MEASURED, REVISITOR, SUPERVISOR, key, person, sealed
from tests.projections.town import Town, carrying, dump, entries
from tests.visits import (
    APPEND,
    BADLY,
    FACTS,
    INVITED,
    OPENED,
    OWN_LINK,
    RATING,
    REVIEWED,
    SOMEBODY,
    SUBMITTED,
    VISIT,
    WORK_ORDER,
)

HISTORY: Final = Path(__file__).parents[1] / "history"
OUTSIDE: Final = {
    "verifier": Role.VERIFIER,
    "panel-1": Role.PANEL,
    "panel-2": Role.PANEL,
    "panel-3": Role.PANEL,
    "panel-4": Role.PANEL,
    "auditor": Role.AUDITOR,
}


def facts() -> Facts:
    """Give the hall of the examples with verifiers and a panel."""
    events: list[RegisterEvent] = []
    for code, role in OUTSIDE.items():
        post = Post(code=code, name_zh="岗", name_en="Post", role=role, site="GXQ")
        events.append(PostAdded(at=ENTERED, by=THE_SYSTEM, entry=post))
        events.append(PostTaken(at=ENTERED, by=THE_SYSTEM, post=code, person=person(code), since=ENTERED))
    return replace(FACTS, register=REGISTER.fold(events, FACTS.register), itself=RATING)


RULES: Final = facts()
STAFF: Final = (
    *(Actor(person=person(code), post=code, role=role) for code, role in OUTSIDE.items()),
    HANDLER,
    HEAD,
    REVISITOR,
    SUPERVISOR,
    Actor(person=FENG, post="window-3", role=Role.RESPONDENT),
)
TEXT: Final = sealed("words")
RECORDED: Final = EvidenceRecorded(
    at=WORK_ORDER.at,
    by=SUPERVISOR,
    evidence=key("proof"),
    kind=EvidenceKind.DOCUMENT,
    description=TEXT,
    sha256=None,
    size=None,
)


def citizen(review: Review) -> Actor:
    """Give whoever rated."""
    reviewer = review.submitted.reviewer
    return SOMEBODY if reviewer is None else Actor(person=PersonKey(reviewer), role=Role.CITIZEN)


def others(review: Review, by: Actor, at: datetime, chance: Random) -> Iterator[ReviewCommand]:
    """Give what the plain examples do not try: that a decision goes the other way, and what no staff asks for."""
    told = under_way(review)
    new = uuid5(RATING, str(chance.random()))
    evidence = tuple(told["evidence"])[:1]
    for becomes, reason in ((AppealResult.EXCLUDE, "duplicate"), (AppealResult.REJECTED, None)):
        if review.appeal is not None:
            yield ProposeDecideAppeal(
                at=at, by=by, proposal=new, appeal=review.appeal, result=becomes, reason=reason, reasons=TEXT,
                reasons_measured=MEASURED, evidence=evidence,
            )  # fmt: skip
    if review.objection is not None:
        yield ProposeDecideObjection(
            at=at, by=by, proposal=new, objection=review.objection, result=chance.choice(list(ObjectionResult)),
            reasons=TEXT, reasons_measured=MEASURED,
        )  # fmt: skip
    # Only where the limit was missed may the date lie after it.
    later_on = RULES.day(review.profile, at) + timedelta(days=40)
    yield PlanRectification(at=at, by=by, actions=TEXT, reason_told=TEXT, ledger_no=None, due=later_on)
    result = chance.choice(list(ContactResult))
    yield Tell(at=at, by=by, method=Method.PHONE, result=result)
    answers = RevisitAnswers(satisfied=chance.choice(list(Satisfied)), wants_follow_up=True, note=None)
    reached = answers if result is ContactResult.REACHED else None
    yield Revisit(at=at, by=by, method=Method.PHONE, result=result, answers=reached)
    for draw in told["checks"]:
        yield Check(
            at=at, by=by, draw=draw, method=Method.PHONE, result=ContactResult.NO_ANSWER, genuine=None, note=None
        )
    own = citizen(review)
    yield replace(APPEND, at=at, by=own, grade=chance.choice([BADLY.grade, APPEND.grade]), codes=("115",), text=TEXT)
    yield ConfirmMistake(at=at, by=own, own_link=OWN_LINK)
    yield Object(at=at, by=own, own_link=OWN_LINK, objection=new, ground=TEXT, ground_measured=MEASURED)
    yield FlagReview(
        at=at, by=THE_SYSTEM, flag=new, detector=chance.choice(["burst", "run"]), score=7, features=(), model=1
    )
    yield OweCheck(at=at, by=THE_SYSTEM, draw=new)


FORWARD: Final = (
    Contact, Verify, PlanRectification, Rectify, Explain, Reply, Revisit, Appeal, ProposeDecideAppeal, Tell, Check,
    ConfirmDecideAppeal, Object, ProposeDecideObjection, ConfirmDecideObjection,
)  # fmt: skip
"""What carries a review on, so that stories come to an end now and then."""


def wishes(review: Review, at: datetime, chance: Random) -> list[ReviewCommand]:
    """Give what anybody might ask for at a moment, in any order; mostly what carries it on first."""
    told = under_way(review)
    ids = [uuid5(RATING, str(chance.random()))]
    ids += [one["proposal"] for one in told["proposals"]]
    ids += [one for name in ("supervisions", "flags", "checks") for one in told[name]]
    ids += [one for one in (review.appeal, review.objection) if one is not None]
    found: list[ReviewCommand] = []
    for by in STAFF:
        asking = Asking(review=review, by=by, at=at, facts=RULES)
        found += [made for name in EXAMPLES for made in EXAMPLES[name](asking, chance.choice(ids))]
        found += others(review, by, at, chance)
    chance.shuffle(found)
    if chance.random() < 0.8:
        found.sort(key=lambda wish: not isinstance(wish, FORWARD))
    return found


def story(chance: Random, steps: int) -> list[Event]:
    """Tell one review, each step by whom the rules let."""
    first = chance.choice([SUBMITTED, BADLY, BADLY, BADLY, replace(BADLY, reviewer=None)])
    told: list[Event] = [first]
    if first.grade.bad:
        told.append(WORK_ORDER if first.reviewer is not None else replace(WORK_ORDER, contact_due=None))
    at = told[-1].at
    told.append(RECORDED)
    for _ in range(steps):
        at += timedelta(hours=chance.choice([0, 0, 1, 5, 24, 72, 600]))
        review = REVIEW.fold(told)  # type: ignore[arg-type]  # events of one review
        assert review is not None
        timed: list[Any] = [
            one.command for one in owed(RATING, review, at, RULES) if one.ready and chance.random() < 0.3
        ]
        for wish in [*timed, *wishes(review, at, chance)]:
            try:
                found = REVIEW.decide(review, replace(wish, at=at), RULES)
            except (Refused, ValueError):
                continue
            if found:
                told += [one for one in found if not isinstance(one, For)]
                break
    return told


def placed(*review: Event) -> list[Entry]:
    """Put a visit, and then the events of its review, in their places."""
    return [*entries(OPENED, INVITED, REVIEWED, case=VISIT), *entries(*review, case=RATING, after=3)]


def agrees(row: ReviewRow, review: Review) -> None:
    """Hold everything the row says against what the rules say."""
    assert row.stage is review.stage
    clocks = {clock: review.due(clock) for clock in review.clocks}
    assert {clock: row.limit(clock) for clock in row.clocks} == {
        clock: (due.at, due.provisional) for clock, due in clocks.items() if due is not None
    }
    next_due = min((due.at for clock in in_hand(review) if (due := review.due(clock)) is not None), default=None)
    assert row.due == next_due
    assert (row.due_clock in in_hand(review)) is (next_due is not None)
    assert (row.appeal, row.objection, row.excluded, row.told) == (
        review.appeal, review.objection, review.excluded, review.told,
    )  # fmt: skip
    waiting = {key: one.confirm for key, one in review.proposals.items()}
    assert ({} if row.proposal is None else {row.proposal: row.waiting_for}) == waiting
    assert set(row.flags) == {one for one, flag in review.flags.items() if not flag.cleared}
    assert set(row.supervised) == {one for one, order in review.orders.items() if not order.lifted}
    assert set(row.checks) == {draw for draw, done in review.checks.items() if not done}
    assert (row.verdict, row.settled, row.reworks) == (review.verdict, review.settled, review.reworks)
    assert (row.replied_at is not None, row.closed_at is not None) == (review.replied, review.closed)
    assert row.objection_until == (None if review.objection_until is None else review.objection_until.at)
    assert row.mistake_confirmed is review.mistake_confirmed


def test_row_and_rules_agree_after_every_event_of_every_story() -> None:
    """Stage, limits, what is open and what waits; and the stories come to every stage and through every event."""
    stages, kinds = Counter[Stage | None](), Counter[str]()
    for seed in range(100):
        told = story(Random(seed), 22)
        row = fold(entries(OPENED, INVITED, REVIEWED, case=VISIT))
        for number, one in enumerate(placed(*told)[3:], start=1):
            row = evolve(row, one)
            review = REVIEW.fold(told[:number])  # type: ignore[arg-type]  # events of one review
            assert row is not None
            assert review is not None
            agrees(row, review)
            assert (row.version, row.changed_at) == (number, one.event.at)
            stages[row.stage] += 1
            kinds[type(one.event).__name__] += 1
    # Closing follows a revisit at once; only what reads in between sees it stand there.
    assert set(stages) >= set(Stage), stages
    assert {"ReworkOrdered", "Reinstated", "Excluded", "Told", "SupervisionIssued"} <= set(kinds), kinds
    assert {"ProposalDeclined", "Checked", "FlagCleared", "Closed", "ObjectionDecided"} <= set(kinds), kinds


def test_a_draw_is_no_row() -> None:
    """What is drawn is noted on each review; the draw itself is of many."""
    for name in ("review.draw-announced.1", "review.seed-opened.1", "review.drawn.1"):
        stored = json.loads((HISTORY / f"{name}.json").read_text(encoding="utf-8"))["state"].encode()
        assert REVIEWS.key(entry((1, key("draw"), 1, name, WORK_ORDER.at, stored))) is None


@pytest.mark.postgres
def test_stories_come_from_the_table_as_they_were_folded(
    town: Town, connection: psycopg.Connection, database: str
) -> None:
    """Whatever the page, and built anew, the rows are those of one fold."""
    end, folded = 0, dict[str, ReviewRow]()
    for seed in range(6):
        visit = key(f"visit-{seed}")
        made = review_of(visit)
        told = story(Random(1000 + seed), 20)
        town.append(visit, OPENED, INVITED, REVIEWED)
        end = town.append(made, *told)
        row = fold([*entries(OPENED, INVITED, REVIEWED, case=visit), *entries(*told, case=made, after=3)])
        assert row is not None
        folded[str(made)] = row
    runner = carrying(connection, REVIEWS)
    while runner.step(3):
        pass
    runner.release()
    for row in REVIEWS.select(connection, sql.SQL("")):
        expected = folded[str(row.review)]
        places = {
            "position": row.position,
            "opened_position": row.opened_position,
            "rated_position": row.rated_position,
        }
        assert row == expected.but(places)
    before = dump(connection, REVIEWS)
    with psycopg.connect(database, autocommit=True) as other:
        assert rebuild(other, REVIEWS) == (end, 0)
    assert dump(connection, REVIEWS) == before
