"""What staff do about a review: a form sealed under the review's own key, decided by the casebook, answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from domain.decider import Actor
from domain.review import REVIEW
from service.asking import Asked, Done
from service.desk import sealing
from service.eventstore import Beside
from service.forms.form import Making
from service.forms.review_steps import StepForm
from service.reviewing import RETENTION, Reviews
from service.sealing import ASSIGN_SQL, Sealer


def act(reviews: Reviews, review: UUID, form: StepForm, by: Actor, asked: Asked) -> Done:
    """Give a command on a review; a command id that did it before is answered with what it did.

    Raises a Refused of the rules, KeyReused, Stale, Busy.
    """

    def attempt(sealer: Sealer) -> Done:
        making = Making(by, asked.moment or datetime.now(UTC), sealer, asked.command_id)
        command, files = form.made(making)
        keys = (Beside(ASSIGN_SQL, sealer.assignment()),) if sealer.claims() else ()
        return reviews.book.transact(REVIEW, review, command, replace(asked, beside=(*keys, *files, *asked.beside)))

    return sealing(reviews.vault, attempt, person=None, case=review, retention=RETENTION)
