"""docs/events.md says what is stored: every name, every field, every word, and which values are sealed."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import pytest

from domain.complaint import Registered
from domain.complaint.intake import Channel
from domain.decider import Code, Event
from domain.sealed import Sealed
from projections.codec import NAMES, UPCASTS
from service import event_catalogue
from service.event_catalogue import catalogue

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = catalogue()


def section(heading: str, text: str = TEXT) -> str:
    """What stands under a heading, up to the next one."""
    after = text.split(f"\n### {heading}\n", 1)[1]
    return re.split(r"\n#+ ", after, maxsplit=1)[0]


def test_the_page_is_what_the_code_says() -> None:
    """Whoever changes an event writes the page anew: `python -m service.event_catalogue > docs/events.md`."""
    assert (ROOT / "docs" / "events.md").read_text(encoding="utf-8") == TEXT


def test_the_command_prints_the_page() -> None:
    """In UTF-8, also where the terminal speaks something else."""
    printed = subprocess.run(
        [sys.executable, "-m", "service.event_catalogue"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}, capture_output=True, check=True,
    )  # fmt: skip
    assert printed.stdout.decode("utf-8") == TEXT


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_event_stands_there_with_every_field(name: str) -> None:
    """After the moment and the actor, in their order."""
    event = NAMES[name]
    told = section(f"`{name}`")
    assert re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE) == [field.name for field in fields(event)][2:]
    assert (event.__doc__ or "").strip().splitlines()[0] in told


def test_every_old_name_stands_there() -> None:
    """With the name it is read as."""
    for name, (newer, _) in UPCASTS.items():
        assert f"`{newer}`" in section(f"`{name}`")


def test_what_is_sealed_is_marked() -> None:
    """As often as the code says so, whether it may be absent or stands in a list."""
    table = section("`complaint.registered.1`")
    marked = set(re.findall(r"^\| `(\w+)` \| .*\*\*\[sealed\]", table, re.MULTILINE))
    assert marked == {field.name for field in fields(Registered) if str(field.type).startswith(Sealed.__name__)}
    assert "| `points` | list of **[sealed](#sealed)** |" in section("`complaint.reply-submitted.1`")
    assert "| `remedy` | **[sealed](#sealed)**, or nothing |" in section("`complaint.reply-submitted.1`")


def test_every_word_of_a_list_stands_there() -> None:
    """So that a reader of the log needs no code."""
    for word in Channel:
        assert f"`{word}`" in section("Channel")


def test_every_link_leads_somewhere() -> None:
    """On the page and in the folder; no two headings are called the same."""
    headings = re.findall(r"^#{2,3} (.*)$", TEXT, re.MULTILINE)
    assert len(set(headings)) == len(headings)
    anchors = {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}
    assert set(re.findall(r"\(#([^)]*)\)", TEXT)) <= anchors
    for place in re.findall(r"^\[\w+\]: (.*)$", TEXT, re.MULTILINE):
        assert (ROOT / "docs" / place).is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted(Event):
    """Something nobody wrote into the page."""

    code: Code


def test_an_event_missing_from_the_page_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a program with one event more is another page."""
    monkeypatch.setattr(event_catalogue, "NAMES", {**NAMES, "access.planted.1": Planted})
    grown = catalogue()
    assert grown != TEXT
    assert "| `code` | code |" in section("`access.planted.1`", grown)
