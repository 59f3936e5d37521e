"""The catalogues of texts are whole: both languages for every key, every key used, every refusal in Chinese."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import domain
import projections
import service
from domain.errors import Refused
from projections.histories import Language
from projections.words import WORDS
from service.forms import FORMS, form, intake
from service.forms.bad_reviews import REVIEW_FORMS
from service.sealing import VaultError
from service.web.texts import CATALOGUES, Texts, catalogue

ROOT: Final = Path(__file__).parents[3]
PLACES: Final = (
    *(ROOT / "service/web").glob("pages*.py"),
    *(ROOT / "service/web/templates").glob("*.html"),
    ROOT / "service/web/drawing.py",
)


def everything() -> None:
    """Import all of the program, so that every refusal is known."""
    for package in (domain, projections, service):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    """All kinds of a kind."""
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_text_has_both_languages(name: str) -> None:
    """A key without one of its languages, or with an empty text, is a hole in some page."""
    holes = {
        key: sorted(entry)
        for key, entry in catalogue(name).items()
        if not all(entry.values()) or (name != "refusals" and entry.keys() != {"zh", "en"})
    }
    assert holes == {}
    assert len(catalogue(name)) > 30


def test_every_text_a_page_asks_for_is_there_and_every_text_is_asked_for() -> None:
    """No page fails for want of a sentence; no sentence is kept for nobody."""
    sources = "\n".join(place.read_text(encoding="utf-8") for place in PLACES)
    asked = set(re.findall(r"""\bt\(\s*["']([a-z_.]+)["']""", sources))
    summary = ast.parse((ROOT / "service/web/pages_cases.py").read_text(encoding="utf-8"))
    shown = {
        f"case.{node.elts[0].value!s}"
        for node in ast.walk(summary)
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant)
    }
    keys = catalogue("pages").keys()
    assert asked - keys == set()
    assert keys - asked - shown == set()


def test_both_languages_have_the_same_gaps_to_fill() -> None:
    """What one language names, the other names too."""
    gaps = {
        key: entry
        for key, entry in catalogue("pages").items()
        if set(re.findall(r"\{(\w+)\}", entry["zh"])) != set(re.findall(r"\{(\w+)\}", entry["en"]))
    }
    assert gaps == {}


def test_every_refusal_is_told_in_chinese_with_what_to_do_next() -> None:
    """Whoever is refused reads why, and what to do then, in their own language."""
    everything()
    codes = {kind.code for root in (Refused, VaultError) for kind in below(root)}  # type: ignore[attr-defined]
    told = catalogue("refusals")
    assert sorted(codes - {Refused.code} - told.keys()) == []
    assert sorted(key for key, entry in told.items() if not {"zh", "then_zh"} <= entry.keys()) == []


def test_every_english_refusal_is_whole_and_speaks_of_pages() -> None:
    """A refusal without an entry of its own takes the words of its class; none sends people to headers or addresses."""
    everything()
    english = Texts(Language.ENGLISH)
    kinds = [kind for kind in below(Refused) if issubclass(kind, Refused)]
    assert len(kinds) > 50
    found = {kind.code: english.trouble(kind.code, kind.message(), kind.then) for kind in kinds if kind.then}
    found |= {code: english.trouble(code) for code in catalogue("refusals") if code not in found}
    assert {code: told for code, told in found.items() if not all(told)} == {}
    technical = re.compile(r"/api/|header|Idempotency|ETag|retry_after(?!\})")
    assert {code: told for code, told in found.items() if technical.search(" ".join(told))} == {}


def test_every_entry_is_a_refusal_or_a_page_uses_it() -> None:
    """A code that nobody gives any more loses its entry."""
    everything()
    codes = {kind.code for root in (Refused, VaultError) for kind in below(root)} | {VaultError.code}  # type: ignore[attr-defined]
    sources = "\n".join(place.read_text(encoding="utf-8") for place in PLACES)
    used = {code for code in catalogue("refusals") if f'"{code}"' in sources}
    assert catalogue("refusals").keys() - codes - used == set()


def test_our_own_checks_of_forms_speak_chinese() -> None:
    """A sentence that a form raises has its Chinese, where it holds nothing that changes."""
    sentences = set()
    for module in {sys.modules[one.__module__] for one in (*FORMS.values(), *REVIEW_FORMS.values())} | {form, intake}:
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="ValueError"), args=[ast.Constant(value=str(sentence))]):
                    sentences.add(f"sentence.{sentence}")
    assert sentences
    told = {key for key in catalogue("labels") if key.startswith("sentence.")}
    assert sentences - told == set()
    assert told - sentences == set()


def test_codes_of_closed_lists_have_words() -> None:
    """What the rules list can be chosen by a word, and a word is kept for what is listed alone."""
    hall = tomllib.loads((ROOT / "service/profiles/hall.toml").read_text(encoding="utf-8"))
    # Detectors are no choice of anybody, and the codes of a rating are called as their set says.
    chosen = [codes for name, codes in hall["lists"].items() if name not in {"detector", "complaint_offer"}]
    listed = {code for codes in chosen for code in codes}
    own = {key.removeprefix("code.") for key in catalogue("labels") if key.startswith("code.")}
    assert listed - own - WORDS.keys() == set()
    assert own - listed == set()
