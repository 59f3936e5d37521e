"""Who may know of a case, said a second time in plain Python, and a small world in which everything meets everything.

From domain.md §6.2, §6.4, §11.5, §14 case 16 and architecture.md §5, without a look at the SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain.complaint.intake import Confidentiality
from domain.complaint.state import Step
from domain.decider import Actor, Code, PersonKey, Role
from domain.register import Deputyship, Post, Register, Site, SiteLevel, Tenure
from projections.docket import DocketRow, fold
from tests.controls import REGISTERED
from tests.hall import STRANGER, key, local
from tests.projections.town import entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What decides who may know of a case, wherever it is told: in a row of the docket, or by the rules."""

    hall: Code
    sealed: bool
    step: Step
    ledger: bool
    restricted: bool
    complainants: frozenset[UUID]
    complainant: UUID
    registered_by: UUID
    intake_window: str | None
    moments: tuple[datetime, ...]
    blamed: frozenset[UUID]
    windows: frozenset[str]
    out: frozenset[UUID]
    may_be_out: frozenset[UUID]
    department: str | None
    departments: frozenset[str]
    called: frozenset[str]
    handler: UUID | None
    put_before: bool
    answered: bool


def of_row(row: DocketRow) -> Known:
    """Read it from a row of the docket."""
    return Known(
        hall=row.hall,
        sealed=row.confidentiality is Confidentiality.SEALED,
        step=row.step,
        ledger=row.profile == "ledger",
        restricted=row.restricted,
        complainants=frozenset(row.made_by),
        complainant=row.complainant,
        registered_by=row.registered_by,
        intake_window=row.intake_window,
        moments=row.noticed,
        answered=row.answered_with is not None,
        blamed=frozenset((*row.named_staff, *row.responsible)),
        windows=frozenset(row.named_windows),
        out=frozenset(row.recused),
        may_be_out=frozenset(row.recusing),
        department=row.department,
        departments=frozenset(row.departments),
        called=frozenset(row.called),
        handler=row.handler,
        put_before=row.review_level > 0 or "decide-recusal" in row.waiting_for,
    )


def sites_above(register: Register, site: Code) -> list[Code]:
    """Name the sites above one, the nearest first."""
    parent = register.sites[site].parent if site in register.sites else None
    return [] if parent is None else [parent, *sites_above(register, parent)]


def parties(register: Register, case: Known, now: datetime) -> set[UUID]:
    """Name everybody who has a part in the matter: who complained, who is blamed, who served at the window."""
    concerned = {*case.complainants, *case.blamed, *case.out}
    for tenure in register.tenures:
        at_the_window = register.posts[tenure.post].window in case.windows
        if at_the_window and any(tenure.covers(moment) for moment in (*case.moments, now)):
            concerned.add(tenure.person)
    for lent in register.deputyships:
        at_the_window = register.posts[lent.post].window in case.windows
        if at_the_window and any(lent.covers(moment) for moment in (*case.moments, now)):
            concerned.add(lent.deputy)
    return concerned


def carries_on(by: Actor, case: Known) -> bool:
    """Say whether somebody goes on with a restricted case: in office, or with the next step while it is in hand."""
    if by.role in {Role.AUDITOR, Role.PRIVACY_OFFICER, Role.SYSTEM}:
        return True
    ended = {
        Step.CLOSED, Step.REFUSED, Step.TRANSFERRED_OUT, Step.MERGED, Step.WITHDRAWN, Step.TERMINATED, Step.ARCHIVED
    }  # fmt: skip
    if case.step in ended or (case.ledger and case.step is Step.REPLIED):
        return False
    mine = case.handler is None or case.handler in by.persons
    handles = {Role.DISPATCHER, Role.UNIT_HEAD, Role.SUPERVISOR, Role.REVISIT_OFFICER, Role.REVIEWER}
    return by.role in handles or (by.role is Role.HANDLER and mine)


def may(register: Register, by: Actor, now: datetime, case: Known) -> bool:
    """Say whether somebody may know of a case."""
    if by.role is Role.CITIZEN:
        return case.complainant in by.persons
    if by.post is None or by.persons & parties(register, case, now):
        return False
    handles = case.handler in by.persons
    if by.persons & case.may_be_out and not handles:
        return False
    post, above = register.posts[by.post], sites_above(register, case.hall)
    # A hall that nobody entered is for whoever stands at the top: no complaint is lost.
    here = case.hall == post.site or post.site in above
    here = here or (case.hall not in register.sites and not sites_above(register, post.site))
    if case.restricted and not carries_on(by, case):
        return False
    match by.role:
        case Role.SUPERVISOR | Role.AUDITOR | Role.PRIVACY_OFFICER | Role.SYSTEM:
            return here
        case Role.DISPATCHER:
            desks_above = [
                one
                for one in register.tenures
                if one.covers(now)
                and register.posts[one.post].role is Role.DISPATCHER
                and register.posts[one.post].site in above
            ]
            return here and (not case.sealed or case.hall != post.site or not desks_above)
        case Role.INTAKE:
            at_the_counter = post.window is not None and case.intake_window == post.window
            return here and not case.sealed and (at_the_counter or case.registered_by in by.persons)
        case Role.HANDLER | Role.UNIT_HEAD if post.department is None:
            return False
        case Role.HANDLER:
            leads = case.department == post.department and (not case.sealed or case.handler is None or handles)
            return leads or (post.department in case.called and not case.sealed)
        case Role.UNIT_HEAD:
            return post.department in {case.department, *case.called}
        case Role.REVIEWER:
            return here and case.put_before
        case Role.REVISIT_OFFICER:
            units = {one.department for person in by.persons for one in register.held_by(person, now)}
            answered = case.step in {Step.REPLIED, Step.CLOSED} or (case.step is Step.MERGED and case.answered)
            return here and answered and units.isdisjoint(case.departments)
        case _:
            return False


