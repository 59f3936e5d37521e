"""What was stored once is read for ever, byte for byte; what cannot be read is not guessed, and never quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from eventsourcing.persistence import JSONTranscoder, StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from domain import complaint
from domain.complaint import RevisitAttempted
from domain.complaint.intake import Channel
from domain.decider import (
    Actor,
    Event,
    Metadata,
    PersonKey,
    Recorded,
    Role,
)
from domain.handling import ContactResult, Method
from domain.register import Site, SiteAdded, SiteLevel
from projections.codec import (
    NAME_OF,
    NAMES,
    UPCASTS,
    EventMapper,
    UnknownEvent,
    Unreadable,
    Unstorable,
    decode,
    encode,
)
from tests.controls import ATTEMPTED, EVIDENCED, LOOP, REGISTERED, SUBMITTED
from tests.hall import QIAN, WANG, key, sealed

HISTORY: Final = Path(__file__).parents[1] / "history"
STORED_NAME: Final = re.compile(r"[a-z]+\.[a-z-]+\.[1-9]\d*")
META: Final = Metadata(command="example", source="test")


def samples() -> dict[str, bytes]:
    """The stored bytes kept of each name, by name."""
    kept = {}
    for path in HISTORY.glob("*.json"):
        if STORED_NAME.fullmatch(path.stem):
            sample = json.loads(path.read_text(encoding="utf-8"))
            assert sample["name"] == path.stem
            kept[path.stem] = sample["state"].encode()
    return kept


NARRATIVE: Final = sealed("narrative")
SAMPLES: Final = samples()


def test_a_name_that_was_stored_is_never_taken_out() -> None:
    """Each sample kept has a name that is read; each name that is read has a sample."""
    assert set(SAMPLES) == set(NAMES) | set(UPCASTS)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_sample_comes_back_byte_for_byte(name: str) -> None:
    """Hashes cover the bytes, so not even their order may change."""
    event, metadata = decode(name, SAMPLES[name])
    assert type(event) is NAMES[name]
    assert metadata == Metadata(command="example", source="test", cause=key("cause"), register=7, rulebook=4)
    assert encode(event, metadata) == (name, SAMPLES[name])


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_leaves_nothing_out(name: str) -> None:
    """Every field has a value in it, so the shape of every field is kept."""

    def empty(value: object, path: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for field, inner in value.items():
                yield from empty(inner, f"{path}.{field}")
        elif isinstance(value, list):
            for inner in value:
                yield from empty(inner, f"{path}[]")
        if value in (None, [], "", {}):
            yield path

    assert list(empty(json.loads(SAMPLES[name]))) == []


OLDER: Final = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (HISTORY / "older").glob("*.json")}


@pytest.mark.parametrize("name", sorted(OLDER))
def test_what_was_stored_before_a_field_was_added_is_still_read(name: str) -> None:
    """What it did not tell is not told; everything else is as it was, and those bytes would not be written today."""
    state = OLDER[name]["state"].encode()
    event, _ = decode(name, state)
    added = {one.name for one in fields(event)} - json.loads(state)["e"].keys()
    deeper = name == "rulebook.policy-adopted.1"  # the policy inside it has a field more
    assert added or deeper
    assert [field for field in added if getattr(event, field) not in (None, ())] == []
    assert encode(event, META)[1] != state


def test_an_old_attempt_to_revisit_was_a_call() -> None:
    """The first shape knew only whether the person was reached; the second says how it was tried."""
    name = "complaint.revisit-attempted.1"
    by = Actor(person=WANG, post="approval-handler", role=Role.HANDLER, on_behalf_of=QIAN)
    reached, metadata = decode(name, SAMPLES[name])
    assert reached == replace(ATTEMPTED, by=by, method=Method.PHONE, result=ContactResult.REACHED)
    assert metadata.cause == key("cause")
    missed, _ = decode(name, SAMPLES[name].replace(b'"reached":true', b'"reached":false'))
    assert missed == replace(reached, result=ContactResult.NO_ANSWER)


def test_old_shapes_lead_to_a_name_in_use() -> None:
    """However many steps it takes, and never in a circle."""
    for name in UPCASTS:
        steps = [name]
        while steps[-1] in UPCASTS:
            steps.append(UPCASTS[steps[-1]][0])
            assert len(set(steps)) == len(steps)
        assert steps[-1] in NAMES
        assert name not in NAMES


# Reading


def test_a_name_nobody_used_stops_the_reader() -> None:
    """A newer program wrote it: what it means is not guessed."""
    for name in ("complaint.registered.2", "complaint.Registered", "handling.accepted.1", "complaint"):
        with pytest.raises(UnknownEvent, match=re.escape(name)):
            decode(name, b"{}")


def damaged(state: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the sample of an event with one fault each, the word SECRET where a value can be wrong."""
    for fault, place, change in (
        ("unknown", (), {"extra": "SECRET"}),
        ("unknown in event", ("e",), {"extra": "SECRET"}),
        ("unknown in actor", ("e", "by"), {"name": "SECRET"}),
        ("unknown in metadata", ("m",), {"comment": "SECRET"}),
        ("unknown in sealed", ("e", "description"), {"text": "SECRET"}),
        ("text for number", ("e",), {"size": "SECRET"}),
        ("number as text", ("e",), {"size": "1"}),
        ("broken number", ("e",), {"size": 1.0}),
        ("yes for number", ("e",), {"size": True}),
        ("text for sealed", ("e",), {"description": "SECRET"}),
        ("no word of the list", ("e",), {"kind": "SECRET"}),
        ("upper case", ("e",), {"kind": "PHOTO"}),
        ("no id", ("e",), {"evidence": "SECRET"}),
        ("no digest", ("e",), {"sha256": "SECRET" * 11}),
        ("other zone", ("e",), {"at": "2026-02-24T11:00:00+08:00"}),
        ("no zone", ("e",), {"at": "2026-02-24T11:00:00"}),
        ("seconds", ("e",), {"at": 1_771_902_000}),
        ("no code", ("e", "by"), {"post": "SECRET post"}),
        ("line break in code", ("e", "by"), {"post": "SECRET\n"}),
        ("no base64", ("e", "description"), {"box": "SECRET+/="}),
    ):
        whole = json.loads(state)
        part = whole
        for step in place:
            part = part[step]
        part.update(change)
        yield fault, whole
    for gone in ("at", "by", "evidence", "size"):
        whole = json.loads(state)
        del whole["e"][gone]
        yield f"without {gone}", whole
    yield "no event", {"m": json.loads(state)["m"]}
    yield "event is text", {**json.loads(state), "e": "SECRET"}


