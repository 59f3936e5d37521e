"""Event logs in XES (IEEE 1849), read as a stream: a log may be larger than memory, and may lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Final
from xml.parsers import expat

CHUNK: Final = 1 << 16
VALUES: Final = frozenset({"string", "date", "int", "float", "boolean", "id"})
LONGEST: Final = 200_000
"""Characters of a value."""
MOST_ATTRIBUTES: Final = 1_000
LONGEST_TAG: Final = 1 << 24
"""Bytes that may wait for the end of their tag."""


class NotXes(Exception):
    """The file is no event log; the text says why, and what to do."""


class _Reader:
    """What expat tells, gathered to events; attributes inside attributes belong to nobody we know and are left."""

    def __init__(self) -> None:
        self.found: list[Mapping[str, str]] = []
        self._path: list[str] = []
        self._trace: dict[str, str] = {}
        self._event: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        path = self._path
        if not path and name != "log":
            raise NotXes("the file is no event log (its first element is not log); give a file in XES")
        if name in VALUES and path and path[-1] in {"trace", "event"}:
            self._take(attributes.get("key", ""), attributes.get("value", ""))
        elif name == "trace":
            self._trace = {}
        elif name == "event":
            self._event = {}
        path.append(name)

    def end(self, _name: str) -> None:
        if self._path.pop() == "event" and self._path[-1:] == ["trace"]:
            self.found.append({**self._trace, **self._event})

    def _take(self, key: str, value: str) -> None:
        of_trace = self._path[-1] == "trace"
        into = self._trace if of_trace else self._event
        if len(value) > LONGEST or len(into) >= MOST_ATTRIBUTES:
            raise NotXes("an attribute of the event log is too long, or one event has too many; leave them out")
        into[f"case:{key}" if of_trace else key] = value


def events(file: IO[bytes]) -> Iterator[Mapping[str, str]]:
    """Give the attributes of each event, with those of its trace under `case:key`, one after the other.

    Raises NotXes: for anything else, for a broken file, and for one with a document type, since only that can declare
    entities, which blow a small file up to a large one or read another file. No event log needs it.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.buffer_text = True
    fed = 0
    try:
        while chunk := file.read(CHUNK):
            parser.Parse(chunk, False)  # noqa: FBT003 - expat takes no keywords
            yield from reader.found
            reader.found.clear()
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > LONGEST_TAG:
                raise NotXes("a tag of the event log has no end; fetch it again")
        parser.Parse(b"", True)  # noqa: FBT003 - as above
    except expat.ExpatError as error:
        raise NotXes(f"the event log is no sound XML: {error}; fetch it again") from error
    yield from reader.found


def _no_document_type(*_: object) -> None:
    raise NotXes("the event log has a document type, which XES has no use for; take it out")
