"""The API of complaints: register, look up, act, read histories, open sealed values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Response
from fastapi.requests import Request
from pydantic import BaseModel, ConfigDict, Field

from domain.complaint.state import PROMISE, Step
from domain.decider import Code, Role
from domain.errors import NotYourRole
from domain.handling import Facts
from domain.rulebook import Profile, Rulebook
from domain.sealed import sealed_values
from projections.docket import DOCKET, DocketRow
from projections.histories import Language, history
from projections.own_case import answer, for_the_complainant
from projections.queries import Order, Wanted, docket
from projections.restriction import Erasure
from projections.runner import wait_for
from service.desk import Receipt
from service.forms import FORMS
from service.forms.form import Form, Line, Moment
from service.forms.intake import RegisterForm, ReplaceQueryCodeForm
from service.known import known, told_at
from service.limits import place
from service.opening import purpose_of
from service.parts import Parts
from service.receipts import LogAltered
from service.receipts import Receipt as Promised
from service.receipts import promised as promised_in_log
from service.web.answers import changed, head
from service.web.by_code import HOUR, by_code
from service.web.current import current, made
from service.web.deps import Caller, InAsking, InCaller, InOptionalCaller, InParts, address_of
from service.web.steps import steps, with_primary
from service.web.steps import told as to_take

router = APIRouter(prefix="/complaints", tags=["complaints"])
public = APIRouter(tags=["complaints"])

REGISTRARS: Final = frozenset({Role.INTAKE, Role.DISPATCHER, Role.SYSTEM})
CaseId = Annotated[UUID, Path(description="The id of the case.")]


class Registration(BaseModel):
    """What somebody who complained takes home."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "5b0ab2ae-9d0a-5b35-8f3e-1f7f9f2f3d11",
                    "complaint_no": "TS-GXQ-20261123-00001-K",
                    "query_code": "7K3M-9QXA-02BD-ZZ4T",
                    "accept_due": "2026-11-24T15:59:59.999999Z",
                    "version": 2,
                    "position": 77,
                    "receipt": {
                        "format": "bihuan-receipt-1",
                        "key": "bihuan/LOG+0123abcd+KEY",
                        "promise": "bihuan/LOG/promise\ncomplaint TS-GXQ-20261123-00001-K\nposition 76\n…",
                        "checkpoint": None,
                        "inclusion": None,
                    },
                }
            ]
        }
    )
    id: UUID
    complaint_no: str
    query_code: str | None
    accept_due: datetime | None
    version: int
    position: int
    receipt: dict[str, Any] | None = Field(default=None, description="The signed promise that it is in the log.")


@public.post(
    "/complaints",
    summary="Register a complaint (登记)",
    status_code=201,
    response_model=None,
    responses={201: {"model": Registration}},
)
def register(
    request: Request, response: Response, form: RegisterForm, parts: InParts, who: InOptionalCaller, asking: InAsking
) -> dict[str, Any]:
    """Register a complaint (登记): at a window by staff, or by anybody without an account.

    The answer holds a number and a query code, shown once and stored nowhere; and a signed promise that the complaint
    is in the log, to which /api/v1/status/receipt gives the proof when it is sealed.
    """
    form = let_in(request, form, parts, who)
    receipt = parts.desk.register(form, None if who is None else who.actor, asking("register", form))
    response.headers["Location"] = f"/api/v1/complaints/{receipt.case}"
    head(response, receipt.done.version, receipt.done.position)
    return taken_home(parts, receipt)


def let_in(request: Request, form: RegisterForm, parts: Parts, who: Caller | None) -> RegisterForm:
    """Give a complaint with the window where staff take it, if it may be registered; raises TooMany, NotYourRole."""
    if who is None:
        most = parts.settings.registrations_per_hour
        if most:
            parts.limits.hit("register", place(address_of(request)), most=most, seconds=HOUR)
    elif who.actor.role not in REGISTRARS:
        raise NotYourRole(role=who.actor.role, command="register")
    elif form.window is None and who.viewer.post is not None:
        form = form.model_copy(update={"window": who.viewer.post.window})
    return form


def promise_of(parts: Parts, case: UUID) -> Promised | None:
    """Give the promise of a registration, if there is one; over an altered row there is none.

    Number and code are shown once: they must not be lost with it.
    """
    try:
        return promised_in_log(parts, case)
    except LogAltered:
        return None


def taken_home(parts: Parts, receipt: Receipt) -> dict[str, Any]:
    """Give what somebody who complained takes home; asked for again it is the same, to the letter."""
    promise = promise_of(parts, receipt.case)
    return {
        "id": receipt.case,
        "complaint_no": receipt.complaint_no,
        "query_code": receipt.query_code,
        "accept_due": receipt.accept_due,
        "version": receipt.done.version,
        "position": receipt.done.position,
        "receipt": None if promise is None else promise.file(),
    }


