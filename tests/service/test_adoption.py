"""What a new installation begins with: first rules, a register from a file, a post for administrators."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Final
from uuid import UUID, uuid4

import pytest
from psycopg_pool import ConnectionPool
from pydantic import ValidationError

from domain import rulebook
from domain.deadlines import DayKind
from domain.decider import THE_SYSTEM, Role
from domain.errors import AlreadyThere, UnknownReference
from domain.register import Item, Post, Site, SiteLevel, WindowKind
from domain.rulebook import AdoptCodeSet, AdoptPolicy, Profile
from service import adoption, profiles
from service.adoption import RegisterFileError, adopt_first, enter, load_register, read_register
from service.casebook import Asked, Casebook
from service.eventstore import Log, Recorder
from service.forms.rules import CodeSetForm
from tests import hall

FILE: Final = "hall.toml"
REGISTER: Final = """
[[posts]]
code = "SJ-HANDLER"
name_zh = "审批局承办岗"
name_en = "Handler"
role = "handler"
site = "JD"
department = "SJ-1"
window = "W03"

[[items]]
code = "LICENCE"
name_zh = "营业执照"
name_en = "Licence"
department = "SJ"
promised_working_days = 3

[[windows]]
code = "W03"
name_zh = "三号窗口·𬭎"
name_en = "Window 3"
site = "JD"
department = "SJ-1"
window_kind = "integrity_window"

[[departments]]
code = "SJ-1"
name_zh = "审批局一科"
name_en = "Approval, Section 1"
site = "GXQ"
upper = "SJ"

[[departments]]
code = "SJ"
name_zh = "行政审批局"
name_en = "Approval Bureau"
site = "GXQ"

[[sites]]
code = "JD"
name_zh = "街道便民服务站"
name_en = "Street Station"
level = "street"
parent = "GXQ"

