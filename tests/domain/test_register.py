"""Sites, departments, windows, items and posts: entered once, never changed, and held for a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from domain.decider import THE_SYSTEM, Actor, Role
from domain.errors import AlreadyThere, NotYourRole, OutOfTurn, OwnAppointment, Refused, UnknownReference
from domain.register import (
    REGISTER,
    Add,
    Department,
    DepartmentAdded,
    Item,
    ItemAdded,
    LeavePost,
    Post,
    PostAdded,
    PostLeft,
    PostTaken,
    Register,
    RegisterCommand,
    RegisterEvent,
    Site,
    SiteAdded,
    SiteLevel,
    TakePost,
    Tenure,
    Window,
    WindowAdded,
    WindowKind,
)
from tests.hall import ENTERED, FACTS, FENG, LI, POSTS, QIAN, REGISTER_EVENTS, STRANGER, WANG, WEI, ZHAO, later
from tests.specification import Given, given

ADMINISTRATOR = Actor(person=STRANGER, role=Role.ADMINISTRATOR)
NOW = later(ENTERED, days=1)
CENTRE = Site(code="GXQ", name_zh="高新区政务服务中心", name_en="High-tech Zone Centre", level=SiteLevel.DISTRICT)
STREET = Site(code="ARS", name_zh="阿尔山·𬭎街道", name_en="Arshan Street", level=SiteLevel.STREET, parent="GXQ")
VILLAGE = Site(code="V1", name_zh="一村", name_en="First Village", level=SiteLevel.COMMUNITY, parent="ARS")
STATION = Site(code="M1", name_zh="微站", name_en="Station", level=SiteLevel.MICRO_STATION, parent="V1")
OTHER = Site(code="OTH", name_zh="别处", name_en="Elsewhere", level=SiteLevel.DISTRICT)
TRANSPORT = Department(code="transport", name_zh="交通局", name_en="Transport", site="GXQ", upper="office")
COUNTER = Window(code="W09", name_zh="九号", name_en="Nine", site="GXQ", department="tax", kind=WindowKind.STUCK_CASE)
PERMIT = Item(code="permit", name_zh="许可", name_en="Permit", department="tax")
DEPUTY = Post(
    code="deputy", name_zh="副职", name_en="Deputy", role=Role.UNIT_HEAD, site="GXQ", department="tax", window="W03"
)


def hall(*more: RegisterEvent) -> Given[Register, RegisterCommand, RegisterEvent, object]:
    """Begin a sentence about the hall of the controls."""
    return given(REGISTER, *REGISTER_EVENTS, *more, facts=None)


def add(entry: Site | Department | Window | Item | Post, by: Actor = ADMINISTRATOR) -> Add:
    """Ask for an entry."""
    return Add(at=NOW, by=by, entry=entry)


ENTRIES = [
    (add(STREET), SiteAdded(at=NOW, by=ADMINISTRATOR, entry=STREET)),
    (add(OTHER), SiteAdded(at=NOW, by=ADMINISTRATOR, entry=OTHER)),
    (add(TRANSPORT), DepartmentAdded(at=NOW, by=ADMINISTRATOR, entry=TRANSPORT)),
    (add(COUNTER), WindowAdded(at=NOW, by=ADMINISTRATOR, entry=COUNTER)),
    (add(PERMIT), ItemAdded(at=NOW, by=ADMINISTRATOR, entry=PERMIT)),
    (add(DEPUTY), PostAdded(at=NOW, by=ADMINISTRATOR, entry=DEPUTY)),
]


@pytest.mark.parametrize(("command", "event"), ENTRIES, ids=lambda one: type(getattr(one, "entry", one)).__name__)
def test_an_entry_is_made_once(command: Add, event: RegisterEvent) -> None:
    """The same again is nothing new; other content under the same code is refused."""
    hall().when(command).then([event])
    hall(event).when(command).then_nothing()
    other = replace(command, entry=replace(command.entry, name_en="Something else"))
    hall(event).when(other).then_refused(AlreadyThere, value=command.entry.code)


@pytest.mark.parametrize(
    ("entry", "kind", "value"),
    [
        (replace(STREET, parent="NONE"), "site", "NONE"),
        (replace(OTHER, parent="OTH"), "site", "OTH"),
        (replace(TRANSPORT, site="NONE"), "site", "NONE"),
        (replace(TRANSPORT, upper="none"), "department", "none"),
        (replace(TRANSPORT, upper="transport"), "department", "transport"),
        (replace(COUNTER, site="NONE"), "site", "NONE"),
        (replace(COUNTER, department="none"), "department", "none"),
        (replace(PERMIT, department="none"), "department", "none"),
        (replace(DEPUTY, site="NONE"), "site", "NONE"),
        (replace(DEPUTY, department="none"), "department", "none"),
        (replace(DEPUTY, window="W99"), "window", "W99"),
    ],
)
def test_an_entry_belongs_to_what_is_there(
    entry: Site | Department | Window | Item | Post, kind: str, value: str
) -> None:
    """A parent comes before its children, so no circle can arise."""
    hall().when(add(entry)).then_refused(UnknownReference, kind=kind, value=value)


def test_what_need_not_belong_anywhere_does_not() -> None:
    """A window without department, a post without either, a department without one above."""
    for entry in (
        replace(COUNTER, department=None),
        replace(DEPUTY, department=None, window=None),
        replace(TRANSPORT, upper=None),
    ):
        assert hall().when(add(entry)).event.entry == entry


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.SYSTEM}))
def test_only_an_administrator_changes_the_register(role: Role) -> None:
    """Whoever handles cases gives nobody a post."""
    by = Actor(person=WEI, role=role)
    commands: list[RegisterCommand] = [
        add(STREET, by),
        TakePost(at=NOW, by=by, post="desk", person=WEI),
        LeavePost(at=NOW, by=by, post="desk", person=LI),
    ]
    for command in commands:
        hall().when(command).then_refused(NotYourRole, role=role)
    assert hall().when(add(STREET, THE_SYSTEM)).event.entry == STREET


# Posts


def test_nobody_gives_themselves_a_post() -> None:
    """An administrator sees no case and cannot come to see one alone; the machine's operator may set up the first."""
    take = TakePost(at=NOW, by=ADMINISTRATOR, post="desk", person=STRANGER)
    hall().when(take).then_refused(OwnAppointment, post="desk")
    mandated = replace(ADMINISTRATOR, person=WEI, on_behalf_of=STRANGER)
    hall().when(replace(take, by=mandated)).then_refused(OwnAppointment)
    assert OwnAppointment.watched
    assert hall().when(replace(take, by=THE_SYSTEM)).event == PostTaken(
        at=NOW, by=THE_SYSTEM, post="desk", person=STRANGER, since=NOW
    )