class StatusForm(BaseModel):
    """With what somebody without an account asks after a complaint."""

    model_config = ConfigDict(extra="forbid")
    complaint_no: Line
    query_code: Line
    language: Language = Language.CHINESE


@public.post("/status", summary="Ask after a complaint by number and query code (查询)")
def status(request: Request, form: StatusForm, parts: InParts) -> dict[str, Any]:
    """Tell how a complaint stands, by number and query code; a wrong number and a wrong code look alike."""
    row, entries = by_code(request, parts, form.complaint_no, form.query_code)
    facts = parts.book.facts()
    lines = history(for_the_complainant(entries), facts.register, form.language)
    texts = answer(entries)
    return {
        "complaint_no": row.complaint_no,
        "step": row.step,
        "stage": stage(facts, row.step),
        **promised(row),
        "history": [{"at": line.at, "said": line.said} for line in lines],
        "answer": [
            {"field": kind, "text": text}
            for (kind, _), text in zip(texts, parts.vault.open_many(texts), strict=True)
            if text is not None
        ],
    }


def stage(facts: Facts, step: Step) -> dict[str, str] | None:
    """Give the names of the stage that the place adopted for a step; None where it goes by its own."""
    found = facts.rulebook.stage(step)
    return None if found is None else {"code": found.code, "name_zh": found.name_zh, "name_en": found.name_en}


def promised(row: DocketRow) -> dict[str, Any]:
    """Give the date that was told to the complainant: of the decision to accept, of the reply, or of the review."""
    promise = None if row.step is Step.REPLIED else PROMISE.get(row.step)
    due, provisional = (None, False) if promise is None else row.limit(promise)
    return {"due": due, "due_provisional": provisional}


class Worklist(BaseModel):
    """Which cases somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    step: Step | None = None
    department: Code | None = None
    window: Code | None = None
    category: Code | None = None
    complaint_no: Code | None = None
    due_before: Moment | None = None
    to_confirm: bool = Field(default=False, description="Only what waits for a second person in your role.")
    overdue: bool | None = Field(default=None, description="Whether the limit of the present step is over.")
    paused: bool | None = None
    supervised: bool | None = Field(default=None, description="Whether a supervision order is open.")
    round: int | None = Field(default=None, ge=1)
    primary: UUID | None = Field(default=None, description="What was merged into this case.")
    order: Order = Order.DUE
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=400, description="`next` of the page before.")
    wait_for: int | None = Field(
        default=None, ge=0, description="Wait, two seconds at most, until this position is seen."
    )


@router.get("", summary="List the cases you may know of, those due first at the top")
def worklist(response: Response, parts: InParts, who: InCaller, asked: Annotated[Worklist, Query()]) -> dict[str, Any]:
    """List the cases you may know of, those due first at the top; `total` counts only these."""
    wanted = Wanted(
        **asked.model_dump(exclude={"wait_for", "to_confirm"}),
        to_confirm=_may_give(parts.book.facts().rulebook, who.actor.role) if asked.to_confirm else None,
    )
    with parts.pool.connection() as connection:
        if asked.wait_for is not None:
            wait_for(connection, DOCKET, asked.wait_for)
        page = docket(connection, who.viewer, wanted)
    response.headers["X-Position"] = str(page.complete_up_to)
    return {
        "items": [summary(row) for row in page.rows],
        "total": page.total,
        "next": page.cursor,
        "complete_up_to": page.complete_up_to,
    }


def _may_give(rulebook: Rulebook, role: Role) -> list[Code]:
    policies = filter(None, map(rulebook.latest, Profile))
    return sorted({one.command for policy in policies for one in policy.permissions if role in one.roles})


SHOWN: Final = (
    "position", "version", "complaint_no", "hall", "step", "channel", "category", "identity_mode",
    "confidentiality", "happened_at", "registered_at", "changed_at", "intake_window", "respondent_department",
    "respondent_window", "by_respondent", "severity", "department", "departments", "handler", "finding", "due",
    "due_provisional", "handle_due", "handle_due_provisional", "contact_due", "accepted_at", "accepted_late",
    "contacted_at", "contacted_late", "replied_at", "replied_late", "revisited_at", "revisited_late", "closed_at",
    "reworks", "round", "due_clock", "paused", "paused_until", "supervision_level", "waiting_for", "called",
    "review_level", "primary", "linked", "split_from", "published", "ended_at", "ended_as",
    "erasure", "erasure_request", "restricted", "restricted_until",
)  # fmt: skip
"""What a list tells of a case: named one by one, so that who complained, or is found responsible, never slips in."""


def summary(row: DocketRow) -> dict[str, Any]:
    """Give what is shown of a case."""
    return {"id": row.case, **{name: getattr(row, name) for name in SHOWN}}


@router.get("/{case_id}", summary="Show a case and its next steps")
def one(case_id: CaseId, response: Response, parts: InParts, who: InCaller) -> dict[str, Any]:
    """Show a case: where it stands, what is due, what comes next for you, and why not the rest.

    Sealed values are opened by themselves. `next_steps` are never refused for who you are or how the case stands.
    """
    row, entries = known(parts.pool, who.viewer, case_id)
    facts = parts.book.facts()
    head(response, row.version, row.position)
    return {
        **summary(row),
        "stage": stage(facts, row.step),
        **to_take(steps(row, entries, who, with_primary(parts, row, facts))),
        "sealed": sorted({kind for entry in entries for kind, _ in sealed_values(entry.event)}),
        "current": current(entries),
    }


class Telling(BaseModel):
    """At which moment a case is told, by either clock, and in which language."""

    # A misspelled `as_of` must not be answered with the present.
    model_config = ConfigDict(extra="forbid")
    as_of: Moment | None = Field(default=None, description="What was true at this moment.")
    known_at: Moment | None = Field(default=None, description="What was on record at this moment.")
    language: Language = Language.CHINESE


@router.get("/{case_id}/history", summary="Tell a case in sentences, also as it stood at any moment")
def told(
    case_id: CaseId, response: Response, parts: InParts, who: InCaller, asked: Annotated[Telling, Query()]
) -> dict[str, Any]:
    """Tell a case in sentences, as it stood at any moment by either clock.

    Supervisors and auditors also read who opened sealed values, and which attempts were refused.
    """
    _, entries = known(parts.pool, who.viewer, case_id)
    row, shown = told_at(parts.pool, who.actor.role, entries, case_id, as_of=asked.as_of, known_at=asked.known_at)
    if row is not None:
        head(response, row.version, row.position)
    lines = history(shown, parts.book.facts().register, asked.language)
    return {"as_it_stood": None if row is None else summary(row), "history": [asdict(line) for line in lines]}


class OpenForm(BaseModel):
    """Which sealed values somebody wants to read."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"fields": ["narrative", "phone"]}]})
    fields: tuple[Line, ...]
    warrant: Code | None = Field(default=None, description="The document by which an auditor opens a restricted case.")


