"""Visits and what people say of them: tokens and links that only their holders know; ratings sealed, then decided."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid4, uuid5

from domain import occasion, review
from domain.access import Purpose
from domain.complaint.state import IdentityMode
from domain.decider import NAMESPACE, THE_SYSTEM, Actor, Code, Digest, PersonKey, Role
from domain.errors import FollowedUp, InvitationUnknown, InvitationUsed, NotYourRole, Refused, Unknown
from domain.occasion import OCCASION, Invite, Medium, Open, Submit, review_of, stream
from domain.review import REVIEW, Append, Corroborate, Evidence, Opinion, Submitted
from domain.review.acting import not_rated
from domain.rulebook import Profile
from domain.sealed import Similar, measure
from service.asking import Asked, Done, KeyReused
from service.casebook import Casebook
from service.desk import sealing
from service.eventstore import Beside
from service.forms.reviews import Circumstances, FollowUpForm, OccasionForm, ReviewForm
from service.gathering import INVITATION, OWN_LINK, claimed, rows_of
from service.keys import Vault
from service.limits import place
from service.query_codes import normalise, spelled
from service.sealing import ASSIGN_SQL, Sealer
from service.subjects import STORE_MARKED_SKETCH_SQL, Subjects, normal_id, normal_phone

RETENTION: Final[Code] = "review"
"""The retention class of what is sealed here: it is kept for a shorter time than a complaint (domain.md §11.3)."""
LINKS: Final = "review-links"
SECRETS: Final = (LINKS,)
"""What to ask the vault for at the start, so that people are invited, and rate, while the key service is away."""
DELIVERY: Final = frozenset({"token", "own_link", "input_ms", "claimed_at"})
"""What of a form may differ when the same rating is delivered again."""


class SlipNotOwed(Refused):
    """This rating needs no slip: it came with an invitation, or whoever was served has confirmed it."""

    code = "slip-not-owed"
    then = "Whoever gave it has the link; without it a complaint can always be made."


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """From where something comes: a network address, and whether staff are logged in there."""

    address: str | None = None
    staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What somebody who rated takes home; the own link is for them alone and stored nowhere.

    Who writes a rating down for somebody must not show it to whoever typed it: that is what `slip` is for.
    """

    review: UUID
    own_link: str
    submitted: Submitted
    done: Done


