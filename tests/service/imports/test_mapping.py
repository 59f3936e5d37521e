"""A mapping that cannot be used says where and what to write instead; those that come with the program can be used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from service.imports.forms import FORMS, fields_of
from service.imports.mapping import (
    Cell,
    Changes,
    Entries,
    Given,
    Ledger,
    MappingError,
    Source,
    Times,
    load,
    read,
    shipped,
)

CHANGES: Final = r"""
ledger = "desk"
case = "no"
rows = "changes"

[source]
null = ["?"]

[times]
formats = ["%Y-%m-%d %H:%M"]
zone = "UTC"

[site]
code = "DESK"
name_zh = "服务台"
name_en = "Desk"
level = "district"

[departments]
column = "group"
match = 'Group (\d+)'
code = 'DESK.G\1'

[changes]
time = "at"
order = ["mod"]
stage = "state"
means = "state"

[changes.stages]
"New" = "register"
"Waiting" = { command = "pause-clock", reason = "WAITING" }

[commands.assign.fields]
department = "group"
handler = "who"
"""
CASES: Final = """
ledger = "letters"
case = "no"
rows = "cases"

[times]
formats = ["iso"]
zone = "Asia/Shanghai"

[site]
code = "LETTERS"
name_zh = "来信"
name_en = "Letters"
level = "district"

[commands.register]
time = "came"

