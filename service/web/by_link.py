"""The door for whoever was served and has no account: by the token of an invitation, or the link of the own rating."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi.requests import Request

from domain.errors import InvitationUnknown, Unknown
from service.limits import place
from service.parts import Parts
from service.web.by_code import HOUR
from service.web.deps import address_of

T = TypeVar("T")


def by_link(request: Request, parts: Parts, find: Callable[[str], T], link: str) -> T:
    """Give what a token or a link leads to, as `find` knows it.

    Wrong ones look alike, and only they count: whoever guesses from one place is told to wait, and whoever has the
    right one there is let in all the same, because a hall has one address for all its kiosks. Looking first makes no
    guess worth more: of 80 random bits a million are alive at most, so ten thousand guesses in every second, which no
    counter could hold up, find one in millions of years. Raises TooMany, and what `find` raises.
    """
    try:
        return find(link)
    except (Unknown, InvitationUnknown):
        most = parts.settings.lookups_per_hour
        parts.limits.hit("link-place", place(address_of(request)), most=most, seconds=HOUR)
        raise
