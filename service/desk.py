"""Where what people ask for comes in: sealed, matched, decided by the casebook, answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

import psycopg

from domain import complaint
from domain.decider import NAMESPACE, Actor, PersonKey, Role
from domain.errors import Refused
from domain.rulebook import Profile
from service.casebook import Asked, Busy, Casebook, Done
from service.eventstore import Beside
from service.forms.form import Form, Making
from service.forms.intake import RegisterForm, registration
from service.keys import Vault
from service.query_codes import ISSUE_SQL, QueryCodes
from service.sealing import ASSIGN_SQL, STALE_KEY, Sealer
from service.subjects import STORE_SKETCH_SQL, Subjects

SEALED_ANEW: Final = 5
"""How often a command is sealed anew because a key was erased, or given away, under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What somebody who complained takes home; the code is shown once and stored nowhere."""

    case: UUID
    complaint_no: str
    query_code: str | None
    accept_due: datetime | None
    done: Done


class Desk:
    """Turns a form into a command and an answer, the same for pages, API, command line and imports."""

    def __init__(self, book: Casebook, vault: Vault, subjects: Subjects, codes: QueryCodes) -> None:
        self.book = book
        self.vault = vault
        self.subjects = subjects
        self.codes = codes

    def register(
        self, form: RegisterForm, by: Actor | None, asked: Asked, *, profile: Profile = Profile.HALL
    ) -> Receipt:
        """Register a complaint; without an actor it is the complainant who acts, with or without a name.

        The case's id follows from the command id, so a repeated request finds what the first one did.
        """
        case = uuid5(NAMESPACE, f"case:{asked.command_id}")
        complainant = PersonKey(self.subjects.subject_for(form.phone, form.id_number))
        sketch = self.subjects.sketch(form.narrative)
        known = bool(form.phone or form.id_number) and sketch is not None
        similar = self.subjects.alike(complainant, sketch, at=asked.moment) if known and sketch is not None else ()
        actor = by or Actor(person=complainant, role=Role.CITIZEN)
        code = None if profile is Profile.LEDGER else self.codes.code_for(asked.command_id)

        def attempt(sealer: Sealer) -> Done:
            making = Making(actor, asked.moment or datetime.now(UTC), sealer, asked.command_id)
            command = registration(form, making, complainant, profile)
            beside = [Beside(ASSIGN_SQL, sealer.assignment())]
            if known:
                beside.append(Beside(STORE_SKETCH_SQL, (case, complainant, sketch, asked.moment)))
            if code is not None:
                beside.append(Beside(ISSUE_SQL, self.codes.issue(case, code)))
            return self.book.transact(
                complaint.COMPLAINT, case, command, replace(asked, beside=tuple(beside), similar=similar)
            )

        done = self._sealing(complainant if form.name or form.phone else None, case, attempt, new_case=True)
        registered = done.events[0]
        if not isinstance(registered, complaint.Registered):
            raise TypeError(type(registered).__name__)
        return Receipt(
            case=case,
            complaint_no=registered.complaint_no,
            query_code=code,
            accept_due=None if registered.accept_due is None else registered.accept_due.at,
            done=done,
        )

    def act(self, case: UUID, form: Form, by: Actor, asked: Asked) -> Done:
        """Give a command on a case."""

        def attempt(sealer: Sealer) -> Done:
            making = Making(by, asked.moment or datetime.now(UTC), sealer, asked.command_id)
            command, files = form.made(making)
            keys = (Beside(ASSIGN_SQL, sealer.assignment()),) if sealer.claims() else ()
            code = self._new_code(case, command, asked)
            return self.book.transact(complaint.COMPLAINT, case, command, replace(asked, beside=(*keys, *files, *code)))

        return self._sealing(None, case, attempt)

    def _new_code(self, case: UUID, command: complaint.Command, asked: Asked) -> tuple[Beside, ...]:
        if not isinstance(command, complaint.ReplaceQueryCode):
            return ()
        return (Beside(ISSUE_SQL, self.codes.issue(case, self.codes.code_for(asked.command_id))),)

    def _sealing(
        self, person: UUID | None, case: UUID, attempt: Callable[[Sealer], Done], *, new_case: bool = False
    ) -> Done:
        for _ in range(SEALED_ANEW):
            sealer = self.vault.sealer(person, case, new_case=new_case)
            try:
                done = attempt(sealer)
            except psycopg.DatabaseError as error:
                if error.sqlstate != STALE_KEY:
                    raise
                # A key went while we sealed with it: what this process held may be gone too.
                self.vault.abandon()
            except Refused:
                sealer.release()
                raise
            else:
                if done.repeated:
                    sealer.release()
                return done
        raise Busy(tried=SEALED_ANEW)