[commands.register.fields]
channel = { is = "letter_box" }
"""
FIXED: Final = '{ is = "letter_box" }'
ASSIGN: Final = "[commands.assign.fields]"
PAUSED_WHEN: Final = '[commands.pause-clock]\ntime = "x"\n[commands.register]'
PAUSED_WHY: Final = f'[commands.pause-clock.fields]\nreason = "why"\n{ASSIGN}'
ASSIGNING: Final = '"Sent" = "assign"\n[commands.accept.fields]'


def test_what_comes_with_the_program_can_be_used() -> None:
    """Each file is found by its bare name; what it names as columns is each named once."""
    assert shipped() == ("events", "incidents", "messages", "ratings")
    for name in shipped():
        ledger = load(name)
        assert isinstance(ledger, Ledger)
        assert len(set(ledger.columns)) == len(ledger.columns)
    assert "resolved_at" not in load("incidents").columns


def test_a_mapping_of_ones_own_is_a_file(tmp_path: Path) -> None:
    """It is named by its path."""
    (tmp_path / "own.toml").write_text(CASES, encoding="utf-8")
    assert load(str(tmp_path / "own.toml")).columns == ("no", "came")


def test_columns_are_those_the_mapping_names() -> None:
    """Whatever else stands in the file is never held."""
    assert read("desk", CHANGES).columns == ("no", "at", "mod", "state", "group", "who")


@pytest.mark.parametrize(
    ("text", "right", "wrong", "told"),
    [
        (CHANGES, 'ledger = "desk"', "ledger = desk", "m.toml is not TOML"),
        (CHANGES, 'ledger = "desk"', 'ledger = "our desk"', "m.toml: ledger: String should match"),
        (CHANGES, 'case = "no"', "", "m.toml: case: Field required"),
        (CHANGES, 'case = "no"', 'case = "no"\ncolour = 1', "m.toml: colour: there is no such setting; docs/importing"),
        (
            CHANGES,
            'rows = "changes"',
            'rows = "events"',
            "m.toml: rows: Input should be 'cases', 'changes' or 'ratings'",
        ),
        (CHANGES, 'rows = "changes"', 'rows = "cases"', "m.toml: changes: rows are cases; leave [changes] out"),
        (CHANGES, 'rows = "changes"', 'rows = "cases"', "commands.register: write when and from which columns"),
        (CHANGES, 'rows = "changes"', 'rows = "cases"', "commands.assign.time: write the column that says when"),
        (CHANGES, 'zone = "UTC"', 'zone = "Peking"', "m.toml: times.zone: there is no such zone; write one like Asia"),
        (
            CHANGES,
            'formats = ["%Y-%m-%d %H:%M"]',
            "formats = []",
            "m.toml: times.formats: Tuple should have at least 1",
        ),
        (CHANGES, 'code = "DESK"', 'code = "DESK-1"', "m.toml: site.code: the code of a hall has at most 40"),
        (CHANGES, r"'Group (\d+)'", "'Group ('", "m.toml: departments.match: this is no regular expression"),
        (CHANGES, r"'DESK.G\1'", r"'DESK.G\2'", "m.toml: departments: code does not fit match"),
        (CHANGES, r"code = 'DESK.G\1'", "", "m.toml: departments: match and code go together; write both"),
        (CHANGES, 'order = ["mod"]', 'order = ["mod"]\nsort = 1', "m.toml: changes.sort: there is no such setting"),
        (
            CHANGES,
            'means = "state"',
            'means = "status"',
            "m.toml: changes.means: Input should be 'state' or 'activity'",
        ),
        (CHANGES, '"New" = "register"', '"New" = "open"', "m.toml: changes.stages.New.command: Input should be"),
        (CHANGES, ', reason = "WAITING"', "", "m.toml: changes.stages.Waiting: a pause has a reason, and nothing else"),
        (
            CHANGES,
            '"New" = "register"',
            '"New" = { command = "register", reason = "X" }',
            "m.toml: changes.stages.New: a pause has a reason",
        ),
        (
            CHANGES,
            'handler = "who"',
            'boss = "who"',
            "commands.assign.fields.boss: there is no such field; there is dep",
        ),
        (CHANGES, "[commands.assign.fields]", "[commands.assgin.fields]", "m.toml: commands.assgin"),
        (
            CHANGES,
            'column = "group"',
            'column = "unit"',
            "assign.fields.department: write [departments] with this",
        ),
        (
            CHANGES,
            "[commands.assign.fields]",
            '[commands.assign]\ntime = "at"\n[commands.assign.fields]',
            ".time: rows are",
        ),
        (CHANGES, "[source]", '[source]\nencoding = "utf-9"', "m.toml: source: encoding: there is no such encoding"),
        (CHANGES, "[source]", '[source]\ndelimiter = ";;"', "m.toml: source.delimiter: String should have at most 1"),
        (CASES, 'time = "came"', "", "m.toml: commands.register.time: write the column that says when"),
        (CASES, '{ is = "letter_box" }', "{}", 'channel: write { column = "…" } or { is = "…" }'),
        (CASES, '{ is = "letter_box" }', '{ is = "web", column = "how" }', 'channel: write { column = "…" } or'),
        (
            CASES,
            '{ is = "letter_box" }',
            '{ is = "web", otherwise = "web" }',
            "values and otherwise belong to a column",
        ),
        (CASES, '{ is = "letter_box" }', '{ column = "how", otherwise = "web" }', "otherwise belongs to values"),
        (CASES, 'rows = "cases"', 'rows = "changes"', "changes: rows are changes, so write [changes] with time"),
        (CASES, '"letter_box"', '"pigeon"', "register.fields.channel: pigeon: Input should be 'window'"),
        (CASES, FIXED, '{ column = "how", values = { a = "pigeon" } }', "channel: pigeon: Input should"),
        (CASES, FIXED, '{ column = "how", values = {}, otherwise = "x" }', "channel: x: Input should"),
        (CASES, "channel =", "points = { is = 99 }\nchannel =", "points: 99: Input should be less than or equal to 20"),
        (CASES, '["iso"]', '["%Y-%Q"]', "m.toml: times.formats.0: this is no format of a time: 'Q' is a bad"),
        (CASES, '["iso"]', '["%Y-%"]', "m.toml: times.formats.0: this is no format of a time: stray %"),
        (
            CASES,
            "[commands.register]",
            PAUSED_WHEN,
            "pause-clock.fields.reason: write for what the case waited",
        ),
        (CHANGES, ASSIGN, f"[commands.hand-over]\n{ASSIGN}", "commands.hand-over: rows are changes; it follows"),
        (CHANGES, ASSIGN, PAUSED_WHY, "pause-clock.fields.reason: rows are changes; write the reason at"),
        (CHANGES, ASSIGN, ASSIGNING, "commands.assign.fields: a stage assigns, so write which"),
    ],
)
def test_each_fault_is_named_with_its_place(text: str, right: str, wrong: str, told: str) -> None:
    """Whoever writes a mapping reads where it is wrong, and what to write."""
    assert text.count(right) >= 1
    with pytest.raises(MappingError) as refused:
        read("m.toml", text.replace(right, wrong, 1))
    assert told in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    """Nobody mends one to be told of the next."""
    with pytest.raises(MappingError) as refused:
        read("m.toml", CHANGES.replace('zone = "UTC"', 'zone = "X"').replace('means = "state"', ""))
    assert [line.split(": ")[1] for line in str(refused.value).splitlines()] == ["times.zone", "changes.means"]


def test_a_mapping_that_is_not_there_is_told_with_the_names_there_are(tmp_path: Path) -> None:
    """Neither a name of ours nor a file; or one that is no text."""
    with pytest.raises(MappingError, match="there is no such file; write its path, or one of events, incidents"):
        load("incident")
    (tmp_path / "own.toml").write_bytes("ledger = '信'".encode("gb18030"))
    with pytest.raises(MappingError, match=r"own\.toml is not UTF-8; save it as UTF-8"):
        load(str(tmp_path / "own.toml"))


def test_the_manual_shows_mappings_that_work() -> None:
    """Each of its examples is read; every setting and every field is in it, and every mapping that comes along."""
    manual = (Path(__file__).parents[3] / "docs" / "importing.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)
    rows = [read(f"example {number}", text).rows for number, text in enumerate(examples)]
    assert rows == ["cases", "ratings", "changes"]
    for part in (Ledger, Source, Times, Entries, Changes, Given, Cell):
        for name, setting in part.model_fields.items():
            assert re.search(
                rf"^[ #\[]*{setting.alias or name}\b|\b{setting.alias or name} =|\.{name}\b", manual, re.MULTILINE
            )
    told = dict(re.findall(r"^\| (`.*?`) \| (.*?) \|$", manual.split("## Fields")[1].split("##")[0], re.MULTILINE))
    for commands, fields in told.items():
        for command in re.findall("`(.*?)`", commands):
            assert set(re.findall("`(.*?)`", fields)) == fields_of(command), command
    assert {one for commands in told for one in re.findall("`(.*?)`", commands)} == {"register", "rate", *FORMS}
    shown = re.findall(r"^\| `(\w+)` \|", manual.split("## Mappings that come")[1], re.MULTILINE)
    assert sorted(shown) == list(shipped())
