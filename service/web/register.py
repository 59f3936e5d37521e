"""The register and the rulebook: what every form needs, open to all; changing them, for administrators."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Response
from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict, Field

from domain import register, rulebook
from domain.decider import Code, PersonKey, Role
from domain.register import (
    Add,
    AppointDeputy,
    EndDeputy,
    EntryKind,
    LeavePost,
    MergeDepartment,
    RegisterCommand,
    Rename,
    TakePost,
    Window,
)
from domain.rulebook import AdoptCalendar, AdoptCategories, AdoptPolicy, AdoptStages, RulebookCommand
from service.accounts import UnknownAccount
from service.casebook import Done
from service.forms.entries import AnyEntryForm, DeputyForm, EndDeputyForm, MergeDepartmentForm, RenameForm
from service.forms.rules import CalendarForm, CategoriesForm, PolicyForm, StagesForm, policy_of
from service.parts import Parts
from service.web.answers import Changed, changed, head
from service.web.deps import Asking, Caller, InAsking, InParts, acting_as

public = APIRouter(tags=["register"])
router = APIRouter()

REGISTER: Final = "register"
RULEBOOK: Final = "rulebook"

Administrator = Annotated[Caller, Depends(acting_as(Role.ADMINISTRATOR))]
PostCode = Annotated[Code, Path(description="The code of a post.")]
EntryCode = Annotated[Code, Path(description="The code of an entry.")]

_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "site": {"code": "GXQ", "name_zh": "高新区政务服务中心", "name_en": "Service Centre", "level": "district"},
    "department": {"code": "SJ", "name_zh": "行政审批局", "name_en": "Approval Bureau", "site": "GXQ"},
    "window": {
        "code": "W03",
        "name_zh": "三号窗口",
        "name_en": "Window 3",
        "site": "GXQ",
        "department": "SJ",
        "window_kind": "service",
    },
    "item": {
        "code": "LICENCE",
        "name_zh": "营业执照",
        "name_en": "Business licence",
        "department": "SJ",
        "promised_working_days": 3,
    },
    "post": {
        "code": "SJ-HANDLER",
        "name_zh": "审批局承办岗",
        "name_en": "Handler, Approval",
        "role": "handler",
        "site": "GXQ",
        "department": "SJ",
    },
}
ENTRIES: Final = {kind: Example(value={"kind": kind, **entry}) for kind, entry in _EXAMPLES.items()}
EntryBody = Annotated[AnyEntryForm, Field(discriminator="kind"), Body(openapi_examples=ENTRIES)]


class PersonForm(BaseModel):
    """Who takes or leaves a post."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"person": "0b7c1f1e-52c4-4f6e-9a51-6d7a3f0c9e21"}]},
    )
    person: PersonKey


def _reading(response: Response, parts: Parts, stream: UUID) -> int:
    """Say in the headers how far a stream is, before it is read: what is shown is at least that new."""
    with parts.pool.connection() as connection:
        found = connection.execute(
            "select version, position from events where stream_id = %s order by version desc limit 1", (stream,)
        ).fetchone()
    version, position = found or (0, 0)
    head(response, version, position)
    return int(version)


def _window(window: Window) -> dict[str, Any]:
    # Under the name it is entered by: `kind` says there what kind of entry it is.
    shown = asdict(window)
    shown["window_kind"] = shown.pop("kind")
    return shown


@public.get("/register")
def public_register(response: Response, parts: InParts) -> dict[str, Any]:
    """Give what a form needs: sites, departments, windows, items and categories by their public names; no persons."""
    version = _reading(response, parts, register.STREAM)
    facts = parts.book.facts()
    registered = facts.register
    return {
        "version": version,
        "sites": [asdict(one) for one in registered.sites.values()],
        "departments": [asdict(one) for one in registered.departments.values()],
        "windows": [_window(one) for one in registered.windows.values()],
        "items": [asdict(one) for one in registered.items.values()],
        "categories_version": facts.rulebook.categories_version,
        "categories": [asdict(one) for one in facts.rulebook.categories.values()],
        "stages": [asdict(one) for one in facts.rulebook.stages],
    }


