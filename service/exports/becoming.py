"""A file that is there only once it is complete."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TextIO


@contextmanager
def becoming(path: Path) -> Iterator[TextIO]:
    """Give a file that takes the place of `path` once it is complete, and else goes; with `.gz` it is packed.

    Nobody but its owner may read it. Raises OSError.
    """
    handle, name = mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=".part")
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6) as packed:
                    yield from _written(packed)
            else:
                yield from _written(raw)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _written(raw: Any) -> Iterator[TextIO]:  # noqa: ANN401 - a binary file of either kind
    with TextIOWrapper(raw, encoding="utf-8", newline="\n") as file:
        yield file
