"""Where each command on a review is in turn, who may give it, and how a bad rating is brought there by a crew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID, uuid4

from starlette.testclient import TestClient

from domain.decider import THE_SYSTEM, Code, Role
from domain.review import REVIEW, ReviewCommand
from domain.review.flagging import FlagReview, OweCheck
from service.asking import Asked
from tests.service.web.house import Hall

V1: Final = "/api/v1"
REVIEW_DOOR: Final = f"{V1}/reviews/{{review_id}}"
REACHED: Final[dict[str, Any]] = {"method": "phone", "result": "reached"}
CREW: Final[Mapping[str, Role]] = MappingProxyType(
    {
        "verifier": Role.VERIFIER,
        "handler": Role.HANDLER,
        "head": Role.UNIT_HEAD,
        "supervisor": Role.SUPERVISOR,
        "desk": Role.DISPATCHER,
        "first": Role.PANEL,
        "second": Role.PANEL,
        "third": Role.PANEL,
    }
)
"""Who brings a review to a step, beside those who knock at its doors."""

WORKS: Final = frozenset({Role.HANDLER, Role.UNIT_HEAD})
DECIDES: Final = (frozenset({Role.PANEL}), "two outside deciders, another two on an objection (domain.md §7.2)")
REVIEW_COMMANDS: Final[Mapping[Code, tuple[frozenset[Role], str]]] = MappingProxyType(
    {
        "contact": (frozenset({Role.VERIFIER}), "never who was rated (domain.md §7.2)"),
        "record-evidence": (
            WORKS | {Role.VERIFIER, Role.RESPONDENT, Role.PANEL, Role.SUPERVISOR},
            "whoever has to prove something, also who was rated",
        ),
        "verify": (frozenset({Role.VERIFIER}), "never who was rated (domain.md §7.2)"),
        "plan-rectification": (WORKS, "the unit that has the work order (domain.md §7.2)"),
        "rectify": (WORKS, "the unit that has the work order (domain.md §7.2)"),
        "explain": (WORKS, "the unit that has the work order (domain.md §7.2)"),
        "reply": (WORKS, "the unit that has the work order (domain.md §7.2)"),
        "revisit": (frozenset({Role.REVISIT_OFFICER}), "somebody outside the unit (domain.md §7.2)"),
        "appeal": (
            frozenset({Role.RESPONDENT, Role.UNIT_HEAD, Role.SUPERVISOR}),
            "who was rated, the head of the unit; a supervisor where a detector noticed something (domain.md §7.2)",
        ),
        "propose-decide-appeal": DECIDES,
        "confirm-decide-appeal": DECIDES,
        "tell": (
            frozenset({Role.PANEL, Role.REVISIT_OFFICER, Role.DISPATCHER}),
            "who excluded it, or speaks for the hall",
        ),
        "propose-decide-objection": DECIDES,
        "confirm-decide-objection": DECIDES,
        "decline-proposal": DECIDES,
        "remind": (frozenset({Role.SUPERVISOR, Role.SYSTEM}), "as of complaints (domain.md §5)"),
        "issue-supervision": (frozenset({Role.SUPERVISOR, Role.SYSTEM}), "as of complaints (domain.md §5)"),
        "answer-supervision": (
            WORKS | {Role.VERIFIER, Role.PANEL, Role.REVISIT_OFFICER, Role.DISPATCHER},
            "whoever has something to do about it",
        ),
        "lift-supervision": (frozenset({Role.SUPERVISOR}), "who orders (GB/T 39046)"),
        "clear-flag": (frozenset({Role.AUDITOR, Role.SUPERVISOR}), "a human looks, and no unit (domain.md §9.3)"),
        "check": (frozenset({Role.REVISIT_OFFICER}), "somebody outside the unit (domain.md §9.3)"),
    }
)
"""Who may give each command on a review, and why: from the specification, never from the policy."""


@dataclass(slots=True)
class Reviewed:
    """A review on its way: the link that leads back to it, and the ids that commands name."""

    id: str
    own_link: str
    made: dict[str, str] = field(default_factory=dict)


Step = tuple[str, str] | tuple[str, str, Mapping[str, Any]]
"""A command, who of the crew gives it (`own`: whoever rated; `system`: a timer), and what differs in its form."""

CALLED: Final[tuple[Step, ...]] = (("contact", "verifier"),)
SETTLED: Final[tuple[Step, ...]] = (*CALLED, ("verify", "verifier"), ("rectify", "handler"))
CONTESTED: Final[tuple[Step, ...]] = (("record-evidence", "head"), ("appeal", "head"))
PROPOSED: Final[tuple[Step, ...]] = (*CONTESTED, ("propose-decide-appeal", "first"))
EXCLUDED: Final[tuple[Step, ...]] = (*PROPOSED, ("confirm-decide-appeal", "second"))
OBJECTED: Final[tuple[Step, ...]] = (*EXCLUDED, ("object", "own"))
ORDERED: Final[tuple[Step, ...]] = (("issue-supervision", "supervisor"),)
FLAGGED: Final[tuple[Step, ...]] = (("flag", "system"),)
DRAWN: Final[tuple[Step, ...]] = (("owe-check", "system"),)

REVIEW_TURNS: Final[Mapping[Code, tuple[Step, ...]]] = MappingProxyType(
    {
        "contact": (),
        "record-evidence": (),
        "verify": CALLED,
        "plan-rectification": (*CALLED, ("verify", "verifier", {"verdict": "valid_complex"})),
        "rectify": (*CALLED, ("verify", "verifier")),
        "explain": (*CALLED, ("verify", "verifier", {"verdict": "no_legal_basis"})),
        "reply": SETTLED,
        "revisit": (*SETTLED, ("reply", "handler")),
        "appeal": (),
        "propose-decide-appeal": CONTESTED,
        "confirm-decide-appeal": PROPOSED,
        "tell": EXCLUDED,
        "propose-decide-objection": OBJECTED,
        "confirm-decide-objection": (*OBJECTED, ("propose-decide-objection", "third")),
        "decline-proposal": PROPOSED,
        "remind": (),
        "issue-supervision": (),
        "answer-supervision": ORDERED,
        "lift-supervision": ORDERED,
        "clear-flag": FLAGGED,
        "check": DRAWN,
    }
)
"""What comes before each command."""
OWN_TURNS: Final[Mapping[Code, tuple[Step, ...]]] = MappingProxyType({"object": EXCLUDED})
BY_ROLE: Final[Mapping[tuple[Code | None, Role | None], tuple[Step, ...]]] = MappingProxyType(
    {
        ("record-evidence", Role.PANEL): CONTESTED,
        ("answer-supervision", Role.PANEL): (*CONTESTED, *ORDERED),
        ("appeal", Role.SUPERVISOR): FLAGGED,
        # Where it is only looked at.
        (None, Role.PANEL): CONTESTED,
    }
)
"""And for some roles what else, so that they know of it."""


def review_command_of(door: tuple[str, str]) -> Code | None:
    """Give the name of the command on a review that a door takes."""
    name = door[1].removeprefix(f"{REVIEW_DOOR}/")
    return name if door[0] == "POST" and name in REVIEW_COMMANDS else None


def own_step_of(door: tuple[str, str]) -> Code | None:
    """Give the name of what somebody with the own link does there, where that has a turn of its own."""
    name = door[1].rsplit("/", 1)[-1]
    return name if name in OWN_TURNS else None


def steps_before(command: Code | None, who: Role | None) -> tuple[Step, ...]:
    """Give what has to happen to a bad rating before somebody gives a command, or only looks at it."""
    usual = () if command is None else {**REVIEW_TURNS, **OWN_TURNS}[command]
    return BY_ROLE.get((command, who), usual)


def form(command: Code, made: Mapping[str, str]) -> dict[str, Any]:
    """Give a form that fits a command, with the ids it names."""
    nobody = str(UUID(int=0))
    ids = {name: made.get(name, nobody) for name in ("appeal", "objection", "proposal", "supervision", "flag", "draw")}
    today = datetime.now(UTC).date()
    forms: dict[str, dict[str, Any]] = {
        "contact": REACHED,
        "record-evidence": {"kind": "system_record", "description": "叫号记录。"},
        "verify": {"verdict": "valid_clear", "facts": "属实。"},
        "plan-rectification": {"actions": "扩容。", "reason_told": "须采购。", "due": str(today + timedelta(days=1))},
        "rectify": {"actions": "已整改。"},
        "explain": {"explanation": "依法办理。"},
        "reply": {"text": "已整改。", "method": "phone"},
        "revisit": {**REACHED, "answers": {"satisfied": "yes"}},
        "appeal": {"ground": "mistaken_target", "explanation": "不是本窗口。"},
        "propose-decide-appeal": {
            "appeal": ids["appeal"], "result": "exclude", "reason": "mistaken_target", "reasons": "无此号。",
            "evidence": [made[name] for name in ("evidence",) if name in made],
        },
        "confirm-decide-appeal": {"proposal": ids["proposal"]},
        "tell": REACHED,
        "propose-decide-objection": {"objection": ids["objection"], "result": "uphold", "reasons": "排除有据。"},
        "confirm-decide-objection": {"proposal": ids["proposal"]},
        "decline-proposal": {"proposal": ids["proposal"], "reason": "须再核实。"},
        "remind": {"clock": "verify"},
        "issue-supervision": {"rule_no": "overdue", "level": 1, "content": "请办理。"},
        "answer-supervision": {"supervision": ids["supervision"], "answer": "正在办理。"},
        "lift-supervision": {"supervision": ids["supervision"]},
        "clear-flag": {"flag": ids["flag"], "reason": "正常。"},
        "check": {**REACHED, "draw": ids["draw"], "genuine": "yes"},
    }  # fmt: skip
    return forms[command]


def bring(hall: Hall, crew: Callable[[str], TestClient], review: Reviewed, steps: tuple[Step, ...]) -> Reviewed:
    """Bring a bad rating to a step."""
    for command, who, *more in steps:
        if who == "system":
            _by_the_system(hall, review, command)
            continue
        if who == "own":
            answer = hall.client().post(
                f"{V1}/own/review/object", json={"own_link": review.own_link, "ground": "属实。"}
            )
            told = crew("supervisor").get(f"{V1}/reviews/{review.id}").json()["current"]
        else:
            given = {**form(command, review.made), **(more[0] if more else {})}
            answer = crew(who).post(f"{V1}/reviews/{review.id}/{command}", json=given)
            told = answer.json()
        assert answer.status_code == 200, (command, who, answer.text)
        ids = ("evidence", "appeal", "objection", "proposal", "supervision")
        review.made |= {name: told[name] for name in ids if isinstance(told.get(name), str)}
    return review


def _by_the_system(hall: Hall, review: Reviewed, name: str) -> None:
    new = uuid4()
    command: ReviewCommand = OweCheck(at=datetime.now(UTC), by=THE_SYSTEM, draw=new)
    if name == "flag":
        command = FlagReview(
            at=datetime.now(UTC), by=THE_SYSTEM, flag=new, detector="burst", score=60, features=(), model=1
        )
    asked = Asked(command_id=uuid4(), source="test", name=name)
    hall.parts.book.transact(REVIEW, UUID(review.id), command, asked)
    review.made["flag" if name == "flag" else "draw"] = str(new)
