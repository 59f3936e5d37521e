"""The page of one review for staff: what was said, where it stands, what happened, and a form for every next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.decider import Code, Role
from domain.errors import NothingOpen, OutOfTurn, Refused, Unknown
from domain.review import NEXT_STEPS, Review
from domain.review.appealing import AppealDecisionProposed
from domain.review.proposals import Proposed
from projections.histories import history
from projections.reviews import ReviewRow
from projections.tables import Entry
from projections.telling import say
from service.forms.bad_reviews import REVIEW_FORMS
from service.handling_reviews import act
from service.known_reviews import known_review, knows, review_of, review_told_at, tellable
from service.opening import IDENTITY, PURPOSES, SEES_IDENTITY
from service.review_steps import OPEN_ONES
from service.web import reviews
from service.web.drawing import Choices, Drawing, Option, wrong
from service.web.pages import InAtWork, Page, PageRoute, Trouble, caller_of
from service.web.pages_cases import telling
from service.web.pages_choices import Around
from service.web.pages_grades import named, said
from service.web.pages_intake import around
from service.web.pages_reviews import flags, limits_of, policy_of, reader
from service.web.pages_steps import PERSONAL, Offer, offer
from service.web.problems import status_of
from service.web.review_views import as_seen, steps_for
from service.web.widgets import Sent, misplaced, parts, read

router = APIRouter(include_in_schema=False, route_class=PageRoute)

BESIDE: Final = frozenset(
    {"record-evidence", "appeal", "remind", "issue-supervision", "answer-supervision", "lift-supervision", "clear-flag"}
)
"""What goes beside the way of a review; all else carries it on."""
DECIDES: Final = ("text", "explanation", "ground", "facts", "description", "reasons")
CALLS: Final = ("text", "name", "phone")
READ_FOR: Final[Mapping[Code, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(("contact", "tell", "revisit", "check"), CALLS),
        **dict.fromkeys(("propose-decide-appeal", "propose-decide-objection"), DECIDES),
        **dict.fromkeys(("confirm-decide-appeal", "confirm-decide-objection", "decline-proposal"), DECIDES),
    }
)
"""What is ticked to be opened beside the form of a step, because it is done by that."""
SEED: Final = ("text",)


def _review(
    page: Page,
    review: UUID,
    status: int = 200,
    *,
    command: Code | None = None,
    opened: object = None,
    **trouble: Any,  # noqa: ANN401 - for the template
) -> Response:
    """Show a review, perhaps with the form of a step."""
    who, here = reader(page), around(page)
    known, entries = known_review(page.parts.pool, who.viewer, review)
    state, row = review_of(entries, review), as_seen(known, who.actor.role)
    query = page.request.query_params
    moments = {name: query.get(name, "") for name in ("as_of", "known_at")}
    asked, unread = telling(page, here, moments)
    stood, shown = review_told_at(
        page.parts.pool, who.viewer, review, entries, as_of=asked.as_of, known_at=asked.known_at
    )
    found = {one.command: one.refusal for one in steps_for(who, known, state, here.facts)}
    refusal = None if command is None or page.request.method == "POST" else found.get(command)
    if refusal is not None:
        # Nobody fills in what would be refused whatever they write.
        status, trouble = status_of(refusal), {**page.refused(refusal), **trouble}
    ours = [one for one in tellable(page.parts.pool, who.viewer, entries) if one.stream == review]
    form = None if command is None or refusal is not None else _form(page, here, state, (command, ours), trouble)
    purpose = PURPOSES.get(who.actor.role)
    complaint = known.complaint
    return page.show(
        "review.html",
        status,
        here=f"/reviews/{review}",
        review=review,
        title=" · ".join(filter(None, (said(here, row.grade) if row.grade else "", here.window(row.window)))),
        opinions=_opinions(here, row),
        visit=_visit(here, row),
        limits=limits_of(here, row, who.actor.role),
        summary=_summary(here, row),
        flags=flags(here, row),
        detectors=[page.t.word(f"detector_{name}") for name in row.detectors],
        complaint=complaint if complaint is not None and knows(page.parts.pool, who.viewer, complaint) else None,
        past=asked.as_of is not None or asked.known_at is not None,
        stood=None if stood is None or stood.stage is None else page.t.word(stood.stage),
        moments=moments,
        unread=unread,
        moment=here.teller.moment,
        history=history(shown, here.facts.register, page.t.language, code_sets=here.facts.rulebook.every_code_set),
        offers=_offers(here, known, state, found),
        command=command,
        form=form,
        kinds=[
            (kind, _kind(page, kind))
            for kind in reviews.sealed_in(known, [*ours, *(one for one in entries if one.stream != review)])
            if kind not in IDENTITY or who.actor.role in SEES_IDENTITY
        ],
        ticked=SEED if command is None else READ_FOR.get(command, SEED),
        purpose=None if purpose is None else page.t.word(f"purpose_{purpose}"),
        opened=opened,
        done=query["done"] if query.get("done") in REVIEW_FORMS else None,
        **{"trouble": None, "token": page.token, **trouble},
    )


def _offers(here: Around, row: ReviewRow, state: Review, found: Mapping[Code, Refused | None]) -> list[Offer]:
    """Give the steps that are in turn, then what else is allowed; what only whoever rated or a machine does is not."""
    policy = policy_of(here, row)

    def may(name: Code) -> frozenset[Role]:
        return frozenset(role for role in Role if policy is not None and policy.allows(f"review/{name}", role))

    in_turn = [*NEXT_STEPS[state.stage], *(name for name, refusal in found.items() if refusal is None)]
    return [
        offer(here, (name, found[name]), may(name), plain=not parts(REVIEW_FORMS[name]), forward=name not in BESIDE)
        for name in dict.fromkeys(in_turn)
        if name in found and not isinstance(found[name], OutOfTurn | NothingOpen) and not may(name) <= PERSONAL
    ]


def _opinions(here: Around, row: ReviewRow) -> list[dict[str, Any]]:
    """Give what was ticked, first and in the follow-up; the words are sealed, and only that there are some is told."""
    found = [(row.grade, row.codes, row.rated_at, row.has_text, True)]
    if row.followed_up_at is not None:
        found.append((row.follow_up_grade, row.follow_up_codes, row.followed_up_at, row.follow_up_has_text, False))
    return [
        {
            "grade": "" if grade is None else said(here, grade),
            "codes": [named(here, code) for code in codes],
            "at": None if at is None else here.teller.moment(at),
            "text": text,
            "first": first,
        }
        for grade, codes, at, text, first in found
    ]


def _visit(here: Around, row: ReviewRow) -> list[tuple[str, str]]:
    """Give when and where somebody was served, and how they came to rate; what is not known is left out."""
    t = here.t
    items = {one.value: one.label for one in here.choices()["item"]}
    seconds = row.seconds_since_service
    shown = [
        (t("review.window"), here.window(row.window)),
        (t("review.item"), items.get(row.item or "", row.item or "")),
        (t("review.department"), here.department(row.department)),
        (t("review.served"), "" if row.served_at is None else here.teller.moment(row.served_at)),
        (t("review.after"), "" if seconds is None else t("review.minutes", minutes=max(0, round(seconds / 60)))),
        (t("review.channel"), "" if row.channel is None else t.option(row.channel)),
        (t("review.identity"), "" if row.identity_mode is None else t.option(row.identity_mode)),
    ]
    return [(label, value) for label, value in shown if value]


def _summary(here: Around, row: ReviewRow) -> list[tuple[str, Any]]:
    """Give where a review stands and what is due, in words; what is not known is left out."""
    t = here.t

    def when(at: datetime | None) -> str:
        return "" if at is None else here.teller.moment(at)

    def limit(at: datetime | None, *, provisional: bool, over: bool) -> object:
        return "" if at is None or over else here.due(row.profile, at, provisional=provisional)

    revisited = "" if row.revisited_at is None else when(row.revisited_at)
    if revisited and row.satisfied is not None:
        revisited += f" · {t.word(f'content_{row.satisfied}')}"
    shown = [
        (t("review.stage"), "" if row.stage is None else t.word(row.stage)),
        (t("review.lead"), here.department(row.lead)),
        (t("review.contacted"), when(row.contacted_at)),
        (t("review.verdict"), "" if row.verdict is None else t.option(row.verdict)),
        (t("review.planned"), when(row.planned_until)),
        (t("review.settled"), "" if row.settled is None else t.word(f"settled_{row.settled}")),
        (t("review.replied"), when(row.replied_at)),
        (t("review.revisited"), revisited),
        (t("review.closed"), when(row.closed_at)),
        (
            t("review.appeal_until"),
            limit(
                row.appeal_until, provisional=row.appeal_until_provisional, over=bool(row.appealed_at or row.closed_at)
            ),
        ),
        (t("review.ground"), "" if row.appeal_ground is None else t.word(f"appeal_{row.appeal_ground}")),
        (t("review.excluded"), "" if not row.excluded else t.word(f"appeal_{row.exclude_reason}")),
        (
            t("review.objection_until"),
            limit(row.objection_until, provisional=row.objection_until_provisional, over=row.objected_at is not None),
        ),
        (t("review.reinstated"), when(row.reinstated_at)),
        (t("review.genuine"), "" if row.genuine is None else t.option(row.genuine)),
    ]
    return [(label, value) for label, value in shown if value]


def _kind(page: Page, kind: str) -> str:
    """Give what something sealed is called: the reasons of a review are those of the deciders, not of a reply."""
    return page.t("review.reasons") if kind == "reasons" else page.t.word(f"field_{kind}")


# The form of a step.


def _form(
    page: Page, here: Around, state: Review, asked: tuple[Code, Sequence[Entry]], trouble: Mapping[str, Any]
) -> dict[str, Any]:
    command, entries = asked
    given = page.sent if page.sent.pairs and page.request.method == "POST" else None
    choices = _choices(here, state, command, entries)
    drawing = Drawing(t=page.t, zone=here.zone, choices=choices, given=given, errors=trouble.get("errors", {}))
    names = [part.name for part in parts(REVIEW_FORMS[command]) if part.required or choices.get(part.name) != []]
    fields = drawing.widgets(REVIEW_FORMS[command], names)
    return {
        "name": page.t.command(command),
        "fields": fields,
        "wrong": wrong(fields),
        "confirmed": _confirmed(here, state, command, entries),
    }


def _choices(here: Around, state: Review, command: Code, entries: Sequence[Entry]) -> Choices:
    """Give what the fields of a form refer to: the lists of the rules, and what the review has under way."""
    found, known = here.choices(), here.named(entries)
    live = set(OPEN_ONES[command](state)) if command in OPEN_ONES else set()
    about = (part.name for part in parts(REVIEW_FORMS[command]) if part.of is UUID and not part.repeated)
    under_way = {
        name: [Option(value=str(key), label=told) for key, told in known.get(name, {}).items() if key in live]
        for name in about
    }
    return {
        **found,
        "ground": found.get("appeal_ground", ()),
        "reason": found.get("exclude_reason", ()),
        "rule_no": found.get("supervision_rule", ()),
        "evidence": [Option(value=str(key), label=told) for key, told in known.get("evidence", {}).items()],
        **under_way,
    }


def _confirmed(here: Around, state: Review, command: Code, entries: Sequence[Entry]) -> list[list[tuple[str, str]]]:
    """Give what exactly another decider proposed, where somebody is asked to confirm or to decline it."""
    if "proposal" not in {part.name for part in parts(REVIEW_FORMS[command])}:
        return []
    t, evidence = here.t, here.named(entries).get("evidence", {})
    live = set(OPEN_ONES[command](state))
    found = []
    for event in (one.event for one in entries):
        if not isinstance(event, Proposed) or event.proposal not in live:
            continue
        appeal = event if isinstance(event, AppealDecisionProposed) else None
        reason = None if appeal is None else appeal.reason
        named_ones = () if appeal is None else appeal.evidence
        shown = [
            (t("review.proposed"), say(here.teller, event)),
            (t("review.proposed_for"), "" if reason is None else t.word(f"appeal_{reason}")),
            (t("review.proposed_by"), f"{here.teller.who(event.by)} · {here.teller.moment(event.at)}"),
            (t("review.evidence"), t("comma").join(evidence[one] for one in named_ones if one in evidence)),
        ]
        found.append([(label, value) for label, value in shown if value])
    return found


# What may be asked for.


@router.get("/reviews/{review_id}")
def review_page(review_id: UUID, page: InAtWork) -> Response:
    """Show a review."""
    return _review(page, review_id)


@router.get("/reviews/{review_id}/open")
def open_page(review_id: UUID, page: InAtWork) -> Response:
    """Lead back to the review: what was opened is shown once."""
    reader(page)
    return page.go(f"/reviews/{review_id}")


@router.post("/reviews/{review_id}/open")
def open_sealed(review_id: UUID, page: InAtWork) -> Response:
    """Open sealed values; it goes on record, and they are shown at once because they may stand in no address."""
    command, who = page.sent.one("command"), reader(page)
    try:
        form = reviews.OpenReviewForm(fields=tuple(page.sent.all("fields")))
    except ValidationError:
        trouble = Trouble(*page.t.trouble("malformed"), "malformed")
        return _review(page, review_id, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble)
    opened = reviews.opened(review_id, form, page.parts, who, "page")
    labels = {
        "submitted": page.t("review.words"),
        "appended": page.t("review.words_added"),
        "replied": page.t("review.words_replied"),
    }
    for one in opened:
        label = labels.get(one["event"].split(".")[1]) if one["field"] == "text" else None
        one["label"] = label or _kind(page, one["field"])
    page.sent = Sent()
    return _review(page, review_id, command=command if command in REVIEW_FORMS else None, opened=opened)


@router.get("/reviews/{review_id}/{command}")
def command_page(review_id: UUID, command: str, page: InAtWork) -> Response:
    """Show a review with the form of a step."""
    if command not in REVIEW_FORMS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _review(page, review_id, command=command)


@router.post("/reviews/{review_id}/{command}")
def step(review_id: UUID, command: str, page: InAtWork) -> Response:
    """Take a step; what is refused comes back with what was typed."""
    if command not in REVIEW_FORMS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    form_type, who = REVIEW_FORMS[command], reader(page)
    known_review(page.parts.pool, who.viewer, review_id)
    try:
        form = form_type.model_validate(read(form_type, page.sent, around(page).zone))
        act(page.parts.reviews, review_id, form, who.actor, page.asked(command, form, who))
    except ValidationError as error:
        trouble = Trouble(*page.t.trouble("malformed"), "malformed")
        errors = misplaced(form_type, error, page.sent, page.t)
        return _review(
            page, review_id, HTTPStatus.UNPROCESSABLE_ENTITY, command=command, trouble=trouble, errors=errors
        )
    except Refused as refused:
        return _review(page, review_id, status_of(refused), command=command, **page.refused(refused))
    try:
        known_review(page.parts.pool, caller_of(page).viewer, review_id)
    except Unknown:
        # Outside deciders know of what is contested only as long as it is: what they decided is not theirs any more.
        return page.go(f"/reviews?done={command}")
    return page.go(f"/reviews/{review_id}?done={command}")