def test_a_post_is_taken_from_now_on() -> None:
    """By somebody who does not hold it yet; several may hold one."""
    take = TakePost(at=NOW, by=ADMINISTRATOR, post="desk", person=WANG)
    taken = PostTaken(at=NOW, by=ADMINISTRATOR, post="desk", person=WANG, since=NOW)
    hall().when(take).then([taken])
    hall(taken).when(take).then_nothing()
    assert hall(taken).state.holds(LI, "desk", NOW)


def test_a_post_is_left_from_now_on() -> None:
    """By somebody who holds it; a second time there is nothing to leave."""
    leave = LeavePost(at=NOW, by=ADMINISTRATOR, post="desk", person=LI)
    left = PostLeft(at=NOW, by=ADMINISTRATOR, post="desk", person=LI, until=NOW)
    hall().when(leave).then([left])
    hall(left).when(leave).then_refused(OutOfTurn)
    hall().when(replace(leave, person=STRANGER)).then_refused(OutOfTurn)


def test_only_posts_that_exist_are_held() -> None:
    """Nobody takes or leaves a post that was never created."""
    for command in (
        TakePost(at=NOW, by=ADMINISTRATOR, post="throne", person=LI),
        LeavePost(at=NOW, by=ADMINISTRATOR, post="throne", person=LI),
    ):
        hall().when(command).then_refused(UnknownReference, kind="post", value="throne")


def test_a_post_is_held_from_the_first_instant_to_before_the_last() -> None:
    """At the moment of taking it one holds it, at the moment of leaving it no more."""
    left = PostLeft(at=NOW, by=ADMINISTRATOR, post="desk", person=LI, until=NOW)
    register = hall(left).state
    tick = timedelta(microseconds=1)
    assert not register.holds(LI, "desk", ENTERED - tick)
    assert register.holds(LI, "desk", ENTERED)
    assert register.holds(LI, "desk", NOW - tick)
    assert not register.holds(LI, "desk", NOW)
    assert [post.code for post in register.held_by(LI, NOW - tick)] == ["desk"]
    assert register.held_by(LI, NOW) == ()


