"""All cases of a person, a window or a department are handed over: one command for each, and what is done stays done.

Which cases these are the docket says; whether each may go there the rules decide, case by case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID, uuid5

from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.complaint.state import Step
from domain.complaint.units import BEFORE_ANSWER, HandoverReason
from domain.decider import Actor, Code, PersonKey
from domain.errors import Refused, UnknownReference
from domain.register import Register
from projections.docket import DOCKET
from projections.sight import Viewer, in_sight
from service.asking import Asked
from service.desk import Wish
from service.forms.units import HandOverForm
from service.parts import Parts

AT_A_TIME: Final = 50
IN_HAND: Final = sorted({*BEFORE_ANSWER, Step.REPLIED})
"""Where somebody has a case in hand. What is still to be put right of a closed one is handed over by itself."""


class HandOverAllForm(BaseModel):
    """Whose cases go to whom. Exactly one of the three says whose; without a department each case stays in its unit."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "from_person": "0b7c1f1e-52c4-4f6e-9a51-6d7a3f0c9e21",
                    "handler": "7d1f2f0e-3c84-4c57-8d0a-55a2b6f4d0aa",
                    "reason": "left",
                }
            ]
        },
    )
    from_person: PersonKey | None = None
    from_window: Code | None = Field(default=None, description="Of everybody who holds, or held, a post there.")
    from_department: Code | None = None
    department: Code | None = None
    handler: PersonKey | None = None
    reason: HandoverReason
    after: UUID | None = Field(default=None, description="`next` of the answer before.")

    @model_validator(mode="after")
    def _says_whose_and_where(self) -> Self:
        whose = [one for one in (self.from_person, self.from_window, self.from_department) if one is not None]
        if len(whose) != 1:
            raise ValueError("name exactly one of from_person, from_window and from_department")
        if self.department is None and self.handler is None and self.from_department is not None:
            raise ValueError("name the department or the person who gets the cases")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One case: whether it went over, or why not; `refused` is the code of the refusal."""

    case: UUID
    complaint_no: str
    moved: bool
    refused: str | None = None


def hand_over_some(
    parts: Parts, by: Actor, viewer: Viewer, form: HandOverAllForm, cause: UUID, source: str
) -> tuple[list[Handed], UUID | None]:
    """Hand over the next cases, in the order of their ids; give what came of each, and after which to go on.

    The command of each case follows from `cause` and the case, so a request that is sent again does nothing twice.
    Raises UnknownReference.
    """
    rows = _rows(parts, viewer, form)
    wishes = [
        Wish(
            case=case,
            by=by,
            form=HandOverForm(department=form.department or department, handler=form.handler, reason=form.reason),
            asked=Asked(command_id=uuid5(cause, str(case)), source=source, name="hand-over", cause=cause),
        )
        for case, _, department in rows
    ]
    outcomes = parts.desk.many(wishes)
    handed = [
        Handed(case=case, complaint_no=number, moved=False, refused=outcome.code)
        if isinstance(outcome, Refused)
        else Handed(case=case, complaint_no=number, moved=bool(outcome.events))
        for (case, number, _), outcome in zip(rows, outcomes, strict=True)
    ]
    return handed, rows[-1][0] if len(rows) == AT_A_TIME else None


def hand_over_all(
    parts: Parts, by: Actor, viewer: Viewer, form: HandOverAllForm, cause: UUID, source: str
) -> Iterator[list[Handed]]:
    """Hand over all of them, some at a time; killed half-way, the rest is found by asking again."""
    after: UUID | None = form.after
    while True:
        handed, after = hand_over_some(parts, by, viewer, form.model_copy(update={"after": after}), cause, source)
        yield handed
        if after is None:
            return


def _rows(parts: Parts, viewer: Viewer, form: HandOverAllForm) -> list[tuple[UUID, str, Code]]:
    """Give the next cases with number and department: those that somebody has in hand, and the viewer may know of."""
    sight, parameters = in_sight(viewer)
    register = parts.book.register_now()[0]
    query = sql.SQL(
        'select "case", complaint_no, department from {} where {} and step = any(%(in_hand)s)'
        " and (handler = any(%(of)s) or department = %(of_department)s)"
        " and \"case\" > coalesce(%(after)s, '00000000-0000-0000-0000-000000000000'::uuid)"
        ' and department is not null order by "case" limit %(most)s'
    ).format(sql.Identifier(DOCKET.table), sight)
    wanted = {
        "in_hand": IN_HAND,
        "of": _handlers(register, form),
        "of_department": form.from_department,
        "after": form.after,
        "most": AT_A_TIME,
    }
    with parts.pool.connection() as connection:
        return connection.execute(query, {**parameters, **wanted}).fetchall()


def _handlers(register: Register, form: HandOverAllForm) -> list[PersonKey]:
    if form.from_person is not None:
        return [form.from_person]
    if form.from_window is None:
        return []
    if form.from_window not in register.windows:
        raise UnknownReference(kind="window", value=form.from_window)
    # Also who left the window already: their cases are the ones that lie.
    return sorted({one.person for one in register.tenures if register.posts[one.post].window == form.from_window})
