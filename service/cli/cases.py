"""Cases on the command line: the docket, histories, registering and acting with a token."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID, uuid4, uuid5

import typer
from pydantic import BaseModel, ValidationError

from domain.decider import NAMESPACE, Actor, Role
from domain.errors import NotYourRole, Unknown
from projections.docket import DOCKET
from projections.histories import Language, Line, history
from projections.queries import Order, Wanted, docket
from projections.runner import Carried, Entry, Runner
from projections.sight import Viewer, viewer
from service.casebook import Asked
from service.cli import fail, local, malformed, opened
from service.known import SEES_ACCESS, known, numbered, told_at
from service.parts import Parts

F = TypeVar("F", bound=BaseModel)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("history")(tell)
    app.command("docket")(worklist)
    app.command("register-complaint")(complain)
    app.command("do")(act)


def moment(text: str | None) -> datetime | None:
    """Read a time with its offset, or a local one of the hall; give it in UTC."""
    from domain.handling import HALL_ZONE

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-11-22T09:00:00+08:00") from None
    return (found if found.tzinfo else found.replace(tzinfo=HALL_ZONE)).astimezone(UTC)


def find(parts: Parts, case: str) -> UUID:
    """Give a case by its id or its complaint number; raises Unknown."""
    try:
        return UUID(case)
    except ValueError:
        found = numbered(parts.pool, case)
    if found is None:
        raise Unknown
    return found


def who(parts: Parts) -> tuple[Actor, Viewer] | None:
    """Tell who acts, by the token in BIHUAN_TOKEN; None without one. Raises a one-line exit for a bad token."""
    token = os.environ.get("BIHUAN_TOKEN")
    if not token:
        return None
    user = parts.accounts.token(token)
    registered, now = parts.book.register_now()
    if user is None or not registered.holds(user.person, user.post, now):
        raise fail(
            "BIHUAN_TOKEN is not valid any more, or its post is no longer held: make one with `bihuan token add`."
        )
    absent = registered.absent(user.person, user.post, now)
    actor = Actor(person=user.person, post=user.post, role=registered.posts[user.post].role, on_behalf_of=absent)
    return actor, viewer(registered, actor, now)


def holder(parts: Parts) -> tuple[Actor, Viewer]:
    """Tell who acts, where somebody must; raises a one-line exit without a token, as `who` for a bad one."""
    found = who(parts)
    if found is None:
        raise fail("Set BIHUAN_TOKEN to a token made with `bihuan token add`, so that it is known who asks.")
    return found


def knowing(parts: Parts, case: str) -> tuple[UUID, list[Entry], Role | None]:
    """Give a case named on the command line, what happened to it, and in which role it is read; raises Unknown.

    Without a token everything is told: whoever reaches the data folder has all.
    """
    key, asker = find(parts, case), who(parts)
    _, entries = known(parts.pool, None if asker is None else asker[1], key)
    return key, entries, None if asker is None else asker[0].role


def watching(parts: Parts, case: str) -> UUID:
    """Give a case of which all that is stored is handed out: also who opened and who tried what, and keys of persons.

    Raises Unknown, and NotYourRole where a token is of somebody who may not read that.
    """
    key, _, role = knowing(parts, case)
    if role is not None and role not in SEES_ACCESS:
        raise NotYourRole(role=role)
    return key


AsOf = Annotated[str | None, typer.Option("--as-of", help="What was true at this time.")]
KnownAt = Annotated[str | None, typer.Option("--known-at", help="What was on record at this time.")]
Lang = Annotated[Language, typer.Option("--language", help="zh or en.")]


def tell(
    case: Annotated[str, typer.Argument(help="The complaint number, or the id.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    language: Lang = Language.CHINESE,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tell a case, or a review by its id, in sentences, as it stood at any moment by either clock.

    With BIHUAN_TOKEN set, what its holder may know; without, everything (whoever reaches the data folder has all).
    """
    from service.cli.reviews import is_review, review_told

    with opened() as parts:
        told = review_told if is_review(parts, case) else case_told
        heading, lines = told(parts, case, moment(as_of), moment(known_at), language)
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, default=str, indent=1))
        return
    if heading is None:
        typer.echo("尚未登记" if language is Language.CHINESE else "not yet registered then")
        return
    typer.echo(heading)
    for line in lines:
        typer.echo(f"{line.version:>3}  {local(line.at)}  {line.who}: {line.said}")


