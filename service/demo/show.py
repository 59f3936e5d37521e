"""Prints what the sample holds: a docket as one person sees it, one full history, the case at an earlier moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.complaint.state import Step
from domain.decider import Actor, Code, beside
from domain.handling import HALL_ZONE, Facts
from projections.docket import DOCKET, DocketRow, fold
from projections.histories import Language, history, read_stream
from projections.queries import Wanted, docket
from projections.runner import Entry, Runner, wait_for
from projections.sight import Viewer, viewer
from projections.words import word
from service.parts import Parts

DESK: Final[Code] = "desk-1"
"""Who looks: a dispatcher."""
ROWS: Final = 16
DIM: Final = "dim"
LATE: Final = "bold red"


@dataclass(frozen=True)
class Looking:
    """A connection, register and rulebook, who looks, and when (UTC)."""

    connection: psycopg.Connection
    facts: Facts
    viewer: Viewer
    now: datetime


def show(parts: Parts, console: Console) -> None:
    """Print docket, history and earlier moment, for a terminal of 100 columns. Raises LookupError without a sample."""
    register, now = parts.book.register_now()
    person = next((one.person for one in register.tenures if one.post == DESK and one.covers(now)), None)
    if person is None:
        raise LookupError("There is no sample in this log; run `bihuan demo` first.")
    carry(parts)
    looks = viewer(register, Actor(person=person, post=DESK, role=register.posts[DESK].role), now)
    with parts.pool.connection() as connection:
        looking = Looking(connection, parts.book.facts(), looks, now)
        show_docket(looking, console, parts.accounts.name_of(person) or "")
        case = eventful(looking)
        show_history(looking, console, case)
        show_earlier(looking, console, case)


def carry(parts: Parts) -> None:
    """Bring the docket to the end of the log, or wait until a running server has."""
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, (DOCKET,))
        if runner.take():
            runner.catch_up()
        else:
            wait_for(connection, DOCKET, parts.recorder.max_notification_id() or 0, seconds=30)


def eventful(looking: Looking) -> UUID:
    """Choose a closed case in which somebody was refused, or else the one with the most events."""
    rows = docket(looking.connection, looking.viewer, Wanted(step=Step.CLOSED, limit=500)).rows
    longest_first = sorted(rows, key=lambda row: (-row.version, row.position))
    refused = (row for row in longest_first if read_stream(looking.connection, beside(row.case, "attempts")))
    return next(refused, longest_first[0]).case


def show_docket(looking: Looking, console: Console, name: str) -> None:
    """Print what is due first, as the viewer may see it."""
    page = docket(looking.connection, looking.viewer, Wanted(limit=ROWS))
    post = looking.viewer.post
    if post is not None:
        _title(console, f"投诉台账 · {post.name_zh} {name} 所见", f"The docket, as {post.name_en} sees it")
    table = _table(
        ("编号", "Number", 23),
        ("状态", "Step", 14),
        ("类别", "Category", 20),
        ("承办", "Unit", 22),
        ("期限", "Due", 12),
    )
    for row in page.rows:
        category = looking.facts.rulebook.categories.get(row.category or "")
        unit = looking.facts.register.departments.get(row.department or "")
        table.add_row(
            Text(row.complaint_no, LATE if _overdue(row, looking.now) else ""),
            _both(word(row.step, "zh"), word(row.step, "en")),
            _both("—", "not classed yet") if category is None else _both(category.name_zh, category.name_en),
            _both("—", "not assigned yet") if unit is None else _both(unit.name_zh, unit.name_en),
            _due(row, looking.now),
        )
    console.print(table)
    closed = docket(looking.connection, looking.viewer, Wanted(step=Step.CLOSED, limit=1)).total
    late = docket(looking.connection, looking.viewer, Wanted(due_before=looking.now, limit=1)).total
    _say(
        console,
        f"共 {page.total} 件，在办 {page.total - closed} 件，其中逾期 {late} 件；以上是最急的 {len(page.rows)} 件。",
        f"{page.total} in all, {page.total - closed} open, {late} of them overdue; above are the {len(page.rows)} due "
        f"first. Complete up to position {page.complete_up_to}.",
    )


def show_history(looking: Looking, console: Console, case: UUID) -> None:
    """Print a case from registering to closing, with what was refused, in sentences."""
    entries = read_stream(looking.connection, case)
    row = fold(entries)
    if row is None:
        raise LookupError(case)
    _title(console, f"一件投诉的全过程 · {row.complaint_no}", "One full history")
    for kind in ("attempts", "access"):
        entries += read_stream(looking.connection, beside(case, kind))
    console.print(_told(looking, sorted(entries, key=lambda one: (one.event.at, one.position))))
    _say(
        console,
        "正文、姓名、电话等均已封存；谁在何时为何打开，另有记录。",
        "Texts, names and phones are sealed; who opens them, when and for what, is on record too.",
    )


def show_earlier(looking: Looking, console: Console, case: UUID) -> None:
    """Print how the case stood half-way, beside how it stands now."""
    entries = read_stream(looking.connection, case)
    moment = entries[len(entries) // 2].event.at
    before = read_stream(looking.connection, case, as_of=moment)
    then, now = fold(before), fold(entries)
    if then is None or now is None:
        raise LookupError(case)
    local = f"{moment.astimezone(HALL_ZONE):%Y-%m-%d %H:%M}"
    _title(console, f"同一投诉在 {local} 的情况", "The same case as it stood at that moment")
    table = _table(("事项", "What", 25), (f"{local}", "then", 35), ("现在", "now", 35))
    told_then, told_now = _stood(looking, then, len(before)), _stood(looking, now, len(entries))
    for (what, was), (_, now_is) in zip(told_then, told_now, strict=True):
        table.add_row(what, was, now_is)
    console.print(table)
    _say(console, "截至该时刻的最后三件事：", "The last three things until then:")
    console.print(_told(looking, before[-3:]))


def _told(looking: Looking, entries: Sequence[Entry]) -> Table:
    register = looking.facts.register
    chinese = history(entries, register, Language.CHINESE)
    english = history(entries, register, Language.ENGLISH)
    table = _table(("时间", "When", 16), ("何人", "Who", 25), ("何事", "What", 54))
    for zh, en in zip(chinese, english, strict=True):
        style = LATE if "逾期" in zh.said or zh.name.startswith("attempts.") else ""
        table.add_row(
            f"{zh.at.astimezone(HALL_ZONE):%Y-%m-%d %H:%M}",
            _both(zh.who, en.who),
            Text.assemble((zh.said, style), ("\n" + en.said, DIM)),
        )
    return table


def _stood(looking: Looking, row: DocketRow, events: int) -> list[tuple[Text, Text]]:
    unit = looking.facts.register.departments.get(row.department or "")
    nothing = Text("—")
    return [
        (_both("状态", "step"), _both(word(row.step, "zh"), word(row.step, "en"))),
        (_both("承办单位", "unit"), nothing if unit is None else _both(unit.name_zh, unit.name_en)),
        (
            _both("调查结论", "finding"),
            nothing if row.finding is None else _both(word(row.finding, "zh"), word(row.finding, "en")),
        ),
        (_both("期限", "due"), _moment(row.due)),
        (_both("答复", "replied"), _moment(row.replied_at)),
        (_both("回访", "revisited"), _moment(row.revisited_at)),
        (_both("发回重办次数", "sent back for rework"), Text(str(row.reworks))),
        (_both("事件数", "events"), Text(str(events))),
    ]


def _moment(moment: datetime | None) -> Text:
    return Text("—" if moment is None else f"{moment.astimezone(HALL_ZONE):%Y-%m-%d %H:%M}")


def _overdue(row: DocketRow, now: datetime) -> bool:
    return row.due is not None and row.due < now and not row.due_provisional


def _due(row: DocketRow, now: datetime) -> Text:
    if row.due is None:
        return Text("—")
    local = f"{row.due.astimezone(HALL_ZONE):%m-%d %H:%M}"
    if _overdue(row, now):
        return Text.assemble((local, LATE), ("\n逾期 late", LATE))
    return Text.assemble(local, ("\n暂定 provis." if row.due_provisional else "", DIM))


def _both(chinese: str, english: str) -> Text:
    return Text.assemble(chinese, (f"\n{english}", DIM))


def _table(*columns: tuple[str, str, int]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for chinese, english, width in columns:
        table.add_column(Text.assemble(chinese, (f"\n{english}", DIM)), width=width)
    return table


def _title(console: Console, chinese: str, english: str) -> None:
    console.print()
    console.rule(Text.assemble((chinese, "bold"), (f"  {english}", DIM)), align="left")


def _say(console: Console, chinese: str, english: str) -> None:
    console.print(Text.assemble(chinese, (f"\n{english}\n", DIM)))
