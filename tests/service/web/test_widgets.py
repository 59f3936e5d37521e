"""Every form has its page: drawn from its own types, posted back as the same form, labelled in both languages."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any, Final, Literal, get_args, get_origin
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from domain import complaint
from domain.complaint.state import IdentityMode
from domain.decider import NAMESPACE
from domain.handling import HALL_ZONE
from projections.histories import Language
from projections.words import WORDS
from service.forms import FORMS
from service.forms.bad_reviews import REVIEW_FORMS
from service.forms.inquiry import RecordFindingForm
from service.forms.intake import RegisterForm
from service.forms.own_reviews import ComplaintOfReviewForm, ObjectionForm
from service.forms.resolution import RevisitForm, SubmitReplyForm
from service.web.drawing import Choices, Drawing, Option, Widget, wrong
from service.web.own import OWN_FORMS
from service.web.pages import environment
from service.web.texts import Texts, catalogue
from service.web.widgets import Kind, Part, Sent, misplaced, parts, read, spelled
from tests.service.web.reading_pages import PageReader

EVERY: Final[list[type[BaseModel]]] = [
    RegisterForm,
    *FORMS.values(),
    *OWN_FORMS.values(),
    *REVIEW_FORMS.values(),
]
CHINESE, ENGLISH = Texts(Language.CHINESE), Texts(Language.ENGLISH)
LEAF: Final = "三号窗口\n<script>alert(1)</script> & \"二\" '三'"
SOME_ID: Final = uuid5(NAMESPACE, "some")
TEMPLATE: Final = (
    '{% import "parts.html" as parts %}<form method="post" action="/">'
    "{% for one in fields %}{{ parts.field(t, one) }}{% endfor %}</form>"
)


class Everywhere(dict[str, list[Option]]):
    """Choices for whatever a field refers to: our ids and codes among others."""

    def __missing__(self, key: str) -> list[Option]:
        return [Option(value=value, label=value) for value in ("OTHER", "SOME", str(SOME_ID))]

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as a mapping has it
        """Give the choices for anything that is asked for by reference; closed lists have none here."""
        return self[key] if key in REFERRED else default


def every_part(form: type[BaseModel]) -> Iterator[tuple[type[BaseModel], Part]]:
    """All fields of a form and of the forms inside it."""
    for part in parts(form):
        yield form, part
        if part.kind is Kind.GROUP:
            yield from every_part(part.of)


REFERRED: Final = {part.refers for form in EVERY for _, part in every_part(form) if part.refers}


def filled(form: type[BaseModel], *, full: bool) -> BaseModel:
    """A form in which everything is given, or only what must be; what its own checks forbid is left out again."""
    given = {part.name: sample(part, full=full) for part in parts(form) if full or part.required}
    free = [part.name for part in parts(form) if not part.required]
    every = {part.name: sample(part, full=full) for part in parts(form)}
    left_out = (set(some) for most in range(3) for some in combinations(free, most))
    less = ({name: value for name, value in given.items() if name not in some} for some in left_out)
    more = ({**given, one: every[one]} for one in free)
    for tried in (*less, *more, every):
        try:
            return form.model_validate(tried)
        except ValidationError:
            continue
    pytest.fail(f"{form.__name__}: say here how it is filled in: {given}")


def sample(part: Part, *, full: bool) -> Any:  # noqa: ANN401 - a value of any field
    """A value for a field: never the default, several where several may be."""
    one: Any
    if part.kind is Kind.GROUP:
        one = filled(part.of, full=full).model_dump(mode="json")
    elif part.of is UUID:
        one = str(SOME_ID)
    elif get_origin(part.of) is Literal:
        one = get_args(part.of)[-1]
    elif part.kind is Kind.SELECT:
        members = [member for member in part.of if member != part.default]
        one = members[0 if full else -1]
    elif part.kind in {Kind.TICK, Kind.YES_NO}:
        one = part.default is not True
    elif part.kind is Kind.DAY:
        one = date(2099, 12, 31)
    elif part.kind is Kind.MOMENT:
        one = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    elif part.kind is Kind.NUMBER:
        one = part.most if part.most is not None else (part.least or 0) + 1
    elif part.kind is Kind.FILE:
        one = base64.b64encode(b"\x00\xff a file").decode()
    else:
        one = LEAF if part.longest is None or part.longest > 200 else "某人 <b>" if part.longest == 200 else "SOME"
    if not part.repeated:
        return one
    return [one, one] if part.kind in {Kind.TEXT, Kind.LINE, Kind.GROUP} and part.refers is None else [one]


def drawn(form: type[BaseModel], sent: Sent | None, t: Texts = CHINESE, **more: Any) -> PageReader:  # noqa: ANN401
    """A form as a browser gets it."""
    choices: Choices = Everywhere()
    fields = Drawing(t=t, zone=HALL_ZONE, choices=choices, given=sent, **more).widgets(form)
    return PageReader(environment().from_string(TEMPLATE).render(t=t, fields=fields))


def files_of(form: BaseModel) -> dict[str, bytes]:
    """What would be chosen on the disk: a page never shows it again."""
    return {
        part.name: getattr(form, part.name)
        for part in parts(type(form))
        if part.kind is Kind.FILE and getattr(form, part.name)
    }


@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.__name__)
def test_a_filled_form_comes_back_as_it_was(form: type[BaseModel], *, full: bool) -> None:
    """Written into a page, read by a browser, sent and read again: the very same form, whatever was typed."""
    before = filled(form, full=full)
    page = drawn(form, Sent(tuple(spelled(before, HALL_ZONE)), files_of(before)))
    back = Sent(tuple(page.forms[0].sent()), files_of(before))
    assert form.model_validate(read(form, back, HALL_ZONE)) == before


@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.__name__)
def test_a_form_left_as_it_stands_says_only_its_defaults(form: type[BaseModel]) -> None:
    """Before anything is typed, what would be sent is the defaults; nothing else is put into anybody's mouth."""
    found = read(form, Sent(tuple(drawn(form, None).forms[0].sent())), HALL_ZONE)
    bare = filled(form, full=False)
    told = {name: getattr(bare, name) for name in bare.model_fields_set}
    left = form.model_validate({**found, **told})
    free = form.model_fields.keys() - told.keys()
    assert {name: getattr(left, name) for name in free} == {name: getattr(bare, name) for name in free}
    assert not found.keys() & {part.name for part in parts(form) if part.kind is Kind.YES_NO}


