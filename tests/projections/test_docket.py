"""The docket: one row per complaint that says where it stands, who has it, and what is due next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from domain import complaint
from domain.complaint import COMPLAINT, Case
from domain.complaint.intake import Channel, Confidentiality
from domain.complaint.proposals import Proposed
from domain.complaint.state import TERMINAL, Clock, Finding, IdentityMode, Respondent, Step
from domain.complaint.timing import Cause, ClockPaused, ClockResumed, DeadlineRecomputed
from domain.deadlines import Due
from domain.decider import Actor, Event, PersonKey
from domain.rulebook import Profile
from projections.codec import NAMES, decode
from projections.docket import DOCKET, DocketRow, evolve, fold
from projections.histories import read_stream
from service.asking import Asked
from service.forms import FORMS
from service.forms.intake import RegisterForm
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.controls import (
    ACCEPTED,
    ACKNOWLEDGED,
    APPROVED,
    ASSIGNED,
    ATTEMPTED,
    CLOSED,
    CONTACTED,
    EVIDENCED,
    FOUND,
    LOOP,
    PLANNED,
    RECTIFIED,
    REGISTERED,
    REPLIED,
    REVISITED,
    SIGNED,
    SUBMITTED,
    VERIFIED,
)
from tests.domain.stories import NEVER_TOLD, stories
from tests.domain.test_many_cases import worlds
from tests.hall import BASIS, COMPLAINANT, COUNTER, DESK, FENG, HANDLER, HEAD, REVISITOR, WANG, ZHENG, key, local
from tests.hall import sealed as box
from tests.hall import until as limit
from tests.projections.test_codec import SAMPLES
from tests.projections.town import CASE, Town, accepted, but, carrying, entries, registered, rows

REWORK: Final = complaint.ReworkOrdered(
    at=SUBMITTED.at, by=HEAD, reply=SUBMITTED.reply, reason=box("reason"), rework_no=1
)


def row_of(*events: Event) -> DocketRow:
    """Give the row after these events."""
    row = fold(entries(*events))
    assert row is not None
    return row


def told(events: Sequence[Event], place: int) -> DocketRow:
    """Give the row as it was after so many events."""
    return row_of(*events[: place + 1])


@pytest.mark.parametrize(
    ("event", "step", "due"),
    [
        (REGISTERED, Step.REGISTERED, limit("02-14")),
        (ACKNOWLEDGED, Step.REGISTERED, limit("02-14")),
        (ACCEPTED, Step.ACCEPTED, limit("02-14", "14:30")),
        (ASSIGNED, Step.ASSIGNED, limit("02-14", "15:30")),
        (SIGNED, Step.IN_PROGRESS, limit("02-24")),
        (CONTACTED, Step.IN_PROGRESS, limit("02-28")),
        (EVIDENCED, Step.IN_PROGRESS, limit("02-28")),
        (FOUND, Step.IN_PROGRESS, limit("02-28")),
        (PLANNED, Step.IN_PROGRESS, limit("02-28")),
        (RECTIFIED, Step.IN_PROGRESS, limit("02-28")),
        (VERIFIED, Step.IN_PROGRESS, limit("02-28")),
        (SUBMITTED, Step.REPLY_PENDING_APPROVAL, limit("02-28")),
        (APPROVED, Step.REPLY_APPROVED, limit("02-28")),
        (REPLIED, Step.REPLIED, limit("03-05")),
        (ATTEMPTED, Step.REPLIED, limit("03-05")),
        (REVISITED, Step.REPLIED, limit("03-05")),
        (CLOSED, Step.CLOSED, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_every_step_has_its_own_limit(event: Event, step: Step, due: Due | None) -> None:
    """To accept, to assign, to sign for, to call, to answer, to revisit; dates worked out by hand in the controls."""
    row = told(LOOP, LOOP.index(event))
    assert (row.step, row.due, row.due_provisional) == (step, None if due is None else due.at, False)
    assert row.handle_due == (limit("02-28").at if LOOP.index(event) >= LOOP.index(ACCEPTED) else None)


def test_the_row_of_a_closed_case_tells_the_whole_way() -> None:
    """Every column of it."""
    assert row_of(*LOOP) == DocketRow(
        case=CASE,
        position=17,
        version=17,
        complaint_no="TS-GXQ-20260213-00001-2",
        profile="hall",
        hall="GXQ",
        step=Step.CLOSED,
        before=None,
        round=1,
        channel=Channel.WINDOW,
        category="SHIRK",
        identity_mode=REGISTERED.identity_mode,
        confidentiality=REGISTERED.confidentiality,
        complainant=COMPLAINANT,
        made_by=(COMPLAINANT,),
        happened_at=local("02-12", "10:00"),
        noticed=(local("02-12", "10:00"), local("02-13", "18:30")),
        registered_at=local("02-13", "18:30"),
        registered_by=ZHENG,
        registered_as=COUNTER.role,
        changed_at=local("03-04", "09:00"),
        intake_window="W00",
        respondent_department="approval",
        respondent_window="W03",
        respondent_staff=FENG,
        named_windows=("W03",),
        named_staff=(FENG,),
        by_respondent=False,
        severity=ACCEPTED.severity,
        department="approval",
        departments=("approval", "tax"),
        handler=WANG,
        called=(),
        calls=(),
        calls_to=(),
        finding=Finding.SUBSTANTIATED,
        responsible=(FENG,),
        recused=(),
        recusals=(),
        recusing=(),
        clocks=(
            Clock.ACCEPT,
            Clock.ASSIGN,
            Clock.HANDLE,
            Clock.SIGN,
            Clock.CONTACT,
            Clock.RETURN,
            Clock.REVISIT,
        ),
        clock_dues=(
            limit("02-14").at,
            limit("02-14", "14:30").at,
            limit("02-28").at,
            limit("02-14", "15:30").at,
            limit("02-24").at,
            limit("02-15", "10:00").at,
            limit("03-05").at,
        ),
        clocks_provisional=(False,) * 7,
        due=None,
        due_clock=None,
        due_provisional=False,
        handle_due=limit("02-28").at,
        handle_due_provisional=False,
        contact_due=limit("02-24").at,
        contact_due_provisional=False,
        paused=False,
        paused_until=None,
        pauses=(),
        pauses_until=(),
        pauses_provisional=(),
        waiting=(),
        waiting_for=(),
        waiting_by=(),
        supervision_level=0,
        supervised=(),
        supervised_levels=(),
        accepted_at=local("02-14", "09:00"),
        accepted_late=False,
        contacted_at=local("02-24", "10:00"),
        contacted_late=False,
        replied_at=local("02-26", "16:00"),
        replied_late=False,
        revisited_at=local("03-03", "09:00"),
        revisited_late=REVISITED.late,
        closed_at=local("03-04", "09:00"),
        ended_at=local("03-04", "09:00"),
        ended_as=Step.CLOSED,
        reworks=0,
        review_level=0,
        primary=None,
        answered_with=None,
        linked=0,
        split_from=None,
        published=False,
        erasure=None,
        erasure_request=None,
        restricted=False,
        restricted_until=None,
    )


def test_work_sent_back_is_due_when_the_answer_is() -> None:
    """A rework before the answer gives no new time; one after it has a limit of its own."""
    story = (*LOOP[: LOOP.index(SUBMITTED) + 1], REWORK)
    row = row_of(*story)
    assert (row.step, row.reworks, row.due) == (Step.IN_PROGRESS, 1, limit("02-28").at)
    again = row_of(*story, SUBMITTED, but(REWORK, rework_no=2))
    assert (again.step, again.reworks, again.due) == (Step.IN_PROGRESS, 2, limit("02-28").at)
    after_the_reply = row_of(*LOOP[: LOOP.index(REPLIED) + 1], but(REWORK, handle_due=limit("03-12")))
    assert (after_the_reply.step, after_the_reply.due) == (Step.IN_PROGRESS, limit("03-12").at)
    nobodys = row_of(REGISTERED, REPLIED, but(REWORK, handle_due=limit("03-12")))
    assert (nobodys.step, nobodys.due) == (Step.ACCEPTED, limit("03-12").at)


@pytest.mark.parametrize("late", [True, False, None])
def test_lateness_is_what_the_event_says(late: bool | None) -> None:  # noqa: FBT001 - three values
    """Yes, no, and nobody can know: readers judge nothing themselves."""
    assert row_of(REGISTERED, accepted(late=late)).accepted_late is late
    contacted = row_of(*LOOP[: LOOP.index(SIGNED) + 1], but(CONTACTED, late=late))
    assert contacted.contacted_late is late
    assert row_of(*LOOP[: LOOP.index(APPROVED) + 1], but(REPLIED, late=late)).replied_late is late
    assert row_of(*LOOP[: LOOP.index(ATTEMPTED) + 1], but(REVISITED, late=late)).revisited_late is late
    second = row_of(*LOOP[: LOOP.index(SIGNED) + 1], but(CONTACTED, late=late), but(CONTACTED, attempt_no=2, late=None))
    assert (second.contacted_late, second.contacted_at) == (late, CONTACTED.at)


def test_an_unknown_limit_stays_unknown() -> None:
    """Without a policy nothing is due, and nothing is provisional either."""
    unknown = registered(accept_due=None)
    assert (row_of(unknown).due, row_of(unknown).due_provisional) == (None, False)
    lost = (unknown, accepted(assign_due=None, handle_due=None), but(ASSIGNED, sign_due=None, contact_due=None), SIGNED)
    for upto in range(1, len(lost) + 1):
        row = row_of(*lost[:upto])
        assert (row.due, row.handle_due, row.due_provisional) == (None, None, False)
    assert row_of(*LOOP[: LOOP.index(APPROVED) + 1], but(REPLIED, revisit_due=None)).due is None


def test_a_step_without_a_limit_has_that_of_the_case() -> None:
    """Where a policy gives no time for assigning, signing or calling, the answer is still owed in time."""
    story = (REGISTERED, accepted(assign_due=None), but(ASSIGNED, sign_due=None, contact_due=None), SIGNED)
    for upto in range(2, len(story) + 1):
        assert row_of(*story[:upto]).due == limit("02-28").at


def test_nobody_needs_to_call_who_left_no_name() -> None:
    """An anonymous case in hand is due when the answer is; so is any whose reply is written."""
    nameless = registered(identity_mode=IdentityMode.ANONYMOUS)
    assert row_of(nameless, ACCEPTED, ASSIGNED, SIGNED).due == limit("02-28").at
    assert row_of(nameless, ACCEPTED, ASSIGNED).due == limit("02-14", "15:30").at
    assert row_of(REGISTERED, ACCEPTED, ASSIGNED, SIGNED, SUBMITTED).due == limit("02-28").at


def test_a_second_finding_names_others() -> None:
    """Who was named before and is no longer is not blamed any more; a department alone is nobody."""
    department = but(FOUND.responsibility[0], staff=None)
    assert row_of(*LOOP, FOUND).responsible == (FENG,)
    assert row_of(*LOOP, but(FOUND, responsibility=(department,))).responsible == ()


def test_a_provisional_limit_says_so() -> None:
    """At every step that has one, and only there."""
    provisional = limit("02-28", provisional=True)
    story = (
        registered(accept_due=provisional),
        accepted(assign_due=limit("02-14"), handle_due=provisional),
        but(ASSIGNED, sign_due=provisional, contact_due=limit("02-24")),
        SIGNED,
        CONTACTED,
        *LOOP[LOOP.index(EVIDENCED) : LOOP.index(REPLIED)],
        but(REPLIED, revisit_due=provisional),
        CLOSED,
    )
    seen = [told(story, place).due_provisional for place in range(len(story))]
    assert seen == [True, False, True, False, *[True] * 9, False]
    contact = row_of(REGISTERED, ACCEPTED, but(ASSIGNED, contact_due=provisional), SIGNED)
    assert contact.due_provisional


def test_a_ledger_case_is_promised_nothing() -> None:
    """It has no limit, before the reply and after it."""
    ledger = registered(profile=Profile.LEDGER, accept_due=None)
    replied = but(REPLIED, method=None, content=box("content"), late=True, review_request_until=None, revisit_due=None)
    assert row_of(ledger).due is None
    row = row_of(ledger, replied)
    assert (row.step, row.due, row.replied_late, row.handle_due) == (Step.REPLIED, None, True, None)


def test_every_event_of_a_case_moves_its_row() -> None:
    """Position, version and the time of the last change are always those of the last event."""
    names = [name for name in NAMES if name.startswith("complaint.") and name != "complaint.registered.1"]
    assert len(names) > 18
    for name in names:
        (first,) = entries(REGISTERED)
        moved = replace(entries(LOOP[1], after=1)[0], name=name, position=99, version=7)
        event = replace(decode(name, SAMPLES[name])[0], at=local("05-05"))
        row = evolve(evolve(None, first), replace(moved, event=event))
        assert row is not None
        assert (row.position, row.version, row.changed_at) == (99, 7, local("05-05")), name


def test_only_a_case_has_a_row() -> None:
    """Register, rulebook, openings and refused attempts touch none; nor does what comes before any registration."""
    kept = {name for name in NAMES if DOCKET.key(replace(entries(REGISTERED)[0], name=name)) is not None}
    assert kept == {name for name in NAMES if name.startswith(("complaint.", "privacy."))}
    assert fold(entries(*LOOP[1:])) is None
    assert fold([]) is None


def test_a_column_that_does_not_exist_cannot_be_changed() -> None:
    """A name that no row has is refused, and what is changed in one row is not changed in the other."""
    row = row_of(*LOOP)
    with pytest.raises(TypeError, match="stpe"):
        row.but({"stpe": Step.CLOSED})
    assert row.but({"reworks": 7}) == replace(row, reworks=7) != row


def agrees(row: DocketRow, case: Case) -> None:
    """Hold a row against what the rules remember of the same events."""
    assert (row.step, row.before, row.profile, row.hall, row.complaint_no) == (
        case.step,
        case.before,
        case.profile,
        case.hall,
        case.complaint_no,
    )
    assert (row.department, frozenset(row.departments), row.handler) == (
        case.department,
        case.departments,
        case.handler,
    )
    assert (row.category, row.finding, row.reworks, row.round) == (
        case.category,
        case.finding,
        case.reworks,
        case.round,
    )
    assert (frozenset(row.responsible), frozenset(row.made_by)) == (case.responsible, case.made_by | case.joined_by)
    assert set(row.noticed) == set(case.noticed)
    about = (case.respondent, *case.also_about)
    assert {*(one.staff for one in about), *case.stated} - {None} <= set(row.named_staff)
    assert {one.window for one in about} - {None} <= set(row.named_windows)
    told = Respondent(
        department=row.respondent_department, window=row.respondent_window, staff=maybe(row.respondent_staff)
    )
    assert told == case.respondent
    limits = {clock: running.due for clock, running in case.clocks.items() if running.due is not None}
    assert {clock: row.limit(clock) for clock in row.clocks} == {
        clock: (due.at, due.provisional) for clock, due in limits.items()
    }
    promised = case.due(Clock.HANDLE)
    assert row.handle_due == (None if promised is None else promised.at)
    assert (row.contacted_at is None) == (case.contacts == 0)
    of_this_round = case.reopened_at is None or (case.replied_at is not None and case.replied_at > case.reopened_at)
    assert row.replied_at == (case.replied_at if of_this_round else None)
    assert len(row.departments) == len(case.departments)
    # what happens beside the loop
    assert row.paused == case.paused
    assert set(row.pauses) == {stop.pause for stop in case.stops if stop.end is None}
    assert row.confidentiality is (Confidentiality.SEALED if case.sealed else Confidentiality.NORMAL)
    proposed = {key: one.confirm for key, one in case.proposals.items() if isinstance(one, Proposed)}
    waiting = dict(zip(row.waiting, row.waiting_for, strict=True))
    assert {key: command for key, command in waiting.items() if command.startswith("confirm-")} == proposed
    assert {key for key, command in waiting.items() if command == "decide-recusal"} <= set(case.recusals)
    returned = {case.returning.request} if case.returning is not None and case.step is Step.ASSIGNED else set()
    assert {key for key, command in waiting.items() if command == "decide-return"} == returned
    assert set(row.calls) == {key for key, one in case.calls.items() if not one.answered}
    assert set(row.called) == {one.department for one in case.calls.values()}
    assert set(row.recused) == {one.target for one in case.recusals.values() if one.granted}
    assert sorted(row.recusing) == sorted(one.target for one in case.recusals.values() if one.granted is None)
    levels = [one.level for one in case.supervisions.values() if not one.lifted]
    assert (row.supervision_level, sorted(row.supervised_levels)) == (max(levels, default=0), sorted(levels))
    assert (row.review_level, row.primary, row.linked) == (case.review_level, case.primary, len(case.linked))
    assert row.answered_with == case.answered_with
    assert (row.published, row.restricted) == (case.published, case.keeping.restricted)
    if case.step in TERMINAL:
        assert (row.ended_at, row.ended_as) == (case.keeping.ended_at, case.keeping.ended_as)
    else:
        assert (row.ended_at, row.ended_as) == (None, None)


def maybe(person: UUID | None) -> PersonKey | None:
    """Give the key of a person that a column holds."""
    return None if person is None else PersonKey(person)


def test_the_docket_agrees_with_the_rules() -> None:
    """In stories told by chance the row stands, after every event, where the rules say the case stands."""
    reached, seen = set(), set()
    for story in stories():
        history = story.history
        row, case = None, None
        for event, entry in zip(history, entries(*history), strict=True):
            row, case = evolve(row, entry), COMPLAINT.evolve(case, event)
            assert row is not None
            assert case is not None
            agrees(row, case)
            reached.add(case.step)
            seen.add(type(event))
    assert reached == set(Step)
    assert seen == set(COMPLAINT.events) - NEVER_TOLD


def test_the_docket_agrees_with_the_rules_on_cases_that_are_joined() -> None:
    """Also of what happens to a case because something was decided on another one, and of the parts of a split one."""
    joined = split = 0
    for story in (story for world in worlds()[::3] for story in world.stories.values()):
        row = fold(entries(*story.history))
        assert row is not None
        assert story.case is not None
        agrees(row, story.case)
        joined += row.linked
        split += row.split_from is not None
    assert min(joined, split) > 5


UNTIL: Final = limit("03-10")
PAUSE: Final = ClockPaused(
    at=local("02-24", "12:00"),
    by=HEAD,
    pause=key("pause"),
    reason="expert_or_hearing",
    evidence=(),
    explanation=None,
    until=UNTIL,
    basis=BASIS,
)
RESUMED: Final = ClockResumed(at=local("02-25"), by=HEAD, pause=key("pause"), ended_at=local("02-25"), excluded_days=1)
MOVED: Final = DeadlineRecomputed(
    at=local("02-25"),
    by=HEAD,
    clock=Clock.HANDLE,
    old=limit("02-28"),
    new=limit("03-02", provisional=True),
    cause=Cause.RESUMED,
    reference=key("pause"),
    basis=BASIS,
)


def test_while_the_clock_stands_still_it_is_due_that_it_runs_on() -> None:
    """The latest of several pauses counts; afterwards the moved limit does, and says whether it may move again."""
    story = (*LOOP[: LOOP.index(CONTACTED) + 1], PAUSE)
    row = row_of(*story)
    assert (row.paused, row.paused_until, row.due, row.due_clock) == (
        True,
        UNTIL.at,
        UNTIL.at,
        Clock.HANDLE,
    )
    assert row.handle_due == limit("02-28").at
    longer = but(PAUSE, pause=key("longer"), until=limit("03-12"))
    assert row_of(*story, longer).due == limit("03-12").at
    assert row_of(*story, longer, RESUMED).pauses == (key("longer"),)
    endless = row_of(*story, but(PAUSE, pause=key("endless"), until=None))
    assert (endless.paused, endless.paused_until, endless.due) == (True, None, limit("02-28").at)
    on = row_of(*story, RESUMED, MOVED)
    assert (on.paused, on.due, on.handle_due, on.due_provisional) == (False, limit("03-02").at, limit("03-02").at, True)
    gone = row_of(*story, RESUMED, but(MOVED, new=None))
    assert (gone.handle_due, gone.due, gone.due_clock) == (None, None, None)


def test_what_waits_for_a_second_person_is_told_with_who_asked() -> None:
    """A reply waits for its approval; it no longer does once the case has gone on."""
    story = LOOP[: LOOP.index(SUBMITTED) + 1]
    row = row_of(*story)
    assert (row.waiting, row.waiting_for, row.waiting_by) == ((SUBMITTED.reply,), ("approve-reply",), (WANG,))
    assert row_of(*story, APPROVED).waiting == ()
    assert row_of(*story, REWORK).waiting == ()


def test_the_highest_open_order_is_the_level_of_supervision() -> None:
    """What is lifted counts no more; what is answered waits to be lifted."""
    first, second = (but(ISSUED, supervision=key(f"order-{level}"), level=level) for level in (1, 3))
    story = (*LOOP[: LOOP.index(SIGNED) + 1], first, second)
    assert row_of(*story).supervision_level == 3
    lifted = row_of(*story, but(LIFTED, supervision=key("order-3")))
    assert (lifted.supervision_level, lifted.supervised) == (1, (key("order-1"),))
    answered = row_of(*story, but(ANSWERED, supervision=key("order-1")))
    assert (answered.waiting_for, answered.supervision_level) == (("lift-supervision",), 3)


def sample(name: str) -> Any:  # noqa: ANN401 - an event of any kind
    """Give the stored sample of an event."""
    return decode(name, SAMPLES[name])[0]


ISSUED: Final = sample("complaint.supervision-issued.1")
ANSWERED: Final = sample("complaint.supervision-answered.1")
LIFTED: Final = sample("complaint.supervision-lifted.1")


def test_an_end_is_told_until_the_case_goes_on() -> None:
    """When and how it ended stays through the archive; in a new round nothing of the last one is told as of now."""
    archived = sample("complaint.archived.1")
    row = row_of(*LOOP, archived)
    assert (row.step, row.ended_at, row.ended_as, row.closed_at) == (Step.ARCHIVED, CLOSED.at, Step.CLOSED, CLOSED.at)
    changed = {"round": 2, "handler": WANG, "department": "approval", "contact_due": limit("03-25")}
    row = row_of(*LOOP, archived, but(sample("complaint.reopened.1"), **changed))
    assert (row.step, row.round, row.due_clock) == (Step.IN_PROGRESS, 2, Clock.CONTACT)
    assert (row.ended_at, row.ended_as, row.closed_at, row.replied_at, row.revisited_at) == (None,) * 5
    assert (row.finding, row.contacted_at, row.accepted_at) == (None, None, ACCEPTED.at)


STORY: Final[tuple[tuple[str, Actor, datetime, dict[str, Any]], ...]] = (
    ("accept", DESK, ACCEPTED.at, {"category": "SHIRK"}),
    ("assign", DESK, ASSIGNED.at, {"department": "approval", "assist": ["tax"], "handler": WANG}),
    ("sign-for", HANDLER, SIGNED.at, {}),
    ("record-contact", HANDLER, CONTACTED.at, {"method": "phone", "result": "reached", "note": "说好周三回复"}),
    ("record-finding", HANDLER, FOUND.at, {"finding": "unsubstantiated", "facts": "当日叫号记录与所述不符。"}),
    (
        "submit-reply",
        HANDLER,
        SUBMITTED.at,
        {"decision": "not_upheld", "reasons": "不属实", "legal_basis": "条例", "points": ["一", "二"]},
    ),
    ("approve-reply", HEAD, APPROVED.at, {}),
    ("reply", HANDLER, REPLIED.at, {"method": "phone"}),
    ("revisit", REVISITOR, ATTEMPTED.at, {"method": "phone", "result": "reached", "answers": {"resolved": "no"}}),
    ("close", DESK, CLOSED.at, {"outcome": "explained"}),
)


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over the hall of the controls."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        Town(opened.pool, opened.recorder.log_id).settle()
        yield opened


def asked(name: str, moment: datetime) -> Asked:
    """How a test asks."""
    return Asked(command_id=uuid4(), source="test", name=name, moment=moment)


@pytest.mark.postgres
def test_a_complaint_carried_round_the_loop_is_on_the_docket(parts: Parts, connection: psycopg.Connection) -> None:
    """Forms, sealing, rules, log, runner: after every command the row in the table is what the stream folds to."""
    form = RegisterForm(
        hall="GXQ",
        narrative="三号窗口让我跑了三趟。",
        name="欧阳·𬭎",
        phone="13800000000",
        channel=Channel.WINDOW,
        window="W00",
        category="SHIRK",
        points=2,
        written=False,
        happened_at=REGISTERED.happened_at,
        respondent={"department": "approval", "window": "W03", "staff": FENG},
    )
    receipt = parts.desk.register(form, COUNTER, asked("register", REGISTERED.at))
    runner = carrying(connection, DOCKET)
    seen: list[DocketRow] = []
    reply = None
    for name, by, moment, given in (("registered", COUNTER, REGISTERED.at, {}), *STORY):
        if name != "registered":
            named = {"reply": reply} if name in {"approve-reply", "reply"} else {}
            done = parts.desk.act(receipt.case, FORMS[name].model_validate({**given, **named}), by, asked(name, moment))
            reply = next((one.reply for one in done.events if isinstance(one, complaint.ReplySubmitted)), reply)
        runner.catch_up()
        (row,) = rows(connection, DOCKET)
        assert row == fold(read_stream(connection, receipt.case))
        seen.append(row)
    assert [(row.step, row.due) for row in seen] == [
        (Step.REGISTERED, limit("02-14").at),
        (Step.ACCEPTED, limit("02-14", "14:30").at),
        (Step.ASSIGNED, limit("02-14", "15:30").at),
        (Step.IN_PROGRESS, limit("02-24").at),
        (Step.IN_PROGRESS, limit("02-28").at),
        (Step.IN_PROGRESS, limit("02-28").at),
        (Step.REPLY_PENDING_APPROVAL, limit("02-28").at),
        (Step.REPLY_APPROVED, limit("02-28").at),
        (Step.REPLIED, limit("03-05").at),
        (Step.REPLIED, limit("03-05").at),
        (Step.CLOSED, None),
    ]
    last = seen[-1]
    assert (last.accepted_late, last.contacted_late, last.replied_late) == (False, False, False)
    assert (last.departments, last.handler, last.finding) == (("approval", "tax"), WANG, Finding.UNSUBSTANTIATED)
    assert (last.respondent_staff, last.registered_by, last.intake_window) == (FENG, ZHENG, "W00")
