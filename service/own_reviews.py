"""What whoever rated still does with the own link when a rating was bad: object, call it a mistake, complain."""

from __future__ import annotations

import hmac
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from domain import occasion
from domain.decider import NAMESPACE, Actor, Code, Digest, PersonKey, Role
from domain.errors import NotABadReview, OnceOnly, ReasonMissing
from domain.handling import Facts
from domain.review import DETAILS, REVIEW, Review, ReviewCommand, Stage, Submitted
from domain.review.adding import TURNS, ConfirmMistake
from domain.review.objecting import Object
from domain.rulebook import Profile
from domain.sealed import measure
from projections.own_review import own_words, told_back
from projections.reviews import ReviewRow
from projections.tables import Entry
from projections.telling import Language
from projections.words import word
from service.asking import Asked, Done, KeyReused
from service.desk import Receipt, case_of_command, sealing
from service.eventstore import Beside
from service.forms.form import LONGEST_TEXT
from service.forms.intake import RegisterForm, RespondentForm
from service.forms.own_reviews import ComplaintOfReviewForm, ObjectionForm
from service.forms.reviews import OwnLinkForm
from service.gathering import rows_of
from service.known_reviews import known_review
from service.parts import Parts
from service.reviewing import RETENTION, digest_of
from service.sealing import ASSIGN_SQL, Sealer

OFFER: Final[Code] = "complaint_offer"
"""The list of the policy with the codes at which a complaint is offered in one step (domain.md §7.3)."""


@dataclass(frozen=True, slots=True)
class Own:
    """The own rating as somebody with its link comes back to it: the visit, all that happened, and how it stands."""

    review: UUID
    own_link: Digest
    visit: occasion.Opened
    row: ReviewRow
    entries: Sequence[Entry]
    state: Review

    @property
    def first(self) -> Submitted:
        """Give what was said first."""
        return self.state.submitted

    @property
    def codes(self) -> tuple[Code, ...]:
        """Give what was ticked, first and as a follow-up."""
        appended = self.state.appended
        return self.first.codes if appended is None else (*self.first.codes, *appended.codes)

    @property
    def by(self) -> Actor:
        """Give whoever rated as somebody who acts; without a name somebody else each time."""
        return Actor(person=self.first.reviewer or PersonKey(uuid4()), role=Role.CITIZEN)


def own(parts: Parts, own_link: str) -> Own:
    """Give the own rating; raises Unknown for whatever is no such link."""
    found = parts.reviews.owned(own_link)
    row, entries = known_review(parts.pool, None, found)
    visit = next(one.event for one in entries if isinstance(one.event, occasion.Opened))
    theirs = [one for one in entries if one.stream == found]
    state: Review | None = REVIEW.fold(one.event for one in theirs)  # type: ignore[misc]  # of one review
    if state is None:
        raise AssertionError("what can be known of a review begins with it")
    return Own(found, digest_of(own_link) or "", visit, row, theirs, state)


def object_to_exclusion(parts: Parts, form: ObjectionForm, source: str) -> Done:
    """Object to the exclusion of the own rating; delivered again it is answered with what the first one did.

    Raises Unknown, OnceOnly where another one was sent before, and what the rules raise.
    """
    mine = own(parts, form.own_link)
    asked = _asked(parts, mine, "object", source, form)

    def attempt(sealer: Sealer) -> Done:
        command = Object(
            at=datetime.now(UTC),
            by=mine.by,
            own_link=mine.own_link,
            objection=uuid5(asked.command_id, "made"),
            ground=sealer.seal("ground", form.ground),
            ground_measured=measure(form.ground),
        )
        return _given(parts, mine, command, asked, sealer)

    try:
        return sealing(parts.vault, attempt, person=None, case=mine.review, retention=RETENTION)
    except KeyReused:
        raise OnceOnly from None


def confirm_mistake(parts: Parts, form: OwnLinkForm, source: str) -> Done:
    """Say that the grade of the own rating was chosen by mistake; raises Unknown, and what the rules raise."""
    mine = own(parts, form.own_link)
    command = ConfirmMistake(at=datetime.now(UTC), by=mine.by, own_link=mine.own_link)
    return parts.book.transact(REVIEW, mine.review, command, _asked(parts, mine, "confirm-mistake", source, form))


def complain(parts: Parts, form: ComplaintOfReviewForm, source: str) -> tuple[Receipt, bool]:
    """Make a complaint of the own bad rating: linked, never merged; give what whoever complained takes home.

    The link makes one complaint: used again it gives the same one, and False where it was made of other words than are
    sent now. Raises Unknown, NotABadReview, ReasonMissing where nothing can be read of the rating any more.
    """
    mine = own(parts, form.own_link)
    if mine.state.accepted is None:
        raise NotABadReview
    asked = _asked(parts, mine, "complain", source, form)
    told = _complaint(parts, mine, form)
    if told is not None:
        try:
            return parts.desk.register(told, None, asked, about_review=mine.review), True
        except KeyReused:
            pass
    case = case_of_command(asked.command_id)
    done = parts.book.done_before({asked.command_id: case}).get(asked.command_id)
    if done is None:
        raise ReasonMissing
    return parts.desk.receipt(case, asked.command_id, done), False


