"""What rules may know of a text without reading it, and where sealed values stand in an event."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.decider import THE_SYSTEM, Event
from domain.sealed import Pattern, PatternHits, Sealed, TextFacts, measure, sealed_values
from tests.controls import FOUND, REGISTERED, SUBMITTED
from tests.hall import ENTERED, sealed


def hits(text: str) -> dict[Pattern, int]:
    """How often each kind of personal data was found."""
    return {hit.kind: hit.n for hit in measure(text).pattern_hits}


def test_a_text_is_counted_in_characters() -> None:
    """Code points, also outside the basic plane; nothing of the text remains in what is measured."""
    assert measure("窗口𬭎·阿") == TextFacts(chars=5, has_text=True)
    assert measure("e\u0301") == TextFacts(chars=2, has_text=True)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_white_space_is_no_text(text: str) -> None:
    """Nor is the wide space of Chinese keyboards."""
    assert measure(text) == TextFacts(chars=len(text), has_text=False)


@pytest.mark.parametrize(
    "text",
    [
        "13800138000", "电话13800138000。", "138 0013 8000", "138-0013-8000", "+8613800138000", "+86 138 0013 8000",
        "008613800138000", "8613800138000", "１３８００１３８０００", "0471-1234567", "(0471)1234567", "010 12345678",
        "０４７１－１２３４５６７",
    ],
)  # fmt: skip
def test_a_phone_number_is_noticed(text: str) -> None:
    """Mobile or landline, with country code or without, in full-width digits or plain ones."""
    assert hits(text) == {Pattern.PHONE: 1}


@pytest.mark.parametrize(
    "text",
    ["12800138000", "1380013800", "138001380001", "1501022026021300000001380013800", "2026-02-13 18:30", "12345"],
)
def test_other_numbers_are_no_phone(text: str) -> None:
    """Too short, too long, or part of the long code of a service item."""
    assert hits(text) == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("150102199003071234", Pattern.IDENTITY_NUMBER),
        ("身份证15010219900307123X，", Pattern.IDENTITY_NUMBER),
        ("１５０１０２１９９００３０７１２３４", Pattern.IDENTITY_NUMBER),
        ("蒙A12345", Pattern.PLATE),
        ("蒙A·D12345", Pattern.PLATE),
        ("a.b+c@example.gov.cn", Pattern.EMAIL),
        ("邮箱a@b.cn", Pattern.EMAIL),
        ("ａ＠ｂ.cn", Pattern.EMAIL),
    ],
)
def test_other_personal_data_are_noticed(text: str, kind: Pattern) -> None:
    """Identity numbers, number plates, addresses of mail."""
    assert hits(text) == {kind: 1}


def test_each_kind_is_counted() -> None:
    """In the order of the kinds, leaving out those that do not occur."""
    text = "找李某13800138000或13900139000，身份证150102199003071234"
    assert measure(text).pattern_hits == (
        PatternHits(kind=Pattern.PHONE, n=2),
        PatternHits(kind=Pattern.IDENTITY_NUMBER, n=1),
    )


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "1", "13800138000-", "@", "蒙A", "0471-", "+86 "])
def test_measuring_a_long_text_does_not_stop_the_hall(piece: str) -> None:
    """Each letter is looked at a few times, not once for each before it: half a million of them are no matter."""
    text = piece * (500_000 // len(piece))
    assert measure(text).chars == len(text)


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_measured(text: str) -> None:
    """And its facts never hold more than numbers."""
    facts = measure(text)
    assert facts.chars == len(text)
    assert facts.has_text == bool(text.strip())
    assert all(hit.n > 0 for hit in facts.pattern_hits)


# Where sealed values stand


def test_sealed_values_are_found_under_the_name_of_their_field() -> None:
    """That is what they were sealed as, and what must be named to open them."""
    assert list(sealed_values(FOUND)) == [("facts", FOUND.facts)]
    assert [kind for kind, _ in sealed_values(REGISTERED)] == [
        "name", "phone", "subject", "narrative", "desired_outcome",
    ]  # fmt: skip


def test_each_of_several_values_is_found() -> None:
    """All points of a reply, in their order, under the name of the one field."""
    assert list(sealed_values(SUBMITTED)) == [
        ("reasons", SUBMITTED.reasons),
        ("legal_basis", SUBMITTED.legal_basis),
        ("points", SUBMITTED.points[0]),
        ("points", SUBMITTED.points[1]),
        ("remedy", sealed("remedy")),
    ]


def test_a_value_inside_a_value_is_found() -> None:
    """Under the name of the field nearest to it."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Part:
        """A part of an event."""

        text: Sealed
        n: int

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Whole(Event):
        """An event in parts."""

        parts: tuple[Part, ...]

    whole = Whole(at=ENTERED, by=THE_SYSTEM, parts=(Part(text=sealed("a"), n=1), Part(text=sealed("b"), n=2)))
    assert list(sealed_values(whole)) == [("text", sealed("a")), ("text", sealed("b"))]


def test_a_value_alone_has_the_name_it_is_given() -> None:
    """Nothing but a sealed value yields anything."""
    assert list(sealed_values(sealed("a"), "note")) == [("note", sealed("a"))]
    assert list(sealed_values("text")) == []
    assert list(sealed_values(None)) == []
