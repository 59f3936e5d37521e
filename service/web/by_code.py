"""The door for whoever complained without an account: the number of the complaint, and its query code."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi.requests import Request

from domain.errors import Unknown
from projections.docket import DocketRow
from projections.runner import Entry
from service.known import known, numbered
from service.limits import place
from service.parts import Parts
from service.web.deps import address_of

HOUR: Final = 3600


def by_code(
    request: Request, parts: Parts, complaint_no: str, query_code: str, *, at_counter: bool = False
) -> tuple[DocketRow, list[Entry]]:
    """Give the case of this number, with all that happened, if the code is its living one.

    A wrong number and a wrong code look alike. A number is asked for no more than so often, and so is a place (a
    counter serves many people, and a clerk answers for it). Raises TooMany, Unknown.
    """
    most = parts.settings.lookups_per_hour
    if not at_counter:
        parts.limits.hit("status-place", place(address_of(request)), most=most, seconds=HOUR)
    # However it is typed, it counts as the same number.
    parts.limits.hit("status-number", complaint_no.strip().upper().encode(), most=most, seconds=HOUR)
    case = numbered(parts.pool, complaint_no)
    # An unknown number costs the same look at a code as a known one.
    if not parts.desk.codes.matches(case or UUID(int=0), query_code) or case is None:
        raise Unknown
    return known(parts.pool, None, case)