def _complaint(parts: Parts, mine: Own, form: ComplaintOfReviewForm) -> RegisterForm | None:
    """Give the complaint with what is known already; None where there is nothing to complain with."""
    narrative = form.narrative or _words(parts, mine)
    if narrative is None:
        return None
    visit, served = mine.visit, mine.visit.attribution
    given = {"name": form.name, "phone": form.phone}
    if mine.state.known and not form.anonymous:
        given = {kind: text or _of_the_visit(parts, visit, kind) for kind, text in given.items()}
    respondent = RespondentForm()
    if served is not None:
        # Who served stands there too, or they could handle the complaint in another post.
        respondent = RespondentForm(department=served.department, window=served.window, staff=served.staff)
    happened = visit.served_at
    return RegisterForm(
        hall=visit.hall,
        narrative=narrative,
        desired_outcome=form.desired_outcome,
        **({} if form.anonymous else given),
        email=form.email,
        anonymous=form.anonymous,
        category=category(mine.codes, parts.book.facts()),
        respondent=respondent,
        item=None if served is None else served.item,
        project_no=visit.project_no,
        # The clock of a case system may run ahead.
        happened_at=None if happened is None or happened > mine.first.at else happened,
    )


def _words(parts: Parts, mine: Own) -> str | None:
    """Give the words of the rating as far as they can be read, else what was ticked."""
    texts = parts.vault.open_many([("text", text) for text in own_words(mine.entries)])
    read = [text for text in texts if text is not None and text.strip()]
    if read:
        both = "\n".join(read)
        return both if len(both) <= LONGEST_TEXT else read[0]
    code_set = parts.book.facts().rulebook.code_sets.get(DETAILS)
    ticked = [None if code_set is None else code_set.code(code) for code in mine.codes]
    return "；".join(one.name_zh for one in ticked if one is not None) or None


def _of_the_visit(parts: Parts, visit: occasion.Opened, kind: str) -> str | None:
    sealed = visit.name if kind == "name" else visit.phone
    return None if sealed is None else parts.vault.open_many([(kind, sealed)])[0]


@cache
def categories_by_code() -> tuple[Mapping[Code, Code], Code]:
    """Give the categories by the code that was ticked, and the one of all other codes."""
    read = tomllib.loads(files("service.profiles").joinpath("complaint-category.toml").read_text(encoding="utf-8"))
    return {code: name for name, codes in read["categories"].items() for code in codes}, read["otherwise"]


def category(codes: Sequence[Code], facts: Facts) -> Code | None:
    """Give the category a complaint begins with, by what was ticked; None where the place has no such category."""
    by_code, otherwise = categories_by_code()
    wanted = next((by_code[code] for code in codes if code in by_code), otherwise)
    return wanted if wanted in facts.rulebook.categories else None


def standing(parts: Parts, mine: Own, language: Language) -> dict[str, Any]:
    """Tell whoever rated how it stands: in plain words, what was done, and what they may still do until when."""
    facts = parts.book.facts()
    _, now = parts.book.register_now()
    state, bad = mine.state, mine.state.accepted is not None
    policy = facts.rulebook.latest(Profile.HALL)
    offered = set() if policy is None else set(policy.codes(OFFER))
    until = state.objection_until
    in_time = not facts.late(state.profile, until, now)
    return {
        "stage": state.stage,
        "stage_told": word(state.stage, language),
        **_told(parts, mine),
        "may_object": state.stage is Stage.EXCLUDED and not state.objected and in_time,
        "object_until": None if until is None else until.at,
        "objected": state.objected,
        "may_confirm_mistake": (bad or state.appeal is not None)
        and not state.mistake_confirmed
        and state.stage in TURNS["confirm-mistake"],
        "mistake_confirmed": state.mistake_confirmed,
        "may_complain": bad and state.complaint is None,
        "complaint_offered": bad and state.complaint is None and not offered.isdisjoint(mine.codes),
        "complaint_no": None if state.complaint is None else _number(parts, state.complaint),
    }


def _told(parts: Parts, mine: Own) -> dict[str, str | None]:
    """Give the unit's texts; one that was erased looks like one that was never written."""
    told = told_back(mine.entries)
    texts = dict(zip(told, parts.vault.open_many(list(told.values())), strict=True))
    return {what: texts.get(what) for what in ("planned", "put_right", "explained", "reply")}


def _number(parts: Parts, complaint: UUID) -> Code | None:
    registered = next((event for _, _, event, *_ in rows_of(parts.pool, [complaint])), None)
    return getattr(registered, "complaint_no", None)


def _asked(parts: Parts, mine: Own, name: Code, source: str, form: OwnLinkForm) -> Asked:
    """Say how something is asked with the own link: each thing once, whoever holds the link, from any device."""
    what = form.model_dump_json(exclude={"own_link"}).encode("utf-8", "surrogatepass")
    return Asked(
        command_id=uuid5(NAMESPACE, f"{name}:{mine.own_link}"),
        source=source,
        name=f"{name}-review",
        mac=hmac.digest(parts.secret("requests"), f"{name}\n".encode() + what, "sha256"),
    )


def _given(parts: Parts, mine: Own, command: ReviewCommand, asked: Asked, sealer: Sealer) -> Done:
    keys = (Beside(ASSIGN_SQL, sealer.assignment()),) if sealer.claims() else ()
    return parts.book.transact(REVIEW, mine.review, command, replace(asked, beside=keys))
