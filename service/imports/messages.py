"""Messages of citizens with their replies, from a workbook, as cases of the ledger: what is not told stays unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError

from domain import complaint
from domain.complaint.intake import Channel
from domain.decider import THE_SYSTEM, Code
from domain.errors import Refused
from domain.handling import HALL_ZONE
from domain.register import Site, SiteLevel
from domain.rulebook import Profile
from domain.sealed import measure
from service.adoption import adopt_first, enter
from service.casebook import IMPORT_NAMESPACE, Asked, Done
from service.desk import Wish, case_of_command
from service.forms.form import Form, Making, Text
from service.forms.intake import RegisterForm
from service.parts import Parts

SITE: Final = Site(
    code="MSG.PROVINCE",
    name_zh="省级网络留言（外部历史数据）",
    name_en="Online messages to a province (external, historical)",
    level=SiteLevel.DISTRICT,  # the highest level there is; the messages belong to no hall of ours
)
COLUMNS: Final = ("留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "答复意见", "答复时间")
SOURCE: Final[Code] = "import"
PORTION: Final = 100
"""How many messages are given at once."""
TIMES: Final = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d")
ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")

Progress = Callable[[int, int], None]
"""Told how many rows are done, and how many there are."""


class NotMessages(Exception):
    """This file is no workbook of messages: its first sheet must begin with the seven columns of the source."""


class LedgerReplyForm(Form):
    """The reply of a case that was handled elsewhere, as the ledger has it."""

    name = "reply"
    summary = "Record the reply of an imported case"
    content: Text

    def command(self, making: Making) -> complaint.Command:
        """Seal the text and give the command."""
        return complaint.ReplyToLedgerCase(
            at=making.at,
            by=making.by,
            reply=making.new_id,
            content=making.sealer.seal("content", self.content),
            content_measured=measure(self.content),
        )


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of a row of the sheet (the header is row 1): why it was not taken, or how it was read."""

    row: int
    number: str
    said: str