@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.__name__)
def test_every_input_has_its_label(form: type[BaseModel]) -> None:
    """Whoever hears a page hears what is asked for; each id stands once."""
    page = drawn(form, None)
    assert [control.name for control in page.controls if not control.labelled] == []
    ids = [str(found["id"]) for _, found in page.tags if found.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("t", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_every_field_and_choice_has_its_words(t: Texts) -> None:
    """No label falls back to the name of a field, no choice to its code, no command to its name."""
    missing = set()
    for form in EVERY:
        for inside, part in every_part(form):
            if t.find(f"{inside.__name__}.{part.name}") is None and t.find(part.name) is None:
                missing.add(f"{inside.__name__}.{part.name}")
            if part.kind is Kind.SELECT and part.refers is None and get_origin(part.of) is not Literal:
                missing |= {f"option.{part.of.__name__}.{one}" for one in part.of if not t.knows(one)}
    missing |= {f"command_{name}" for name in (*FORMS, *REVIEW_FORMS) if t.command(name) == f"command_{name}"}
    assert missing == set()


def test_every_label_is_needed() -> None:
    """A label of a field that no form asks for any more is taken out, and so is the word for a choice that is gone."""
    every: list[type[BaseModel]] = [*EVERY, ObjectionForm, ComplaintOfReviewForm]
    fields = {
        name
        for form in every
        for inside, part in every_part(form)
        for name in (part.name, f"{inside.__name__}.{part.name}")
    }
    options = {
        f"option.{part.of.__name__}.{member}"
        for form in EVERY
        for _, part in every_part(form)
        if part.kind is Kind.SELECT and part.refers is None and get_origin(part.of) is not Literal
        for member in part.of
    }
    options |= {f"option.IdentityMode.{member}" for member in IdentityMode}
    fields |= {one.name for command in get_args(complaint.Command) for one in dataclasses.fields(command)}
    kinds = ("invalid.", "sentence.", "code.", "command.")
    own = {key.removeprefix("hint.") for key in catalogue("labels") if not key.startswith(kinds)}
    assert own - fields - options == set()


def test_a_field_without_label_would_be_seen() -> None:
    """The law above finds a field nobody named."""

    class Strange(BaseModel):
        unheard_of: str

    assert CHINESE.find("unheard_of") is None
    assert CHINESE.label("Strange", "unheard_of") == "unheard of"
    assert Strange.__name__ not in catalogue("labels")


def test_what_has_no_widget_is_said_at_once() -> None:
    """A type that nobody thought of stops the page instead of being left out silently."""

    class Strange(BaseModel):
        either: int | str

    with pytest.raises(TypeError, match="several things"):
        parts(Strange)


def test_what_must_be_decided_is_not_decided_by_not_looking() -> None:
    """A verification has no box that is empty from the start: neither answer is marked."""
    page = drawn(FORMS["verify-rectification"], None)
    radios = [control for control in page.controls if control.name == "passed"]
    assert [control.kind for control in radios] == ["radio", "radio"]
    assert [control.values for control in radios] == [[], []]


def test_empty_rows_are_left_out_and_errors_find_their_row() -> None:
    """Of three rows the second was filled in, wrongly: the error stands there, the empty ones are not sent."""
    sent = Sent(
        (
            ("finding", "substantiated"), ("facts", "属实"), ("responsibility.0.department", ""),
            ("responsibility.0.kind", "direct"), ("responsibility.1.department", "两个 字"),
            ("responsibility.1.kind", "direct"), ("responsibility.2.kind", "direct"),
        )
    )  # fmt: skip
    with pytest.raises(ValidationError) as raised:
        RecordFindingForm.model_validate(read(RecordFindingForm, sent, HALL_ZONE))
    errors = misplaced(RecordFindingForm, raised.value, sent, CHINESE)
    assert errors.keys() == {"responsibility.1.department"}
    fields = Drawing(t=CHINESE, zone=HALL_ZONE, given=sent, errors=errors).widgets(RecordFindingForm)
    assert [one.name for one in wrong(fields)] == ["responsibility.1.department"]


def test_times_are_those_of_the_hall() -> None:
    """A time is read on the clock of the hall and shown on it, wherever the server stands."""
    sent = Sent((("method", "phone"), ("result", "no_answer"), ("happened_at", "2026-03-02T09:30")))
    form = RevisitForm.model_validate(read(RevisitForm, sent, HALL_ZONE))
    assert form.happened_at == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert ("happened_at", "2026-03-02T09:30") in list(spelled(form, HALL_ZONE))
    assert ("happened_at", "2026-03-02T01:30") in list(spelled(form, ZoneInfo("UTC")))


@pytest.mark.parametrize("typed", ["soon", "2026-13-01T00:00", "99999-01-01T00:00", "20261122"])
def test_what_is_no_time_is_said_to_be_none(typed: str) -> None:
    """Nothing that was typed for a time is guessed at."""
    sent = Sent((("method", "phone"), ("result", "no_answer"), ("happened_at", typed)))
    with pytest.raises(ValidationError) as raised:
        RevisitForm.model_validate(read(RevisitForm, sent, HALL_ZONE))
    assert misplaced(RevisitForm, raised.value, sent, CHINESE).keys() == {"happened_at"}


def test_one_more_place_is_drawn_for_each_point() -> None:
    """A complaint of three points has three places for answers, and what was typed in more is kept."""
    page = drawn(SubmitReplyForm, None, rows={"points": 3})
    places = [control for control in page.controls if control.name == "points"]
    assert [place.labelled for place in places] == [True, True, True]
    assert len({place.attributes["id"] for place in places}) == 3
    kept = drawn(SubmitReplyForm, Sent((("points", "一"), ("points", "二"))), rows={"points": 3})
    assert [control.values for control in kept.controls if control.name == "points"] == [["一"], ["二"], [""]]


def test_a_sentence_of_our_own_checks_is_said_in_chinese() -> None:
    """What answers belong to is told in the reader's language, for the whole form."""
    sent = Sent((("method", "phone"), ("result", "reached")))
    with pytest.raises(ValidationError) as raised:
        RevisitForm.model_validate(read(RevisitForm, sent, HALL_ZONE))
    told = misplaced(RevisitForm, raised.value, sent, CHINESE)
    assert told.keys() == {""}
    assert "已联系上" in told[""]


def test_words_of_histories_serve_choices_too() -> None:
    """What a history calls a code is what the page offers, told apart where two codes are spelled alike."""
    fields: tuple[Widget, ...] = Drawing(t=CHINESE, zone=HALL_ZONE).widgets(FORMS["close"])
    outcome = next(one for one in fields if one.name == "outcome")
    assert outcome.options[0].label == WORDS["outcome_resolved"][0]
