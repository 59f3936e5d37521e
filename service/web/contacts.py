"""The API of intake contacts: count who comes, register what they complain of, find what was not registered."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.requests import Request
from pydantic import BaseModel, ConfigDict, Field

from domain.complaint import Registered
from domain.decider import Role
from domain.errors import Unknown
from domain.intake_contact import (
    CONTACT,
    ContactCommand,
    ContactKind,
    LinkCase,
    Reclassify,
    RecordContact,
    Settle,
    contact_of_command,
)
from projections.contacts import CONTACTS, ContactRow, ContactsWanted, contacts, fold, may_see
from projections.histories import read_stream
from projections.runner import wait_for
from service.casebook import Asked, Done
from service.forms.contacts import ContactForm, LinkForm, ReclassifyForm, SettleForm
from service.forms.intake import RegisterForm
from service.known import known, numbered
from service.parts import Parts
from service.web.answers import Changed, changed
from service.web.complaints import Registration, let_in, taken_home
from service.web.deps import Caller, InAsking, InParts, acting_as

router = APIRouter(prefix="/contacts", tags=["contacts"])

RECORDERS: Final = (Role.INTAKE, Role.DISPATCHER, Role.SYSTEM)
JUDGES: Final = (Role.DISPATCHER, Role.SUPERVISOR)
Recorder = Annotated[Caller, Depends(acting_as(*RECORDERS))]
Judge = Annotated[Caller, Depends(acting_as(*{*RECORDERS, *JUDGES}))]
Reader = Annotated[Caller, Depends(acting_as(*{*RECORDERS, *JUDGES, Role.AUDITOR}))]
ContactId = Annotated[UUID, Path(description="The id of the contact.")]


class Counted(BaseModel):
    """Which contacts somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    kind: ContactKind | None = None
    unregistered: bool = Field(default=False, description="Only complaints that are not registered yet.")
    overdue: bool = Field(default=False, description="Only those whose limit for the registration has passed.")
    limit: int = Field(default=50, ge=1, le=200)
    wait_for: int | None = Field(default=None, ge=0, description="Wait, two seconds at most, for this position.")


@router.get("", summary="List contacts, the oldest first; complaints nobody registered among them")
def listed(response: Response, parts: InParts, who: Reader, asked: Annotated[Counted, Query()]) -> dict[str, Any]:
    """List the contacts you may know of, the oldest first."""
    wanted = ContactsWanted(**asked.model_dump(exclude={"wait_for"}))
    with parts.pool.connection() as connection:
        if asked.wait_for is not None:
            wait_for(connection, CONTACTS, asked.wait_for)
        rows, total = contacts(connection, who.viewer, wanted)
        complete = CONTACTS.position(connection)
    response.headers["X-Position"] = str(complete)
    return {"items": [asdict(row) for row in rows], "total": total, "complete_up_to": complete}


@router.post("", summary="Count somebody who came, called or wrote (登记来访)", status_code=201)
def record(response: Response, form: ContactForm, parts: InParts, who: Recorder, asking: InAsking) -> dict[str, Any]:
    """Count somebody who came, called or wrote; a complaint is to be registered within a working day."""
    asked = asking(form.name, form)
    contact = contact_of_command(asked.command_id)
    post = who.viewer.post
    command = RecordContact(
        at=datetime.now(UTC),
        by=who.actor,
        hall=form.hall or ("" if post is None else post.site),
        window=form.window or (None if post is None else post.window),
        kind=form.kind,
        channel=form.channel,
    )
    response.headers["Location"] = f"/api/v1/contacts/{contact}"
    return {"id": contact, **changed(response, parts.book.transact(CONTACT, contact, command, asked)).model_dump()}


@router.post("/{contact_id}/register", summary="Register what somebody complains of (登记)", status_code=201)
def register(
    contact_id: ContactId,
    request: Request,
    response: Response,
    form: RegisterForm,
    parts: InParts,
    who: Recorder,
    asking: InAsking,
) -> Registration:
    """Register the complaint of a contact; sent again with its key, it ends what was begun."""
    _seen(parts, who, contact_id)
    form = let_in(request, form, parts, who)
    asked = asking("register", form)
    receipt = parts.desk.register(form, who.actor, asked)
    registered = receipt.done.events[0]
    if not isinstance(registered, Registered):
        raise TypeError(type(registered).__name__)
    done = _link(parts, who, contact_id, (receipt.case, registered.at), _after(asked))
    response.headers["Location"] = f"/api/v1/complaints/{receipt.case}"
    response.headers["X-Position"] = str(max(done.position, receipt.done.position))
    told = taken_home(parts, receipt)
    return Registration(**{**told, "position": max(done.position, receipt.done.position)})


@router.post("/{contact_id}/link", summary="Name the case under which it was registered")
def link(
    contact_id: ContactId, response: Response, form: LinkForm, parts: InParts, who: Recorder, asking: InAsking
) -> Changed:
    """Name the case under which it was registered; it must be one you may know of."""
    _seen(parts, who, contact_id)
    case = numbered(parts.pool, form.complaint_no)
    if case is None:
        raise Unknown
    row, _ = known(parts.pool, who.viewer, case)
    return changed(response, _link(parts, who, contact_id, (case, row.registered_at), asking(form.name, form)))


@router.post("/{contact_id}/reclassify", summary="Say that it is something else")
def reclassify(
    contact_id: ContactId, response: Response, form: ReclassifyForm, parts: InParts, who: Judge, asking: InAsking
) -> Changed:
    """Say that it is something else; what was taken for a complaint is none only by the word of somebody else."""
    command = Reclassify(at=datetime.now(UTC), by=who.actor, kind=form.kind)
    return changed(response, _act(parts, who, contact_id, command, asking(form.name, form)))


@router.post("/{contact_id}/settle", summary="Say how it ended, where it was no complaint")
def settle(
    contact_id: ContactId, response: Response, form: SettleForm, parts: InParts, who: Recorder, asking: InAsking
) -> Changed:
    """Say how it ended, where it was no complaint."""
    command = Settle(at=datetime.now(UTC), by=who.actor, settlement=form.settlement)
    return changed(response, _act(parts, who, contact_id, command, asking(form.name, form)))


def _seen(parts: Parts, who: Caller, contact: UUID) -> ContactRow:
    """Give a contact somebody may know of; raises Unknown for any other."""
    with parts.pool.connection() as connection:
        row = fold(read_stream(connection, contact))
        if row is None or not may_see(connection, who.viewer, row):
            raise Unknown
    return row


def _act(parts: Parts, who: Caller, contact: UUID, command: ContactCommand, asked: Asked) -> Done:
    _seen(parts, who, contact)
    return parts.book.transact(CONTACT, contact, command, asked)


def _link(parts: Parts, who: Caller, contact: UUID, case: tuple[UUID, datetime], asked: Asked) -> Done:
    key, registered_at = case
    command = LinkCase(at=datetime.now(UTC), by=who.actor, case=key, registered_at=registered_at)
    return parts.book.transact(CONTACT, contact, command, asked)


def _after(asked: Asked) -> Asked:
    """Give how the link is asked for that follows a registration: the same one for the same registration."""
    return replace(
        asked,
        command_id=uuid5(asked.command_id, "contact"),
        name="link",
        cause=asked.command_id,
        mac=None,
        expected=None,
    )