[[sites]]
code = "GXQ"
name_zh = "高新区政务服务中心"
name_en = "High-tech Zone Centre"
level = "district"
"""


@pytest.fixture
def book(pool: ConnectionPool, log_id: UUID) -> Casebook:
    """A casebook over an empty log."""
    recorder = Recorder(pool, log_id)
    return Casebook(Log(recorder), recorder)


def last(book: Casebook) -> int:
    """Give the last position of the log."""
    return book.recorder.max_notification_id() or 0


def test_a_profile_becomes_the_policy_it_describes() -> None:
    """Every limit, list and permission of the file, as an independent reading of it gives them."""
    for profile in Profile:
        assert adoption.policy(profile) == hall.policy(profile)


def test_the_first_categories_are_those_of_the_specification() -> None:
    """Sixteen kinds, four of them broken promises of a special sort, each named in both languages."""
    entries = adoption.categories().entries()
    kinds = "SHIRK INACTION MISCONDUCT BROKEN_PROMISE STUCK_CASE ATTITUDE NO_ONE_TIME_NOTICE EXTRA_MATERIAL OVERTIME"
    more = "RENT_SEEKING FEE ABSENCE FACILITY REVIEW_COERCION RETALIATION OTHER"
    assert {one.code for one in entries if one.parent is None} == {*kinds.split(), *more.split()}
    subtypes = {one.code for one in entries if one.parent == "BROKEN_PROMISE"}
    assert subtypes == {"TIME_LIMIT", "POLICY_COMMITMENT", "CONTRACT", "ARREARS"}
    assert len(entries) == 20
    assert all(re.search(r"[\u4e00-\u9fff]", one.name_zh) and one.name_en.isascii() for one in entries)


@pytest.mark.postgres
def test_the_first_rules_are_adopted_once(book: Casebook) -> None:
    """Both policies, the calendars of all published years, the categories, the codes; again changes nothing."""
    assert adopt_first(book) == 27
    rules = book.facts().rulebook
    assert {profile: rules.latest(profile) for profile in Profile} == {
        Profile.HALL: hall.HALL,
        Profile.LEDGER: hall.LEDGER,
    }
    assert [year.year for year in rules.years] == list(range(2004, 2027))
    assert rules.calendar.kind(date(2026, 2, 14)) is DayKind.WORK
    assert rules.calendar.kind(date(2027, 1, 4)) is None
    assert (rules.categories_version, len(rules.categories)) == (1, 20)
    assert dict(rules.code_sets) == {"eval-detail": adoption.code_set().code_set()}
    position = last(book)
    assert adopt_first(book) == 0
    assert last(book) == position == 27


@pytest.mark.postgres
def test_first_rules_can_begin_before_the_first_case(book: Casebook) -> None:
    """A demo or an import puts them in force before its cases, and no earlier."""
    then = datetime(2019, 12, 31, 16, tzinfo=UTC)
    adopt_first(book, then)
    rules = book.facts().rulebook
    assert rules.policy(Profile.HALL, then) == hall.HALL
    assert rules.policy(Profile.HALL, then.replace(hour=15)) is None
    assert {event.in_force_from for event in rules.policies} == {then}
    assert adopt_first(book, then.replace(year=2018)) == 0


@pytest.mark.postgres
def test_what_the_site_has_adopted_stays(book: Casebook) -> None:
    """Whoever has put a policy of their own in force does not find the first one again."""
    own = replace(hall.HALL, timers=False)
    asked = Asked(command_id=uuid4(), source="test", name="adopt-policy")
    command = AdoptPolicy(at=hall.ENTERED, by=THE_SYSTEM, policy=own)
    book.transact(rulebook.RULEBOOK, rulebook.STREAM, command, asked)
    assert adopt_first(book) == 26
    rules = book.facts().rulebook
    assert rules.latest(Profile.HALL) == own
    assert [event.policy.profile for event in rules.policies] == [Profile.HALL, Profile.LEDGER]


@pytest.mark.postgres
def test_codes_the_site_has_adopted_stay(book: Casebook) -> None:
    """The first set is not adopted after another one."""
    own = replace(adoption.code_set().code_set(), source="D", codes=adoption.code_set().code_set().codes[:8])
    asked = Asked(command_id=uuid4(), source="test", name="adopt-codes")
    command = AdoptCodeSet(at=hall.ENTERED, by=THE_SYSTEM, code_set=own)
    book.transact(rulebook.RULEBOOK, rulebook.STREAM, command, asked)
    assert adopt_first(book) == 26
    assert book.facts().rulebook.code_sets["eval-detail"] == own


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('name = "eval-detail"', 'name = "eval_detail"', "no rule reads this set; write eval-detail"),
        ('code = "511"', 'code = "510"', "510: stands twice in the set; write it once"),
        ("in_use = true, shown = true", "in_use = false, shown = true", "510: is shown but not in use"),
        ('grade = "satisfied"', 'grade = "content"', "Input should be 'very_satisfied'"),
        ("in_use = true, ", "", "Field required"),
        ("shown = true", "shown = true, default = true", "Extra inputs are not permitted"),
        ("version = 1", "version = 0", "greater than or equal to 1"),
        ('name_zh = "可以就近办理"', 'name_zh = ""', "String should"),
    ],
)
def test_a_slip_in_a_set_of_codes_is_refused_and_named(right: str, wrong: str, told: str) -> None:
    """One wrong word in the file that comes with the program."""
    text = files(profiles).joinpath("eval-detail.toml").read_text(encoding="utf-8")
    assert right in text
    with pytest.raises(ValidationError) as refused:
        CodeSetForm.model_validate(tomllib.loads(text.replace(right, wrong, 1)))
    assert told in str(refused.value)


@pytest.mark.postgres
def test_first_rules_are_adopted_once_whoever_begins(pool: ConnectionPool, log_id: UUID) -> None:
    """Four programs that start at the same moment adopt each of them once."""

    def start(_: int) -> int:
        recorder = Recorder(pool, log_id)
        return adopt_first(Casebook(Log(recorder), recorder))

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(start, range(4))) == 27
    assert Recorder(pool, log_id).max_notification_id() == 27


@pytest.mark.postgres
def test_a_register_file_is_entered_whatever_its_order(book: Casebook) -> None:
    """What is above comes first in the log; every entry is what the file says; again changes nothing."""
    loaded = load_register(book, FILE, REGISTER)
    assert (loaded.added, loaded.already) == (7, 0)
    register = book.facts().register
    assert register.sites["JD"].parent == "GXQ"
    assert register.departments["SJ-1"].upper == "SJ"
    window = register.windows["W03"]
    assert (window.name_zh, window.kind) == ("三号窗口·𬭎", WindowKind.INTEGRITY)
    assert register.items["LICENCE"].promised_working_days == 3
    assert register.posts["SJ-HANDLER"].role is Role.HANDLER
    again = load_register(book, FILE, REGISTER)
    assert (again.added, again.already) == (0, 7)
    assert last(book) == 7


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_a_register_file_does_not_matter(book: Casebook, seed: int) -> None:
    """Shuffled, it gives the same register."""
    tables = re.findall(r"\[\[.+?(?=\n\[\[|\Z)", REGISTER, re.DOTALL)
    assert len(tables) == 7
    random.Random(seed).shuffle(tables)
    load_register(book, FILE, "\n".join(tables))
    mixed = book.facts().register
    assert {*mixed.sites, *mixed.departments, *mixed.windows, *mixed.items, *mixed.posts} == {
        entry.code for _, entry in read_register(FILE, REGISTER)
    }


@pytest.mark.postgres
def test_a_register_file_may_name_what_was_entered_before(book: Casebook) -> None:
    """A second file adds to the first; what both hold is counted as there already."""
    load_register(book, FILE, REGISTER)
    more = """
    [[windows]]
    code = "W04"
    name_zh = "四号窗口"
    name_en = "Window 4"
    site = "JD"

    [[sites]]
    code = "GXQ"
    name_zh = "高新区政务服务中心"
    name_en = "High-tech Zone Centre"
    level = "district"
    """
    loaded = load_register(book, "more.toml", more)
    assert (loaded.added, loaded.already) == (1, 1)
    assert book.facts().register.windows["W04"].kind is WindowKind.SERVICE


def changed(old: str, new: str) -> Callable[[str], str]:
    """Give a change of the file."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            changed('department = "SJ-1"\nwindow_kind', 'department = "SJX"\nwindow_kind'),
            'hall.toml: windows no. 1 "W03": department "SJX" is neither in this file nor in the register',
        ),
        (
            changed('upper = "SJ"', 'upper = "SJ-1"'),
            'hall.toml: departments no. 1 "SJ-1": department "SJ-1" cannot be entered either',
        ),
        (
            changed('code = "SJ-1"', 'code = "SJ"'),
            'hall.toml: departments no. 1 "SJ": something else has this code already, here or in the register',
        ),
        (
            changed('role = "handler"', 'role = "emperor"'),
            'hall.toml: posts no. 1 "SJ-HANDLER": role: Input should be',
        ),
        (
            changed('role = "handler"', 'role = "system"'),
            'hall.toml: posts no. 1 "SJ-HANDLER": role: nobody holds a post as system; choose a role of staff',
        ),
        (
            changed('level = "street"\n', ""),
            'hall.toml: sites no. 1 "JD": level: Field required',
        ),
        (
            changed('role = "handler"', 'role = "handler"\nperson = "Li Na"'),
            'hall.toml: posts no. 1 "SJ-HANDLER": person: Extra inputs are not permitted',
        ),
        (
            changed('code = "LICENCE"\n', ""),
            "hall.toml: items no. 1: code: Field required",
        ),
        (
            changed("[[items]]", "[[services]]"),
            "hall.toml: services: there is no such table; write [[sites]], [[departments]], [[windows]], ",
        ),
        (
            changed("[[items]]", "[items]"),
            "hall.toml: items: write each entry under its own [[items]]",
        ),
        (
            changed('"三号窗口·𬭎"', '"三号窗口'),
            "hall.toml is not TOML: ",
        ),
    ],
)
def test_a_mistake_in_a_register_file_is_named_and_enters_nothing(
    book: Casebook, change: Callable[[str], str], message: str
) -> None:
    """The message names the entry and says what to write; nothing of the file is entered, also not what was right."""
    with pytest.raises(RegisterFileError) as caught:
        load_register(book, FILE, change(REGISTER))
    assert str(caught.value).splitlines()[0].startswith(message), str(caught.value)
    assert last(book) == 0


