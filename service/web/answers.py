"""What every command answers: how far the stream and the log are now, in the body and in the headers."""

from __future__ import annotations

from fastapi import Response
from pydantic import BaseModel, ConfigDict

from service.asking import Done


class Changed(BaseModel):
    """What a command did: the version and position after it, and its events; none where it was so already."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 7, "position": 31, "events": ["PostTaken"]}]})
    version: int
    position: int
    events: list[str]


def head(response: Response, version: int, position: int) -> None:
    """Say in the headers which version of a stream is told, and how far the log is."""
    response.headers["ETag"] = f'"{version}"'
    response.headers["X-Position"] = str(position)


def changed(response: Response, done: Done) -> Changed:
    """Answer with what a command did."""
    head(response, done.version, done.position)
    return Changed(version=done.version, position=done.position, events=[type(event).__name__ for event in done.events])
