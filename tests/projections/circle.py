"""Who may know of a case, said a second time in plain Python, and a small world in which everything meets everything.

From domain.md §6.2, §6.4, §11.5, §14 case 16 and architecture.md §5, without a look at the SQL.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain.complaint.intake import Confidentiality
from domain.complaint.state import Step
from domain.decider import Actor, Code, PersonKey, Role
from domain.register import Post, Register, Site, SiteLevel, Tenure
from projections.docket import DocketRow, fold
from tests.controls import REGISTERED
from tests.hall import STRANGER, key, local
from tests.projections.town import entries


def sites_above(register: Register, site: Code) -> list[Code]:
    """Name the sites above one, the nearest first."""
    parent = register.sites[site].parent if site in register.sites else None
    return [] if parent is None else [parent, *sites_above(register, parent)]


def parties(register: Register, row: DocketRow, now: datetime) -> set[PersonKey]:
    """Name everybody who has a part in the matter: who complained, who is blamed, who served at the window."""
    concerned = {PersonKey(row.complainant)}
    if row.registered_as is Role.CITIZEN:
        concerned.add(PersonKey(row.registered_by))
    if row.respondent_staff is not None:
        concerned.add(PersonKey(row.respondent_staff))
    concerned.update(map(PersonKey, row.responsible))
    for tenure in register.tenures:
        for moment in (row.happened_at, row.registered_at, now):
            at_the_window = register.posts[tenure.post].window == row.respondent_window is not None
            if at_the_window and moment is not None and tenure.covers(moment):
                concerned.add(tenure.person)
    return concerned


def carries_on(by: Actor, row: DocketRow) -> bool:
    """Say whether somebody goes on with a restricted case: in office, or with the next step while it is in hand."""
    if by.role in {Role.AUDITOR, Role.PRIVACY_OFFICER, Role.SYSTEM}:
        return True
    in_hand = row.step in {Step.REGISTERED, Step.IN_PROGRESS, Step.REPLIED}  # of those that some_row gives
    if not in_hand or (row.profile == "ledger" and row.step is Step.REPLIED):
        return False
    mine = row.handler in {None, by.person}
    handles = {Role.DISPATCHER, Role.UNIT_HEAD, Role.SUPERVISOR, Role.REVISIT_OFFICER, Role.REVIEWER}
    return by.role in handles or (by.role is Role.HANDLER and mine)


def may(register: Register, by: Actor, now: datetime, row: DocketRow) -> bool:
    """Say whether somebody may know of a case."""
    if by.role is Role.CITIZEN:
        return row.complainant in by.persons
    if by.post is None or by.persons & parties(register, row, now):
        return False
    post, above = register.posts[by.post], sites_above(register, row.hall)
    # A hall that nobody entered is for whoever stands at the top: no complaint is lost.
    here = row.hall == post.site or post.site in above
    here = here or (row.hall not in register.sites and not sites_above(register, post.site))
    if row.restricted and not carries_on(by, row):
        return False
    open_to_all = row.confidentiality is Confidentiality.NORMAL
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
            return here and (open_to_all or row.hall != post.site or not desks_above)
        case Role.INTAKE:
            at_the_counter = post.window is not None and row.intake_window == post.window
            return here and open_to_all and (at_the_counter or row.registered_by == by.person)
        case Role.HANDLER:
            mine = post.department is not None and row.department == post.department
            return mine and (open_to_all or row.handler in {None, by.person})
        case Role.UNIT_HEAD:
            return post.department is not None and row.department == post.department
        case Role.REVISIT_OFFICER:
            units = {one.department for person in by.persons for one in register.held_by(person, now)}
            return here and row.step in {Step.REPLIED, Step.CLOSED} and units.isdisjoint(row.departments)
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
    )
    mandator = chance.choice([None, None, others[0]])
    by = Actor(
        person=me,
        post=None if role is Role.CITIZEN else chance.choice(["post-0"] * 9 + [None]),
        role=role,
        on_behalf_of=mandator,
    )
    return register, by


def some_row(chance: Random, n: int) -> DocketRow:
    """Make a row with anything in the columns that decide."""
    assert BASE is not None
    department = chance.choice(DEPARTMENTS)
    return replace(
        BASE,
        case=UUID(int=n),
        complaint_no=f"TS-{n}",
        hall=chance.choice(HALLS),
        confidentiality=chance.choice(list(Confidentiality)),
        complainant=chance.choice([*PERSONS[:2], STRANGER, STRANGER]),
        registered_by=chance.choice(PERSONS),
        registered_as=chance.choice([Role.CITIZEN, Role.INTAKE, Role.DISPATCHER]),
        registered_at=chance.choice(DAYS[1:]),
        happened_at=chance.choice([None, *DAYS]),
        intake_window=chance.choice(WINDOWS),
        respondent_window=chance.choice([*WINDOWS, None]),
        respondent_staff=chance.choice([None, None, None, *PERSONS]),
        responsible=tuple(chance.sample(PERSONS, k=chance.choice([0, 0, 0, 1, 2]))),
        department=department,
        departments=() if department is None else (department, *chance.sample(["tax", "office"], k=1)),
        handler=chance.choice([None, *PERSONS]),
        step=chance.choice([Step.REGISTERED, Step.IN_PROGRESS, Step.REPLIED, Step.CLOSED]),
        category=chance.choice([None, "SHIRK"]),
        due=chance.choice([None, *DAYS]),
        profile=chance.choice(["hall", "hall", "ledger"]),
        restricted=chance.random() < RESTRICTED,
    )