EVIDENCE_SAMPLE = "complaint.evidence-recorded.1"
DAMAGED = list(damaged(SAMPLES[EVIDENCE_SAMPLE]))


@pytest.mark.parametrize("whole", [whole for _, whole in DAMAGED], ids=[fault for fault, _ in DAMAGED])
def test_bytes_that_are_no_such_event_stop_the_reader(whole: dict[str, Any]) -> None:
    """An unknown field, a missing one, a wrong type: nothing is dropped, guessed or quoted."""
    with pytest.raises(Unreadable) as told:
        decode(EVIDENCE_SAMPLE, json.dumps(whole).encode())
    assert EVIDENCE_SAMPLE in str(told.value)
    assert "SECRET" not in str(told.value)
    assert told.value.__suppress_context__


GARBAGE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"SECRET",
    b'{"m":1,"e":2}',
    b'"SECRET"',
    b"\xff\xfe",
    b'{"e":{"reached":"SECRET"}}',
]


@pytest.mark.parametrize("state", [*GARBAGE, b'{"m":{},"e":{}}', b'{"e":"SECRET"}', b'{"e":["SECRET"]}'])
@pytest.mark.parametrize("name", [EVIDENCE_SAMPLE, "complaint.revisit-attempted.1", "complaint.revisit-attempted.2"])
def test_garbage_stops_the_reader(name: str, state: bytes) -> None:
    """Also where an old shape would have to be brought up to date first."""
    with pytest.raises(Unreadable) as told:
        decode(name, state)
    assert "SECRET" not in str(told.value)


