"""The door for whoever was served and has no account: by the token of an invitation, or the link of the own rating."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi.requests import Request

from service.limits import place
from service.parts import Parts
from service.web.by_code import HOUR
from service.web.deps import address_of


def by_link(request: Request, parts: Parts, find: Callable[[str], UUID], link: str) -> UUID:
    """Give what a token or a link leads to, as `find` knows it.

    Wrong ones look alike, and from one place no more than so many are looked at; those that fit do not count, or a
    kiosk that serves many people would fall silent. Raises TooMany, and what `find` raises.
    """
    where = place(address_of(request))
    parts.limits.hit("link-place", where, most=parts.settings.lookups_per_hour, seconds=HOUR)
    found = find(link)
    parts.limits.undo("link-place", where)
    return found
