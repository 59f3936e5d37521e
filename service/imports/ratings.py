"""A table in which each row is a visit that was rated: taken over as a ledger's, with what is unknown left unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID, uuid5

from pydantic import TypeAdapter, ValidationError

from domain.decider import THE_SYSTEM, Code
from domain.errors import Refused
from domain.occasion import stream
from domain.review.submitting import ticked
from domain.rulebook import Profile
from service.asking import Asked
from service.casebook import IMPORT_NAMESPACE
from service.forms.reviews import OccasionForm, ReviewForm
from service.imports.cells import Cells, Unfit
from service.imports.forms import LedgerRatingForm
from service.imports.mapping import Ledger
from service.imports.planning import Planned, command_id
from service.imports.reading import Value
from service.parts import Parts

RATE: Final = "rate"
NUMBER: Final = TypeAdapter[str](Code)


class Ratings:
    """Plans rows of which each is a visit with its rating."""

    def __init__(self, cells: Cells) -> None:
        """Begin; the mapping of `cells` gives `rate`."""
        self._cells = cells
        self._how = cells.ledger.commands["rate"]

    def plan(self, row: int, cells: tuple[Value, ...], note: Callable[[str], None], *, again: bool) -> list[Planned]:
        """Plan a row; `again`: its number stood above. Raises Unfit.

        Where the file tells no times, it counts as rated when it is taken over.
        """
        if again:
            raise Unfit(f"{self._cells.ledger.case}: this number stands above already; give the row one of its own")
        self._cells.meet(cells)
        how = self._how
        if how.needs is not None and self._cells.text(cells, how.needs) is None:
            note(f"{how.needs}: there is none; nobody rated this visit")
            return []
        at = self._cells.now if how.time is None else self._cells.moment(cells, how.time, note)
        return [Planned(row, RATE, RATE, at, None, self._cells.fields(cells, how))]


def project_no(ledger: Ledger, case: str) -> Code:
    """Give the number of a visit: the ledger's and that of the row, or what follows from it where that is no code."""
    number = f"{ledger.ledger}.{case}"
    try:
        return NUMBER.validate_python(number)
    except ValidationError:
        return f"{ledger.ledger[:20]}.{uuid5(IMPORT_NAMESPACE, number).hex}"


def visit_of(ledger: Ledger, case: str) -> UUID:
    """Give the stream of the visit of a row, the same in every import."""
    return stream(project_no(ledger, case), 1)


def told_by(ledger: Ledger, case: str, one: Planned) -> tuple[OccasionForm, ReviewForm]:
    """Give the visit and the rating that a row tells. Raises ValidationError for what cannot be kept."""
    told = LedgerRatingForm.model_validate(one.fields)
    visit = OccasionForm(
        hall=ledger.site.code,
        project_no=project_no(ledger, case),
        channel=None,
        served_at=told.served_at,
        department=told.department,
        window=told.window,
        item=told.item,
    )
    rating = ReviewForm(
        occasion=visit_of(ledger, case),
        grade=told.grade,
        codes=told.codes,
        text=told.text,
        channel=told.channel,
        anonymous=True,
    )
    return visit, rating


def give(parts: Parts, ledger: Ledger, case: str, one: Planned) -> Refused | None:
    """Take over a row: the visit, then its rating; what was taken over before changes nothing. Gives why not, if so."""
    visit, rating = told_by(ledger, case, one)
    # When it was rated may not be told: then the record of it is of now.
    moment = None if ledger.commands["rate"].time is None else one.at
    opening, rates = (
        Asked(command_id=command_id(ledger.ledger, case, key), source="import", name=name, moment=moment)
        for key, name in (("open", "open-occasion"), (one.key, "submit-review"))
    )
    try:
        # Before the visit is written down: a row is taken whole or not at all.
        ticked(rating.grade, rating.codes, parts.book.facts(), anew=False)
        there, _ = parts.reviews.open_occasion(visit, THE_SYSTEM, opening, profile=Profile.LEDGER)
        parts.reviews.take_over(there, rating, rates)
    except Refused as refused:
        return refused
    return None
