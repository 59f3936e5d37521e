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
from domain.errors import NotYourRole, Superseded, Unknown
from projections.docket import fold
from projections.histories import read_stream
from service.forms import FORMS
from service.forms.form import Form, Line
from service.web.by_code import case_by_code
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


def _act(form_type: type[Form], asked_with: type[Form]) -> Callable[..., dict[str, Any]]:
    def act(
        request: Request,
        response: Response,
        parts: InParts,
        who: InOptionalCaller,
        asking: InAsking,
        form: Annotated[Form, Body()],
    ) -> dict[str, Any]:
        clerk = _clerk(who)
        sent = form.model_dump()
        case = case_by_code(
            request, parts, sent.pop("complaint_no"), sent.pop("query_code"), at_counter=clerk is not None
        )
        with parts.pool.connection() as connection:
            entries = read_stream(connection, case)
        row = fold(entries)
        if row is None:
            raise Unknown
        if "supplement" in sent and sent["supplement"] is None:
            sent["supplement"] = current(entries).get("supplement")
            if sent["supplement"] is None:
                raise Superseded
        by = Actor(person=PersonKey(row.complainant), role=Role.CITIZEN)
        asked = asking(form_type.name, form)
        if clerk is not None:
            asked = replace(asked, source="counter")
        done = parts.desk.act(case, form_type.model_validate(sent), by, asked, taken_by=clerk)
        response.headers["X-Position"] = str(done.position)
        return {
            "complaint_no": row.complaint_no,
            "position": done.position,
            "events": [type(event).__name__ for event in done.events],
            **made(done.events),
        }

    act.__annotations__["form"] = Annotated[asked_with, Body()]
    act.__name__ = f"own_{form_type.name.replace('-', '_')}"
    act.__doc__ = form_type.summary
    return act


OWN_FORMS: Final[Mapping[Code, type[Form]]] = {name: own_form(FORMS[name]) for name in OWN}
ACTS: Final[Mapping[Code, Callable[..., dict[str, Any]]]] = {name: _act(FORMS[name], OWN_FORMS[name]) for name in OWN}
"""What each does, for the API and the pages."""

for _name, _does in ACTS.items():
    public.add_api_route(
        f"/{_name}",
        _does,
        methods=["POST"],
        summary=f"{FORMS[_name].summary}, by number and query code",
        operation_id=f"own_{_name}",
    )
