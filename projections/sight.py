"""Who may know of a case: one condition, for lists, counts, exports and the look at a single case alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from psycopg import sql

from domain.complaint.state import OPEN
from domain.decider import Actor, Code, PersonKey, Role
from domain.register import Post, Register
from projections.restriction import unrestricted


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks, in which post, at which moment (UTC), and what of the register decides what they may know of.

    `persons` are the person and a mandator: who stands in for somebody knows what that one may know, and nothing that
    either of them must not. `sites` are those in sight; `strays` are all sites of the register for who stands at its
    top, so that a case of a hall nobody has entered is not lost; `sealed_from` are the halls whose sealed cases go to
    the desk above. `served` are windows with when a person began and ended there.
    """

    person: PersonKey
    role: Role
    post: Post | None
    persons: frozenset[PersonKey]
    at: datetime
    sites: frozenset[Code] = frozenset()
    strays: frozenset[Code] | None = None
    sealed_from: frozenset[Code] = frozenset()
    departments: frozenset[Code] = frozenset()
    served: tuple[tuple[Code, datetime, datetime | None], ...] = ()


def viewer(register: Register, actor: Actor, at: datetime) -> Viewer:
    """Give what decides which cases somebody who acts in a post at this moment (UTC) may know of."""
    post = None if actor.post is None else register.posts.get(actor.post)
    departments = (one.department for person in actor.persons for one in register.held_by(person, at))
    served = (span for person in actor.persons for span in register.served(person))
    found = Viewer(
        person=actor.person,
        role=actor.role,
        post=post,
        persons=actor.persons,
        at=at,
        departments=frozenset(one for one in departments if one is not None),
        served=tuple(served),
    )
    if post is None:
        return found
    above = _above(register, post.site)
    held = (register.posts[tenure.post] for tenure in register.tenures if tenure.covers(at))
    desk_above = any(one.role is Role.DISPATCHER and one.site in above for one in held)
    return replace(
        found,
        sites=register.below(post.site),
        strays=None if above else frozenset(register.sites),
        sealed_from=frozenset({post.site} if desk_above else ()),
    )


def _above(register: Register, site: Code) -> frozenset[Code]:
    """Give all sites above one; a parent is entered before its child, so there is no circle."""
    parent = None if site not in register.sites else register.sites[site].parent
    return frozenset() if parent is None else _above(register, parent) | {parent}


HALL: Final = "(hall = any(%(sites)s) or hall <> all(%(strays)s::text[]))"
"""What stands in a hall in sight, or in one that is lost."""

_CALLED: Final = "%(department)s = any(called)"
_IN_SIGHT: Final[Mapping[Role, str]] = {
    Role.CITIZEN: "complainant = any(%(persons)s)",
    Role.INTAKE: (
        f"{HALL} and confidentiality = 'normal' and (registered_by = any(%(persons)s) or intake_window = %(window)s)"
    ),
    # A complaint about the desk itself is kept from it, where there is a desk above (domain.md §14 case 16).
    Role.DISPATCHER: f"{HALL} and (confidentiality = 'normal' or hall <> all(%(sealed_from)s::text[]))",
    Role.SUPERVISOR: HALL,
    Role.AUDITOR: HALL,
    Role.PRIVACY_OFFICER: HALL,
    Role.SYSTEM: HALL,
    # Of a sealed case a unit that is called in reads the question through its head alone.
    Role.HANDLER: (
        "(department = %(department)s and (confidentiality = 'normal' or handler is null or handler = any(%(persons)s))"
        f" or {_CALLED} and confidentiality = 'normal')"
    ),
    Role.UNIT_HEAD: f"(department = %(department)s or {_CALLED})",
    # The upper unit knows what is put before it, and what was in this round; nothing else of the halls below.
    Role.REVIEWER: f"{HALL} and (review_level > 0 or 'decide-recusal' = any(waiting_for))",
    # Whoever was merged is asked too, once they have their answer.
    Role.REVISIT_OFFICER: (
        f"{HALL} and (step = any('{{replied,closed}}') or step = 'merged' and answered_with is not null)"
        " and not departments && %(departments)s"
    ),
}
"""Which cases a role may know of; a role that is not named here knows of none.

Whoever a complaint is about sees the question of a statement and never the case, so the role is not here either.
"""

# The rules of `complaint.state.not_concerned`: whom it is or was about, who made it, whom the finding names, and who
# served at the window when it happened, when the complaint came, or serves there now. And whoever keeps out of it: from
# the moment somebody says so, but for the handler, who may still have to preserve evidence until it is decided.
_NOT_CONCERNED: Final = (
    "not named_staff && %(persons)s and not made_by && %(persons)s and not responsible && %(persons)s"
    " and not recused && %(persons)s and (not recusing && %(persons)s or coalesce(handler = any(%(persons)s), false))"
    " and not exists ("
    "select from unnest(%(windows)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]) t (w, s, u),"
    " unnest(noticed || %(at)s) moment"
    " where w = any(named_windows) and moment >= s and moment < coalesce(u, 'infinity'))"
)


def in_sight(viewer: Viewer) -> tuple[sql.SQL, dict[str, object]]:
    """Give the one condition that says which cases somebody may know of, with its parameters.

    It stands before LIMIT, counts and exports. Nobody whom a complaint is about knows of it in any role
    (domain.md §11.5).
    """
    condition = _IN_SIGHT.get(viewer.role, "false")
    if viewer.role is not Role.CITIZEN:
        condition = f"({condition}) and {_NOT_CONCERNED} and {unrestricted(viewer.role)}"
    return sql.SQL(f"({condition})"), told_of(viewer)  # made of the constants above


def told_of(viewer: Viewer) -> dict[str, object]:
    """Give the parameters of such a condition."""
    return {
        "persons": list(viewer.persons),
        "at": viewer.at,
        "open": sorted(OPEN),
        "sites": sorted(viewer.sites),
        # No hall is unlike all of nothing known: without the top of the register there are no strays.
        "strays": None if viewer.strays is None else sorted(viewer.strays),
        "sealed_from": sorted(viewer.sealed_from),
        "windows": [window for window, _, _ in viewer.served],
        "since": [since for _, since, _ in viewer.served],
        "until": [until for _, _, until in viewer.served],
        "departments": sorted(viewer.departments),
        "department": None if viewer.post is None else viewer.post.department,
        "window": None if viewer.post is None else viewer.post.window,
    }
