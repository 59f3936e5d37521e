"""Takes each checkpoint to the place outside, and hands it to a program that may send it anywhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final, Self

from service.background import Background
from service.outside import OutsideFails, append
from service.parts import Parts
from service.sealer import Signed, newest

PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 300.0
"""Seconds between two looks: at first, and at most while the place outside fails."""
HOOK_SECONDS: Final = 60.0
"""How long a hook may take."""
# A hook needs no secret of ours.
_OURS: Final = ("BIHUAN_", "DATABASE_URL", "PG")


class HookFails(Exception):
    """The program that sends checkpoints on did not succeed. The text says how."""


def run_hook(program: Path, note: str, place: Path | None) -> None:
    """Hand a checkpoint to a program, with the place outside as its argument. Raises HookFails.

    It gets none of our settings, which hold secrets; what it prints to standard error goes where ours does.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    arguments = [program.absolute(), *([] if place is None else [place.absolute()])]
    try:
        done = subprocess.run(  # noqa: S603 - whoever runs the machine names it
            arguments,
            input=note.encode(),
            stdout=subprocess.DEVNULL,
            env=environment,
            timeout=HOOK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HookFails(f"{program.name} did not come to an end in {HOOK_SECONDS:.0f} seconds.") from None
    except OSError as error:
        raise HookFails(f"{program.name} cannot be run: {error.strerror}.") from None
    if done.returncode:
        raise HookFails(f"{program.name} ended with {done.returncode}.")


class Keeper(Background):
    """Takes the newest checkpoint outside, in a thread of its own: a place that hangs holds up no signing.

    What fails is said and tried again, after pauses that grow, whether or not something new was signed meanwhile.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__("keeper", PAUSE)
        self._parts = parts
        self._taken = ""

    def __enter__(self) -> Self:
        settings = self._parts.settings
        wanted = settings.checkpoints is not None or settings.checkpoint_hook is not None
        return super().__enter__() if wanted else self

    def look(self) -> Signed | None:
        """Take the newest checkpoint outside if that was not done yet; give it."""
        settings, signer = self._parts.settings, self._parts.signer
        with self._parts.pool.connection() as connection:
            signed = newest(connection, signer.vkey)
            if signed is None or signed.note == self._taken:
                self.pause = PAUSE
                return None
            if settings.checkpoints is not None:
                append(connection, signer.vkey, signed, settings.checkpoints)
        if settings.checkpoint_hook is not None:
            run_hook(settings.checkpoint_hook, signed.note, settings.checkpoints)
        self._taken, self.pause = signed.note, PAUSE
        self.say.info("taken outside", size=signed.checkpoint.size)
        return signed

    def failed(self, error: Exception) -> None:
        """Say so, and rest for twice as long."""
        # Only these texts are known to quote no row.
        reason = str(error) if isinstance(error, OutsideFails | HookFails) else type(error).__name__
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        self.say.error("no checkpoint outside", reason=reason, again_in=self.pause)