def case_told(
    parts: Parts, case: str, as_of: datetime | None, known_at: datetime | None, language: Language
) -> tuple[str | None, list[Line]]:
    """Give the heading of a case as it stood then, None where it was not yet, and its history. Raises Unknown."""
    from projections.words import word

    key, entries, role = knowing(parts, case)
    row, shown = told_at(parts.pool, role, entries, key, as_of=as_of, known_at=known_at)
    lines = history(shown, parts.book.facts().register, language)
    if row is None:
        return None, lines
    due = "" if row.due is None else f" · {local(row.due)}"
    return f"{row.complaint_no} · {word(row.step, language)}{due}", lines


def worklist(
    step: Annotated[str | None, typer.Option(help="Only cases at this step.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    language: Lang = Language.CHINESE,
) -> None:
    """List cases, those due first at the top, as the holder of BIHUAN_TOKEN may see them."""
    from projections.words import word

    with opened() as parts, parts.pool.connection() as connection:
        _, viewer = holder(parts)
        carry(parts)
        page = docket(connection, viewer, Wanted(step=step, limit=limit, order=Order.DUE))
    for row in page.rows:
        typer.echo(f"{row.complaint_no:28} {local(row.due):16} {word(row.step, language)}  {row.department or ''}")
    typer.echo(f"{len(page.rows)} / {page.total} · complete up to {page.complete_up_to}")


def carry(parts: Parts, projection: Carried = DOCKET) -> None:
    """Bring a projection to the end where no running server does."""
    import psycopg

    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, (projection,))
        if runner.take():
            runner.catch_up()


def asked_as(name: str, key: str | None = None, by: Actor | None = None) -> Asked:
    """Say how a command of the command line comes in; with a key the same one never acts twice."""
    person = "cli" if by is None else str(by.person)
    command_id = uuid4() if key is None else uuid5(uuid5(NAMESPACE, f"key:{person}"), key)
    return Asked(command_id=command_id, source="cli", name=name)


def form_of(form: type[F], text: str) -> F:
    """Read a form typed as JSON; raises a one-line exit that says which places are wrong."""
    try:
        return form.model_validate_json(text)
    except ValidationError as error:
        raise malformed(error) from None


Key = Annotated[str | None, typer.Option("--key", help="Idempotency key: the same key never acts twice.")]


def complain(
    text: Annotated[str, typer.Argument(help='JSON such as {"hall": "GXQ", "narrative": "…"}.')], key: Key = None
) -> None:
    """Register a complaint; prints number and query code."""
    from service.forms.intake import RegisterForm

    form = form_of(RegisterForm, text)
    with opened() as parts:
        asker = who(parts)
        by = None if asker is None else asker[0]
        receipt = parts.desk.register(form, by, asked_as("register", key, by))
    typer.echo(f"{receipt.complaint_no}\n{receipt.query_code}\n{receipt.case}")


def act(
    command: Annotated[str, typer.Argument(help="What to do, such as accept, assign, sign-for, reply, close.")],
    case: Annotated[str, typer.Argument(help="The complaint number, or the id.")],
    text: Annotated[str, typer.Argument(help="The form in JSON.")] = "{}",
    key: Key = None,
) -> None:
    """Act on a case, as the holder of BIHUAN_TOKEN; prints the new version and what was created."""
    from service.forms import FORMS
    from service.forms.intake import ReplaceQueryCodeForm
    from service.web.current import made

    if command not in FORMS:
        raise fail(f"There is no command {command}; choose one of {', '.join(FORMS)}.")
    form = form_of(FORMS[command], text)
    with opened() as parts:
        by, viewer = holder(parts)
        found = find(parts, case)
        for one in (found, *form.others):
            known(parts.pool, viewer, one)
        asked = asked_as(command, key, by)
        done = parts.desk.act(found, form, by, asked)
        code = parts.desk.codes.code_for(asked.command_id) if isinstance(form, ReplaceQueryCodeForm) else None
    typer.echo(f"version {done.version}, position {done.position}")
    for event in done.events:
        ids = (f"{name} {one}" for name, one in made([event]).items())
        typer.echo(" ".join((type(event).__name__, *ids)))
    if code is not None:
        typer.echo(f"query code {code}")
