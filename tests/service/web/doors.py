"""Who may come in where: expected from the specification and from tables with a reason each, never from the policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from domain.decider import Code, Role
from service.forms import FORMS
from service.transition_reasons import ADDED, DIFFERS
from service.web.own import OWN
from service.web.pages import PageRoute
from tests.domain.specified import TABLE
from tests.service.web.review_turns import REVIEW_COMMANDS, REVIEW_DOOR

Door = tuple[str, str]
"""Method and path, as the application has them."""
Who = Role | None
"""Somebody who asks: an account in a role, or nobody with an account."""

V1: Final = "/api/v1"
CASE: Final = f"{V1}/complaints/{{case_id}}"
STRANGER: Final = None
EVERYBODY: Final = frozenset(Role)
ALL: Final[frozenset[Who]] = EVERYBODY | {STRANGER}

PUBLIC: Final[Mapping[Door, str]] = {
    ("GET", f"{V1}/openapi.json"): "says what the API can do, holds no data",
    ("GET", "/docs"): "the same for people",
    ("GET", "/docs/{name}"): "scripts and styles of that page",
    ("GET", "/healthz"): "says only that the process answers; asked by machines that hold no account",
    ("GET", "/readyz"): "says only how far the store is; asked by machines that hold no account",
    ("GET", f"{V1}/register"): "the public names of places and items, which the form of a complaint needs",
    ("POST", f"{V1}/complaints"): "nobody who complains is asked for an account; of staff, who takes complaints",
    ("POST", f"{V1}/status"): "opens with number and query code, and is limited",
    ("POST", f"{V1}/session"): "the log-in itself, limited",
    ("POST", f"{V1}/privacy/requests"): "opens with number and query code, and is limited",
    ("GET", f"{V1}/published"): "what was published by two people, for everybody to read",
    ("GET", f"{V1}/audit/checkpoint"): "signed for everybody to keep: how many events there are, and their root",
    ("GET", f"{V1}/audit/proof/{{position}}"): "hashes alone, by which anybody can check; limited",
    ("GET", f"{V1}/audit/consistency"): "hashes alone, by which anybody can check; limited",
    ("GET", f"{V1}/audit/draws"): "numbers alone, by which anybody can check; of staff, who watches reads ids",
    ("GET", f"{V1}/audit/draws/{{draw}}"): "the same of one",
    ("POST", f"{V1}/status/receipt"): "opens with number and query code, and is limited",
    **{
        ("POST", f"{V1}/own/{name}"): "opens with number and query code, and is limited; of staff, who is at a counter"
        for name in OWN
    },
    ("POST", f"{V1}/reviews"): "opens with a one-time token, and is limited; of staff, who records visits",
    ("POST", f"{V1}/own/review"): "opens with the link that came with the rating, and is limited",
    ("POST", f"{V1}/own/review/append"): "the same",
    ("POST", f"{V1}/own/review/corroborate"): "the same; staff cannot say that what they wrote down is so",
    ("POST", f"{V1}/own/review/object"): "the same; staff cannot object for anybody",
    ("POST", f"{V1}/own/review/confirm-mistake"): "the same; staff cannot say that a bad rating was a mistake",
    ("POST", f"{V1}/own/review/complain"): "the same; staff register what somebody tells them as every complaint",
}  # fmt: skip
"""Why a door needs no key."""
OF_THE_LINK: Final = ("corroborate", "object", "confirm-mistake", "complain")
"""What nobody who is logged in does with the link of a rating, because it is said by who rated alone."""

COUNTERS: Final = frozenset({Role.INTAKE, Role.DISPATCHER})
REGISTRARS: Final = COUNTERS | {Role.SYSTEM}
SEES_CASES: Final = frozenset(
    {
        Role.INTAKE,
        Role.DISPATCHER,
        Role.HANDLER,
        Role.UNIT_HEAD,
        Role.REVIEWER,
        Role.REVISIT_OFFICER,
        Role.SUPERVISOR,
        Role.PRIVACY_OFFICER,
        Role.AUDITOR,
        Role.SYSTEM,
    }
)
COUNTS: Final = REGISTRARS | {Role.SUPERVISOR}
OTHER_SIDE: Final = frozenset({Role.RESPONDENT, Role.UNIT_HEAD})
OWN_ACCOUNT: Final = (EVERYBODY, "the own session and password")
ADMINISTRATION: Final = (
    frozenset({Role.ADMINISTRATOR}),
    "accounts, register and rulebook are the administrator's, who sees no case (domain.md §6.2)",
)
WATCHERS: Final = frozenset({Role.SUPERVISOR, Role.AUDITOR})
WATCHED: Final = (WATCHERS, "who is also told who opened and who tried what, which stands in it (domain.md §11.4)")
ONE_CASE: Final = (SEES_CASES, "whoever may know of the case (domain.md §6.2, §11.5)")
STATEMENT: Final = (
    OTHER_SIDE,
    "the other side: whoever served at the window complained of, and the head of its department (domain.md §6.2)",
)
CONTACT: Final = (REGISTRARS, "who receives people counts them, so that every matter is registered (domain.md §8)")
RECORDS_VISITS: Final = frozenset({Role.INTAKE, Role.SYSTEM})
VISIT: Final = (RECORDS_VISITS, "who records that somebody was served, and invites them to rate it (domain.md §7.2)")
VISITS: Final = (
    RECORDS_VISITS | {Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR},
    "who records visits, and who looks whether all may be rated; not what was said",
)
READS_REVIEWS: Final = frozenset(
    {
        Role.DISPATCHER,
        Role.HANDLER,
        Role.UNIT_HEAD,
        Role.REVISIT_OFFICER,
        Role.SUPERVISOR,
        Role.AUDITOR,
        Role.SYSTEM,
        Role.VERIFIER,
        Role.PANEL,
    }
)
ONE_REVIEW: Final = (READS_REVIEWS, "whoever handles or checks what was said; never who was rated (domain.md §11.5)")
ON_PAPER: Final = (frozenset({Role.INTAKE, Role.DISPATCHER, Role.HANDLER}), "who hands out or posts what is on paper")

ROLES: Final[Mapping[Door, tuple[frozenset[Role], str]]] = {
    ("GET", f"{V1}/complaints"): ONE_CASE,
    ("GET", CASE): ONE_CASE,
    ("GET", f"{CASE}/history"): ONE_CASE,
    ("GET", f"{CASE}/clock"): ONE_CASE,
    ("GET", f"{CASE}/receipt"): ONE_CASE,
    ("GET", f"{CASE}/proof"): WATCHED,
    ("GET", f"{CASE}/package"): WATCHED,
    ("POST", f"{CASE}/open"): (
        SEES_CASES - {Role.PRIVACY_OFFICER, Role.REVIEWER, Role.SYSTEM},
        "whoever needs the words of a case for the work on it, with a purpose on record (domain.md §11.4)",
    ),
    ("POST", f"{CASE}/erase"): (frozenset({Role.PRIVACY_OFFICER}), "as `erase` in the table of transitions"),
    ("POST", f"{V1}/hand-over"): (
        frozenset({Role.DISPATCHER, Role.UNIT_HEAD}),
        "as `hand-over` in the table of transitions, for many cases",
    ),
    ("GET", f"{V1}/privacy/requests"): (
        frozenset({Role.PRIVACY_OFFICER, Role.SUPERVISOR}),
        "who decides on an erasure, and who witnesses it (domain.md §11.1)",
    ),
    ("GET", f"{V1}/notices"): (SEES_CASES, "notices of the cases one may know of"),
    ("POST", f"{V1}/notices/{{notice_id}}/letter"): ON_PAPER,
    ("POST", f"{V1}/notices/{{notice_id}}/confirm-delivery"): ON_PAPER,
    ("POST", f"{V1}/audit/checkpoint"): (
        WATCHERS | {Role.ADMINISTRATOR, Role.SYSTEM},
        "who audits, who runs the place, and what sends checkpoints elsewhere; it tells nothing that is not public",
    ),
    ("GET", f"{V1}/contacts"): (COUNTS | {Role.AUDITOR}, "who counts, and who looks whether all was registered"),
    ("POST", f"{V1}/contacts"): CONTACT,
    ("POST", f"{V1}/contacts/{{contact_id}}/register"): CONTACT,
    ("POST", f"{V1}/contacts/{{contact_id}}/link"): CONTACT,
    ("POST", f"{V1}/contacts/{{contact_id}}/settle"): CONTACT,
    ("POST", f"{V1}/contacts/{{contact_id}}/reclassify"): (COUNTS, "and whoever looks over what was counted"),
    ("GET", f"{V1}/statements"): STATEMENT,
    ("POST", f"{V1}/statements/{{statement_id}}"): STATEMENT,
    ("POST", f"{V1}/statements/{{statement_id}}/recusal"): STATEMENT,
    ("GET", f"{V1}/occasions"): VISITS,
    ("GET", f"{V1}/occasions/{{occasion_id}}"): VISITS,
    ("POST", f"{V1}/occasions"): VISIT,
    ("POST", f"{V1}/occasions/{{occasion_id}}/invite"): VISIT,
    ("GET", f"{V1}/reviews"): ONE_REVIEW,
    ("GET", f"{V1}/reviews/about-me"): (
        frozenset({Role.RESPONDENT}),
        "whoever was rated, in whichever post: what they need to appeal, and never who rated (domain.md §11.5)",
    ),
    **{("POST", f"{REVIEW_DOOR}/{name}"): told for name, told in REVIEW_COMMANDS.items()},
    ("GET", f"{V1}/reviews/{{review_id}}"): ONE_REVIEW,
    ("GET", f"{V1}/reviews/{{review_id}}/history"): ONE_REVIEW,
    ("POST", f"{V1}/reviews/{{review_id}}/open"): (
        READS_REVIEWS - {Role.SYSTEM},
        "whoever needs the words of a review for the work on it, with a purpose on record (domain.md §11.5)",
    ),
    ("POST", f"{V1}/reviews/{{review_id}}/slip"): (
        RECORDS_VISITS,
        "who writes ratings down, for whoever gave it; a machine only its own; it goes on record",
    ),
    ("GET", f"{V1}/flags"): (WATCHERS, "who looks at what the detectors noticed, and clears it (domain.md §9.3)"),
    ("GET", f"{V1}/session"): OWN_ACCOUNT,
    ("DELETE", f"{V1}/session"): OWN_ACCOUNT,
    ("POST", f"{V1}/session/post"): OWN_ACCOUNT,
    ("POST", f"{V1}/session/password"): OWN_ACCOUNT,
    **dict.fromkeys(
        (
            ("GET", f"{V1}/accounts"),
            ("POST", f"{V1}/accounts"),
            ("POST", f"{V1}/accounts/reset-password"),
            ("POST", f"{V1}/accounts/disable"),
            ("POST", f"{V1}/accounts/enable"),
            ("GET", f"{V1}/tokens"),
            ("POST", f"{V1}/tokens"),
            ("DELETE", f"{V1}/tokens/{{token_id}}"),
            ("GET", f"{V1}/register/posts"),
            ("POST", f"{V1}/register/entries"),
            ("POST", f"{V1}/register/posts/{{post:path}}/take"),
            ("POST", f"{V1}/register/posts/{{post:path}}/leave"),
            ("POST", f"{V1}/register/posts/{{post:path}}/deputy"),
            ("POST", f"{V1}/register/posts/{{post:path}}/end-deputy"),
            ("POST", f"{V1}/register/{{kind}}/{{code:path}}/rename"),
            ("POST", f"{V1}/register/department/{{code:path}}/merge"),
            ("GET", f"{V1}/rulebook"),
            ("POST", f"{V1}/rulebook/policies"),
            ("POST", f"{V1}/rulebook/calendars"),
            ("POST", f"{V1}/rulebook/categories"),
            ("POST", f"{V1}/rulebook/stages"),
        ),
        ADMINISTRATION,
    ),
}
"""Who may come in with an account where no command on a case is given, and why."""

BY_ROWS: Final = frozenset(
    ("GET", f"{V1}/{name}") for name in ("complaints", "notices", "statements", "reviews/about-me")
)
"""Doors that open to everybody with a post and show nobody more than they may know of: an empty list is a refusal."""
OF_A_SESSION: Final = frozenset(
    {("DELETE", f"{V1}/session"), ("POST", f"{V1}/session/post"), ("POST", f"{V1}/session/password")}
)
"""Doors for people who logged in, not for tokens."""
OTHERWISE: Final[Mapping[Door, Code]] = {
    ("POST", f"{CASE}/erase"): "superseded",
    ("POST", f"{CASE}/witness-erasure"): "out-of-turn",
    ("POST", f"{CASE}/resume-clock"): "too-early",
    ("POST", f"{V1}/notices/{{notice_id}}/confirm-delivery"): "out-of-turn",
}
"""Where who may come in is still refused, for no reason of who they are.

