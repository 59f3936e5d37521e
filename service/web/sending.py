"""What a browser sends with a form: fields and files, held in memory, because a file on the disk would be unsealed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from service.web.widgets import Sent

MOST_FIELDS: Final = 1000


class InMemory(MultiPartParser):
    """Never puts an uploaded file into a temporary one: the whole request is bounded before it comes here."""

    spool_max_size = 2**40


async def sent(request: Request) -> Sent:
    """Read what was sent with a form, if anything. Raises HTTPException 400 for what no browser sends."""
    if request.method != "POST":
        return Sent()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            return await _with_files(request)
        body = (await request.body()).decode("utf-8")
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except (MultiPartException, ValueError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error
    return Sent(pairs=tuple(pairs))


async def _with_files(request: Request) -> Sent:
    parsed = await InMemory(
        request.headers, request.stream(), max_files=10, max_fields=MOST_FIELDS, max_part_size=1_000_000
    ).parse()
    pairs, files = [], {}
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            files[name] = await value.read()
            await value.close()
        else:
            pairs.append((name, value))
    return Sent(pairs=tuple(pairs), files=files)


InSent = Annotated[Sent, Depends(sent)]
