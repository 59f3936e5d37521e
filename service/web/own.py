"""What somebody without an account does with the own case: by number and query code, also at a counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Response
from fastapi.requests import Request
from pydantic import Field, create_model

from domain.decider import Actor, Code, PersonKey, Role
from domain.errors import NotYourRole, Superseded
from projections.docket import DocketRow
from service.asking import Asked, Done
from service.forms import FORMS
from service.forms.form import Form, Line
from service.parts import Parts
from service.web.by_code import by_code
from service.web.current import current, made
from service.web.deps import Caller, InAsking, InOptionalCaller, InParts

public = APIRouter(prefix="/own", tags=["own case"])

OWN: Final[tuple[Code, ...]] = ("withdraw", "request-review", "provide-supplement", "request-recusal")
"""What a complainant may do; each is a command like any other, and the policy says `citizen` for it."""
COUNTERS: Final = frozenset({Role.INTAKE, Role.DISPATCHER})
"""Who may send it along for somebody who stands before them."""


def own_form(form: type[Form]) -> type[Form]:
    """Give a form with the number and the code it opens with; what waits for the complainant needs no id."""
    optional: dict[str, Any] = {}
    if "supplement" in form.model_fields:
        told = Field(default=None, description="Without it, what was asked for last.")
        optional["supplement"] = (UUID | None, told)
    return create_model(
        f"Own{form.__name__}",
        __base__=form,
        __doc__=form.__doc__,
        complaint_no=(Line, ...),
        query_code=(Line, ...),
        **optional,
    )


def _clerk(who: Caller | None) -> PersonKey | None:
    """Give the clerk at whose counter somebody acts, from the session and never from the form; raises NotYourRole."""
    if who is None:
        return None
    if who.actor.role not in COUNTERS:
        raise NotYourRole(role=who.actor.role)
    return who.actor.person


def act_on_own(request: Request, parts: Parts, who: Caller | None, form: Form, asked: Asked) -> tuple[DocketRow, Done]:
    """Act on the own case, by the number and the code in the form; give the case as it stood, and what was done.

    `form` is one that `own_form` gives. Raises TooMany, Unknown, NotYourRole, Superseded, and what the rules raise.
    """
    clerk = _clerk(who)
    sent = form.model_dump()
    number, code = sent.pop("complaint_no"), sent.pop("query_code")
    row, entries = by_code(request, parts, number, code, at_counter=clerk is not None)
    if "supplement" in sent and sent["supplement"] is None:
        sent["supplement"] = current(entries).get("supplement")
        if sent["supplement"] is None:
            raise Superseded
    by = Actor(person=PersonKey(row.complainant), role=Role.CITIZEN)
    if clerk is not None:
        asked = replace(asked, source="counter")
    done = parts.desk.act(row.case, FORMS[form.name].model_validate(sent), by, asked, taken_by=clerk)
    return row, done


def _act(asked_with: type[Form]) -> Callable[..., dict[str, Any]]:
    def act(
        request: Request,
        response: Response,
        parts: InParts,
        who: InOptionalCaller,
        asking: InAsking,
        form: Annotated[Form, Body()],
    ) -> dict[str, Any]:
        row, done = act_on_own(request, parts, who, form, asking(form.name, form))
        response.headers["X-Position"] = str(done.position)
        return {
            "complaint_no": row.complaint_no,
            "position": done.position,
            "events": [type(event).__name__ for event in done.events],
            **made(done.events),
        }

    act.__annotations__["form"] = Annotated[asked_with, Body()]
    act.__name__ = f"own_{asked_with.name.replace('-', '_')}"
    act.__doc__ = asked_with.summary
    return act


OWN_FORMS: Final[Mapping[Code, type[Form]]] = {name: own_form(FORMS[name]) for name in OWN}

for _name, _form in OWN_FORMS.items():
    public.add_api_route(
        f"/{_name}",
        _act(_form),
        methods=["POST"],
        summary=f"{_form.summary}, by number and query code",
        operation_id=f"own_{_name}",
    )
