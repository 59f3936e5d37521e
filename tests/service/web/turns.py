"""Where each command is in turn: how a case is brought there, so that who may give it is all that is left to ask.

The steps before a command are taken by a cast of a hall, each by the one whose duty it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from starlette.testclient import TestClient

from domain.decider import Code, Role
from tests.service.web.house import NO_REQUEST, STEPS, Case, Hall

PRIMARY: Final = "a primary case"
ANSWERED: Final = "the primary case is answered"


@dataclass(frozen=True, slots=True)
class Given:
    """A command on the way of a case that is not given as usual: by another role, or with more in its form."""

    command: Code
    by: Role | None = None
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """What has happened to a case before a command, and what its form says besides the usual."""

    before: tuple[str | Given, ...] = ()
    form: Mapping[str, Any] = field(default_factory=dict)
    points: int = 1


def way(until: Code) -> tuple[str, ...]:
    """Give the commands of a smooth way, up to and with this one."""
    names = [name for name, _, _ in STEPS]
    return tuple(names[: names.index(until) + 1])


HANDLED: Final = way("sign-for")
REPLIED: Final = way("reply")
IN_REVIEW: Final = (*REPLIED, "request-review")
RESTRICTED: Final = {"result": "restricted", "legal_basis": "L3-47"}

TURNS: Final[Mapping[Code, Turn]] = MappingProxyType(
    {
        "accept": Turn(),
        **{name: Turn(way(before)) for (before, _, _), (name, _, _) in pairwise(STEPS)},
        "reject-reply": Turn(way("submit-reply")),
        "replace-query-code": Turn(),
        "request-supplement": Turn(),
        "provide-supplement": Turn(("request-supplement",)),
        "propose-refuse": Turn(),
        "confirm-refuse": Turn(("propose-refuse",)),
        "decline-proposal": Turn(("propose-refuse",)),
        "transfer-out": Turn(),
        "withdraw": Turn(),
        "resolve-on-spot": Turn(),
        "split": Turn(points=2),
        "merge": Turn((PRIMARY,)),
        "propose-unmerge": Turn((PRIMARY, "merge")),
        "confirm-unmerge": Turn((PRIMARY, "merge", "propose-unmerge")),
        "reply-linked": Turn((PRIMARY, "merge", ANSWERED)),
        "revisit-linked": Turn((PRIMARY, "merge", ANSWERED, "reply-linked")),
        "request-return": Turn(way("assign")),
        "decide-return": Turn((*way("assign"), "request-return")),
        "call-in": Turn(HANDLED),
        "answer-call": Turn(
            ("accept", Given("assign", form={"department": "SW"}), Given("call-in", form={"department": "SJ"}))
        ),
        "hand-over": Turn(HANDLED, {"department": "SJ", "reason": "leave"}),
        "pause-clock": Turn(HANDLED),
        "resume-clock": Turn((*HANDLED, "pause-clock")),
        "request-extension": Turn(HANDLED),
        "decide-extension": Turn((*HANDLED, "request-extension")),
        "request-recusal": Turn(HANDLED),
        "decide-recusal": Turn((*HANDLED, Given("request-recusal", Role.SUPERVISOR))),
        "remind": Turn(form={"clock": "accept"}),
        "issue-supervision": Turn(),
        "answer-supervision": Turn((*HANDLED, "issue-supervision")),
        "lift-supervision": Turn((*HANDLED, "issue-supervision")),
        "correct-record": Turn(HANDLED),
        "invite-statement": Turn(HANDLED),
        "record-notice": Turn(HANDLED),
        "propose-terminate": Turn(HANDLED),
        "confirm-terminate": Turn((*HANDLED, "propose-terminate")),
        "request-review": Turn(REPLIED),
        "decide-review": Turn(IN_REVIEW),
        "order-rework": Turn(REPLIED),
        "reopen": Turn(way("close")),
        "propose-publish": Turn(REPLIED),
        "confirm-publish": Turn((*REPLIED, "propose-publish")),
        "unpublish": Turn((*REPLIED, "propose-publish", "confirm-publish")),
        "propose-disclose": Turn(),
        "confirm-disclose": Turn(("propose-disclose",)),
        "request-erasure": Turn(way("close")),
        "decide-erasure": Turn((*way("close"), "request-erasure"), RESTRICTED),
        "witness-erasure": Turn((*way("close"), "request-erasure")),
        "lift-restriction": Turn((*way("close"), "request-erasure", Given("decide-erasure", form=RESTRICTED))),
    }
)  # fmt: skip
"""What comes before each command."""

BY: Final[Mapping[tuple[Code, Role], Turn]] = MappingProxyType(
    {
        ("decline-proposal", Role.SUPERVISOR): Turn((*HANDLED, "propose-terminate")),
        ("decline-proposal", Role.PRIVACY_OFFICER): Turn((*REPLIED, "propose-publish")),
        # Nobody has the case yet, so it is the desk that answers.
        ("answer-supervision", Role.DISPATCHER): Turn(("issue-supervision",)),
        ("request-recusal", Role.REVIEWER): Turn(IN_REVIEW),
        ("request-recusal", Role.REVISIT_OFFICER): Turn(REPLIED),
        # A head decides on the people of the unit; what is above it is put before the reviewer.
        ("decide-recusal", Role.REVIEWER): Turn((*HANDLED, Given("request-recusal", Role.UNIT_HEAD))),
        ("reopen", Role.SUPERVISOR): Turn(way("close"), {"cause": "supervision"}),
    }
)
"""Where a role gives a command in another case, or says something else: in which."""

DUTY: Final[Mapping[Code, Role]] = MappingProxyType(
    {
        **{
            name: {
                "ZHAO": Role.DISPATCHER,
                "LI": Role.HANDLER,
                "WANG": Role.UNIT_HEAD,
                "ZHOU": Role.SUPERVISOR,
                "SUN": Role.REVISIT_OFFICER,
            }[who]
            for name, who, _ in STEPS
        },
        "request-supplement": Role.DISPATCHER,
        "propose-refuse": Role.DISPATCHER,
        "merge": Role.DISPATCHER,
        "propose-unmerge": Role.DISPATCHER,
        "reply-linked": Role.DISPATCHER,
        "request-return": Role.HANDLER,
        "call-in": Role.DISPATCHER,
        "pause-clock": Role.UNIT_HEAD,
        "request-extension": Role.HANDLER,
        "issue-supervision": Role.SUPERVISOR,
        "invite-statement": Role.HANDLER,
        "propose-terminate": Role.DISPATCHER,
        "propose-publish": Role.DISPATCHER,
        "confirm-publish": Role.PRIVACY_OFFICER,
        "propose-disclose": Role.SUPERVISOR,
        "request-erasure": Role.INTAKE,
        "decide-erasure": Role.PRIVACY_OFFICER,
    }
)
"""Who gives each command of the steps before, where nobody else is named."""


@dataclass(slots=True)
class Place:
    """A site where cases are handled: who does what there, in which department, and which one else can be asked."""

    hall: Hall
    site: Code
    department: Code
    other: Code
    window: Code
    cast: Mapping[Role, TestClient]

    def complain(self, *, points: int = 1, **about: object) -> Case:
        """Have a complaint registered at the counter."""
        form = {
            "hall": self.site,
            "narrative": "三号窗口两次让我回去补材料，每次说的都不一样。",
            "respondent": {"department": self.department, "window": self.window, **about},
            "category": "NO_ONE_TIME_NOTICE",
            "channel": "window",
            "points": points,
        }
        answer = self.cast[Role.INTAKE].post("/api/v1/complaints", json=form)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        return Case(
            id=told["id"], complaint_no=told["complaint_no"], query_code=told["query_code"], version=told["version"]
        )

    def prepared(self, turn: Turn, **about: object) -> Case:
        """Give a case to which everything has happened that comes before a command."""
        case = self.complain(points=turn.points, **about)
        for step in turn.before:
            self.happen(case, step)
        return case

    def happen(self, case: Case, step: str | Given) -> None:
        """Let one thing more happen to a case."""
        given = Given(step) if isinstance(step, str) else step
        if given.command == PRIMARY:
            case.made["primary"] = self.complain().id
        elif given.command == ANSWERED:
            primary = Case(id=case.made["primary"], complaint_no="", query_code="", version=0)
            for name in REPLIED:
                self.happen(primary, name)
            case.made["reply"] = primary.made["reply"]
        elif given.command == "request-review":
            form = {"complaint_no": case.complaint_no, "query_code": case.query_code, "grounds": "不服。"}
            self._post(case, self.hall.client(), "/api/v1/own/request-review", form)
        else:
            client = self.cast[given.by or DUTY[given.command]]
            self._post(case, client, f"{case.path}/{given.command}", self.form(case, given.command, **given.form))

    def form(self, case: Case, command: Code, **more: object) -> dict[str, Any]:
        """Give the form of a command on a case, with the ids of what it names and the departments of this place."""
        usual = self.hall.form(Case(case.id, "", "", 0, {"reply": NO_REQUEST, "rectification": NO_REQUEST}), command)
        if command == "order-rework":
            usual["reply"] = NO_REQUEST
        form = {**usual, **more}
        for name, value in form.items():
            if value == NO_REQUEST:
                form[name] = case.made.get(name, NO_REQUEST)
        if "department" in form:
            form["department"] = {"SJ": self.department, "SW": self.other}[form["department"]]
        return form

    def _post(self, case: Case, client: TestClient, path: str, form: Mapping[str, Any]) -> None:
        answer = client.post(path, json=dict(form))
        assert answer.status_code == 200, f"{path}: {answer.text}"
        told = answer.json()
        case.made |= {name: value for name, value in told.items() if isinstance(value, str)}