@pytest.mark.postgres
def test_every_mistake_of_a_register_file_is_named_at_once(book: Casebook) -> None:
    """Nobody corrects a file one line at a time."""
    text = REGISTER.replace('site = "JD"', 'site = "MOON"').replace('department = "SJ"', 'department = "SUN"')
    with pytest.raises(RegisterFileError) as caught:
        load_register(book, FILE, text)
    named = [re.search(r'"([^"]+)": ', line) for line in str(caught.value).splitlines()]
    assert [found[1] for found in named if found] == ["W03", "LICENCE", "SJ-HANDLER"]


@pytest.mark.postgres
def test_an_entry_that_differs_from_the_register_is_named(book: Casebook) -> None:
    """A code never changes its meaning, so a renamed window is a new one."""
    load_register(book, FILE, REGISTER)
    position = last(book)
    with pytest.raises(RegisterFileError, match=r'windows no. 1 "W03": something else has this code already'):
        load_register(book, FILE, REGISTER.replace("Window 3", "Window three"))
    assert last(book) == position


@pytest.mark.postgres
def test_a_large_register_is_entered_together(book: Casebook) -> None:
    """As many items as the reference site has come in one transaction: all have one time of record."""
    load_register(book, FILE, REGISTER)
    items = [Item(code=f"I{n}", name_zh=f"事项{n}", name_en=f"Item {n}", department="SJ") for n in range(1223)]
    assert enter(book, items) == 1223
    with book.pool.connection() as connection:
        times = connection.execute("select count(distinct recorded_at) from events where position > 7").fetchone()
    assert times == (1,)
    assert len(book.facts().register.items) == 1224