@router.get("/register/posts", tags=[REGISTER])
def posts(response: Response, _: Administrator, parts: InParts) -> dict[str, Any]:
    """List the posts and who holds them now."""
    version = _reading(response, parts, register.STREAM)
    registered, now = parts.book.register_now()
    held: dict[Code, list[dict[str, Any]]] = {}
    for tenure in registered.tenures:
        if tenure.covers(now):
            held.setdefault(tenure.post, []).append({"person": tenure.person, "since": tenure.since})
    return {
        "version": version,
        "posts": [{**asdict(post), "holders": held.get(post.code, [])} for post in registered.posts.values()],
        "deputies": [asdict(one) for one in registered.deputyships if one.until is None or now < one.until],
    }


def _register(parts: Parts, command: RegisterCommand, asking: Asking, name: Code, form: BaseModel) -> Done:
    return parts.book.transact(register.REGISTER, register.STREAM, command, asking(name, form))


@router.post("/register/entries", tags=[REGISTER])
def add_entry(form: EntryBody, response: Response, who: Administrator, parts: InParts, asking: InAsking) -> Changed:
    """Enter a site, a department, a window, an item or a post; entries are never changed and never removed."""
    command = Add(at=datetime.now(UTC), by=who.actor, entry=form.entry())
    return changed(response, _register(parts, command, asking, f"add-{form.kind}", form))


@router.post("/register/posts/{post:path}/take", tags=[REGISTER])
def take_post(
    post: PostCode, form: PersonForm, response: Response, who: Administrator, parts: InParts, asking: InAsking
) -> Changed:
    """Give a post to a person who has an account, from now on."""
    if parts.accounts.login_of(form.person) is None:
        raise UnknownAccount(person=form.person)
    command = TakePost(at=datetime.now(UTC), by=who.actor, post=post, person=form.person)
    return changed(response, _register(parts, command, asking, "take-post", form))


@router.post("/register/posts/{post:path}/leave", tags=[REGISTER])
def leave_post(
    post: PostCode, form: PersonForm, response: Response, who: Administrator, parts: InParts, asking: InAsking
) -> Changed:
    """Take a post from a person, from now on."""
    command = LeavePost(at=datetime.now(UTC), by=who.actor, post=post, person=form.person)
    return changed(response, _register(parts, command, asking, "leave-post", form))


@router.post("/register/posts/{post:path}/deputy", tags=[REGISTER])
def appoint_deputy(
    post: PostCode, form: DeputyForm, response: Response, who: Administrator, parts: InParts, asking: InAsking
) -> Changed:
    """Let somebody with an account stand in for an absent holder of a post; their acts name both."""
    for person in (form.absent, form.deputy):
        if parts.accounts.login_of(person) is None:
            raise UnknownAccount(person=person)
    command = AppointDeputy(
        at=datetime.now(UTC),
        by=who.actor,
        post=post,
        absent=form.absent,
        deputy=form.deputy,
        since=form.since,
        until=form.until,
    )
    return changed(response, _register(parts, command, asking, "appoint-deputy", form))


@router.post("/register/posts/{post:path}/end-deputy", tags=[REGISTER])
def end_deputy(
    post: PostCode, form: EndDeputyForm, response: Response, who: Administrator, parts: InParts, asking: InAsking
) -> Changed:
    """Let a deputy stand in no longer, from now on."""
    command = EndDeputy(at=datetime.now(UTC), by=who.actor, post=post, absent=form.absent, deputy=form.deputy)
    return changed(response, _register(parts, command, asking, "end-deputy", form))


