"""A process of its own that opens the embedded database, says where, and stays until its input is closed.

    python supervised.py '{"how": "own", "home": "..."}'

`how` is "own" (Embedded) or "open" (open_database). The other fields put the process in the shoes of somebody else
before the supervisor is loaded: `deny_namespaces` forbids unshare as container engines do, `drop` takes capabilities
from the programs it starts.
"""

import ctypes
import errno
import json
import logging
import platform
import sys
from pathlib import Path
from typing import Any, Final

from service.embedded import Embedded, EmbeddedFailed, open_database

PR_SET_SECCOMP: Final = 22
PR_CAPBSET_DROP: Final = 24
PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_MODE_FILTER: Final = 2
SECCOMP_RET_ERRNO: Final = 0x00050000
SECCOMP_RET_ALLOW: Final = 0x7FFF0000
UNSHARE: Final = {"x86_64": 272, "aarch64": 97}
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06


class Instruction(ctypes.Structure):
    """One step of a filter over system calls."""

    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class Filter(ctypes.Structure):
    """The steps and their number."""

    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(Instruction)))


def prctl(option: int, *arguments: Any) -> None:  # noqa: ANN401  # integers and pointers
    """Make the call or say why it failed."""
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, 0, 0, 0, 0)[:4]]
    if ctypes.CDLL(None, use_errno=True).prctl(option, *values) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def deny_namespaces() -> None:
    """Answer every unshare with "not permitted", here and in all programs started from here."""
    steps = (Instruction * 4)(
        Instruction(LOAD_NUMBER, 0, 0, 0),
        Instruction(JUMP_IF_EQUAL, 0, 1, UNSHARE[platform.machine()]),
        Instruction(RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.EPERM),
        Instruction(RETURN, 0, 0, SECCOMP_RET_ALLOW),
    )
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(Filter(len(steps), steps)))


def say(**what: object) -> None:
    """One line of JSON for whoever started us."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main(order: dict[str, Any]) -> None:
    """Do as ordered, then wait for the end of the input."""
    for capability in order.get("drop", []):
        prctl(PR_CAPBSET_DROP, capability)
    if order.get("deny_namespaces"):
        deny_namespaces()
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    home = Path(order["home"])
    bindir = Path(order["bindir"]) if order.get("bindir") else None
    try:
        if order["how"] == "own":
            with Embedded(home, bindir=bindir) as server:
                say(dsn=server.dsn, pid=server.pid)
                sys.stdin.read()
        else:
            with open_database(home, bindir=bindir) as dsn:
                say(dsn=dsn)
                sys.stdin.read()
    except EmbeddedFailed as failure:
        say(failed=str(failure))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