@pytest.mark.postgres
def test_one_entry_at_fault_enters_none(book: Casebook) -> None:
    """What is refused is refused before anything is written."""
    site = Site(code="GXQ", name_zh="中心", name_en="Centre", level=SiteLevel.DISTRICT)
    post = Post(code="DESK", name_zh="岗", name_en="Desk", role=Role.DISPATCHER, site="MOON")
    with pytest.raises(UnknownReference):
        enter(book, [site, post])
    assert last(book) == 0


@pytest.mark.postgres
def test_a_post_for_administrators_is_found_or_made(book: Casebook) -> None:
    """In an empty register with a site; in a loaded one at its root, or where it is asked for."""
    assert adoption.administration(book) == "ADMIN"
    assert list(book.facts().register.sites) == ["HALL"]
    assert adoption.administration(book) == "ADMIN"
    assert last(book) == 2
    station = Site(code="JD", name_zh="站", name_en="Station", level=SiteLevel.STREET, parent="HALL")
    enter(book, [station])
    assert adoption.administration(book, "JD") == "JD-ADMIN"
    assert adoption.administration(book, "JD") == "JD-ADMIN"
    assert book.facts().register.posts["JD-ADMIN"].site == "JD"
    with pytest.raises(UnknownReference):
        adoption.administration(book, "MOON")


@pytest.mark.postgres
def test_a_post_for_administrators_takes_no_others_code(book: Casebook) -> None:
    """Where ADMIN is somebody else's post, it is said and nothing is entered."""
    load_register(book, FILE, REGISTER.replace('"SJ-HANDLER"', '"ADMIN"'))
    position = last(book)
    with pytest.raises(AlreadyThere):
        adoption.administration(book)
    assert last(book) == position
