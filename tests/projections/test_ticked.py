"""What was ticked with a rating is told in the words of the set it was ticked from, whatever came after."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.code_sets import CodeSet, CodeSetRef
from domain.decider import THE_SYSTEM, Event
from domain.rulebook import RULEBOOK, CodeSetAdopted, Rulebook
from projections.histories import Language, history
from tests.hall import ENTERED
from tests.projections.town import entries
from tests.visits import APPENDED, DETAILS, FACTS, FIVE, SUBMITTED

SECOND: Final[CodeSet] = replace(
    FIVE,
    version=2,
    codes=tuple(
        replace(one, name_zh="改了的说法", name_en="other words") if one.code == "517" else one
        for one in FIVE.codes
        if one.code != "510"
    ),
)
RULES: Final[Rulebook] = RULEBOOK.evolve(FACTS.rulebook, CodeSetAdopted(at=ENTERED, by=THE_SYSTEM, code_set=SECOND))
OF_THE_SECOND: Final = replace(DETAILS, version=2)


def said(event: Event, language: Language) -> str:
    """Give the sentence of an event under rules with two versions of the set."""
    (line,) = history(entries(event), FACTS.register, language, code_sets=RULES.every_code_set)
    return line.said


def test_what_was_ticked_is_told_in_words() -> None:
    """Of the first rating and of what was added, in both languages; a name may hold a comma."""
    assert "（一窗受理一次办结；服务热情效率高）" in said(SUBMITTED, Language.CHINESE)
    assert "413" not in said(APPENDED, Language.CHINESE)
    assert "服务态度较好" in said(APPENDED, Language.CHINESE)
    (english,) = (one.name_en for one in FIVE.codes if one.code == "517")
    assert f"; {english})" in said(SUBMITTED, Language.ENGLISH)


def test_an_older_set_keeps_its_words() -> None:
    """The newest set has other words for a code, and another no more: each rating is told by its own."""
    newer = replace(SUBMITTED, codes=("517",), code_set=OF_THE_SECOND)
    assert "改了的说法" in said(newer, Language.CHINESE)
    assert "(other words)" in said(newer, Language.ENGLISH)
    assert "改了的说法" not in said(SUBMITTED, Language.CHINESE)
    assert "一窗受理一次办结" in said(SUBMITTED, Language.CHINESE)
    assert RULES.code_sets == {"eval-detail": SECOND}
    assert RULES.every_code_set == {DETAILS: FIVE, OF_THE_SECOND: SECOND}


@pytest.mark.parametrize(
    ("code", "ref"),
    [("510", OF_THE_SECOND), ("999", DETAILS), ("510", CodeSetRef(name="eval-detail", version=3)), ("510", None)],
    ids=["gone from that set", "never in it", "a set nobody adopted", "no set"],
)
def test_a_code_without_words_stands_for_itself(code: str, ref: CodeSetRef | None) -> None:
    """It is not left out, and nobody guesses from another set."""
    event = replace(SUBMITTED, codes=(code,), code_set=ref)
    assert f"（{code}）" in said(event, Language.CHINESE)
    assert f"({code})" in said(event, Language.ENGLISH)
