"""A process that has imported everything and does nothing but fork.

A user process that is forked from it is there in milliseconds, where a new interpreter would take half a second
to import the same. It has one thread and no connections, so that forking it is safe. Nothing here needs POSIX
semaphores, which Lambda has not.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from upwell._exec.process.output import Pipes

_PR_SET_PDEATHSIG = 1
_COMMAND = b"f"

Guest = Callable[[socket.socket, int, socket.socket], None]
"""What a user process does, given its socket to the executor, the file for its stack, and where lines go."""


# --- in the executor ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Forked:
    """A process that was forked.

    Attributes:
        pid: Of the process.
        sock: Our end of the socket to it.
        pipes: Of what it writes; their other ends are closed here.
        exit: Becomes its exit code, negative for a signal; None if the zygote died, and it with it.
    """

    pid: int
    sock: socket.socket
    pipes: Pipes
    exit: asyncio.Future[int | None]


class ZygoteError(RuntimeError):
    """The zygote cannot be started or is gone."""


class _Child:
    """A process that this one has forked, with as much of `Popen` as is needed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._wait(os.WNOHANG)

    def wait(self) -> int | None:
        return self._wait(0)

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _wait(self, options: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


class Zygote:
    """The executor's side: starts the zygote when it is first needed, and again if it dies.

    Args:
        command: Starts a process that calls `serve` on the file descriptor that is its last argument.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | _Child | None = None
        self._control: socket.socket | None = None

    def split_off(self, guest: Guest) -> None:
        """Fork the zygote from this process, which has imported everything as well: that costs no new imports.

        Nothing happens if this process has threads already; the zygote is then started by its command.

        Args:
            guest: See `serve`.
        """
        if threading.active_count() > 1:
            return
        parent = os.getpid()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                _leave_only(theirs.fileno())
                serve(theirs.detach(), guest, parent)
            finally:  # whatever happens, never go on as a second executor
                os._exit(1)
        theirs.close()
        self._process, self._control = _Child(pid), ours

    @property
    def pid(self) -> int | None:
        """Of the zygote; None before the first fork."""
        return self._process.pid if self._process is not None else None

    def start(self) -> socket.socket:
        """Start the zygote unless it runs; its imports go on while the caller does other things."""
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        self.close()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._control = ours
        return ours

    async def fork(self, fault_fd: int) -> Forked:
        """Fork a user process.

        Args:
            fault_fd: Where it writes its stack when a signal kills it.

        Raises:
            ZygoteError: it could not be forked.
        """
        control = self.start()
        ours, theirs = socket.socketpair()
        status_r, status_w = os.pipe()
        pipes = Pipes.open()
        fds = [theirs.fileno(), status_w, fault_fd, pipes.lines_to.fileno(), pipes.stdout_to, pipes.stderr_to]
        try:
            # Small and rare: the message fits the socket's buffer, so it does not block.
            socket.send_fds(control, [_COMMAND], fds)
        except OSError as e:
            ours.close()
            pipes.close_ours()
            os.close(status_r)
            raise ZygoteError(f"no process can be forked for user code: {e}") from e
        finally:
            theirs.close()
            os.close(status_w)
            pipes.close_theirs()
        try:
            lines = await _lines(status_r)
            first = await lines.readline()
            if not first:
                raise ZygoteError("no process was forked for user code; the error is in this log")
        except BaseException:
            ours.close()  # which ends what is forked after all
            pipes.close_ours()
            raise
        return Forked(int(first), ours, pipes, asyncio.ensure_future(_exit_code(lines)))

    def close(self) -> None:
        """End the zygote and, with it, the processes that it forked."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


async def _lines(fd: int) -> asyncio.StreamReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    pipe = os.fdopen(fd, "rb", 0)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


async def _exit_code(lines: asyncio.StreamReader) -> int | None:
    """Return what the zygote says of a process's end; None if it is dead itself: the process died with it."""
    line = await lines.readline()
    return int(line) if line else None


# --- in the zygote ------------------------------------------------------------------------------------------


def serve(control_fd: int, guest: Guest, parent: int) -> NoReturn:
    """Fork processes for the executor until it is gone.

    Args:
        control_fd: The executor's socket.
        guest: What a forked process does, with its socket and the file for its stack.
        parent: The executor.
    """
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the executor to handle
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # and so is a drain: it ends its processes itself
    gc.collect()
    gc.freeze()  # memory shared with the forks stays shared
    control = socket.socket(fileno=control_fd)
    woken_r, woken_w = os.pipe2(os.O_NONBLOCK)
    signal.set_wakeup_fd(woken_w)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    reports: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken_r, selectors.EVENT_READ)
        while True:  # left by `_exit` alone: what the executor would do at its end is not for this process
            ready = {key.fd for key, _ in selector.select()}
            if woken_r in ready:
                os.read(woken_r, 4096)
            _reap(reports)
            if control.fileno() not in ready:
                continue
            command, fds, _, _ = socket.recv_fds(control, 1, 6)
            if not command:
                os._exit(0)
            sock_fd, report_fd, *others = fds
            pid = _fork(sock_fd, *others, guest=guest)
            for fd in (sock_fd, *others):
                os.close(fd)
            if pid is None:
                os.close(report_fd)
            else:
                os.write(report_fd, b"%d\n" % pid)
                reports[pid] = report_fd


def _fork(
    sock_fd: int, fault_fd: int, lines_fd: int, stdout_fd: int, stderr_fd: int, *, guest: Guest
) -> int | None:
    zygote = os.getpid()
    try:
        pid = os.fork()
    except OSError:  # too many processes, too little memory: those that there are go on
        traceback.print_exc()
        return None
    if pid:
        return pid
    code = 1
    try:
        die_with_parent(zygote)
        os.dup2(stdout_fd, 1)
        os.dup2(stderr_fd, 2)
        _become_a_guest(keep={sock_fd, fault_fd, lines_fd})
        guest(socket.socket(fileno=sock_fd), fault_fd, socket.socket(fileno=lines_fd))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:  # whatever happens, never go on as a second zygote
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _become_a_guest(keep: set[int]) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.setpgid(0, 0)  # what it starts itself can be ended with it
    _leave_only(*keep)


def _leave_only(*kept: int) -> None:
    """Close all files but the standard ones and these."""
    for fd in [int(name) for name in os.listdir("/proc/self/fd")]:
        if fd > 2 and fd not in kept:
            with suppress(OSError):  # of the listing itself
                os.close(fd)


def _reap(reports: dict[int, int]) -> None:
    while reports:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # what it has started itself would keep its socket
            os.killpg(ended.si_pid, signal.SIGKILL)
        pid, status = os.waitpid(ended.si_pid, 0)
        report_fd = reports.pop(pid, None)
        if report_fd is not None:
            with suppress(BrokenPipeError):  # the executor has let go of it
                os.write(report_fd, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(report_fd)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, however it dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
