"""Reviews on the command line: lists, one as it stands, its history, and acting on it with a token."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from projections.histories import Language, Line, history
from projections.reviews import REVIEWS, Order, ReviewRow, ReviewsWanted
from service.cli import fail, local, opened
from service.cli.cases import Key, Lang, asked_as, carry, form_of, holder, tell, who
from service.known_reviews import UNIT_EYES, known_review, review_of, review_told_at
from service.parts import Parts

reviews = typer.Typer(help="What people said of visits, and what is done about the bad.", no_args_is_help=True)
ReviewId = Annotated[UUID, typer.Argument(help="The id of the review.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(reviews, name="review")


@reviews.command("list")
def listed(
    stage: Annotated[
        str | None, typer.Option(help="Only those that stand there, such as bad_open or excluded.")
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="Those with a limit to keep, the next first.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their next limit.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    language: Lang = Language.CHINESE,
) -> None:
    """List reviews, the last given first, as the holder of BIHUAN_TOKEN may see them; never who gave them."""
    from domain.review import Stage
    from projections.reviews import reviews as page_of

    if stage is not None and stage not in set(Stage):
        raise fail(f"There is no stage {stage}; choose one of {', '.join(Stage)}.")
    wanted = ReviewsWanted(
        stage=None if stage is None else Stage(stage),
        overdue=True if overdue else None,
        order=Order.DUE if due else Order.RATED,
        limit=limit,
    )
    with opened() as parts, parts.pool.connection() as connection:
        _, viewer = holder(parts)
        carry(parts, REVIEWS)
        page = page_of(connection, viewer, wanted)
    for row in page.rows:
        typer.echo(_line(row, language))
    typer.echo(f"{len(page.rows)} / {page.total}")


def _line(row: ReviewRow, language: Language) -> str:
    from projections.words import word

    said = "  ".join(word(str(code), language) for code in (row.grade, row.stage))
    return f"{row.review} {local(row.rated_at)} {local(row.due):16} {said}  {row.lead or row.department or ''}"


@reviews.command()
def show(review: ReviewId, language: Lang = Language.CHINESE) -> None:
    """Show where a review stands, what waits, and what the holder of BIHUAN_TOKEN may do, and why not the rest."""
    from service.review_steps import review_steps, under_way

    with opened() as parts:
        by, viewer = holder(parts)
        row, entries = known_review(parts.pool, viewer, review)
        _, now = parts.book.register_now()
        state, facts = review_of(entries, review), replace(parts.book.facts(), itself=review)
        steps = review_steps(state, by, max(now, row.changed_at or now), facts)
    typer.echo(_line(row, language))
    noticed = {"flags", "checks"} if viewer.role in UNIT_EYES else set()
    for name, ids in under_way(state).items():
        if ids and name not in noticed:
            typer.echo(f"{name}: {ids if isinstance(ids, UUID) else ' '.join(map(_named, ids))}")
    for one in steps:
        why = "" if one.refusal is None else f": {one.refusal.message()} {one.refusal.then}"
        typer.echo(f"{'-' if why else '+'} {one.command}{why}")


def _named(one: UUID | dict[str, object]) -> str:
    return str(one) if isinstance(one, UUID) else f"{one['proposal']} ({one['confirm']})"


reviews.command("history")(tell)


def is_review(parts: Parts, typed: str) -> bool:
    """Say whether what was typed is the id of a review, whoever asks: who may not know of it is told of nothing."""
    from domain.errors import Unknown

    try:
        known_review(parts.pool, None, UUID(typed))
    except (ValueError, Unknown):
        return False
    return True


def review_told(
    parts: Parts, typed: str, as_of: datetime | None, known_at: datetime | None, language: Language
) -> tuple[str | None, list[Line]]:
    """Give the heading of a review as it stood then, None where it was not yet, and its history. Raises Unknown.

    Without a token everything is told: whoever reaches the data folder has all.
    """
    review, asker = UUID(typed), who(parts)
    viewer = None if asker is None else asker[1]
    _, entries = known_review(parts.pool, viewer, review)
    row, shown = review_told_at(parts.pool, viewer, review, entries, as_of=as_of, known_at=known_at)
    facts = parts.book.facts()
    lines = history(shown, facts.register, language, code_sets=facts.rulebook.every_code_set)
    return None if row is None else _line(row, language), lines


@reviews.command("do")
def act(
    command: Annotated[str, typer.Argument(help="What to do, such as contact, verify, rectify, reply, revisit.")],
    review: ReviewId,
    text: Annotated[str, typer.Argument(help="The form in JSON.")] = "{}",
    key: Key = None,
) -> None:
    """Act on a review, as the holder of BIHUAN_TOKEN; prints the new version and what was created."""
    from service import handling_reviews
    from service.forms.bad_reviews import REVIEW_FORMS
    from service.web.bad_reviews import made

    if command not in REVIEW_FORMS:
        raise fail(f"There is no command {command}; choose one of {', '.join(REVIEW_FORMS)}.")
    form = form_of(REVIEW_FORMS[command], text)
    with opened() as parts:
        by, viewer = holder(parts)
        known_review(parts.pool, viewer, review)
        done = handling_reviews.act(parts.reviews, review, form, by, asked_as(command, key, by))
    typer.echo(f"version {done.version}, position {done.position}")
    for event in done.events:
        ids = (f"{name} {one}" for name, one in made([event]).items())
        typer.echo(" ".join((type(event).__name__, *ids)))
