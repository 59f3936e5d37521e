"""Becomes an account that PostgreSQL accepts, ties its life to its parent's, then turns into the program it was given.

PostgreSQL refuses to run as root, and `initdb` refuses a uid without a name.
The account cannot be changed between fork and exec inside the application: it may have threads, and Python code in a
forked copy of a program with threads can hang for ever. So this file is also a program of its own, standard library
only, which the supervisor starts as `python -I -S credentials.py …`; see `command`.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

# Of <sched.h>, <sys/prctl.h> and <linux/capability.h>; the numbers are the same on every processor.
CLONE_NEWUSER: Final = 0x10000000
PR_SET_PDEATHSIG: Final = 1
PR_SET_KEEPCAPS: Final = 8
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
CAP_DAC_OVERRIDE: Final = 1
CAP_DAC_READ_SEARCH: Final = 2
CAPABILITY_VERSION_3: Final = 0x20080522

#: initdb and server see these and nothing else: no PG* variable of the caller, no library path.
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

LINUX = sys.platform.startswith("linux")


class Route(StrEnum):
    """How a server process gets an account that PostgreSQL accepts."""

    #: As whoever calls: the way of every ordinary, named user.
    PLAIN = "plain"
    #: In a user namespace, where the caller bears the number of `nobody`; its files stay the caller's.
    NAMESPACE = "namespace"
    #: As another account: root's way where user namespaces are forbidden, as in many containers.
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account for the server, with the uid and gid its files have, seen from outside any namespace."""

    route: Route
    uid: int
    gid: int


def candidates(owner: os.stat_result | None) -> list[Account]:
    """The accounts this process could try, best first; empty where none is left.

    `owner` is the status of the data folder, None before the first start: once there is a folder its owner decides, so
    that no database ends up with files of two owners.
    """
    uid, gid = os.geteuid(), os.getegid()
    namespace = [Account(route=Route.NAMESPACE, uid=uid, gid=gid)] if LINUX else []
    if uid == 0:
        if owner is not None and owner.st_uid != 0:
            return [Account(route=Route.ACCOUNT, uid=owner.st_uid, gid=owner.st_gid)]
        if owner is not None:
            return namespace
        nobody = _named("nobody")
        return namespace + ([Account(route=Route.ACCOUNT, uid=nobody[0], gid=nobody[1])] if nobody else [])
    if owner is not None and owner.st_uid != uid:
        return []
    if owner is not None or _has_name(uid):  # only initdb asks for a name
        return [Account(route=Route.PLAIN, uid=uid, gid=gid)]
    return namespace


def command(account: Account, folder: Path, program: Sequence[str], *, parent: int) -> list[str]:
    """The command line that runs `program` in `folder` as `account`.

    The program gets SIGINT when the thread that starts it ends, so start it from the main thread; `parent` is the pid
    of that process. Where the system has no such request (macOS) the program outlives a killed parent.
    """
    here = [sys.executable, "-I", "-S", __file__]
    return [*here, account.route, str(account.uid), str(account.gid), str(parent), str(folder), *program]


def main(arguments: Sequence[str]) -> None:
    """Become the account, or end with one line that says why not."""
    route, uid, gid, parent, folder, *program = arguments
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # asked to stop this early: no Python traceback in the server's log
    os.umask(0o077)
    try:
        match Route(route):
            case Route.NAMESPACE:
                _enter_namespace()
            case Route.ACCOUNT:
                _switch_account(int(uid), int(gid))
            case Route.PLAIN:
                pass
        die_with(int(parent))  # only now: a change of credentials clears the request
        os.chdir(folder)
        os.execve(program[0], program, ENVIRONMENT)  # noqa: S606  # no shell is what we want
    except OSError as error:
        sys.exit(f"{route}: {error}")


def _named(name: str) -> tuple[int, int] | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _enter_namespace() -> None:
    nobody = _named("nobody")
    if nobody is None:
        raise OSError("there is no account named nobody to appear as")
    uid, gid = os.geteuid(), os.getegid()
    _system_call("unshare", CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")  # else the next but one line is refused
    Path("/proc/self/uid_map").write_text(f"{nobody[0]} {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{nobody[1]} {gid} 1", encoding="ascii")


def _switch_account(uid: int, gid: int) -> None:
    if LINUX:
        _system_call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if LINUX:
        # The home is a folder of root of mode 0700. The right to pass through is kept, the weaker form first (it reads
        # and searches only); where neither is ours, the caller's trial run says whether one gets by without.
        any(_keep_capability(number) for number in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE))


def _keep_capability(number: int) -> bool:
    class Header(ctypes.Structure):
        _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))

    class Sets(ctypes.Structure):
        _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))

    bit = 1 << number
    header, sets = Header(CAPABILITY_VERSION_3, 0), (Sets * 2)(Sets(bit, bit, bit))
    try:
        _system_call("capset", ctypes.byref(header), ctypes.byref(sets))
        _system_call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)
    except OSError:
        return False
    return True


def die_with(parent: int, by: signal.Signals = signal.SIGINT) -> None:
    """Have this process end by a signal when the thread that started it ends. Raises ProcessLookupError."""
    if LINUX:
        _system_call("prctl", PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        raise ProcessLookupError("the process that asked for a server is gone")


def _system_call(name: str, *arguments: object) -> None:
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*values) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
