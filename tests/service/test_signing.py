"""Signed notes: the field's own example opens, ours open with the key alone, and every change is noticed."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.signing import BadNote, Checkpoint, Signer, opened, origin

SHARED: Final = Path(os.environ.get("BIHUAN_SHARED", Path(__file__).parents[2] / ".." / "shared"))
LOG: Final = UUID("00000000-0000-4000-8000-000000000001")
SIGNER: Final = Signer(LOG, bytes(range(32)))
OTHER: Final = Signer(LOG, bytes(32))
CHECKPOINT: Final = Checkpoint(
    origin=origin(LOG), size=77, root=bytes(range(32)), epoch=1, signed_at=datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
)
NOTE: Final = SIGNER.sign(CHECKPOINT.text())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside this clone: set BIHUAN_SHARED")
def test_the_example_of_the_format_opens() -> None:
    """A note that others wrote and signed; a changed word is not signed."""
    (one,) = json.loads((SHARED / "data/vectors/signed_notes.json").read_text(encoding="utf-8"))["notes"]
    note = f"{one['text']}\n— {one['name']} {one['sig']}\n"
    assert opened(note, [one["vkey"]]) == one["text"]
    with pytest.raises(BadNote):
        opened(note.replace("answer", "question"), [one["vkey"]])


def test_a_checkpoint_is_written_as_it_was_when_the_format_was_fixed() -> None:
    """Letter for letter, for ever: notes of it are in other people's hands."""
    assert SIGNER.vkey == (
        "bihuan/00000000-0000-4000-8000-000000000001+b9d6c2e9+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    )
    assert NOTE == (
        "bihuan/00000000-0000-4000-8000-000000000001\n77\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        "epoch 1\nsigned 2026-11-23T01:02:03Z\n\n— bihuan/00000000-0000-4000-8000-000000000001 "
        "udbC6dNP3UnjomhQ58XlRBA5skD30TkFxDe1A4b/8mP+DCTkzLEAwZLre7FFowyfsx6X//wbx03mqyXUQKJQB6mNEAk=\n"
    )
    assert Checkpoint.read(opened(NOTE, [SIGNER.vkey])) == CHECKPOINT


def test_only_the_key_that_was_named_opens_a_note() -> None:
    """Another key of the same name has another id; a signature of somebody unknown is passed over, a false one not."""
    with pytest.raises(BadNote, match="None of the keys"):
        opened(NOTE, [OTHER.vkey])
    witness = "— witness.example/w1 " + base64.b64encode(bytes(68)).decode() + "\n"
    assert opened(NOTE + witness, [OTHER.vkey, SIGNER.vkey]) == CHECKPOINT.text()
    _, _, ours = NOTE.rpartition("\n\n")
    false = base64.b64decode(ours.split()[2])[:4] + bytes(64)
    with pytest.raises(BadNote, match="not over this text"):
        opened(NOTE + f"— {SIGNER.name} {base64.b64encode(false).decode()}\n", [SIGNER.vkey])


@given(st.data())
def test_no_letter_can_change(data: st.DataObject) -> None:
    """Whatever is put in its place, nothing is opened, or nothing was changed."""
    at = data.draw(st.integers(0, len(NOTE) - 1))
    put = data.draw(st.characters(codec="utf-8") | st.just(""))
    changed = NOTE[:at] + put + NOTE[at + 1 :]
    if changed == NOTE:
        return
    with pytest.raises(BadNote):
        opened(changed, [SIGNER.vkey])


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", NOTE.rpartition("— ")[0], NOTE.rstrip("\n"), NOTE + "\n", NOTE + "what else\n", "a\n— b c\n",
        CHECKPOINT.text(),
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(text: str) -> None:
    """Without a signature, an empty line or an end."""
    with pytest.raises(BadNote):
        opened(text, [SIGNER.vkey])


@pytest.mark.parametrize(
    "vkey", ["", "a+b+c", SIGNER.vkey[:-1], SIGNER.vkey.replace("AQ", "Ag"), SIGNER.vkey.replace("0001+", "0002+")]
)
def test_a_key_that_is_none_opens_nothing(vkey: str) -> None:
    """Nor does it look as if the note were false."""
    with pytest.raises(BadNote, match=r"not a verifying key|not\."):
        opened(NOTE, [vkey])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("77", "077"), ("77", "-1"), ("77", "7 7"), ("epoch 1", "epoch 0"), ("epoch 1\n", ""), ("03Z", "3Z"),
        ("2026-11-23", "2026-13-23"), ("Hh8=", "Hh8"), ("bihuan/0", "Bihuan/0"), ("03Z\n", "03Z\nmore 1\n"),
        ("77\n", "77\r\n"),
    ],
)  # fmt: skip
def test_a_checkpoint_is_written_in_one_way(old: str, new: str) -> None:
    """A text that only looks like one is none, whoever signed it; a promise can never pass as a checkpoint."""
    text = CHECKPOINT.text()
    assert old in text
    with pytest.raises(BadNote):
        Checkpoint.read(text.replace(old, new))
    with pytest.raises(BadNote):
        Checkpoint.read(f"{origin(LOG)}/promise\ncomplaint TS-1\n")


@pytest.mark.parametrize("text", ["", "no end", "two\n\nparts\n"])
def test_what_cannot_be_read_back_is_not_signed(text: str) -> None:
    """The signature stands behind the first empty line from the end."""
    with pytest.raises(ValueError, match="lines"):
        SIGNER.sign(text)
