"""Runs a program and writes what it and all its descendants cost: OUT PROGRAM [ARGUMENT]..."""

import json
import os
import resource
import signal
import subprocess
import sys


def main() -> int:
    out, *command = sys.argv[1:]
    # A group of its own, so that a client's workers end with it.
    child = subprocess.Popen(command, start_new_session=True)

    def stop(number: int, _frame: object) -> None:
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            pass

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    code = child.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"cpu_ms": 1000 * (used.ru_utime + used.ru_stime)}, file)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
