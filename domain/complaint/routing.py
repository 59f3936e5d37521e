"""What a complaint is about decides who may take it up: one about the complaint desk is kept from the desk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain.complaint.state import Respondent
from domain.decider import Role
from domain.handling import Facts
from domain.register import Post, Register, WindowKind

DESK_WINDOWS: Final = frozenset({WindowKind.INTEGRITY, WindowKind.STUCK_CASE})
"""The counters where complaints are taken."""


def about_the_desk(respondent: Respondent, moments: Iterable[datetime], facts: Facts) -> bool:
    """Say whether a complaint is about the complaint desk itself (domain.md §14 case 16; our design).

    About a window where complaints are taken, or about somebody who took or dispatched complaints at one of these
    moments (UTC).
    """
    register = facts.register
    window = None if respondent.window is None else register.windows.get(respondent.window)
    if window is not None and window.kind in DESK_WINDOWS:
        return True
    if respondent.staff is None:
        return False
    return any(
        _of_the_desk(post, register) for moment in moments for post in register.held_by(respondent.staff, moment)
    )


def _of_the_desk(post: Post, register: Register) -> bool:
    if post.role is Role.DISPATCHER:
        return True
    window = None if post.window is None else register.windows.get(post.window)
    return window is not None and window.kind in DESK_WINDOWS
