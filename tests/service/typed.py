"""What somebody types on the command line, and what they read."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from service.parts import Parts


def typed(parts: Parts, modules: Iterable[ModuleType], token: str | None, *words: str) -> Result:
    """Type a command of these modules over a hall, as the holder of a token or, without one, as nobody."""
    app = typer.Typer(pretty_exceptions_enable=False)
    for module in modules:
        module.register(app)
    environment = {"DATABASE_URL": parts.dsn, "BIHUAN_HOME": str(parts.settings.home), "BIHUAN_TOKEN": token or ""}
    with capture_logs():
        return CliRunner(env=environment).invoke(app, list(words))