class Reviews:
    """Turns forms of visits and ratings into commands and answers, the same for pages, API and imports."""

    def __init__(self, book: Casebook, vault: Vault, subjects: Subjects) -> None:
        self.book = book
        self.vault = vault
        self.subjects = subjects

    def open_occasion(
        self, form: OccasionForm, by: Actor, asked: Asked, *, profile: Profile = Profile.HALL
    ) -> tuple[UUID, Done]:
        """Record a served visit; give its stream. The same visit again changes nothing.

        Name and phone are sealed under the key of whoever was served.
        """
        visit = stream(form.project_no, form.service_number)
        applicant = self._person(visit, "applicant", form.phone, form.id_number, named=form.name is not None)
        agent = self._person(visit, "agent", form.agent_phone, form.agent_id_number, named=False)

        def attempt(sealer: Sealer) -> Done:
            command = Open(
                at=_now(asked),
                by=by,
                hall=form.hall or "",
                profile=profile,
                project_no=form.project_no,
                service_number=form.service_number,
                channel=form.channel,
                served_at=form.served_at,
                seconds=form.seconds,
                window=form.window,
                department=form.department,
                item=form.item,
                staff=form.staff,
                applicant=applicant,
                agent=agent,
                name=None if form.name is None else sealer.seal_person("name", form.name),
                phone=None if form.phone is None else sealer.seal_person("phone", form.phone),
            )
            return self.book.transact(OCCASION, visit, command, _beside(asked, sealer))

        return visit, sealing(self.vault, attempt, person=applicant, case=visit, retention=RETENTION, new_case=True)

    def invite(self, visit: UUID, medium: Medium, by: Actor, asked: Asked) -> tuple[str, Done]:
        """Invite to rate a visit; give the one-time token.

        It follows from the command id and a secret, so a repeated request shows it again, though nothing holds it.
        """
        token = self._link(INVITATION, asked.command_id)
        command = Invite(
            at=_now(asked),
            by=by,
            invitation=uuid5(asked.command_id, "made"),
            medium=medium,
            token=digest_of(token) or "",
        )
        return token, self.book.transact(OCCASION, visit, command, asked)

    def invited(self, token: str) -> UUID:
        """Give the visit that a token invites to rate; raises InvitationUnknown for whatever is none."""
        digest = digest_of(token)
        visit = None if digest is None else claimed(self.book.pool, INVITATION, digest)
        if visit is None:
            raise InvitationUnknown
        return visit

    def submit(self, token: str, form: ReviewForm, origin: Origin, source: str) -> Rated:
        """Rate a visit with a one-time token, which works once.

        The same rating delivered again is answered with what the first one did. Raises InvitationUnknown,
        InvitationUsed, and what the rules raise.
        """
        visit = self.invited(token)
        digest = digest_of(token)
        opened = self._opened(visit)
        asked = Asked(
            command_id=uuid5(NAMESPACE, f"review:{digest}"), source=source, name="submit-review", mac=self._mac(form)
        )
        known = opened.applicant if _mode(form, opened) is IdentityMode.REAL_NAME else None
        by = Actor(person=known or PersonKey(uuid4()), role=Role.CITIZEN)
        try:
            return self._rate(visit, opened, form, digest, by, asked, origin)
        except KeyReused:
            raise InvitationUsed from None

    def write_down(self, visit: UUID, form: ReviewForm, by: Actor, asked: Asked, origin: Origin) -> Rated:
        """Record what somebody says of a visit before staff; it is marked until they confirm it themselves (`slip`)."""
        return self._rate(visit, self._opened(visit), form, None, by, asked, origin)

    def take_over(self, visit: UUID, form: ReviewForm, asked: Asked) -> Rated:
        """Record a rating that a ledger tells of a visit: nobody comes back to it, so it has no link of its own."""
        return self._rate(visit, self._opened(visit), form, None, THE_SYSTEM, asked, Origin())

    def owned(self, own_link: str) -> UUID:
        """Give the review that a link leads back to; raises Unknown for whatever is no such link."""
        digest = digest_of(own_link)
        found = None if digest is None else claimed(self.book.pool, OWN_LINK, digest)
        if found is None:
            raise Unknown
        return found

    def append(self, form: FollowUpForm, origin: Origin, source: str) -> Done:
        """Add the one follow-up; delivered again it is answered with what the first one did.

        Raises Unknown, FollowedUp, and what the rules raise.
        """
        stream_of_review = self.owned(form.own_link)
        digest = digest_of(form.own_link) or ""
        first = self._submitted(stream_of_review)
        by = Actor(person=first.reviewer or PersonKey(uuid4()), role=Role.CITIZEN)
        asked = Asked(
            command_id=uuid5(NAMESPACE, f"follow-up:{digest}"), source=source, name="append-review", mac=self._mac(form)
        )
        evidence = self._evidence(form, origin)

        def attempt(sealer: Sealer) -> Done:
            command = Append(
                at=_now(asked),
                by=by,
                own_link=digest,
                grade=form.grade,
                codes=form.codes,
                text=None if form.text is None else sealer.seal("text", form.text),
                text_facts=None if form.text is None else measure(form.text),
                similar=(),
                channel=form.channel,
                evidence=evidence,
            )
            return self.book.transact(REVIEW, stream_of_review, command, _beside(asked, sealer))

        try:
            return sealing(self.vault, attempt, person=None, case=stream_of_review, retention=RETENTION)
        except KeyReused:
            raise FollowedUp from None

    def slip(self, found: UUID, by: Actor, source: str) -> str:
        """Give the own link of a rating that staff wrote down to staff once more, for whoever it belongs to.

        Nothing holds the link: it is made again from the command that made the rating. That it was given out is on
        record first (field `own_link`). What a machine wrote down, it alone may ask for. Raises Unknown, NotYourRole,
        OwnRating, SlipNotOwed.
        """
        rows = rows_of(self.book.pool, [found])
        state: review.Review | None = REVIEW.fold(row[2] for row in rows)  # type: ignore[misc]  # of one review
        if state is None:
            raise Unknown
        if by.role is Role.SYSTEM and state.submitted.by.person != by.person:
            raise NotYourRole(role=by.role, command="slip")
        not_rated(state, by, self.book.facts())
        link = self._link(OWN_LINK, rows[0][4])
        # One that was taken over from a ledger has no link; one with an invitation was never anybody else's.
        if state.corroborated or state.submitted.token is not None or digest_of(link) != state.submitted.own_link:
            raise SlipNotOwed
        self.book.opened(found, by, Purpose.HANDLING, [OWN_LINK], source)
        return link

    def corroborate(self, own_link: str, origin: Origin, source: str) -> Done:
        """Let whoever was served say that what staff wrote down is theirs; raises Unknown."""
        found = self.owned(own_link)
        digest = digest_of(own_link) or ""
        by = Actor(person=self._submitted(found).reviewer or PersonKey(uuid4()), role=Role.CITIZEN)
        asked = Asked(command_id=uuid5(NAMESPACE, f"corroborate:{digest}"), source=source, name="corroborate-review")
        command = Corroborate(at=_now(asked), by=by, own_link=digest, network=self._network(origin))
        return self.book.transact(REVIEW, found, command, asked)

    def _rate(
        self,
        visit: UUID,
        opened: occasion.Opened,
        form: ReviewForm,
        token: Digest | None,
        by: Actor,
        asked: Asked,
        origin: Origin,
    ) -> Rated:
        made = review_of(visit)
        own_link = "" if by == THE_SYSTEM else self._link(OWN_LINK, asked.command_id)
        evidence = self._evidence(form, origin)
        similar, sketches = self._alike(made, form.text, evidence.device, asked)

        def attempt(sealer: Sealer) -> Done:
            opinion = Opinion(
                grade=form.grade,
                codes=form.codes,
                text=None if form.text is None else sealer.seal("text", form.text),
                text_facts=None if form.text is None else measure(form.text),
                similar=similar,
                identity_mode=_mode(form, opened),
                channel=form.channel,
                evidence=evidence,
                own_link=digest_of(own_link),
            )
            command = Submit(at=_now(asked), by=by, token=token, opinion=opinion)
            return self.book.transact(OCCASION, visit, command, _beside(asked, sealer, *sketches))

        done = sealing(self.vault, attempt, person=None, case=made, retention=RETENTION, new_case=True)
        submitted = next(event for event in done.events if isinstance(event, Submitted))
        return Rated(review=made, own_link=own_link, submitted=submitted, done=done)

    def _evidence(self, form: Circumstances, origin: Origin) -> Evidence:
        """Give by what a rating comes; device and address only as random keys that erasable marks lead to."""
        mark = self.subjects.mark_of
        return Evidence(
            terminal=form.terminal,
            device=None if form.device is None else mark("device", form.device.encode()),
            network=self._network(origin),
            input_ms=form.input_ms,
            claimed_at=form.claimed_at,
            staff_terminal=origin.staff,
        )

    def _network(self, origin: Origin) -> UUID | None:
        return None if origin.address is None else self.subjects.mark_of("network", place(origin.address))

    def _alike(
        self, made: UUID, text: str | None, device: UUID | None, asked: Asked
    ) -> tuple[tuple[Similar, ...], tuple[Beside, ...]]:
        """Give earlier reviews from the same device that say nearly the same, and what remembers this one."""
        sketch = None if text is None or device is None else self.subjects.sketch(text)
        if sketch is None or device is None:
            return (), ()
        found = self.subjects.alike(device, sketch, at=asked.moment)
        return found, (Beside(STORE_MARKED_SKETCH_SQL, (made, sketch, asked.moment, device)),)

    def _person(
        self, visit: UUID, who: str, phone: str | None, id_number: str | None, *, named: bool
    ) -> PersonKey | None:
        """Give the key of somebody a visit tells of, the same however often it is told; None where nobody is."""
        if normal_phone(phone) or normal_id(id_number):
            return PersonKey(self.subjects.subject_for(phone, id_number))
        return PersonKey(uuid5(visit, who)) if named or phone else None

    def _opened(self, visit: UUID) -> occasion.Opened:
        state = OCCASION.fold(row[2] for row in rows_of(self.book.pool, [visit]))  # type: ignore[misc]  # of one visit
        if state is None:
            raise Unknown
        return state.opened

    def _submitted(self, found: UUID) -> Submitted:
        state: review.Review | None = REVIEW.fold(row[2] for row in rows_of(self.book.pool, [found]))  # type: ignore[misc]  # as above
        if state is None:
            raise Unknown
        return state.submitted

    def _link(self, kind: str, command_id: UUID) -> str:
        return spelled(hmac.digest(self.vault.secret(LINKS), kind.encode() + b"\0" + command_id.bytes, "sha256")[:10])

    def _mac(self, form: Circumstances) -> bytes:
        """Give the keyed hash of what is said, so that another rating under the same token is noticed.

        How it was delivered does not count: a terminal that buffers may tell another time, or spell its token anew.
        """
        what = form.model_dump_json(exclude=set(DELIVERY)).encode("utf-8", "surrogatepass")
        return hmac.digest(self.vault.secret("requests"), b"review\n" + what, "sha256")


def digest_of(link: str) -> Digest | None:
    """Give the SHA-256 under which a token or link of 80 random bits is known, however it is typed; None for none."""
    normal = normalise(link)
    return None if normal is None else sha256(normal.encode()).hexdigest()


def _mode(form: ReviewForm, opened: occasion.Opened) -> IdentityMode:
    known = opened.applicant is not None and not form.anonymous
    return IdentityMode.REAL_NAME if known else IdentityMode.ANONYMOUS


def _now(asked: Asked) -> datetime:
    # The casebook sets the time that counts.
    return asked.moment or datetime.now(UTC)


def _beside(asked: Asked, sealer: Sealer, *more: Beside) -> Asked:
    keys = (Beside(ASSIGN_SQL, sealer.assignment()),) if sealer.claims() else ()
    return replace(asked, beside=(*keys, *more, *asked.beside))
