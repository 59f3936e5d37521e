"""The clock ledger on the command line: why a limit ends when it ends."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from domain.complaint.state import Clock
from domain.deadlines import Due
from projections.clock_ledger import Limit, clock_ledger
from projections.histories import Language, read_stream
from service.cli import local, opened
from service.cli.cases import Lang, knowing


def register(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command("clock")(clock)


def clock(
    case: Annotated[str, typer.Argument(help="The complaint number, or the id.")],
    which: Annotated[Clock | None, typer.Option("--clock", help="Only the limits of this kind.")] = None,
    language: Lang = Language.CHINESE,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tell every limit of a case day by day: counted or not, why, and by which calendar.

    With BIHUAN_TOKEN set, what its holder may know; without, everything (whoever reaches the data folder has all).
    """
    from domain import rulebook

    with opened() as parts:
        _, entries, _ = knowing(parts, case)
        with parts.pool.connection() as connection:
            rules = read_stream(connection, rulebook.STREAM)
        _, now = parts.book.register_now()
    told = [one for one in clock_ledger(entries, rules, now) if which in {None, one.clock}]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in told], ensure_ascii=False, default=str, indent=1))
        return
    for one in told:
        for line in lines(one, language):
            typer.echo(line)


def lines(limit: Limit, language: Language) -> list[str]:
    """Write one limit as lines: what it is and until when, then its days."""
    from projections.words import word

    def due(at: Due | None) -> str:
        return word("due_unknown", language) if at is None else local(at.at)

    end = limit.projected or limit.due
    sure = word("provisional", language) if end is not None and end.provisional else ""
    source = "" if limit.term is None else f"  {limit.term.key} {limit.term.source or '-'}"
    head = f"{word(f'limit_{limit.clock}', language)} {limit.round}  {due(end)}{sure}{source}"
    told = [f"    {local(move.at)}  {word(f'moved_{move.cause}', language)}  {due(move.new)}" for move in limit.moves]
    days = []
    for day in limit.days:
        number = f"{day.number:>3}" if day.number is not None else "   "
        hours = "" if day.counted is None else f"  {day.counted.total_seconds() / 3600:.2f} h"
        by = day.calendar
        calendar = "" if by is None else f"  [{by.jurisdiction} {by.year} v{by.version}]"
        days.append(f"  {day.day:%Y-%m-%d} {number}  {word(f'why_{day.why}', language)}{hours}{calendar}")
    return [head, *told, *days]
