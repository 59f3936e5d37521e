"""The evidence package of a case: accepted by the verifier, the same bytes again, whole, and nobody's words in it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from typer.testing import Result

from domain.errors import NotYourRole, Unknown
from projections import PROJECTIONS
from projections.runner import Runner
from service import receipts
from service.cli import audit, exports
from service.exports.case import package
from service.parts import Parts
from service.receipts import sealed_here
from service.signing import opened
from tests.service.judging import SOURCE, judged
from tests.service.old_hall import NAME, PHONE, STORY, Old, OldHall, old_hall
from tests.service.typed import typed
from tests.service.web import house
from tests.service.web.house import Hall

pytestmark = pytest.mark.postgres

WHOLE: Final = {
    "README.txt",
    "attachments.json",
    "history.json",
    "manifest.txt",
    "told.en.txt",
    "told.zh.txt",
    "verifier.py",
}


@pytest.fixture
def old(database: str, tmp_path: Path) -> Iterator[OldHall]:
    """A hall with closed complaints whose retention is over."""
    with old_hall(database, tmp_path) as found:
        yield found


def unpacked(data: bytes) -> dict[str, bytes]:
    """Take a package apart."""
    with zipfile.ZipFile(io.BytesIO(data)) as box:
        return {name: box.read(name) for name in box.namelist()}


def good(parts: Parts, data: bytes, folder: Path) -> str:
    """See that the verifier accepts a file under the key of the hall; gives what it says."""
    verdict = judged(folder, data, "--key", parts.signer.vkey)
    assert verdict.good, verdict.said
    return verdict.said


def test_a_package_is_whole_and_accepted(hall: Hall, tmp_path: Path) -> None:
    """All its files are listed and signed; words in both languages, with who opened and who tried."""
    case = hall.carry(hall.complain("QIAN", name="欧阳·𬭎", phone="13800000000"))
    assert hall.as_("ZHAO").post(f"{case.path}/open", json={"fields": ["narrative"]}).status_code == 200
    made = package(hall.parts, UUID(case.id), sealed_here)
    assert (made.number, made.name) == (case.complaint_no, f"{case.complaint_no}.zip")
    said = good(hall.parts, made.data, tmp_path)
    assert f"package of complaint {case.complaint_no}" in said
    files = unpacked(made.data)
    assert files.keys() == WHOLE
    manifest = opened(files["manifest.txt"].decode(), [hall.parts.signer.vkey])
    for name in WHOLE - {"manifest.txt"}:
        assert f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" in manifest
    for name, told in (("told.zh.txt", "查看封存内容"), ("told.en.txt", "opened")):
        text = files[name].decode()
        assert case.complaint_no in text
        assert told in text, text
        assert text.count("\n") == len(json.loads(files["history.json"])["events"]) + 4
    readme = files["README.txt"].decode()
    assert hall.parts.signer.vkey in readme
    assert "python3 -I verifier.py" in readme
    assert files["verifier.py"] == SOURCE.read_bytes()
    for words in ("欧阳", "13800000000", "补材料", "两次告知内容不一致"):
        assert words.encode() not in made.data


def test_a_package_checks_itself_without_us(hall: Hall, tmp_path: Path) -> None:
    """With nothing but the zip: the verifier in it accepts it, and the manifest is one that sha256sum reads."""
    case = hall.complain("QIAN")
    made = package(hall.parts, UUID(case.id), sealed_here)
    for name, data in unpacked(made.data).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "case.zip").write_bytes(made.data)
    command = [sys.executable, "-I", "verifier.py", "case.zip", "history.json", "--key", hall.parts.signer.vkey]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count(": good: ")) == (0, 2), done.stdout
    if (program := shutil.which("sha256sum")) is not None:
        done = subprocess.run(
            [program, "-c", "manifest.txt"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.count(": OK")) == (0, 6), done.stderr


def test_the_same_case_gives_the_same_bytes(hall: Hall) -> None:
    """Whenever it is packed, as long as no event of it and no checkpoint has come; another event makes another one."""
    case = hall.complain("QIAN")
    first = package(hall.parts, UUID(case.id), sealed_here)
    assert package(hall.parts, UUID(case.id), sealed_here).data == first.data
    with zipfile.ZipFile(io.BytesIO(first.data)) as box:
        assert {(one.date_time, one.compress_type, one.create_system) for one in box.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, 3)
        }
        assert [one.filename for one in box.infolist()] == [*sorted(WHOLE)]
    hall.carry(case, "accept")
    assert package(hall.parts, UUID(case.id), sealed_here).data != first.data


def test_attachments_are_named_by_what_they_were_stored_as(old: OldHall, tmp_path: Path) -> None:
    """The digest is of the ciphertext, at the position of the event that names it; erased, all of it still holds."""
    case = old.carry(old.complain())
    before = package(old.parts, case.id, sealed_here)
    good(old.parts, before.data, tmp_path)
    (named,) = json.loads(unpacked(before.data)["attachments.json"])
    ((box,),) = rows(old.parts, "select box from vault.attachments where box is not null")
    assert named["digest"] == hashlib.sha256(box).hexdigest()
    rest = receipt_of(old, case)
    old.erase(case)
    carry(old.parts)
    after = package(old.parts, case.id, sealed_here)
    said = good(old.parts, after.data, tmp_path)
    assert "attachments named: 1" in said
    assert json.loads(unpacked(after.data)["attachments.json"]) == [named]
    assert "erased" in unpacked(after.data)["told.en.txt"].decode()
    assert receipt_of(old, case)["promise"] == rest["promise"]
    good(old.parts, json.dumps(receipt_of(old, case)).encode(), tmp_path)
    for words in (NAME, PHONE, STORY):
        assert words.encode() not in before.data + after.data


def receipt_of(old: OldHall, case: Old) -> dict[str, Any]:
    """Give the receipt of a case as the hall has it."""
    return receipts.receipt(old.parts, case.id).file()


def rows(parts: Parts, query: str) -> list[Any]:
    """Ask the database."""
    with parts.pool.connection() as connection:
        return connection.execute(query.encode()).fetchall()


def carry(parts: Parts) -> None:
    """Bring everything that is read to the end of the log."""
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()


def run(hall: Hall, who: str | None, *words: str) -> Result:
    """Type a command, as the holder of a token or as nobody."""
    token = None if who is None else hall.tokens[who, house.HOLDERS[who][0]]
    return typed(hall.parts, (audit, exports), token, *words)


@pytest.mark.parametrize("who", [None, "ZHOU", "WU"])
def test_packages_and_proofs_on_the_command_line(hall: Hall, tmp_path: Path, who: str | None) -> None:
    """By number as people type it; what is not sealed yet is sealed first, where no server runs."""
    case = hall.carry(hall.complain("QIAN"), "accept")
    if who is not None:
        hall.project()
    file, history = tmp_path / "case.zip", tmp_path / "history.json"
    told = run(hall, who, "export", "case", case.complaint_no.lower(), str(file))
    assert told.exit_code == 0, told.output
    assert told.output.startswith(f"{case.complaint_no} in {file}, as sealed by the checkpoint of ")
    good(hall.parts, file.read_bytes(), tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 or os.name == "nt"
    told = run(hall, who, "audit", "prove", case.id, "--to", str(history))
    assert told.exit_code == 0, told.output
    assert case.id in good(hall.parts, history.read_bytes(), tmp_path)
    printed = run(hall, who, "audit", "prove", case.id)
    assert printed.output == history.read_text(encoding="utf-8")
    assert run(hall, who, "audit", "verify", str(file), str(history), "--key", hall.parts.signer.vkey).exit_code == 0


def test_the_command_line_hands_out_no_more_than_the_api(hall: Hall, tmp_path: Path) -> None:
    """A token opens what its holder may know; a case that is not there is nowhere; no file is left behind."""
    case = hall.carry(hall.complain("QIAN"), "sign-for")
    file = tmp_path / "case.zip"
    for words in (["export", "case", case.complaint_no, str(file)], ["audit", "prove", case.complaint_no]):
        assert isinstance(run(hall, "LI", *words).exception, NotYourRole)
        assert isinstance(run(hall, "TAN", *words).exception, Unknown)
        assert isinstance(run(hall, None, *words[:2], "TS-GXQ-20260101-00001-0", *words[3:]).exception, Unknown)
    assert list(tmp_path.iterdir()) == []
    for place, said in ((tmp_path / "none" / "case.zip", "name a file that can be written"), ("x.gz", "FILE.zip")):
        told = run(hall, None, "export", "case", case.complaint_no, str(place))
        assert (told.exit_code, said in told.output) == (1, True), told.output


def test_nothing_is_written_over_a_log_that_was_altered(hall: Hall, tmp_path: Path) -> None:
    """Neither a package nor a proof; in words, and before anything is signed anew."""
    case = hall.complain("QIAN")
    with hall.parts.pool.connection() as connection:
        connection.execute("alter table events disable trigger all")
        connection.execute("update events set command_id = gen_random_uuid() where position = 3")
    for words in (["export", "case", case.complaint_no, str(tmp_path / "x.zip")], ["audit", "prove", case.id]):
        told = run(hall, None, *words)
        assert isinstance(told.exception, receipts.LogAltered), (words, told.output)
    assert list(tmp_path.iterdir()) == []
    assert rows(hall.parts, "select from checkpoints") == []