def test_a_post_can_be_taken_again() -> None:
    """The time between is not held, the times before and after are; leaving ends the open one alone."""
    left = PostLeft(at=NOW, by=ADMINISTRATOR, post="desk", person=LI, until=NOW)
    back = later(NOW, days=7)
    again = PostTaken(at=back, by=ADMINISTRATOR, post="desk", person=LI, since=back)
    gone = PostLeft(at=later(back, days=1), by=ADMINISTRATOR, post="desk", person=LI, until=later(back, days=1))
    register = hall(left, again, gone).state
    held = [tenure for tenure in register.tenures if (tenure.person, tenure.post) == (LI, "desk")]
    assert held == [
        Tenure(post="desk", person=LI, since=ENTERED, until=NOW),
        Tenure(post="desk", person=LI, since=back, until=later(back, days=1)),
    ]
    assert not register.holds(LI, "desk", later(NOW, days=1))


def test_leaving_one_post_keeps_the_others() -> None:
    """Qian leads and handles: leaving the one is not leaving the other, nor is it anybody else's leaving."""
    left = PostLeft(at=NOW, by=ADMINISTRATOR, post="approval-head", person=QIAN, until=NOW)
    register = hall(left).state
    assert [post.code for post in register.held_by(QIAN, NOW)] == ["approval-handler"]
    assert register.holds(ZHAO, "approval-head", NOW)


# Questions


def test_who_heads_a_department_and_who_serves_at_a_window() -> None:
    """On the day one asks."""
    register = FACTS.register
    assert register.heads("approval", NOW) == {ZHAO, QIAN, WEI}
    assert register.heads("approval", later(ENTERED, days=-1)) == frozenset()
    assert register.heads("office", NOW) == frozenset()
    assert register.serves(FENG, "W03", NOW)
    assert not register.serves(FENG, "W04", NOW)
    assert not register.serves(FENG, "W03", later(ENTERED, days=-1))


def test_a_site_reaches_down_to_its_last_station() -> None:
    """District, street, village, station; not what lies beside it."""
    added = [SiteAdded(at=NOW, by=ADMINISTRATOR, entry=site) for site in (STREET, VILLAGE, STATION, OTHER)]
    register = hall(*added).state
    assert register.below("GXQ") == {"GXQ", "ARS", "V1", "M1"}
    assert register.below("ARS") == {"ARS", "V1", "M1"}
    assert register.below("M1") == {"M1"}
    assert register.below("OTH") == {"OTH"}
    assert register.sites["GXQ"] == CENTRE


def test_the_same_code_may_name_different_kinds() -> None:
    """A window and a department are not confused."""
    entry = replace(COUNTER, code="tax")
    assert hall().when(add(entry)).event.entry == entry
    assert POSTS["desk"] == FACTS.register.posts["desk"]


commands = st.one_of(
    st.sampled_from([command for command, _ in ENTRIES]).map(
        lambda command: replace(command, entry=replace(command.entry, name_en="x"))
    ),
    st.sampled_from([command for command, _ in ENTRIES]),
    st.builds(
        TakePost, at=st.just(NOW), by=st.just(ADMINISTRATOR), post=st.sampled_from(sorted(POSTS)),
        person=st.sampled_from([LI, WANG, STRANGER]),
    ),
    st.builds(
        LeavePost, at=st.just(NOW), by=st.just(ADMINISTRATOR), post=st.sampled_from(sorted(POSTS)),
        person=st.sampled_from([LI, WANG, STRANGER]),
    ),
)  # fmt: skip


@settings(deadline=None)
@any_of(st.lists(commands, max_size=25), st.integers(0, 25))
def test_any_sequence_of_changes_folds(asked: list[RegisterCommand], cut: int) -> None:
    """What was refused changed nothing, what was repeated wrote nothing, and two parts make the whole."""
    history: list[RegisterEvent] = list(REGISTER_EVENTS)
    for minute, command in enumerate(asked):
        register = REGISTER.fold(history)
        at = later(NOW, minutes=minute)
        try:
            decided = REGISTER.decide(register, replace(command, at=at), None)
        except Refused:
            continue
        history.extend(decided)  # type: ignore[arg-type]  # this decider answers for its own stream alone
        if not isinstance(command, LeavePost):
            assert REGISTER.decide(REGISTER.fold(history), replace(command, at=at), None) == []
    assert REGISTER.fold(history[cut:], REGISTER.fold(history[:cut])) == REGISTER.fold(history)