# Writing

SITE = SiteAdded(
    at=ATTEMPTED.at,
    by=ATTEMPTED.by,
    entry=Site(code="X", name_zh="高新区", name_en="Zone", level=SiteLevel.DISTRICT),
)


def named(name: str) -> SiteAdded:
    """Give a site entered under a Chinese name."""
    return replace(SITE, entry=replace(SITE.entry, name_zh=name))


@pytest.mark.parametrize(
    "name", ["𬭎", "阿·巴特尔", "ᠮᠣᠩᠭᠣᠯ", "Ünal’s 窗口 №3", "\u00e9", "e\u0301", "a" * 200, "𬭎" * 200, "👩‍⚕️"]
)
def test_rare_characters_are_kept_whole(name: str) -> None:
    """Outside the basic plane, composed or not, up to 200 characters: as they were written, in UTF-8."""
    stored, state = encode(named(name), META)
    assert name.encode() in state
    assert decode(stored, state) == (named(name), META)


@pytest.mark.parametrize(
    "name",
    ["", "a" * 201, "a\x00b", "a\nb", "a\tb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b", "\u202egnorw", "\ud800"],
)
def test_a_name_is_one_line_that_can_be_shown(name: str) -> None:
    """No control characters, no end of line of any kind, nothing that turns the direction, nothing too long."""
    with pytest.raises(Unstorable) as told:
        encode(named(name), META)
    assert name == "" or name not in str(told.value)


@pytest.mark.parametrize(
    "code", ["", " ", "a b", "a\x00", "a\n", "é", "审批", "-a", ".a", "a" * 65, "a'--", "<a>", "１"]
)
def test_a_code_is_no_place_for_a_sentence(code: str) -> None:
    """ASCII letters, digits and five signs, beginning with a letter or digit, at most 64."""
    with pytest.raises(Unstorable, match=r"entry\.code"):
        encode(replace(SITE, entry=replace(SITE.entry, code=code)), META)


@pytest.mark.parametrize("code", ["a", "0", "A" * 64, "TS-GXQ-20260213-00001-2", "urn:x/y_z.1", "12345:2026-88"])
def test_a_code_is_a_word_or_a_number(code: str) -> None:
    """What halls use as numbers fits in."""
    event = replace(SITE, entry=replace(SITE.entry, code=code))
    assert decode(*encode(event, META))[0] == event


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 3, 3),  # noqa: DTZ001 - a time without zone is what is refused
        datetime(2026, 3, 3, tzinfo=timezone(timedelta(hours=8))),
        datetime(2026, 3, 3, tzinfo=ZoneInfo("Asia/Shanghai")),
    ],
)
def test_only_utc_is_stored(at: datetime) -> None:
    """A local time means another instant to every reader."""
    with pytest.raises(Unstorable, match=r"e\.at"):
        encode(replace(ATTEMPTED, at=at), META)


def test_the_microsecond_is_kept() -> None:
    """A deadline is the last microsecond of a day."""
    at = datetime(2026, 3, 3, 15, 59, 59, 999999, UTC)
    event, _ = decode(*encode(replace(ATTEMPTED, at=at), META))
    assert event.at == at
    assert event.at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(REGISTERED, narrative="SECRET"),  # type: ignore[arg-type]
        replace(REGISTERED, name="SECRET"),  # type: ignore[arg-type]
        replace(REGISTERED, channel="SECRET"),  # type: ignore[arg-type]
        replace(REGISTERED, points="SECRET"),  # type: ignore[arg-type]
        replace(REGISTERED, written=1),  # type: ignore[arg-type]
        replace(REGISTERED, vulnerable=["SECRET"]),  # type: ignore[arg-type]
        replace(REGISTERED, narrative=replace(NARRATIVE, box="SECRET+")),
        replace(REGISTERED, narrative=replace(NARRATIVE, box="S" * 400_001)),
        replace(REGISTERED, by="SECRET"),  # type: ignore[arg-type]
        replace(EVIDENCED, sha256="SECRET"),
        replace(SUBMITTED, points=("SECRET",)),  # type: ignore[arg-type]
    ],
)
def test_what_does_not_come_back_is_not_stored(wrong: Event) -> None:
    """A text where a sealed value belongs is refused before it reaches the log, and no message repeats it."""
    with pytest.raises(Unstorable) as told:
        encode(wrong, META)
    assert "SECRET" not in str(told.value)


