"""A receipt, its key and its notes are refused, with the place named, once anything in them is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from service.verifier import DOCUMENT, NOTE
from tests.service.changed_files import (
    HALL,
    OTHER_KEY,
    Made,
    loosely,
    malleable,
    point,
    put,
    root64,
    seen,
    signed,
    vkey,
    without,
)
from tests.service.sealed_files import CASE, b64, compact

Change = tuple[str, Callable[[Made], Made], str]
"""A kind of file, what is done to it, and how the refusal begins."""

CHANGES: Final[dict[str, Change]] = {
    # What is in a receipt.
    "promise edited": (
        "receipt",
        lambda m: put(m, "promise", m["promise"].replace("position 1", "position 2")),
        "WRONG: the promise: the signature by bihuan/",
    ),
    "promise of another event": (
        "receipt",
        lambda m: put(m, "promise", HALL.promise(2)),
        "WRONG: the inclusion: 4 hashes|WRONG: the inclusion: the proof of position 2 does not lead",
    ),
    "promise as checkpoint": (
        "receipt",
        lambda m: put(m, "checkpoint", m["promise"]),
        "WRONG: the checkpoint: line 1 of the checkpoint, its origin, reads 'bihuan/.*/promise'",
    ),
    "checkpoint as promise": (
        "receipt",
        lambda m: put(m, "promise", m["checkpoint"]),
        "WRONG: the promise: line 1 of the promise, its title",
    ),
    "promise at position 0": (
        "receipt",
        lambda m: put(m, "promise", signed(m["promise"].split("\n\n")[0].replace("position 1", "position 0") + "\n")),
        "WRONG: the promise: line 3 of the promise, its position",
    ),
    "position in other digits": (
        "receipt",
        lambda m: put(m, "promise", signed(m["promise"].split("\n\n")[0].replace("position 1", "position ١") + "\n")),
        "WRONG: the promise: line 3 of the promise, its position",
    ),
    "number with a control code": (
        "receipt",
        lambda m: put(m, "promise", signed(m["promise"].split("\n\n")[0].replace("-00001-", "\x1b[2J") + "\n")),
        "WRONG: the promise: not a signed note, or one with control characters",
    ),
    "position beyond the checkpoint": (
        "receipt",
        lambda m: put(m, "checkpoint", HALL.checkpoint(0)),
        "WRONG: the inclusion: a tree of 0 events has no position 1",
    ),
    "step of a proof changed": (
        "receipt",
        lambda m: put(m, "inclusion", 1, b64(bytes(32))),
        "WRONG: the inclusion: the proof of position 1 does not lead",
    ),
    "step of a proof missing": (
        "receipt",
        lambda m: put(m, "inclusion", m["inclusion"][:-1]),
        "WRONG: the inclusion: 3",
    ),
    "step of a proof added": (
        "receipt",
        lambda m: put(m, "inclusion", [*m["inclusion"], m["inclusion"][0]]),
        "WRONG: the inclusion: 5 hashes",
    ),
    "steps without end": (
        "receipt",
        lambda m: put(m, "inclusion", m["inclusion"] * 99),
        "WRONG: the inclusion: a proof",
    ),
    "step of 31 bytes": ("receipt", lambda m: put(m, "inclusion", 0, b64(bytes(31))), "WRONG: the inclusion: 4 hashes"),
    "step loosely spelled": (
        "receipt",
        lambda m: put(m, "inclusion", 2, loosely(m["inclusion"][2])),
        "WRONG: the inclusion: hash 3 of the proof is not base64",
    ),
    "proof but no checkpoint": ("receipt", lambda m: put(m, "checkpoint", None), "WRONG: the checkpoint: not a signed"),
    "checkpoint but no proof": (
        "receipt",
        lambda m: put(m, "inclusion", None),
        "WRONG: the inclusion: a proof is a list",
    ),
    "checkpoint by another key": (
        "receipt",
        lambda m: put(m, "checkpoint", OTHER_KEY.checkpoint()),
        "WRONG: the checkpoint: not signed by bihuan/",
    ),
    "a key more": ("receipt", lambda m: {**m, "note": 1}, "WRONG: the object needs the keys format key promise"),
    "a key less": ("receipt", lambda m: without(m, "promise"), "WRONG: the object needs the keys format key promise"),
    "a key twice": (
        "receipt",
        lambda m: compact(m)[:-1] + ',"inclusion":[]}',
        "cannot be judged: not the JSON .*: a key stands twice",
    ),
    "garbage behind": ("receipt", lambda m: compact(m) + "{}", "cannot be judged: not the JSON .*: Extra data"),
    "not UTF-8": ("receipt", lambda m: compact(m).encode("utf-16"), "cannot be judged: not the JSON"),
    "nested without end": (
        "receipt",
        lambda _: '{"format":' + "[" * 200_000 + "]" * 200_000 + "}",
        "cannot be judged: not the JSON .*: maximum recursion",
    ),
    "not a number": (
        "receipt",
        lambda m: put(m, "inclusion", [float("nan")]),
        "cannot be judged: .*'NaN' is not a whole",
    ),
    "a fraction": ("receipt", lambda m: put(m, "inclusion", [1.5]), "cannot be judged: .*'1.5' is not a whole number"),
    "digits without end": (
        "receipt",
        lambda m: compact(m)[:-1] + ',"n":' + "9" * 100_000 + "}",
        "cannot be judged: not the JSON",
    ),
    "format of tomorrow": ("receipt", lambda m: put(m, "format", "bihuan-receipt-2"), "cannot be judged: the format"),
    "format that is a list": ("receipt", lambda m: put(m, "format", [1]), r"cannot be judged: the format \[1\] is not"),
    "longer than anything": ("receipt", lambda m: compact(m) + " " * DOCUMENT, "cannot be judged: longer than"),
    # What is in a key and under a note.
    "id of another key": (
        "receipt",
        lambda m: put(m, "key", m["key"].replace(HALL.key_id.hex(), "01234567")),
        "WRONG: the id 01234567 is not that of the key",
    ),
    "key of no log": (
        "receipt",
        lambda m: put(m, "key", vkey("example.org/log", HALL)),
        r"WRONG: the name of the key is not bihuan/<log id>: 'example.org/log'",
    ),
    "key of another log": (
        "receipt",
        lambda m: put(m, "key", vkey(f"bihuan/{CASE}", HALL)),
        "WRONG: the promise: not sig",
    ),
    "key of another kind": (
        "receipt",
        lambda m: put(m, "key", vkey(HALL.name, HALL, 4)),
        "WRONG: the key is no Ed25519",
    ),
    "key that is a number": ("receipt", lambda m: put(m, "key", 1), "WRONG: the key is not of the form"),
    "signed twice": (
        "receipt",
        lambda m: put(m, "checkpoint", m["checkpoint"] + m["checkpoint"].split("\n\n")[1]),
        "WRONG: the checkpoint: signed twice by bihuan/",
    ),
    "signed in a second spelling": (
        "receipt",
        lambda m: put(m, "checkpoint", malleable(m["checkpoint"])),
        "WRONG: the checkpoint: the signature by bihuan/",
    ),
    "no line feed at the end": (
        "receipt",
        lambda m: put(m, "checkpoint", m["checkpoint"][:-1]),
        "WRONG: the checkpoint: a signed note is text",
    ),
    "lines end as elsewhere": (
        "receipt",
        lambda m: put(m, "checkpoint", m["checkpoint"].replace("\n", "\r\n")),
        "WRONG: the checkpoint: not a signed note, or one with control characters",
    ),
    "half a character": (
        "receipt",
        lambda m: put(m, "checkpoint", m["checkpoint"].replace("epoch", "\ud800")),
        "WRONG: the checkpoint: not a signed note",
    ),
    "note without end": (
        "receipt",
        lambda m: put(m, "checkpoint", "a" * (NOTE + 1)),
        "WRONG: the checkpoint: not a signed",
    ),
    "signature of nothing": (
        "receipt",
        lambda m: put(m, "checkpoint", m["checkpoint"] + "\u2014 witness.example YWJj\n"),
        "WRONG: the checkpoint: not a line of a signature",
    ),
    "line among signatures": (
        "receipt",
        lambda m: put(m, "checkpoint", m["checkpoint"] + "- a b\n"),
        "WRONG: the checkpoint: not a line of a signature: '- a b'",
    ),
    # What is in a checkpoint, signed by the hall itself.
    "size with a zero": (
        "receipt",
        lambda m: put(m, "checkpoint", point("\n11\n -> \n011\n")),
        "WRONG: .*line 2 .* size",
    ),
    "size below zero": (
        "receipt",
        lambda m: put(m, "checkpoint", point("\n11\n -> \n-1\n")),
        "WRONG: .*line 2 .* size",
    ),
    "root loosely spelled": (
        "receipt",
        lambda m: put(m, "checkpoint", point(f"{root64()} -> {loosely(root64())}")),
        "WRONG: the checkpoint: the root is not base64",
    ),
    "no epoch": ("receipt", lambda m: put(m, "checkpoint", point("epoch 1\n -> ")), "WRONG: .*line 4 .* epoch"),
    "a line more": (
        "receipt",
        lambda m: put(m, "checkpoint", point("epoch 1 -> epoch 1\nx 1")),
        "WRONG: .*line 5 .* time",
    ),
    "a line too many": ("receipt", lambda m: put(m, "checkpoint", point("0Z -> 0Z\nx 1")), "WRONG: .*has 6 lines"),
    "time of another zone": (
        "receipt",
        lambda m: put(m, "checkpoint", point("0Z -> 0+08:00")),
        "WRONG: .*line 5 .* time",
    ),
    # What is in a checkpoint alone.
    "checkpoint edited": ("checkpoint", lambda m: m.replace("\n11\n", "\n12\n"), "WRONG: the signature by"),
    "checkpoint by another": ("checkpoint", lambda _: OTHER_KEY.checkpoint(), "WRONG: not signed by"),
    "promise alone, edited": (
        "checkpoint",
        lambda _: HALL.promise().replace("position 1", "position 2"),
        "WRONG: the promise: the signature by",
    ),
    "checkpoint with a mark in front": ("checkpoint", lambda m: "\ufeff" + m, "cannot be judged: not the JSON"),
}


@pytest.mark.parametrize(("kind", "change", "says"), CHANGES.values(), ids=CHANGES.keys())
def test_what_was_changed_in_a_note_is_refused_with_its_place(
    kind: str, change: Callable[[Made], Made], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was good a moment before is not good any more, and one sentence says where."""
    seen(kind, change, says, tmp_path, capsys)