@router.post("/register/{kind}/{code:path}/rename", tags=[REGISTER])
def rename(
    kind: EntryKind,
    code: EntryCode,
    form: RenameForm,
    response: Response,
    who: Administrator,
    parts: InParts,
    asking: InAsking,
) -> Changed:
    """Give an entry other names, from now on; what was told before keeps the old ones."""
    command = Rename(
        at=datetime.now(UTC), by=who.actor, kind=kind, entry=code, name_zh=form.name_zh, name_en=form.name_en
    )
    return changed(response, _register(parts, command, asking, "rename", form))


@router.post("/register/department/{code:path}/merge", tags=[REGISTER])
def merge_department(
    code: EntryCode,
    form: MergeDepartmentForm,
    response: Response,
    who: Administrator,
    parts: InParts,
    asking: InAsking,
) -> Changed:
    """Let a department go into another one, from now on; its open cases are handed over by the complaint desk."""
    command = MergeDepartment(at=datetime.now(UTC), by=who.actor, department=code, into=form.into)
    return changed(response, _register(parts, command, asking, "merge-department", form))


@router.get("/rulebook", tags=[RULEBOOK])
def show_rulebook(response: Response, _: Administrator, parts: InParts) -> dict[str, Any]:
    """Show everything ever adopted: policies with their limits, calendars, categories, stages, sets of codes."""
    version = _reading(response, parts, rulebook.STREAM)
    rules = parts.book.facts().rulebook
    return {
        "version": version,
        "policies": [{**asdict(one.policy), "in_force_from": one.in_force_from} for one in rules.policies],
        "calendars": [asdict(year) for year in rules.years],
        "categories_version": rules.categories_version,
        "categories": [asdict(one) for one in rules.categories.values()],
        "stages_version": rules.stages_version,
        "stages": [asdict(one) for one in rules.stages],
        "code_sets": [asdict(one) for one in rules.code_sets.values()],
    }


def _rulebook(parts: Parts, command: RulebookCommand, asking: Asking, name: Code, form: BaseModel) -> Done:
    return parts.book.transact(rulebook.RULEBOOK, rulebook.STREAM, command, asking(name, form))


@router.post("/rulebook/policies", tags=[RULEBOOK])
def adopt_policy(form: PolicyForm, response: Response, who: Administrator, parts: InParts, asking: InAsking) -> Changed:
    """Put the next version of a policy in force, from now on; promises already made stay as they were."""
    command = AdoptPolicy(at=datetime.now(UTC), by=who.actor, policy=policy_of(form))
    return changed(response, _rulebook(parts, command, asking, "adopt-policy", form))


@router.post("/rulebook/calendars", tags=[RULEBOOK])
def adopt_calendar(
    form: CalendarForm, response: Response, who: Administrator, parts: InParts, asking: InAsking
) -> Changed:
    """Adopt a year's calendar, or the next version of one, of the nation, the region or the hall."""
    command = AdoptCalendar(at=datetime.now(UTC), by=who.actor, calendar=form.calendar())
    return changed(response, _rulebook(parts, command, asking, "adopt-calendar", form))


@router.post("/rulebook/categories", tags=[RULEBOOK])
def adopt_categories(
    form: CategoriesForm, response: Response, who: Administrator, parts: InParts, asking: InAsking
) -> Changed:
    """Adopt the next version of the list of categories."""
    command = AdoptCategories(at=datetime.now(UTC), by=who.actor, version=form.version, categories=form.entries())
    return changed(response, _rulebook(parts, command, asking, "adopt-categories", form))


@router.post("/rulebook/stages", tags=[RULEBOOK])
def adopt_stages(form: StagesForm, response: Response, who: Administrator, parts: InParts, asking: InAsking) -> Changed:
    """Adopt other names for the steps of a case; the events stay the same."""
    command = AdoptStages(at=datetime.now(UTC), by=who.actor, version=form.version, stages=form.entries())
    return changed(response, _rulebook(parts, command, asking, "adopt-stages", form))
