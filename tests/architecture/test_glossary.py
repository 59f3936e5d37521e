"""Every word of docs/glossary.md that names code names code that is there, in the file it links to."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
GLOSSARY: Final = ROOT / "docs" / "glossary.md"
ROW: Final = re.compile(r"^\| (?P<zh>[^|]+) \| (?P<en>[^|]+) \| \[`(?P<code>[\w.]+)`\]\(\.\./(?P<file>[\w/.]+)\) \|$")


def rows(text: str) -> list[re.Match[str]]:
    """The rows of all tables; a row of another shape is a fault."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    told = [line for line in lines if line not in {"| 中文 | English | code |", "|---|---|---|"}]
    found = [ROW.match(line) for line in told]
    assert None not in found, [line for line, match in zip(told, found, strict=True) if match is None]
    return [match for match in found if match is not None]


def named(code: str) -> Any:  # noqa: ANN401 - whatever bears the name
    """Give what a dotted name means inside `domain`; raises AttributeError if it means nothing."""
    parts = code.split(".")
    thing: Any = import_module("domain")
    for place, part in enumerate(parts):
        if not hasattr(thing, part):
            try:
                import_module(".".join(["domain", *parts[: place + 1]]))
            except ImportError:
                raise AttributeError(code) from None
        thing = getattr(thing, part)
    return thing


def defined(file: str) -> set[str]:
    """The names a file defines: classes, functions, and what is assigned to."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def faults(text: str) -> list[str]:
    """The code names that mean nothing, or stand in another file than the link says."""
    found = []
    for row in rows(text):
        try:
            named(row["code"])
        except AttributeError:
            found.append(f"{row['code']} is not in the code")
            continue
        if row["code"].rsplit(".", 1)[-1] not in defined(row["file"]):
            found.append(f"{row['code']} is not in {row['file']}")
    return found


def test_every_word_leads_to_its_code() -> None:
    """A class that was renamed or moved is renamed or moved here too."""
    text = GLOSSARY.read_text(encoding="utf-8")
    assert len(rows(text)) > 60
    assert faults(text) == []


def test_every_word_stands_there_once() -> None:
    """One word, one meaning."""
    words = [row["zh"] for row in rows(GLOSSARY.read_text(encoding="utf-8"))]
    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize("word", ["受理", "整改", "答复", "回访"])
def test_the_four_words_everything_turns_on_are_there(word: str) -> None:
    """Accepted, rectified, replied, revisited: in the name of the event that says so."""
    (row,) = [row for row in rows(GLOSSARY.read_text(encoding="utf-8")) if row["zh"] == word]
    assert row["code"] in {"complaint.Accepted", "complaint.Rectified", "complaint.Replied", "complaint.Revisited"}


def test_a_word_without_its_code_is_noticed() -> None:
    """A name that is not there, and one that stands elsewhere."""
    planted = (
        "| 受理 | accept | [`complaint.Taken`](../domain/complaint/intake.py) |\n"
        "| 办结 | close | [`complaint.Closed`](../domain/complaint/intake.py) |\n"
        "| 属实 | yes | [`complaint.state.Finding.SUBSTANTIATED`](../domain/complaint/state.py) |"
    )
    assert faults(planted) == [
        "complaint.Taken is not in the code",
        "complaint.Closed is not in domain/complaint/intake.py",
    ]
