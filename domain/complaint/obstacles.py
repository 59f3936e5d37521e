"""What stands in the way of each command, found by really asking the rules with a well-formed example of it.

A refusal that lies with the person or the case holds whatever is filled in; one that lies with the content of a form
says nothing yet, since somebody may fill in something else. Nothing of an example is ever stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import chain
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from uuid import UUID, uuid5

from domain import complaint
from domain.complaint import intake, ledger
from domain.complaint.state import Case, Respondent
from domain.decider import NAMESPACE, Actor, Code, Command, PersonKey
from domain.errors import NothingOpen, OutOfTurn, Refused, Superseded
from domain.handling import Facts
from domain.rulebook import Policy
from domain.sealed import Sealed, TextFacts

OTHERWISE: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "ProposeRefusal": "propose-refuse",
        "ConfirmRefusal": "confirm-refuse",
        "ProposeTermination": "propose-terminate",
        "ConfirmTermination": "confirm-terminate",
        "ProposePublication": "propose-publish",
        "ConfirmPublication": "confirm-publish",
        "ProposeDisclosure": "propose-disclose",
        "ConfirmDisclosure": "confirm-disclose",
        "SplitCase": "split",
        "ReplyToLinked": "reply-linked",
    }
)
"""Commands that are not called what their class is called."""


def _name(command: type[Command]) -> Code:
    kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", command.__name__).lower()
    return OTHERWISE.get(command.__name__, kebab)


COMMANDS: Final[Mapping[Code, type[Command]]] = MappingProxyType(
    {
        _name(one): one
        for one in get_args(complaint.Command)
        if one is not intake.Register and one not in get_args(ledger.LedgerCommand)
    }
)
"""Every command on a case that is there, by the name under which the policy says who may give it."""

HINTS: Final[Mapping[Code, Mapping[str, Any]]] = MappingProxyType(
    {name: get_type_hints(command, include_extras=True) for name, command in COMMANDS.items()}
)
"""What kind of value stands in each field of a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One command: what stands in its way, or None where somebody may give it, if only they fill in what fits."""

    command: Code
    refusal: Refused | None


FRESH: Final = uuid5(NAMESPACE, "example")
"""The id of whatever an example would create, or would be joined to."""
ITSELF: Final = uuid5(NAMESPACE, "example:itself")
SOMETHING: Final = Sealed(v=1, value_id=FRESH, key_id=FRESH, nonce="", box="", chars=1)
MEASURED: Final = TextFacts(chars=1, has_text=True)

OPEN_ONES: Final[Mapping[Code, Callable[[Case, Case | None], Iterable[UUID | None]]]] = MappingProxyType(
    {
        "rectify": lambda case, _: case.rectifications,
        "verify-rectification": lambda case, _: case.rectifications,
        "approve-reply": lambda case, _: (case.reply,),
        "reject-reply": lambda case, _: (case.reply,),
        "reply": lambda case, _: (case.reply,),
        "order-rework": lambda case, _: (case.reply,),
        "reply-linked": lambda _, primary: (None if primary is None else primary.reply,),
        "provide-supplement": lambda case, _: (case.supplement,),
        "expire-supplement": lambda case, _: (case.supplement,),
        "resume-clock": lambda case, _: (stop.pause for stop in case.stops if stop.end is None),
        "decide-extension": lambda case, _: (key for key, one in case.extensions.items() if one.approved is None),
        "decide-return": lambda case, _: (None if case.returning is None else case.returning.request,),
        "decide-recusal": lambda case, _: (key for key, one in case.recusals.items() if one.granted is None),
        "answer-call": lambda case, _: (key for key, one in case.calls.items() if not one.answered),
        "answer-supervision": lambda case, _: (key for key, one in case.supervisions.items() if not one.answered_by),
        "lift-supervision": lambda case, _: (key for key, one in case.supervisions.items() if not one.lifted),
        "make-statement": lambda case, _: (key for key, one in case.statements.items() if not one.made),
        "decide-review": lambda case, _: (case.review,),
        "decide-erasure": lambda case, _: (case.keeping.request,),
        "witness-erasure": lambda case, _: (case.keeping.request,),
        "erase": lambda case, _: (case.keeping.request,),
        **{name: lambda case, _: case.proposals for name in COMMANDS if name.startswith("confirm-")},
        "decline-proposal": lambda case, _: case.proposals,
        "expire-proposal": lambda case, _: case.proposals,
    }
)
"""What of a case, or of the one it was merged into, a command can be about; the others make something new."""

LISTS: Final[Mapping[tuple[Code, str], Code]] = MappingProxyType(
    {
        ("pause-clock", "reason"): "pause_reason",
        ("propose-refuse", "reason"): "refuse_reason",
        ("propose-refuse", "proper_channel"): "proper_channel",
        ("propose-terminate", "reason"): "terminate_reason",
        ("request-return", "reason"): "return_reason",
        ("issue-supervision", "rule_no"): "supervision_rule",
        ("propose-disclose", "recipient"): "disclosure_recipient",
        ("propose-disclose", "fields"): "disclosure_field",
    }
)
"""From which list of the policy a code is taken."""


def obstacles(case: Case, by: Actor, at: datetime, facts: Facts) -> tuple[Obstacle, ...]:
    """Say for every command on a case what would stand in the way of this actor at a moment (UTC).

    Those in turn come first, in the order of the loop. The facts hold the case that this one was merged into, if it
    was; without it what is decided with that one counts as content.
    """
    asking = _Asking(case, by, at, _with_others(case, facts), facts.rulebook.policy(case.profile, at))
    in_turn = [name for name in complaint.NEXT_STEPS[case.step] if name in COMMANDS]
    return tuple(Obstacle(command=name, refusal=asking.refusal(name)) for name in dict.fromkeys((*in_turn, *COMMANDS)))


def _with_others(case: Case, facts: Facts) -> Facts:
    """Give the facts with what an example may name: a number for a new case, and a fitting case to join this one to."""
    fitting = replace(
        case,
        made_by=frozenset(),
        joined_by=frozenset(),
        respondent=Respondent(),
        also_about=(),
        responsible=frozenset(),
        stated=frozenset(),
        recusals=MappingProxyType({}),
        linked=frozenset(),
    )
    return replace(
        facts,
        itself=facts.itself or ITSELF,
        others=MappingProxyType({FRESH: fitting, **facts.others}),
        complaint_nos=(case.complaint_no,),
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    """Somebody who asks the rules of one case, with examples of commands."""

    case: Case
    by: Actor
    at: datetime
    facts: Facts
    policy: Policy | None

    def refusal(self, name: Code) -> Refused | None:
        """Give what refuses every example of a command; None as soon as one is refused for its content at most."""
        about = OPEN_ONES.get(name)
        ids = [FRESH] if about is None else [one for one in about(self.case, self._primary) if one is not None]
        first: Refused | None = None
        for example in chain.from_iterable(self._examples(name, one) for one in ids or [FRESH]):
            refused = self._ask(example)
            if not ids and (refused is None or refused.about == "content" or isinstance(refused, Superseded)):
                # Nobody can fill in what fits where there is nothing to name.
                return NothingOpen(command=name)
            if refused is None or refused.about == "content":
                return None
            first = first or refused
            out_of_turn = isinstance(refused, OutOfTurn) and name not in complaint.NEXT_STEPS[self.case.step]
            if out_of_turn or self.policy is None or not self.policy.allows(name, self.by.role):
                # Nothing that could be filled in changes that.
                break
        return first

    @property
    def _primary(self) -> Case | None:
        found = None if self.case.primary is None else self.facts.others.get(self.case.primary)
        return found if isinstance(found, Case) else None

    def _ask(self, example: Command) -> Refused | None:
        try:
            complaint.decide(self.case, example, self.facts)  # type: ignore[arg-type]  # one of its commands
        except Refused as refused:
            return refused
        return None

    def _examples(self, name: Code, one: UUID) -> Iterator[Command]:
        """Give an example of a command, then others that differ from it in one field each."""
        command = COMMANDS[name]
        choices = {
            field: [one] if kind is UUID else self._choices(name, field, kind)
            for field, kind in HINTS[name].items()
            if field not in {"at", "by"}
        }
        plain = {field: options[0] for field, options in choices.items()}
        varied = ({**plain, field: option} for field, options in choices.items() for option in options[1:])
        for content in chain([plain], varied):
            if (example := self._made(command, content, choices)) is not None:
                yield example

    def _made(self, command: type[Command], content: dict[str, Any], choices: dict[str, list[Any]]) -> Command | None:
        """Give the example; where it must say more to be well-formed, with everything it can say."""
        full = {field: _fullest(value, choices[field]) for field, value in content.items()}
        for told in (content, full):
            try:
                return command(at=self.at, by=self.by, **told)
            except ValueError:
                continue
        return None

    def _choices(self, name: Code, field: str, kind: Any) -> list[Any]:  # noqa: ANN401 - a type of any kind
        """Give what may stand in a field of this type, the plainest first."""
        if get_origin(kind) in {Union, UnionType}:
            (inner,) = (part for part in get_args(kind) if part is not NoneType)
            return [None, *self._choices(name, field, inner)]
        if get_origin(kind) is tuple:
            return self._several(name, field, get_args(kind)[0])
        plain = getattr(kind, "__origin__", getattr(kind, "__supertype__", kind))
        if field in {"department", "suggested_unit"}:
            return sorted(self.facts.register.departments) or ["none"]
        if plain is str:
            return [*self._listed(name, field)] or ["other"]
        if kind is PersonKey:
            return [who for who in (self.by.person, self.case.handler) if who is not None]
        if isinstance(plain, type) and issubclass(plain, StrEnum):
            return list(plain)
        return [self._one(name, plain)]

    def _listed(self, name: Code, field: str) -> Iterable[Code]:
        if field == "category":
            return self.facts.rulebook.categories
        listed = LISTS.get((name, field))
        return () if listed is None or self.policy is None else self.policy.codes(listed)

    def _several(self, name: Code, field: str, kind: Any) -> list[Any]:  # noqa: ANN401 - a type of any kind
        if kind is Sealed:
            # Every point of the complaint is answered; whatever else is listed may be as long.
            return [(SOMETHING,) * self.case.points]
        if kind is int:
            return [(1,)]
        if kind is UUID:
            return [(), (FRESH,)]
        return [(self._choices(name, field, kind)[0],)]

    def _one(self, name: Code, kind: type) -> Any:  # noqa: ANN401 - a value of any kind
        today = self.facts.day(self.case.profile, self.at)
        plain: dict[type, Any] = {
            Sealed: SOMETHING, TextFacts: MEASURED, Respondent: self.case.respondent, bool: True, int: 1, UUID: FRESH,
            datetime: self.at, Actor: self.by, date: today + timedelta(days=1),
        }  # fmt: skip
        if kind in plain:
            return plain[kind]
        parts = get_type_hints(kind, include_extras=True)
        choices = {part: self._choices(name, part, hint) for part, hint in parts.items()}
        plainest = {part: options[0] for part, options in choices.items()}
        try:
            return kind(**plainest)
        except ValueError:
            return kind(**{part: _fullest(value, choices[part]) for part, value in plainest.items()})


def _fullest(value: Any, options: list[Any]) -> Any:  # noqa: ANN401 - a value of any kind
    return options[1] if value is None and len(options) > 1 else value