An erasure is granted when the time of keeping is over; the system resumes a clock when the pause has lasted too long; a
notice is confirmed when it was sent. Each of these is done in the tests of those commands.
"""
OUTSIDE: Final = frozenset({Role.CITIZEN, Role.RESPONDENT})
"""Who gives commands without knowing the case: by number and query code, or by the question that was put to them."""


def doors_of(app: FastAPI) -> list[Door]:
    """Walk the application; what has no methods, as a folder of files, is a door for all of them.

    Pages have doors of their own, in test_pages_doors.
    """
    return sorted(
        (method, str(context.path))
        for context in iter_route_contexts(app.routes)
        for method in (context.methods or {"ANY"}) - {"HEAD"}
        if not isinstance(context.original_route, PageRoute)
    )


def command_of(door: Door) -> Code | None:
    """Give the name of the command on a case that a door takes."""
    found = re.fullmatch(re.escape(CASE) + "/([a-z-]+)", door[1])
    return found[1] if found and found[1] in FORMS and door[0] == "POST" else None


def own_command_of(door: Door) -> Code | None:
    """Give the name of the command that a door takes by number and query code."""
    found = re.fullmatch(re.escape(f"{V1}/own/") + "([a-z-]+)", door[1])
    return found[1] if found and found[1] in OWN else None


def unlisted(app: FastAPI) -> list[Door]:
    """Give the doors of which nobody has said who may come in, and those listed that are not there."""
    listed = PUBLIC.keys() | ROLES.keys()
    there = set(doors_of(app))
    return sorted({door for door in there if door not in listed and command_of(door) is None} | (listed - there))


def closed_doors(app: FastAPI) -> list[Door]:
    """Give the doors that are not for everybody."""
    return [door for door in doors_of(app) if door not in PUBLIC]


def allowed(command: Code) -> frozenset[Role]:
    """Give who may give a command: by the specification, by what differs from it, or by what was added to it."""
    if command in ADDED:
        return frozenset(map(Role, ADDED[command][0]))
    (row,) = (row for row in TABLE if row.command == command)
    more, _ = DIFFERS.get((command, "role"), ((), ""))
    less, _ = DIFFERS.get((command, "no role"), ((), ""))
    return frozenset({*(Role(name.lower()) for name in row.roles), *map(Role, more)}) - frozenset(map(Role, less))


def expected(door: Door) -> frozenset[Who]:
    """Give who comes in, of all roles and of those without an account."""
    if (command := command_of(door)) is not None:
        # Nobody comes to these doors as a citizen, or for the other side: they know no case by its id.
        return allowed(command) - OUTSIDE
    if (command := own_command_of(door)) is not None:
        return COUNTERS | ({STRANGER} if Role.CITIZEN in allowed(command) else set())
    if door == ("POST", f"{V1}/complaints"):
        return (allowed("register") - {Role.CITIZEN}) | {STRANGER}
    if door == ("POST", f"{V1}/reviews"):
        return RECORDS_VISITS | {STRANGER}
    if door in {("POST", f"{V1}/own/review/{name}") for name in OF_THE_LINK}:
        return frozenset({STRANGER})
    return ALL if door in PUBLIC else ROLES[door][0]
