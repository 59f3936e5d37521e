"""Histories: a sentence for everything that can happen, in two languages, and a case as it stood by either clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest

from domain import complaint, errors
from domain.access import AttemptRefused, Opened, Purpose
from domain.complaint.state import Step
from domain.deadlines import Due
from domain.decider import SYSTEM, THE_SYSTEM, Actor, Event, Role
from domain.errors import Refused, Unknown
from domain.register import Register
from domain.sealed import Sealed, sealed_values
from projections.codec import NAMES, decode
from projections.docket import fold
from projections.histories import Language, history, read_stream
from projections.telling import TOLD_BESIDE, Teller
from projections.words import WORDS, word
from service.forms import FORMS
from tests.controls import ACCEPTED, ASSIGNED, CONTACTED, LOOP, REGISTERED, REPLIED, REVISITED
from tests.hall import CITIZEN, DESK, FACTS, LI, SUPERVISOR, WANG, key, local
from tests.hall import until as limit
from tests.projections.test_codec import SAMPLES
from tests.projections.town import CASE, Town, but, entries

CHINESE: Final = re.compile(r"[㐀-鿿]")
IDENTIFIER: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}")
TICK: Final = timedelta(microseconds=1)


def several(hint: Any) -> list[object]:  # noqa: ANN401 - a type of any kind
    """Give all values a field may take, where they are few: words of a list, yes and no, nothing."""
    parts = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    values: list[object] = [None] if NoneType in parts else []
    for part in parts:
        if isinstance(part, type) and issubclass(part, StrEnum):
            values += part
        elif part is bool:
            values += [True, False]
    return values


def variants(event: Event) -> Iterator[Event]:
    """Give an event in every way that may change its sentence: each field with a short list of values, by itself."""
    yield event
    for name, hint in get_type_hints(type(event)).items():
        for value in several(hint):
            if value is not None or getattr(event, name) is not None:
                yield but(event, **{name: value})


SAMPLED: Final = {name: decode(name, SAMPLES[name])[0] for name in NAMES}
OPENED: Final = Opened(at=local("03-01"), by=SUPERVISOR, case=CASE, purpose=Purpose.HANDLING, fields=("narrative",))
TRIED: Final = AttemptRefused(at=local("03-01"), by=SUPERVISOR, case=CASE, code="own-cause", command="accept")
SEALED_FIELDS: Final = sorted(
    {
        field
        for event in NAMES.values()
        for field, hint in get_type_hints(event).items()
        if Sealed in (hint, *get_args(hint))
    }
    | {"attachment"}
)
COMMANDS: Final = ("register", *FORMS)
WATCHED: Final = sorted(
    one.code
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, Refused) and (one.watched or one is Unknown)
)
BESIDE: Final = (
    *(replace(OPENED, fields=(field,)) for field in SEALED_FIELDS),
    replace(OPENED, fields=tuple(SEALED_FIELDS)),
    *(replace(TRIED, command=command) for command in COMMANDS),
    *(replace(TRIED, code=code) for code in WATCHED),
)


def everything(name: str) -> list[Event]:
    """Give an event of this name in every way its sentence may go."""
    more = {"access.opened.1": BESIDE, "attempts.refused.1": BESIDE}.get(name, ())
    return [*variants(SAMPLED[name]), *(one for one in more if type(one) is NAMES[name])]


def codes() -> set[str]:
    """Give every code that nobody should have to read: of lists, commands, refusals and fields."""
    lists = {
        str(value)
        for event in NAMES.values()
        for hint in get_type_hints(event).values()
        for value in several(hint)
        if isinstance(value, StrEnum)
    }
    return {code for code in (*lists, *COMMANDS, *WATCHED, *SEALED_FIELDS) if "_" in code or "-" in code}


def told(event: Event, language: Language, register: Register = FACTS.register) -> str:
    """Give the sentence of an event."""
    (line,) = history(entries(event), register, language)
    return line.said


@pytest.mark.parametrize("name", sorted(NAMES))
def test_everything_that_can_happen_has_a_sentence_in_chinese(name: str) -> None:
    """Without a letter of a code: numbers of cases and receipts are capitals."""
    for event in everything(name):
        said = told(event, Language.CHINESE)
        assert CHINESE.search(said), event
        assert not re.search(r"[a-z_]", said), said
        assert "None" not in said


@pytest.mark.parametrize("name", sorted(NAMES))
def test_everything_that_can_happen_has_a_sentence_in_english(name: str) -> None:
    """Without a code, the name of a class or a Chinese character."""
    forbidden = codes() | {
        event.__name__ for event in NAMES.values() if event.__name__[1:].lower() != event.__name__[1:]
    }
    assert len(forbidden) > 40
    for event in everything(name):
        said = told(event, Language.ENGLISH)
        assert re.search(r"[a-z]{2}", said), event
        assert not CHINESE.search(said), said
        assert not re.search(r"\bNone\b|\bTrue\b|\bFalse\b", said), said
        assert [code for code in forbidden if re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", said)] == [], said


def inside(value: object) -> Iterator[object]:
    """Give everything an event holds, however deep."""
    yield value
    if isinstance(value, tuple):
        for part in value:
            yield from inside(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from inside(getattr(value, field.name))


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("language", list(Language))
def test_no_person_and_nothing_sealed_stands_in_a_sentence(name: str, language: Language) -> None:
    """No key of a person or a thing, no box, no nonce; nor in the words for who acted."""
    for event in everything(name):
        (line,) = history(entries(event), FACTS.register, language)
        shown = f"{line.who} {line.said}"
        assert not IDENTIFIER.search(shown), shown
        for part in inside(event):
            if isinstance(part, Sealed):
                assert part.box not in shown
                assert part.nonce not in shown
            if isinstance(part, UUID):
                assert str(part) not in shown
                assert part.hex not in shown


def test_a_line_names_what_may_be_opened() -> None:
    """The kinds of sealed values an event holds, each once."""
    lines = history(entries(*LOOP), FACTS.register, Language.ENGLISH)
    assert lines[0].sealed == ("name", "phone", "subject", "narrative", "desired_outcome")
    assert lines[LOOP.index(ACCEPTED)].sealed == ()
    for line, event in zip(lines, LOOP, strict=True):
        assert set(line.sealed) == {kind for kind, _ in sealed_values(event)}
        assert len(set(line.sealed)) == len(line.sealed)


def test_every_word_is_said_in_both_languages() -> None:
    """Chinese in Chinese characters, English without."""
    for code, (chinese, english) in WORDS.items():
        assert CHINESE.search(chinese), code
        assert english, code
        assert not CHINESE.search(english), code
        assert "_" not in chinese + english, code


@pytest.mark.parametrize("listed", [Role, Step, *get_args(type[complaint.intake.Channel])])
def test_every_code_people_see_elsewhere_has_its_word(listed: type[StrEnum]) -> None:
    """Roles, steps and channels stand on pages and on the command line too."""
    assert [one for one in listed if one not in WORDS] == []


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    """Better than nothing, and easy to find."""
    assert word("never-heard-of", "zh") == word("never-heard-of", "en") == "never-heard-of"


def test_who_acted_is_named_by_post_and_never_by_person() -> None:
    """The system and the complainant by their parts; a post that is gone by its role."""
    chinese = Teller(FACTS.register, Language.CHINESE, ZoneInfo("Asia/Shanghai"))
    english = replace(chinese, language=Language.ENGLISH)
    assert (chinese.who(DESK), english.who(DESK)) == ("投诉受理台", "Complaint desk")
    assert (chinese.who(THE_SYSTEM), english.who(THE_SYSTEM)) == ("系统", "the system")
    assert (chinese.who(CITIZEN), english.who(CITIZEN)) == ("投诉人", "the complainant")
    gone = replace(DESK, post="long-gone")
    assert (chinese.who(gone), english.who(gone)) == ("投诉处置岗", "complaint desk")
    for role in Role:
        for teller in (chinese, english):
            said = teller.who(Actor(person=LI, role=role))
            assert said
            assert not IDENTIFIER.search(said)
    assert english.who(Actor(person=SYSTEM, role=Role.DISPATCHER)) == "the system"


def test_offices_are_named_by_their_public_names() -> None:
    """And by their code where nobody entered them."""
    assert "行政审批局" in told(ASSIGNED, Language.CHINESE)
    assert "Approval" in told(ASSIGNED, Language.ENGLISH)
    assert "SJ7" in told(but(ASSIGNED, department="SJ7"), Language.ENGLISH)
    assert told(SAMPLED["register.post-taken.1"], Language.ENGLISH, Register()).endswith(
        SAMPLED["register.post-taken.1"].post  # type: ignore[attr-defined]  # the one event of that name
    )


@pytest.mark.parametrize("language", list(Language))
def test_limits_are_told_in_the_time_of_the_hall(language: Language) -> None:
    """The last minute of the day there, not here; another zone tells another time."""
    assert "2026-02-14 23:59" in told(REGISTERED, language)
    assert "2026-03-05 23:59" in told(REPLIED, language)
    (elsewhere,) = history(entries(REGISTERED), FACTS.register, language, ZoneInfo("UTC"))
    assert "2026-02-14 15:59" in elsewhere.said
    assert elsewhere.at == REGISTERED.at
    over_midnight = but(REGISTERED, accept_due=limit("02-14", "00:30"))
    assert "2026-02-14 00:30" in told(over_midnight, language)


@pytest.mark.parametrize(
    ("due", "chinese", "english"),
    [
        (None, "期限 未定", "by a time not yet known"),
        (limit("02-14", provisional=True), "期限 2026-02-14 23:59（暂定）", "by 2026-02-14 23:59 (provisional)"),
    ],
)
def test_a_limit_nobody_can_be_sure_of_says_so(due: Due | None, chinese: str, english: str) -> None:
    """Unknown and provisional are words of their own."""
    for event in (but(REGISTERED, accept_due=due), but(ACCEPTED, handle_due=due), but(ASSIGNED, sign_due=due)):
        assert chinese in told(event, Language.CHINESE)
        assert english in told(event, Language.ENGLISH)


def test_lateness_is_told_where_it_is_known() -> None:
    """Three values, three sentences."""
    said = [told(but(ACCEPTED, late=late), Language.CHINESE) for late in (True, False, None)]
    assert ["逾期" in one for one in said] == [True, False, False]
    assert ["按时" in one for one in said] == [False, True, False]


@pytest.mark.parametrize(
    ("event", "field", "chinese", "english"),
    [
        (CONTACTED, "happened_at", "；发生于 2026-02-12 10:00", "; happened 2026-02-12 10:00"),
        (REPLIED, "delivered_at", "；送达于 2026-02-12 10:00", "; delivered 2026-02-12 10:00"),
        (but(REGISTERED, happened_at=None), "received_at", "；收到于 2026-02-12 10:00", "; received 2026-02-12 10:00"),
    ],
)
def test_what_was_told_later_says_when_it_was(event: Event, field: str, chinese: str, english: str) -> None:
    """Beside the time of the record, in the time of the hall; nothing where nothing was told."""
    later = but(event, **{field: local("02-12", "10:00")})
    assert told(later, Language.CHINESE).endswith(chinese)
    assert told(later, Language.ENGLISH).endswith(english)
    assert "2026-02-12" not in told(but(event, **{field: None}), Language.ENGLISH)


def test_every_time_an_event_tells_besides_is_told() -> None:
    """A field of another time that nobody listed would be in no sentence."""
    times = {
        field
        for event in NAMES.values()
        for field, hint in get_type_hints(event).items()
        if datetime in (hint, *get_args(hint))
    }
    assert times - {
        "at",
        "claimed_at",
        "since",
        "until",
        "in_force_from",
        "retry_at",
        "ended_at",
        "noticed",
        "taken_at",
        "begins",
        "ends",
    } == set(TOLD_BESIDE)


def test_what_the_complainant_said_is_told_in_full() -> None:
    """Not the same word for whatever was answered."""
    for language in Language:
        for field in ("resolved", "result_satisfaction"):
            hint = get_type_hints(complaint.Revisited)[field]
            said = [told(but(REVISITED, **{field: value}), language) for value in several(hint)]
            assert len(set(said)) == len(said)


def test_a_ledger_case_is_not_told_a_limit() -> None:
    """Nobody was promised anything, so nothing is unknown."""
    ledger = but(REGISTERED, profile="ledger", accept_due=None)
    assert "未定" not in told(ledger, Language.CHINESE)
    assert "due" not in told(ledger, Language.ENGLISH)


@pytest.mark.postgres
def test_a_case_as_it_stood_is_the_beginning_of_its_stream(town: Town, connection: psycopg.Connection) -> None:
    """For every moment, by either clock and by both: no event after it, none missing before it."""
    for event in LOOP:
        town.append(CASE, event)
        town.append(key("another case"), event)
    stream = read_stream(connection, CASE)
    assert [one.event for one in stream] == list(LOOP)
    happened = sorted({one.event.at for one in stream})
    recorded = sorted({one.recorded_at for one in stream})
    assert len(recorded) == len(LOOP) > len(happened)

    def around(moments: list[datetime]) -> list[datetime]:
        between = [one + (other - one) / 2 for one, other in pairwise(moments)]
        return sorted({*between, *(moment + n * TICK for moment in moments for n in (-1, 0, 1))})

    for at in around(happened):
        by_then = read_stream(connection, CASE, as_of=at)
        assert by_then == [one for one in stream if one.event.at <= at] == stream[: len(by_then)]
    for at in around(recorded):
        by_then = read_stream(connection, CASE, known_at=at)
        assert by_then == [one for one in stream if one.recorded_at <= at] == stream[: len(by_then)]
    for at in happened[::3]:
        for known in recorded[::5]:
            both = read_stream(connection, CASE, as_of=at, known_at=known)
            assert both == [one for one in stream if one.event.at <= at and one.recorded_at <= known]
            assert both == stream[: len(both)]


@pytest.mark.postgres
def test_what_was_learned_late_was_true_before_it_was_known(town: Town, connection: psycopg.Connection) -> None:
    """An old paper entered today: true then, on record only now; when something happened moves neither clock."""
    town.append(CASE, *LOOP[:3])
    before = read_stream(connection, CASE)[-1].recorded_at
    assert [one.event for one in read_stream(connection, CASE, as_of=local("02-14", "09:00"))] == list(LOOP[:3])
    assert read_stream(connection, CASE, known_at=local("02-14", "09:00")) == []
    town.append(CASE, *LOOP[3:5])
    assert len(read_stream(connection, CASE, known_at=before)) == 3
    assert len(read_stream(connection, CASE, as_of=local("02-20"))) == 5
    assert len(read_stream(connection, CASE, as_of=local("02-20"), known_at=before)) == 3
    assert REGISTERED.happened_at is not None
    assert read_stream(connection, CASE, as_of=REGISTERED.happened_at) == []


@pytest.mark.postgres
def test_a_case_as_it_stood_has_the_row_it_had(town: Town, connection: psycopg.Connection) -> None:
    """Folding the beginning gives what the docket showed then."""
    town.append(CASE, *LOOP)
    stood = {
        at: fold(read_stream(connection, CASE, as_of=at))
        for at in (local("02-13"), local("02-14"), local("02-14", "12:00"), local("02-26", "12:00"), local("03-10"))
    }
    assert [None if row is None else row.step for row in stood.values()] == [
        None,
        Step.ACCEPTED,
        Step.ASSIGNED,
        Step.REPLY_PENDING_APPROVAL,
        Step.CLOSED,
    ]
    row = stood[local("02-14", "12:00")]
    assert row is not None
    assert (row.handler, row.due) == (WANG, limit("02-14", "15:30").at)


@pytest.mark.postgres
def test_a_stream_nobody_wrote_is_empty(connection: psycopg.Connection) -> None:
    """No case, no history, no error."""
    assert read_stream(connection, CASE) == []
    assert history([], FACTS.register, Language.CHINESE) == []