@dataclass(slots=True, kw_only=True)
class Counts:
    """What an import did: rows read, cases registered and replies recorded now, commands done before, and remarks."""

    read: int = 0
    registered: int = 0
    replied: int = 0
    repeated: int = 0
    rejected: list[Remark] = field(default_factory=list)
    noted: list[Remark] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row, read: times are UTC, texts whole."""

    row: int
    number: str
    user: str
    subject: str
    at: datetime
    text: str
    reply: str | None
    replied_at: datetime | None

    def command_id(self, step: str) -> UUID:
        """Give the id of a command on this message, the same in every import."""
        return uuid5(IMPORT_NAMESPACE, f"{SITE.code}:{self.number}:{step}")


class Unfit(ValueError):
    """A row cannot be taken; the text says why, without quoting it."""


def quiet(_done: int, _total: int) -> None:
    """Tell nobody."""


def import_messages(parts: Parts, path: Path, progress: Progress = quiet) -> Counts:
    """Register every message at its real time, and reply at the real time of its reply; again changes nothing.

    A killed import goes on where it was when it is started again. Rows that cannot be taken are listed with the reason.
    Raises NotMessages, OSError.
    """
    counts = Counts()
    messages = sorted(_read(path, counts), key=lambda message: (message.at, message.row))
    adopt_first(parts.book)
    # In an empty register it stands from the first message on, so that a sample of earlier months can still come after.
    empty = not parts.book.facts().register.sites
    enter(parts.book, [SITE], messages[0].at if empty and messages else None)
    for start in range(0, len(messages), PORTION):
        portion = messages[start : start + PORTION]
        _give(parts, portion, counts)
        progress(start + len(portion), len(messages))
    counts.rejected.sort(key=lambda remark: remark.row)
    return counts


def _give(parts: Parts, messages: Sequence[Message], counts: Counts) -> None:
    wishes: list[tuple[Message, Wish]] = []
    for message in messages:
        try:
            wishes += [(message, wish) for wish in _wishes(message)]
        except ValidationError as error:
            counts.rejected.append(Remark(message.row, message.number, _faults(error)))
    outcomes = parts.desk.many([wish for _, wish in wishes])
    for (message, wish), outcome in zip(wishes, outcomes, strict=True):
        match outcome:
            case Refused():
                said = f"{wish.asked.name}: {outcome.message()} {outcome.then} [{outcome.code}]"
                counts.rejected.append(Remark(message.row, message.number, said))
            case Done(repeated=True):
                counts.repeated += 1
            case _ if wish.asked.name == "register":
                counts.registered += 1
            case _:
                counts.replied += 1


def _wishes(message: Message) -> Iterator[Wish]:
    """Give what a message asks of the desk. Raises ValidationError for texts that cannot be kept."""
    opening = message.command_id("register")
    told = RegisterForm(
        hall=SITE.code,
        narrative=message.text,
        subject=message.subject,
        # Tells the messages of one user to belong together; only a keyed mark of it is kept.
        id_number=f"{SITE.code} {message.user}",
        channel=Channel.WEB,
        external_ref=message.number,
    )
    reply = None if message.reply is None else LedgerReplyForm(content=message.reply)
    asked = Asked(command_id=opening, source=SOURCE, name="register", moment=message.at)
    yield Wish(form=told, by=THE_SYSTEM, asked=asked, profile=Profile.LEDGER)
    if reply is not None:
        asked = Asked(command_id=message.command_id("reply"), source=SOURCE, name="reply", moment=message.replied_at)
        yield Wish(form=reply, by=THE_SYSTEM, asked=asked, case=case_of_command(opening))


def _faults(error: ValidationError) -> str:
    # Never the values: they are what people wrote.
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
        for one in error.errors(include_input=False, include_url=False)
    )


def _read(path: Path, counts: Counts) -> Iterator[Message]:
    """Read the first sheet; rows that cannot be read go to `counts`. Raises NotMessages, OSError."""
    # Opened and closed here: the reader keeps the file open while any of its rows is still held, as by a traceback.
    with path.open("rb") as file:
        try:
            workbook = load_workbook(file, read_only=True, data_only=True)
        except (BadZipFile, InvalidFileException, KeyError) as error:
            raise NotMessages(NotMessages.__doc__) from error
        rows = workbook.worksheets[0].iter_rows(values_only=True)
        if tuple(next(rows, ()))[: len(COLUMNS)] != COLUMNS:
            raise NotMessages(NotMessages.__doc__)
        seen: set[str] = set()
        for row, cells in enumerate(rows, 2):
            if not any(cell is not None for cell in cells):
                continue
            counts.read += 1
            number = str(cells[0] or "")
            try:
                message = _message(row, number, cells, seen, counts)
            except Unfit as unfit:
                counts.rejected.append(Remark(row, number, str(unfit)))
            else:
                seen.add(number)
                yield message


def _message(row: int, number: str, cells: Sequence[Any], seen: Container[str], counts: Counts) -> Message:
    if number in seen:
        raise Unfit("留言编号: this number stands above already; give the row one of its own")
    if not number:
        raise Unfit("留言编号: there is no number; without one the row cannot be told from others")
    _, user, subject, at, text, reply, replied_at = (*cells, *[None] * len(COLUMNS))[: len(COLUMNS)]
    for name, cell in (("留言用户", user), ("留言主题", subject), ("留言详情", text)):
        if cell is None:
            raise Unfit(f"{name}: the cell is empty; a message needs it")
    message = Message(
        row=row,
        number=number,
        user=str(user),
        subject=unescaped("留言主题", str(subject)),
        at=_moment(row, number, "留言时间", at, counts),
        text=unescaped("留言详情", str(text)),
        reply=None if reply is None else unescaped("答复意见", str(reply)),
        replied_at=None if reply is None else _moment(row, number, "答复时间", replied_at, counts),
    )
    if reply is None:
        counts.noted.append(Remark(row, number, "答复意见: there is no reply; the case stays without one"))
    return message


def _moment(row: int, number: str, name: str, cell: object, counts: Counts) -> datetime:
    """Read a local time of the hall's zone; give it in UTC. Raises Unfit."""
    if isinstance(cell, datetime):
        counts.noted.append(Remark(row, number, f"{name}: a date of the workbook, not a text"))
        return _utc(cell)
    for form in TIMES:
        try:
            found = datetime.strptime(str(cell).strip(), form)  # noqa: DTZ007 - the zone is told by `_utc`
        except ValueError:
            continue
        if form != TIMES[0]:
            counts.noted.append(Remark(row, number, f"{name}: a date without a time, read as midnight"))
        return _utc(found)
    raise Unfit(f"{name}: no time; write it as 2019/4/25 9:32:09")


def _utc(local: datetime) -> datetime:
    return local.replace(tzinfo=HALL_ZONE).astimezone(UTC)


def unescaped(name: str, text: str) -> str:
    """Give the characters that a workbook can only hold as `_xHHHH_` (ECMA-376 part 1, 22.9.2.19, ST_Xstring).

    Raises Unfit for half a character; `name` is the column.
    """
    if "_x" not in text:
        return text
    plain = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    try:
        # A character beyond the first 65,536 is written as two escapes.
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise Unfit(f"{name}: half a character is escaped there; write it whole") from None
