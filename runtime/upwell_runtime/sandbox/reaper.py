"""Ends the process groups that a killed supervisor leaves. Run by path, with `python -I -S`.

Reads lines from a pipe whose other end the supervisor alone holds: `+GROUP` when a child starts, `-GROUP`
when it is gone. The end of the pipe, however it comes, is the end of every group still on the list. This
reaches what children of children a signal to the children alone would leave.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Follow the list until the pipe ends, then kill what is on it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
