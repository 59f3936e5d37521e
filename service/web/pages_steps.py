"""Which steps a case can take next, which of them somebody may take, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass

from domain import complaint
from domain.decider import Code, Role
from domain.errors import NoPolicy, NotYourRole, Refused
from projections.docket import DocketRow
from service.forms import FORMS
from service.web.deps import Caller
from service.web.pages_choices import Around
from service.web.widgets import parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One step: whether it is allowed, why not, and what to do then; `plain` ones ask for nothing but a press."""

    command: Code
    name: str
    allowed: bool
    plain: bool = False
    code: str = ""
    reason: str = ""
    then: str = ""


def offers(row: DocketRow, here: Around, who: Caller) -> list[Offer]:
    """Give the steps that are in turn for a case, those allowed first; none for which there is no form."""
    listed = {name for names in complaint.NEXT_STEPS.values() for name in names}
    in_turn = [*complaint.NEXT_STEPS[row.step], *(name for name in FORMS if name not in listed)]
    found = [_offer(name, row, here, who) for name in in_turn if name in FORMS]
    return sorted(found, key=lambda offer: not offer.allowed)


def _offer(name: Code, row: DocketRow, here: Around, who: Caller) -> Offer:
    refusal = _obstacle(name, row, here, who)
    said = here.t.command(name)
    if refusal is None:
        return Offer(command=name, name=said, allowed=True, plain=not parts(FORMS[name]))
    reason, then = here.t.refused(refusal)
    if isinstance(refusal, NotYourRole):
        then = _who_may(name, row, here) or then
    return Offer(command=name, name=said, allowed=False, code=refusal.code, reason=reason, then=then)


def _obstacle(name: Code, row: DocketRow, here: Around, who: Caller) -> Refused | None:
    """Give what stands in the way whatever is filled in."""
    policy = here.facts.rulebook.latest(row.profile)
    if policy is None:
        return NoPolicy(profile=row.profile)
    return None if policy.allows(name, who.actor.role) else NotYourRole(role=who.actor.role, command=name)


def _who_may(name: Code, row: DocketRow, here: Around) -> str:
    policy = here.facts.rulebook.latest(row.profile)
    roles = [role for role in Role if policy is not None and policy.allows(name, role)]
    return here.t("steps.who_may", roles="、".join(map(here.t.word, roles))) if roles else here.t("steps.nobody")
