"""What the documents claim about settings and files is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from service.settings import BadSetting, Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_in_the_operations_manual() -> None:
    """A setting nobody can find out about is none."""
    manual = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([A-Z_]+)`", manual, re.MULTILINE))
    own = {"DATABASE_URL", *(f"BIHUAN_{field.name.upper()}" for field in fields(Settings))} - {"BIHUAN_DATABASE_URL"}
    assert own <= told
    assert told - own == {"BIHUAN_MASTER_KEY", "BIHUAN_TOKEN"}


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5", "٣"])
def test_a_setting_that_cannot_be_used_is_named(text: str) -> None:
    """The message names the variable."""
    with pytest.raises(BadSetting, match="BIHUAN_POOL"):
        Settings.from_environment({"BIHUAN_POOL": text})


def test_settings_are_read() -> None:
    """What is set is used, what is not keeps its default."""
    found = Settings.from_environment({"DATABASE_URL": "postgresql://x", "BIHUAN_REGISTRATIONS_PER_HOUR": "0"})
    assert (found.database_url, found.registrations_per_hour) == ("postgresql://x", 0)
    assert found.pool == Settings().pool


def test_links_of_the_documents_lead_somewhere() -> None:
    """Every file a document links to or names in back-ticks as a path is there."""
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
        for path in re.findall(r"`((?:domain|projections|service|tests|docs)/[\w./-]*)`", text):
            assert (ROOT / path).exists(), f"{document.name}: {path}"


def test_the_tour_shows_the_code_as_it_is() -> None:
    """Every code block of the tour stands, letter for letter, in the file named above it."""
    tour = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)```$", tour, re.MULTILINE | re.DOTALL)
    assert len(blocks) == tour.count("```") // 2
    for file, code in blocks:
        assert code in (ROOT / file).read_text(encoding="utf-8"), f"{file}: {code}"
