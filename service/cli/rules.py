"""The rulebook, for whoever runs the machine: what is adopted, and adopting more."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from service.cli import fail, local, malformed, opened

rulebooks = typer.Typer(help="Policies, calendars, categories, names of steps, sets of codes.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(rulebooks, name="rulebook")


@rulebooks.command("adopt-defaults")
def adopt_defaults() -> None:
    """Adopt the policies, calendars, categories and detail codes of the program, where none were adopted yet."""
    from service.adoption import adopt_first

    with opened() as parts:
        adopted = adopt_first(parts.book)
    typer.echo(f"{adopted} adopted." if adopted else "Everything was adopted already.")
    typer.echo("Every limit is to be confirmed with the site before it is used in earnest.", err=True)


@rulebooks.command("show")
def show_rulebook() -> None:
    """List what was adopted: policies with their limits, calendars, categories, stages, codes; separated by tabs."""
    with opened() as parts:
        rules = parts.book.facts().rulebook
    for one in rules.policies:
        typer.echo(f"policy\t{one.policy.profile}\t{one.policy.version}\t{local(one.in_force_from)}")
        for term in one.policy.terms:
            typer.echo(f"limit\t{one.policy.profile}\t{term.key}\t{term.amount} {term.unit}\t{term.source or '-'}")
    for year in rules.years:
        typer.echo(f"calendar\t{year.layer}\t{year.jurisdiction}\t{year.year}\t{year.version}\t{year.source}")
    for category in rules.categories.values():
        typer.echo(f"category\t{category.code}\t{category.name_zh}\t{category.name_en}\t{category.parent or '-'}")
    for stage in rules.stages:
        typer.echo(f"stage\t{stage.code}\t{stage.name_zh}\t{stage.name_en}\t{' '.join(stage.steps)}")
    for code_set in rules.code_sets.values():
        typer.echo(f"code set\t{code_set.name}\t{code_set.version}\t{code_set.source}")
        for one_code in code_set.codes:
            use = "in use" if one_code.in_use else "retired"
            told = f"{one_code.code}\t{one_code.grade}\t{one_code.name_zh}\t{one_code.name_en}\t{use}"
            typer.echo(f"code\t{code_set.name}\t{told}")


@rulebooks.command("adopt-stages")
def adopt_stages(
    file: Annotated[
        Path | None, typer.Argument(help="A TOML file with `version` and `stages`; without it, those of the program.")
    ] = None,
) -> None:
    """Adopt other names for the steps of a case; the events stay the same, and an empty list brings ours back."""
    from datetime import UTC, datetime
    from importlib.resources import files

    from pydantic import ValidationError

    from domain.decider import THE_SYSTEM
    from domain.rulebook import RULEBOOK, STREAM, AdoptStages
    from service import profiles
    from service.cli.cases import asked_as
    from service.forms.rules import StagesForm

    try:
        source = files(profiles).joinpath("stages.toml") if file is None else file
        form = StagesForm.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise malformed(error) from None
    except (OSError, ValueError) as error:
        raise fail(f"{file} cannot be read: {error}") from None
    command = AdoptStages(at=datetime.now(UTC), by=THE_SYSTEM, version=form.version, stages=form.entries())
    with opened() as parts:
        done = parts.book.transact(RULEBOOK, STREAM, command, asked_as("adopt-stages"))
    typer.echo(f"Adopted version {form.version}." if done.events else "These names were adopted already.")


@rulebooks.command("adopt-codes")
def adopt_codes(
    file: Annotated[
        Path | None,
        typer.Argument(help="A TOML file like eval-detail.toml; without it, the set of the program."),
    ] = None,
) -> None:
    """Adopt a set of codes that reviewers may tick; what was ticked before keeps its meaning."""
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from domain.decider import THE_SYSTEM
    from domain.rulebook import RULEBOOK, STREAM, AdoptCodeSet
    from service.adoption import code_set
    from service.cli.cases import asked_as
    from service.forms.rules import CodeSetForm

    try:
        given = None if file is None else tomllib.loads(file.read_text(encoding="utf-8"))
        form = code_set() if given is None else CodeSetForm.model_validate(given)
    except ValidationError as error:
        raise malformed(error) from None
    except (OSError, ValueError) as error:
        raise fail(f"{file} cannot be read: {error}") from None
    command = AdoptCodeSet(at=datetime.now(UTC), by=THE_SYSTEM, code_set=form.code_set())
    with opened() as parts:
        done = parts.book.transact(RULEBOOK, STREAM, command, asked_as("adopt-codes"))
    typer.echo(f"Adopted version {form.version}." if done.events else "These codes were adopted already.")
