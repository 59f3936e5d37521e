"""Handing over all cases of a person, a window or a department on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import fail, malformed, opened
from service.cli.cases import Key, asked_as, carry, holder
from service.cli.offices import person_of


def register(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command("hand-over")(hand_over)


def hand_over(
    reason: Annotated[str, typer.Option(help="left, leave, workload, reorganised or other.")],
    from_person: Annotated[str | None, typer.Option("--from", help="The log-in of whose cases they are.")] = None,
    from_window: Annotated[str | None, typer.Option(help="Or the window at which their handlers serve.")] = None,
    from_department: Annotated[str | None, typer.Option(help="Or the department that has them.")] = None,
    to: Annotated[str | None, typer.Option(help="The log-in of who gets them; without, the unit signs again.")] = None,
    to_department: Annotated[str | None, typer.Option(help="The department; without, each stays in its own.")] = None,
    key: Key = None,
) -> None:
    """Hand over all cases in hand, as the holder of BIHUAN_TOKEN; broken off, it goes on when it is called again."""
    from pydantic import ValidationError

    from domain.complaint.units import HandoverReason
    from service.handing_over import HandOverAllForm, hand_over_all

    if reason not in set(HandoverReason):
        raise fail(f"There is no reason {reason}; choose one of {', '.join(HandoverReason)}.")
    with opened() as parts:
        by, viewer = holder(parts)
        try:
            form = HandOverAllForm(
                from_person=None if from_person is None else person_of(parts, from_person),
                from_window=from_window,
                from_department=from_department,
                department=to_department,
                handler=None if to is None else person_of(parts, to),
                reason=HandoverReason(reason),
            )
        except ValidationError as error:
            raise malformed(error) from None
        carry(parts)
        cause = asked_as("hand-over", key, by).command_id
        moved = stayed = 0
        for handed in hand_over_all(parts, by, viewer, form, cause, "cli"):
            for one in handed:
                if one.refused is not None:
                    typer.echo(f"{one.complaint_no}\t{one.refused}", err=True)
            moved += sum(one.moved for one in handed)
            stayed += sum(not one.moved for one in handed)
            typer.echo(f"{moved} handed over, {stayed} not", err=True)
    typer.echo(f"{moved} cases handed over, {stayed} stayed where they were.")
