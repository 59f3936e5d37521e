"""Run a program and print as JSON how long it took and computed, its memory at most, its end and what it said.

    python -I peak.py PROGRAM ARGUMENT...

A small process of its own: a program counts the memory of whoever starts it as its own.
"""

import json
import resource
import subprocess
import sys
import time


def main() -> None:
    """Run it."""
    start = time.perf_counter()
    done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    seconds = time.perf_counter() - start
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {"seconds": seconds, "computing": used.ru_utime + used.ru_stime, "megabytes": used.ru_maxrss / unit}
    print(json.dumps({**found, "status": done.returncode, "said": done.stdout}))


if __name__ == "__main__":
    main()
