"""Becomes the command given, tied to the life of its parent. Run by path, with `python -I -S`.

Usage: launcher.py PARENT_PID COMMAND [ARGUMENT...]

On Linux the kernel is asked to kill this process when its parent dies. That holds across exec, where a
`preexec_fn` would not be safe in a process with threads. Elsewhere the reaper alone does it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask for the signal, make sure that the parent did not die before, and become the command."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            print(f"launcher: prctl failed: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
    if os.getppid() != parent:
        sys.exit(f"launcher: parent {parent} is gone, so {command[0]} is not started")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
