"""Send requests from eight threads over connections kept open a while; say how many were answered in a second.

    python -m tests.benchmarks.load '{"port": 8000, "path": "/api/v1/complaints", "count": 800, ...}'

A process of its own, so that asking does not wait for what the measuring does.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPConnection
from threading import Barrier
from typing import Any, Final

THREADS: Final = 8
KEPT: Final = 20
"""Requests over one connection. A new one may be taken by another worker: so no worker gets them all for long."""


def main(port: int, path: str, body: Mapping[str, Any], headers: Mapping[str, str], count: int) -> None:
    """Send `count` requests; the texts of `body` get a number, so that no two are the same."""
    together = Barrier(THREADS + 1)
    refusals: list[str] = []

    def send(thread: int) -> Counter[int]:
        statuses: Counter[int] = Counter()
        mine = range(thread, count, THREADS)
        together.wait()
        for start in range(0, len(mine), KEPT):
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            for number in mine[start : start + KEPT]:
                numbered = {name: value.replace("{n}", str(number)) for name, value in body.items()}
                connection.request(
                    "POST", path, json.dumps(numbered).encode(), {"Content-Type": "application/json", **headers}
                )
                answer = connection.getresponse()
                said = answer.read()
                statuses[answer.status] += 1
                if answer.status != HTTPStatus.CREATED:
                    refusals.append(said.decode()[:500])
            connection.close()
        return statuses

    with ThreadPoolExecutor(THREADS) as threads:
        sending = [threads.submit(send, thread) for thread in range(THREADS)]
        together.wait()
        start = time.perf_counter()
        statuses = sum((one.result() for one in sending), Counter[int]())
        took = time.perf_counter() - start
    print(json.dumps({"rate": count / took, "statuses": statuses, "refusals": refusals[:1]}))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