def test_what_comes_back_otherwise_is_not_stored() -> None:
    """A list would come back as a tuple: whoever compares the two would be misled."""
    with pytest.raises(Unstorable):
        encode(replace(REGISTERED, vulnerable=[]), META)  # type: ignore[arg-type]
    with pytest.raises(Unstorable):
        encode(REGISTERED, Metadata(command="a b", source="test"))


def test_a_long_text_is_stored_whole() -> None:
    """Twenty thousand characters of four bytes each, sealed, still fit."""
    long = replace(REGISTERED, narrative=replace(NARRATIVE, box="A" * 400_000, chars=75_000))
    assert decode(*encode(long, META))[0] == long


def test_words_come_back_as_what_they_are() -> None:
    """An enumeration is not a text that looks like one, a tuple no list, an id no text."""
    event, _ = decode(*encode(REGISTERED, META))
    assert isinstance(event, complaint.Registered)
    assert isinstance(event.channel, Channel)
    assert isinstance(event.vulnerable, tuple)
    assert isinstance(event.complainant, UUID)


ids = st.uuids()
moments = st.datetimes(timezones=st.just(UTC))
actors = st.builds(
    Actor,
    person=ids.map(PersonKey),
    post=st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", fullmatch=True),
    role=st.sampled_from(Role),
    on_behalf_of=st.none() | ids.map(PersonKey),
)


@given(
    at=moments, by=actors, n=st.integers(), day=st.dates(), method=st.sampled_from(Method), cause=st.none() | ids,
    result=st.sampled_from(ContactResult),
)  # fmt: skip
def test_any_attempt_comes_back(
    at: datetime, by: Actor, n: int, day: date, method: Method, cause: UUID | None, result: ContactResult
) -> None:
    """Whoever, whenever: the bytes give the event again, and the same bytes again."""
    event = RevisitAttempted(at=at, by=by, attempt_no=n, day=day, method=method, result=result)
    metadata = Metadata(command="revisit", source="test", cause=cause)
    name, state = encode(event, metadata)
    assert decode(name, state) == (event, metadata)
    assert encode(*decode(name, state)) == (name, state)


@given(st.text(max_size=250))
def test_any_name_is_kept_whole_or_refused(name: str) -> None:
    """There is nothing in between."""
    try:
        stored, state = encode(named(name), META)
    except Unstorable:
        return
    assert decode(stored, state)[0] == named(name)
    assert 1 <= len(name) <= 200
    assert len(name.splitlines()) == 1


# The library's side


@pytest.mark.parametrize("event", LOOP, ids=lambda event: type(event).__name__)
def test_an_event_in_its_place_comes_back_from_the_library(event: Event) -> None:
    """Stream, version, event and metadata."""
    mapper = EventMapper(transcoder=JSONTranscoder())
    recorded = Recorded(stream=key("stream"), version=7, event=event, metadata=META)
    stored = mapper.to_stored_event(recorded)
    assert (stored.originator_id, stored.originator_version, stored.topic) == (key("stream"), 7, NAME_OF[type(event)])
    assert mapper.to_domain_event(stored) == recorded
    assert (recorded.originator_id, recorded.originator_version) == (key("stream"), 7)


def test_a_stream_without_an_id_is_unknown() -> None:
    """The library allows text for a stream; our log does not."""
    name, state = encode(ATTEMPTED, META)
    with pytest.raises(UnknownEvent):
        EventMapper(transcoder=JSONTranscoder()).to_domain_event(StoredEvent("stream", 1, name, state))