@router.post("/{case_id}/open", summary="Open sealed values; it goes on record")
def open_sealed(case_id: CaseId, form: OpenForm, parts: InParts, who: InCaller) -> dict[str, Any]:
    """Open sealed values of a case; it goes on record who, for what, and which."""
    return {"values": opened(case_id, form, parts, who, "api")}


def opened(case_id: UUID, form: OpenForm, parts: Parts, who: Caller, source: str) -> list[dict[str, Any]]:
    """Open sealed values, for API and pages; `source` says on record which. Raises as `purpose_of`."""
    row, entries = known(parts.pool, who.viewer, case_id)
    wanted = frozenset(form.fields)
    purpose = purpose_of(who.actor.role, row, wanted, form.warrant)
    found = [(entry, kind, value) for entry in entries for kind, value in sealed_values(entry.event) if kind in wanted]
    if found:
        # First on record, then read: an opening that nobody sees must not be possible.
        kinds = [kind for _, kind, _ in found]
        parts.book.opened(case_id, who.actor, purpose, kinds, source, form.warrant)
    # A key of the person may live on for another case; what it sealed here is erased all the same.
    texts: list[str | None] = [None] * len(found)
    if row.erasure is not Erasure.ERASED:
        texts = parts.vault.open_many([(kind, value) for _, kind, value in found])
    return [
        {"version": entry.version, "event": entry.name, "field": kind, "text": text, "erased": text is None}
        for (entry, kind, _), text in zip(found, texts, strict=True)
    ]


def _command(form_type: type[Form]) -> Callable[..., dict[str, Any]]:
    issues_code = form_type is ReplaceQueryCodeForm

    def act(
        case_id: CaseId,
        response: Response,
        parts: InParts,
        who: InCaller,
        asking: InAsking,
        form: Annotated[Form, Body()],
    ) -> dict[str, Any]:
        for case in (case_id, *form.others):
            known(parts.pool, who.viewer, case)
        asked = asking(form_type.name, form)
        done = parts.desk.act(case_id, form, who.actor, asked)
        return {
            **changed(response, done).model_dump(),
            **made(done.events),
            # Shown once, as with the receipt: it follows from the command id, so a repeated request shows it again.
            **({"query_code": parts.desk.codes.code_for(asked.command_id)} if issues_code else {}),
        }

    act.__annotations__["form"] = Annotated[form_type, Body()]
    act.__name__ = form_type.name.replace("-", "_")
    act.__doc__ = form_type.summary
    return act


for _name, _form in FORMS.items():
    router.add_api_route(
        f"/{{case_id}}/{_name}",
        _command(_form),
        methods=["POST"],
        summary=_form.summary,
        operation_id=f"complaint_{_name}",
    )
