"""The door for whoever complained without an account: the number of the complaint, and its query code."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi.requests import Request

from domain.errors import Unknown
from projections.queries import case_of
from service.limits import place
from service.parts import Parts
from service.web.deps import address_of

HOUR: Final = 3600


def case_by_code(
    request: Request, parts: Parts, complaint_no: str, query_code: str, *, at_counter: bool = False
) -> UUID:
    """Give the case of this number if the code is its living one; a wrong number and a wrong code look alike.

    A number is asked for no more than so often, and so is a place (a counter serves many people, and a clerk answers
    for it). Raises TooMany, Unknown.
    """
    most = parts.settings.lookups_per_hour
    if not at_counter:
        parts.limits.hit("status-place", place(address_of(request)), most=most, seconds=HOUR)
    # However it is typed, it counts as the same number: its letters in either case, blanks around it.
    typed = complaint_no.strip()
    parts.limits.hit("status-number", typed.upper().encode(), most=most, seconds=HOUR)
    with parts.pool.connection() as connection:
        # A number holds the code of its hall, which may have small letters; most have none, and people type any.
        exact, raised = case_of(connection, typed), case_of(connection, typed.upper())
    case = exact or raised
    # An unknown number costs the same look at a code as a known one.
    if not parts.desk.codes.matches(case or UUID(int=0), query_code) or case is None:
        raise Unknown
    return case