PERSONS: Final = tuple(PersonKey(key(f"someone-{n}")) for n in range(4))
SITES: Final = {"D": None, "A": "D", "AA": "A", "B": "D", "E": None}
HALLS: Final = (*SITES, "LOST")
DEPARTMENTS: Final = ("tax", "approval", None)
WINDOWS: Final = ("W1", "W2", None)
NOON: Final = local("03-02", "12:00")
DAYS: Final = tuple(NOON + timedelta(days=n) for n in range(-4, 3))
NOW: Final = NOON
RESTRICTED: Final = 0.1
(BASE,) = (fold(entries(REGISTERED)),)


def world(chance: Random, role: Role) -> tuple[Register, Actor]:
    """Make a register with one post of a role and some others, and somebody who acts in that post."""
    posts = [
        Post(
            code=f"post-{n}",
            name_zh="岗",
            name_en="Post",
            role=role if n == 0 else chance.choice(list(Role)),
            site=chance.choice(list(SITES)),
            department=chance.choice(DEPARTMENTS),
            window=chance.choice(WINDOWS),
        )
        for n in range(4)
    ]
    me, *others = chance.sample(PERSONS, k=4)
    tenures = [Tenure(post="post-0", person=me, since=DAYS[0])]
    for post in posts[1:]:
        since, until = sorted(chance.sample(DAYS[:5], k=2))
        person = chance.choice([me, *others])
        tenures.append(Tenure(post=post.code, person=person, since=since, until=chance.choice([None, until])))
    register = Register(
        sites=MappingProxyType(
            {
                code: Site(code=code, name_zh="站", name_en="Site", level=SiteLevel.STREET, parent=parent)
                for code, parent in SITES.items()
            }
        ),
        posts=MappingProxyType({post.code: post for post in posts}),
        tenures=tuple(tenures),
        deputyships=tuple(lent(chance, tenure, [me, *others]) for tenure in chance.sample(tenures, k=1)),
    )
    mandator = chance.choice([None, None, others[0]])
    by = Actor(
        person=me,
        post=None if role is Role.CITIZEN else chance.choice(["post-0"] * 9 + [None]),
        role=role,
        on_behalf_of=mandator,
    )
    return register, by


def lent(chance: Random, tenure: Tenure, people: list[PersonKey]) -> Deputyship:
    """Let somebody stand in for the holder of a post for some days."""
    deputy = chance.choice([one for one in people if one != tenure.person])
    since, until = sorted(chance.sample(DAYS, k=2))
    return Deputyship(post=tenure.post, absent=tenure.person, deputy=deputy, since=since, until=until)


def some_row(chance: Random, n: int) -> DocketRow:
    """Make a row with anything in the columns that decide."""
    assert BASE is not None
    department = chance.choice(DEPARTMENTS)
    waiting = chance.choice([(), (), (), ("decide-recusal",), ("approve-reply", "confirm-refuse")])
    respondents = chance.sample(PERSONS, k=chance.choice([0, 0, 0, 0, 1, 2]))
    complainants = [chance.choice([*PERSONS[:2], STRANGER, STRANGER]), *chance.choice([[], [], [], [PERSONS[3]]])]
    return replace(
        BASE,
        case=UUID(int=n),
        complaint_no=f"TS-{n}",
        hall=chance.choice(HALLS),
        confidentiality=chance.choice(list(Confidentiality)),
        complainant=complainants[0],
        made_by=tuple(complainants),
        registered_by=chance.choice(PERSONS),
        registered_as=chance.choice([Role.CITIZEN, Role.INTAKE, Role.DISPATCHER]),
        noticed=tuple(chance.sample(DAYS, k=chance.choice([1, 2, 3]))),
        answered_with=chance.choice([None, UUID(int=7)]),
        intake_window=chance.choice(WINDOWS),
        respondent_window=chance.choice([*WINDOWS, None]),
        named_windows=tuple(chance.sample(["W1", "W2"], k=chance.choice([0, 0, 0, 1, 2]))),
        named_staff=tuple(respondents),
        recused=tuple(chance.sample(PERSONS, k=chance.choice([0] * 9 + [1]))),
        recusing=tuple(chance.sample(PERSONS, k=chance.choice([0] * 7 + [1]))),
        called=tuple(chance.sample(["tax", "approval"], k=chance.choice([0, 0, 0, 1, 2]))),
        review_level=chance.choice([0, 0, 0, 1, 2]),
        waiting_for=waiting,
        waiting_by=tuple(chance.choice(PERSONS) for _ in waiting),
        round=chance.choice([1, 1, 2]),
        paused=chance.choice([True, False, False]),
        supervision_level=chance.choice([0, 0, 1, 3]),
        primary=chance.choice([None, None, UUID(int=1)]),
        due_provisional=chance.choice([True, False, False]),
        responsible=tuple(chance.sample(PERSONS, k=chance.choice([0, 0, 0, 1, 2]))),
        department=department,
        departments=() if department is None else (department, *chance.sample(["tax", "office"], k=1)),
        handler=chance.choice([None, *PERSONS]),
        step=chance.choice(
            [Step.REGISTERED, Step.IN_PROGRESS, Step.REPLIED, Step.CLOSED, Step.UNDER_REVIEW, Step.MERGED]
        ),
        category=chance.choice([None, "SHIRK"]),
        due=chance.choice([None, *DAYS]),
        profile=chance.choice(["hall", "hall", "ledger"]),
        restricted=chance.random() < RESTRICTED,
    )
