"""Where what people ask for comes in: sealed, matched, decided by the casebook, answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

import psycopg

from domain import complaint
from domain.decider import NAMESPACE, Actor, Code, PersonKey, Role
from domain.errors import Refused
from domain.rulebook import Profile
from domain.sealed import Similar
from service.casebook import Ask, Asked, Busy, Casebook, Done, Outcome
from service.eventstore import Beside
from service.forms.form import Form, Making
from service.forms.intake import CaseForm, RegisterForm, registration
from service.keys import ORDINARY, Vault
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One of many things asked for at once: a complaint to register, or a form on a case.

    A registration without an actor is the complainant's own; its case follows from the command id.
    """

    form: CaseForm | Form
    by: Actor | None
    asked: Asked
    case: UUID | None = None
    profile: Profile = Profile.HALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A complaint before it is sealed: whose it is, and what was measured of it."""

    form: CaseForm
    profile: Profile
    case: UUID
    complainant: PersonKey
    sketch: bytes | None
    similar: tuple[Similar, ...] = ()
    about_review: UUID | None = None

    @property
    def person(self) -> PersonKey | None:
        """The person under whose key something is sealed, if there is anything."""
        return self.complainant if self.form.name or self.form.phone or self.form.email else None


def case_of_command(command_id: UUID) -> UUID:
    """Give the case that a registration opens, so that a repeated request finds what the first one did."""
    return uuid5(NAMESPACE, f"case:{command_id}")


class Desk:
    """Turns a form into a command and an answer, the same for pages, API, command line and imports."""

    def __init__(self, book: Casebook, vault: Vault, subjects: Subjects, codes: QueryCodes) -> None:
        self.book = book
        self.vault = vault
        self.subjects = subjects
        self.codes = codes

    def register(
        self,
        form: RegisterForm,
        by: Actor | None,
        asked: Asked,
        *,
        profile: Profile = Profile.HALL,
        about_review: UUID | None = None,
    ) -> Receipt:
        """Register a complaint; without an actor it is the complainant who acts, with or without a name.

        The case's id follows from the command id, so a repeated request finds what the first one did. `about_review` is
        the bad review of which whoever gave it makes a complaint.
        """
        told = replace(self._alike(self._told(form, asked, profile), asked), about_review=about_review)

        def attempt(sealer: Sealer) -> Done:
            ask = self._registration(told, by, asked, sealer)
            keys = Beside(ASSIGN_SQL, sealer.assignment())
            return self.book.register_complaint(
                replace(ask, asked=replace(ask.asked, beside=(keys, *ask.asked.beside)))
            )

        return self.receipt(told.case, asked.command_id, self._sealing(told.person, told.case, attempt, new_case=True))

    def receipt(self, case: UUID, command_id: UUID, done: Done) -> Receipt:
        """Give what somebody takes home whose complaint this command registered."""
        registered = done.events[0]
        if not isinstance(registered, complaint.Registered):
            raise TypeError(type(registered).__name__)
        return Receipt(
            case=case,
            complaint_no=registered.complaint_no,
            query_code=None if registered.profile is Profile.LEDGER else self.codes.code_for(command_id),
            accept_due=None if registered.accept_due is None else registered.accept_due.at,
            done=done,
        )

    def act(self, case: UUID, form: Form, by: Actor, asked: Asked, *, taken_by: PersonKey | None = None) -> Done:
        """Give a command on a case; `taken_by` is the clerk at whose counter a complainant gives it."""

        def attempt(sealer: Sealer) -> Done:
            ask = self._action(case, form, by, asked, sealer, taken_by)
            keys = (Beside(ASSIGN_SQL, sealer.assignment()),) if sealer.claims() else ()
            return self.book.transact(
                complaint.COMPLAINT, case, ask.command, replace(ask.asked, beside=(*keys, *ask.asked.beside))
            )

        return self._sealing(None, case, attempt)

    def many(self, wishes: Sequence[Wish]) -> list[Outcome]:
        """Do many things in their order, with one append for all; each has an outcome of its own.

        What is in the log already is answered without sealing anything. Where somebody known complains again a new
        append begins, so that the earlier complaint is found to be alike. Raises Busy; what was done stays done.
        """
        cases = {wish.asked.command_id: wish.case or case_of_command(wish.asked.command_id) for wish in wishes}
        outcomes: dict[UUID, Outcome] = dict(self.book.done_before(cases))
        waiting: list[tuple[Wish, Told | None]] = []
        seen: set[UUID] = set()
        for wish in wishes:
            if wish.asked.command_id in outcomes:
                continue
            told = None
            if isinstance(wish.form, CaseForm):
                told = self._told(wish.form, wish.asked, wish.profile)
                if told.sketch is not None:
                    if told.complainant in seen:
                        outcomes |= self._together(waiting)
                        waiting, seen = [], set()
                    seen.add(told.complainant)
                    told = self._alike(told, wish.asked)
            waiting.append((wish, told))
        outcomes |= self._together(waiting)
        return [outcomes[wish.asked.command_id] for wish in wishes]

    def _together(self, waiting: Sequence[tuple[Wish, Told | None]]) -> dict[UUID, Outcome]:
        if not waiting:
            return {}
        for _ in range(SEALED_ANEW):
            sealers: dict[UUID, Sealer] = {}
            asks = [self._ask(wish, told, sealers) for wish, told in waiting]
            # One statement for each case, which the casebook sends with the first command of it that changes anything.
            keys = {case: (Beside(ASSIGN_SQL, s.assignment()),) if s.claims() else () for case, s in sealers.items()}
            asks = [
                replace(ask, asked=replace(ask.asked, beside=(*keys[ask.stream], *ask.asked.beside))) for ask in asks
            ]
            try:
                outcomes = self.book.transact_many(complaint.COMPLAINT, asks)
            except psycopg.DatabaseError as error:
                if error.sqlstate != STALE_KEY:
                    raise
                self.vault.abandon()
                continue
            _release(sealers, asks, outcomes)
            return {ask.asked.command_id: outcome for ask, outcome in zip(asks, outcomes, strict=True)}
        raise Busy(tried=SEALED_ANEW)

    def _ask(self, wish: Wish, told: Told | None, sealers: dict[UUID, Sealer]) -> Ask[complaint.Command]:
        if told is not None:
            sealer = self.vault.sealer(told.person, told.case, new_case=True)
            return self._registration(told, wish.by, wish.asked, sealers.setdefault(told.case, sealer))
        if wish.case is None or wish.by is None or isinstance(wish.form, CaseForm):
            raise TypeError("a form on a case needs the case and who acts")
        if wish.case not in sealers:
            sealers[wish.case] = self.vault.sealer(None, wish.case)
        return self._action(wish.case, wish.form, wish.by, wish.asked, sealers[wish.case])

    def _told(self, form: CaseForm, asked: Asked, profile: Profile) -> Told:
        return Told(
            form=form,
            profile=profile,
            case=case_of_command(asked.command_id),
            complainant=PersonKey(self.subjects.subject_for(form.phone, form.id_number)),
            # Only what somebody known tells can be found to be told again.
            sketch=self.subjects.sketch(form.narrative) if form.narrative and (form.phone or form.id_number) else None,
        )

    def _alike(self, told: Told, asked: Asked) -> Told:
        if told.sketch is None:
            return told
        return replace(told, similar=self.subjects.alike(told.complainant, told.sketch, at=asked.moment))

    def _registration(self, told: Told, by: Actor | None, asked: Asked, sealer: Sealer) -> Ask[complaint.Command]:
        """Seal a complaint; the statement that assigns the keys is still to be put beside."""
        actor = by or Actor(person=told.complainant, role=Role.CITIZEN)
        making = Making(actor, asked.moment or datetime.now(UTC), sealer, asked.command_id)
        command = registration(told.form, making, told.complainant, told.profile)
        command = replace(command, about_review=told.about_review)
        beside = []
        if told.sketch is not None:
            beside.append(Beside(STORE_SKETCH_SQL, (told.case, told.complainant, told.sketch, asked.moment)))
        if told.profile is not Profile.LEDGER:
            code = self.codes.code_for(asked.command_id)
            beside.append(Beside(ISSUE_SQL, self.codes.issue(told.case, code)))
        asked = replace(asked, beside=tuple(beside), similar=told.similar)
        return Ask(stream=told.case, command=command, asked=asked)

    def _action(
        self, case: UUID, form: Form, by: Actor, asked: Asked, sealer: Sealer, taken_by: PersonKey | None = None
    ) -> Ask[complaint.Command]:
        """Seal a form; the statement that assigns the keys is still to be put beside."""
        making = Making(by, asked.moment or datetime.now(UTC), sealer, asked.command_id, taken_by)
        command, files = form.made(making)
        code = self._new_code(case, command, asked)
        return Ask(stream=case, command=command, asked=replace(asked, beside=(*files, *code)))

    def _new_code(self, case: UUID, command: complaint.Command, asked: Asked) -> tuple[Beside, ...]:
        if not isinstance(command, complaint.ReplaceQueryCode):
            return ()
        return (Beside(ISSUE_SQL, self.codes.issue(case, self.codes.code_for(asked.command_id))),)

    def _sealing(
        self, person: UUID | None, case: UUID, attempt: Callable[[Sealer], Done], *, new_case: bool = False
    ) -> Done:
        return sealing(self.vault, attempt, person=person, case=case, new_case=new_case)


def sealing(
    vault: Vault,
    attempt: Callable[[Sealer], Done],
    *,
    person: UUID | None,
    case: UUID,
    retention: Code = ORDINARY,
    new_case: bool = False,
) -> Done:
    """Do something with a sealer, and again with other keys where one was erased or given away meanwhile.

    `attempt` seals, and sends the sealer's assignment with the append. Raises Busy, and what it raises.
    """
    for _ in range(SEALED_ANEW):
        sealer = vault.sealer(person, case, retention=retention, new_case=new_case)
        try:
            done = attempt(sealer)
        except psycopg.DatabaseError as error:
            if error.sqlstate != STALE_KEY:
                raise
            # A key went while we sealed with it: what this process held may be gone too.
            vault.abandon()
        except Refused:
            sealer.release()
            raise
        else:
            # Keys that a lost answer may have carried into the log are not given to anybody else.
            if done.repeated and not done.sent:
                sealer.release()
            return done
    raise Busy(tried=SEALED_ANEW)


def _release(sealers: dict[UUID, Sealer], asks: Iterable[Ask[complaint.Command]], outcomes: Iterable[Outcome]) -> None:
    """Give the keys of cases back on which nothing was written."""
    written = {
        ask.stream
        for ask, outcome in zip(asks, outcomes, strict=True)
        if isinstance(outcome, Done) and outcome.events and (outcome.sent or not outcome.repeated)
    }
    for case, sealer in sealers.items():
        if case not in written:
            sealer.release()
