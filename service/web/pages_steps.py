"""Which steps of a case somebody may take, as buttons; and why not the others, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.complaint import NEXT_STEPS, OF_THE_LOOP
from domain.decider import Code, Role
from domain.errors import NothingOpen, NotYourRole, OutOfTurn, Refused
from projections.docket import DocketRow
from projections.tables import Entry
from service.forms import FORMS
from service.web.deps import Caller
from service.web.pages_choices import Around
from service.web.steps import steps
from service.web.widgets import parts

MACHINE: Final = frozenset({Role.SYSTEM})
PERSONAL: Final = frozenset({Role.CITIZEN, Role.SYSTEM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One step: whether it is allowed, why not, and what to do then.

    `plain` ones ask for nothing but a press; `forward` ones carry the case round the loop, the others go beside it.
    """

    command: Code
    name: str
    allowed: bool
    plain: bool = False
    forward: bool = False
    code: str = ""
    reason: str = ""
    then: str = ""


def refusals(row: DocketRow, entries: Sequence[Entry], here: Around, who: Caller) -> dict[Code, Refused | None]:
    """Give for every command what stands in the way of somebody, whatever they fill in; None where nothing does."""
    return {one.command: one.refusal for one in steps(row, entries, who, here.facts)}


def offers(found: Mapping[Code, Refused | None], row: DocketRow, here: Around) -> list[Offer]:
    """Give the steps that are in turn for a case, in the order of the loop; what only machines do is left out."""
    in_turn = [*NEXT_STEPS[row.step], *(name for name, refusal in found.items() if refusal is None)]
    return [
        offer(
            here,
            (name, found[name]),
            _may(name, row, here),
            plain=not parts(FORMS[name]),
            forward=name in OF_THE_LOOP.get(row.step, ()),
        )
        for name in dict.fromkeys(in_turn)
        if name in found
        and not isinstance(found[name], OutOfTurn | NothingOpen)
        and not _may(name, row, here) <= PERSONAL
    ]


def offer(
    here: Around, step: tuple[Code, Refused | None], may: frozenset[Role], *, plain: bool, forward: bool
) -> Offer:
    """Give a step with what stands in its way for somebody, if anything does, and who `may` take it instead."""
    name, refusal = step
    said = here.t.command(name)
    if refusal is None:
        return Offer(command=name, name=said, allowed=True, plain=plain, forward=forward)
    reason, then = here.t.refused(refusal)
    if isinstance(refusal, NotYourRole):
        roles = [here.t.word(role) for role in Role if role in may - MACHINE]
        then = here.t("steps.who_may", roles=here.t("comma").join(roles))
    return Offer(command=name, name=said, allowed=False, code=refusal.code, reason=reason, then=then)


def _may(name: Code, row: DocketRow, here: Around) -> frozenset[Role]:
    """Give the roles that the rules of the case let take a step."""
    policy = here.facts.rulebook.latest(row.profile)
    return frozenset(role for role in Role if policy is not None and policy.allows(name, role))
