"""Proofs, histories, logs and packages are accepted as handed out, and refused, with the place named, once changed."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import uuid5

import pytest

from service.verifier import LINE, main
from tests.service.changed_files import (
    GHOST,
    HALL,
    MAKE,
    OTHER_KEY,
    Made,
    attached,
    bombed,
    doubled,
    dropped,
    hiding,
    judged,
    less,
    loose_zip,
    of,
    put,
    remarked,
    renumbered,
    seen,
    squeezed,
    state,
    whole,
    without,
    written,
)
from tests.service.sealed_files import CASE, DIGEST, LOG, b64, example, lines, row, zipped


@pytest.mark.parametrize("kind", MAKE)
def test_what_a_hall_hands_out_is_good(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the key that was published; without it, all but a bare checkpoint, and then what that is worth is said."""
    status, said = judged(tmp_path / "file", MAKE[kind](), capsys, "--key", HALL.vkey)
    assert (status, said[:6]) == (0, "good: ")
    (tmp_path / "key").write_text(HALL.vkey + "\n", encoding="utf-8")
    assert main([str(tmp_path / "file"), "--key", str(tmp_path / "key"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    status = main([str(tmp_path / "file")])
    told = capsys.readouterr().out
    assert status == (2 if kind == "checkpoint" else 0)
    assert ("compare the key with the one published by the hall" in told) is (kind != "checkpoint")
    assert main([str(tmp_path / "file"), "--key", OTHER_KEY.vkey]) == 1


Change = tuple[str, Callable[[Made], Made], str]
"""A kind of file, what is done to it, and how the refusal begins."""

CHANGES: Final[dict[str, Change]] = {
    # What is in a proof of consistency.
    "backwards": (
        "consistency",
        lambda m: {**m, "from": m["to"], "to": m["from"]},
        "WRONG: the proof: nothing can be proved from 11 events to 5",
    ),
    "from nothing": (
        "consistency",
        lambda m: put(m, "from", {"size": 0, "note": HALL.checkpoint(0)}),
        "WRONG: the proof: nothing can be proved from 0 events",
    ),
    "another size": ("consistency", lambda m: put(m, "to", "size", 10), 'WRONG: "to": the checkpoint of 11 events'),
    "true for one": (
        "consistency",
        lambda m: put(m, "from", {"size": True, "note": HALL.checkpoint(1)}),
        'WRONG: "from": the checkpoint of 1 events .* is not of size True',
    ),
    "a root of another log": (
        "consistency",
        lambda m: put(m, "from", "note", of(renumbered(HALL.rows[1:])).checkpoint(5)),
        "WRONG: the proof: the proof does not lead to the root of 5 events",
    ),
    "a last step changed": (
        "consistency",
        lambda m: put(m, "proof", -1, b64(bytes(32))),
        "WRONG: the proof: the proof does not lead to the root of 11 events",
    ),
    "no step": ("consistency", lambda m: put(m, "proof", []), "WRONG: the proof: 0 hashes"),
    "a step too many": (
        "consistency",
        lambda m: put(m, "proof", [*m["proof"], *m["proof"]]),
        "WRONG: the proof: 10 hashes are too many",
    ),
    "no end": ("consistency", lambda m: put(m, "to", None), 'WRONG: "to": the object needs the keys size note'),
    "checkpoint left out": (
        "consistency",
        lambda m: put(m, "from", "note", None),
        "cannot be judged: the checkpoint of 5 events is left out",
    ),
    # What is in a history.
    "event left out": ("history", lambda m: less(m, 1), "WRONG: position 5: version 3 .* after 1"),
    "first event left out": (
        "history",
        lambda m: less(m, 0),
        "WRONG: position 3: version 2 .* after 0",
    ),
    "opening left out": ("history", lambda m: less(m, 2), "WRONG: position 11: version 2"),
    "only what stands beside": ("history", lambda m: less(m, 0, 1, 3, 5, 6), "WRONG: no event of the case"),
    "two events swapped": (
        "history",
        lambda m: put(m, "events", [m["events"][1], m["events"][0], *m["events"][2:]]),
        "WRONG: event 1: the proof of position 3",
    ),
    "event twice": (
        "history",
        lambda m: {**m, "events": [m["events"][0], *m["events"]], "inclusion": [m["inclusion"][0], *m["inclusion"]]},
        "WRONG: event 2: position 1 behind 1",
    ),
    "event of somebody else": (
        "history",
        lambda m: {
            **m,
            "events": sorted([*m["events"], HALL.rows[1]]),
            "inclusion": [m["inclusion"][0], HALL.inclusion(2), *m["inclusion"][1:]],
        },
        "WRONG: event 2: position 2 is not of this case",
    ),
    "state edited": (
        "history",
        lambda m: put(m, "events", 1, state(3, HALL.rows[2][7].replace("28", "29"))),
        "WRONG: event 2: the proof of position 3",
    ),
    "time edited": ("history", lambda m: put(m, "events", 1, 4, m["events"][1][4] + 1), "WRONG: event 2: the proof"),
    "name edited": ("history", lambda m: put(m, "events", 1, 3, "complaint.refused.1"), "WRONG: event 2: the proof"),
    "command edited": ("history", lambda m: put(m, "events", 1, 5, str(CASE)), "WRONG: event 2: the proof"),
    "seq edited": ("history", lambda m: put(m, "events", 1, 6, 1), "WRONG: event 2: the proof of position 3"),
    "seq below zero": ("history", lambda m: put(m, "events", 1, 6, -1), "WRONG: event 2: position 3 .* out of range"),
    "seq too large": (
        "history",
        lambda m: put(m, "events", 1, 6, 40_000),
        "WRONG: event 2: position 3: .*out of range",
    ),
    "position too large": (
        "history",
        lambda m: put(m, "events", 7, 0, 1 << 70),
        "WRONG: event 8: position .*out of range",
    ),
    "true for a position": ("history", lambda m: put(m, "events", 0, 0, bool(1)), "WRONG: event 1: behind position 0"),
    "row too short": (
        "history",
        lambda m: put(m, "events", 0, m["events"][0][:7]),
        "WRONG: event 1: behind position 0",
    ),
    "row no list": ("history", lambda m: put(m, "events", 0, {"position": 1}), "WRONG: event 1: behind position 0"),
    "id in capitals": (
        "history",
        lambda m: put(m, "events", 0, 5, m["events"][0][5].upper()),
        "WRONG: event 1: position 1",
    ),
    "half a letter in a state": ("history", lambda m: put(m, "events", 0, 7, "\ud800"), "WRONG: event 1: position 1"),
    "proof missing": ("history", lambda m: put(m, "inclusion", m["inclusion"][1:]), "WRONG: events and inclusion"),
    "events that are nothing": ("history", lambda m: put(m, "events", None), "WRONG: events and inclusion"),
    "proofs that are a number": ("history", lambda m: put(m, "inclusion", 8), "WRONG: events and inclusion"),
    "stream of somebody else": (
        "history",
        lambda m: put(m, "stream", str(GHOST)),
        "WRONG: event 1: position 1 is not of",
    ),
    "stream no id": ("history", lambda m: put(m, "stream", "case"), "WRONG: the stream is not a UUID"),
    # What is in a log; in those signed anew the hall itself is the forger.
    "row edited": ("log", lambda m: put(m, 6, state(5, "{}")), "WRONG: line 11: events 4..8 are not those of"),
    "row deleted": ("log", lambda m: dropped(m, 7), "WRONG: line 8: position 7 stands where position 6|version"),
    "row deleted, the rest renumbered": (
        "log",
        lambda m: [m[0], *renumbered(HALL.rows[:10]), {"checkpoint": HALL.checkpoint(11)}],
        "WRONG: line 12: the checkpoint of 11 events .* stands behind position 10",
    ),
    "row inserted": ("log", lambda m: [*m[:2], m[1], *m[2:]], "WRONG: line 3: position 1 behind 1"),
    "rows swapped": (
        "log",
        lambda m: [*m[:2], m[3], m[2], *m[4:]],
        "WRONG: line 3: position 3 stands where position 2|ver",
    ),
    "end cut off": ("log", lambda m: m[:-3], "WRONG: line 12: the last line is no checkpoint of all 9 events"),
    "last checkpoint cut off": ("log", lambda m: m[:-1], "WRONG: line 14: the last line is no checkpoint of all 11"),
    "no checkpoint": ("log", lambda m: [m[0], *HALL.rows], "WRONG: line 12: the last line is no checkpoint of all 11"),
    "rows behind the last checkpoint": (
        "log",
        lambda m: [*m, row(12, GHOST, 3, "x.1")],
        "WRONG: line 16: the last line",
    ),
    "end cut off and sealed by another": (
        "log",
        lambda m: [*m[:-3], {"checkpoint": OTHER_KEY.checkpoint(9)}],
        "WRONG: line 13: not signed by",
    ),
    "checkpoint elsewhere": (
        "log",
        lambda m: [*m[:4], m[5], m[4], *m[6:]],
        "WRONG: line 6: the checkpoint of 3 events",
    ),
    "two third events": (
        "log",
        lambda _: of(renumbered([*HALL.rows[:5], HALL.rows[4], *HALL.rows[5:]])).export(),
        "WRONG: (position 6: version 3 .* comes after 3|line 7: position 6: recorded before)",
    ),
    "a hole in a stream": (
        "log",
        lambda _: of(renumbered(dropped(HALL.rows, 2))).export(),
        "WRONG: position 4: version 3 .* comes after 1",
    ),
    "time goes back": (
        "log",
        lambda _: of([*HALL.rows, put(row(12, GHOST, 3, "x.1"), 4, 5)]).export(),
        "WRONG: line 13: position 12: recorded before the event in front of it",
    ),
    "time of nobody": (
        "log",
        lambda _: of([*HALL.rows, put(row(12, GHOST, 3, "x.1"), 4, 1 << 60)]).export(),
        "WRONG: line 13: position 12 .*out of range",
    ),
    "a position left free": (
        "log",
        lambda _: of([*HALL.rows, row(13, GHOST, 3, "x.1")]).export(),
        "WRONG: line 13: position 13 stands where position 12 belongs",
    ),
    "epoch goes back": (
        "log",
        lambda m: put(m, 4, {"checkpoint": example(epoch=2).checkpoint(3)}),
        "WRONG: line 11: the checkpoint of 8 events .* comes after one of epoch 2",
    ),
    "taken back to nowhere": (
        "log",
        lambda _: of([*HALL.rows, row(12, uuid5(LOG, "log"), 1, "log.restored.1", kept="4", epoch=2)]).export(),
        "WRONG: line 13: position 12: log.restored.1 does not say",
    ),
    "taken back beyond the beginning": (
        "log",
        lambda _: of([*HALL.rows, row(12, uuid5(LOG, "log"), 1, "log.restored.1", kept=-1, epoch=2)]).export(),
        "WRONG: line 13: position 12: log.restored.1 does not say",
    ),
    "taken back to an epoch in words": (
        "log",
        lambda _: of([*HALL.rows, row(12, uuid5(LOG, "log"), 1, "log.restored.1", kept=4, epoch="2")]).export(),
        "WRONG: line 13: position 12: log.restored.1 does not say",
    ),
    "taken back, and no event": (
        "log",
        lambda _: of([*HALL.rows, [*row(12, uuid5(LOG, "log"), 1, "log.restored.1")[:7], "[]"]]).export(),
        "WRONG: line 13: position 12: log.restored.1 does not say",
    ),
    "taken back to the future": (
        "log",
        lambda _: of([*HALL.rows, row(12, uuid5(LOG, "log"), 1, "log.restored.1", kept=12, epoch=2)]).export(),
        "WRONG: line 13: position 12: log.restored.1 does not say",
    ),
    "line without end": ("log", lambda m: lines(m[:3]) + b'"' + b"a" * LINE, "WRONG: line 4: longer than"),
    "empty line": ("log", lambda m: lines(m[:3]) + b"\n" + lines(m[3:]), "WRONG: line 4: not the JSON"),
    "half a line": ("log", lambda m: lines(m)[:-9], "WRONG: line 15: not the JSON"),
    "text in a log": ("log", lambda m: [*m[:3], "row", *m[3:]], "WRONG: line 4: the object needs the keys checkpoint"),
    "columns in another order": (
        "log",
        lambda m: put(m, 0, "columns", m[0]["columns"][::-1]),
        "WRONG: line 1: the log is not that of the key, or the columns",
    ),
    "log of another key": (
        "log",
        lambda m: put(m, 0, "log", str(CASE)),
        "WRONG: line 1: the log is not that of the key",
    ),
    "no first line": ("log", lambda m: m[1:], "cannot be judged: not the JSON"),
    "log of tomorrow": (
        "log",
        lambda m: lines(m).replace(b"log-1", b"log-2", 1),
        "WRONG: line 1: the format is 'bihuan-log-2' and not bihuan-log-1",
    ),
    "nothing": ("log", lambda _: b"", "cannot be judged: not the JSON"),
    "squeezed, cut off": ("log.gz", lambda m: m[:-12], "cannot be judged: damaged or not there: Compressed file ended"),
    "squeezed, garbage behind": (
        "log.gz",
        lambda m: m + b"garbage",
        "cannot be judged: damaged or not there: Not a gzip",
    ),
    "squeezed, something else": (
        "log.gz",
        lambda _: gzip.compress(written(HALL.receipt())),
        "WRONG: line 1: the object",
    ),
    # What is in a package.
    "file edited": (
        "package",
        lambda m: put(m, "told.zh.txt", "一切都好。\n".encode()),
        "WRONG: manifest.txt: line 7 of the manifest, its hash of told.zh.txt",
    ),
    "file missing": ("package", lambda m: without(m, "told.en.txt"), "WRONG: holds .* instead of README.txt"),
    "file added": ("package", lambda m: {**m, "more.txt": b""}, "WRONG: holds .* instead of README.txt"),
    "file in a folder": (
        "package",
        lambda m: {**without(m, "README.txt"), "../README.txt": m["README.txt"]},
        "WRONG: holds",
    ),
    "file twice": ("package", lambda _: loose_zip(doubled), "WRONG: holds .* instead of README.txt"),
    "manifest of another complaint": (
        "package",
        lambda m: {**m, "manifest.txt": HALL.manifest(HALL.package_files(), "N-1")},
        "WRONG: manifest.txt: the history is not that of complaint N-1",
    ),
    "manifest by another key": (
        "package",
        lambda m: {**m, "manifest.txt": OTHER_KEY.manifest(HALL.package_files())},
        "WRONG: manifest.txt: not signed by",
    ),
    "manifest no text": ("package", lambda m: put(m, "manifest.txt", b"\xff"), "cannot be judged: .*utf-8"),
    "manifest with a file more": (
        "package",
        lambda m: {**m, "manifest.txt": HALL.manifest({**HALL.package_files(), "z.txt": b""})},
        "WRONG: manifest.txt: the manifest has 9 lines instead of 8",
    ),
    "history edited": (
        "package",
        lambda m: whole({**without(m, "manifest.txt"), "history.json": m["history.json"].replace(b"02-28", b"02-29")}),
        "WRONG: history.json: event 2: the proof of position 3",
    ),
    "attachment of nobody": (
        "package",
        lambda m: attached(m, [{"position": 5, "digest": "0" * 64}]),
        "WRONG: attachments.json: position 5 does not name '0000",
    ),
    "attachment elsewhere": (
        "package",
        lambda m: attached(m, [{"position": 3, "digest": DIGEST}]),
        "WRONG: attachments.json: position 3 does not name",
    ),
    "attachment in part": (
        "package",
        lambda m: attached(m, [{"position": 5, "digest": ""}]),
        "WRONG: attachments.json: pos",
    ),
    "attachment that is a number": (
        "package",
        lambda m: attached(m, [{"position": 5, "digest": int("1" * 64)}]),
        "WRONG: attachments.json: position 5 does not name",
    ),
    "attachment at a list": (
        "package",
        lambda m: attached(m, [{"position": [], "digest": DIGEST}]),
        "WRONG: attachments",
    ),
    "attachments no list": (
        "package",
        lambda m: attached(m, {"position": 5, "digest": DIGEST}),
        "WRONG: attachments.json: not",
    ),
    "something in front of a zip": (
        "package",
        lambda m: b"PK\3\4" + zipped(m),
        "WRONG: there is something in front of, between or",
    ),
    "something behind a zip": (
        "package",
        lambda m: zipped(m) + b"more",
        "WRONG: there is something in front of, between or",
    ),
    "remark in a zip": ("package", lambda _: loose_zip(remarked), "WRONG: there is something in front of, between or"),
    "something hidden in a zip": (
        "package",
        lambda _: loose_zip(hiding),
        "WRONG: there is something in front of, between or behind the files",
    ),
    "strange compression": (
        "package",
        lambda _: loose_zip(squeezed),
        "WRONG: a file in the zip is encrypted or strangely compressed",
    ),
    "encrypted": (
        "package",
        lambda m: zipped(m).replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
        "WRONG: a file in the zip is encrypted",
    ),
    "bomb": ("package", lambda _: loose_zip(bombed), "WRONG: the files in the zip are longer than"),
    "length that is a lie": (
        "package",
        lambda m: zipped(m).replace((14).to_bytes(4, "little") + b"\x0b\0", (13).to_bytes(4, "little") + b"\x0b\0"),
        "cannot be judged: damaged|WRONG: manifest",
    ),
    "history of another format": (
        "package",
        lambda m: whole(
            {**without(m, "manifest.txt"), "history.json": m["history.json"].replace(b"history-1", b"history-2")}
        ),
        "WRONG: history.json: the format is 'bihuan-history-2' and not bihuan-history-1",
    ),
    "zip cut off": ("package", lambda m: zipped(m)[:-30], "cannot be judged: damaged"),
}


@pytest.mark.parametrize(("kind", "change", "says"), CHANGES.values(), ids=CHANGES.keys())
def test_what_was_changed_in_a_file_is_refused_with_its_place(
    kind: str, change: Callable[[Made], Made], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was good a moment before is not good any more, and one sentence says where."""
    seen(kind, change, says, tmp_path, capsys)
