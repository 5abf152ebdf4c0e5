"""What a user process writes: lines of its attempts, and bytes that went past them into standard streams."""

from __future__ import annotations

import asyncio
import codecs
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from upwell._core.log_lines import STDERR, STDOUT

MESSAGE_BYTES = 256 * 1024
"""More than a line has, and than a socket takes as one message."""
READ_BYTES = 64 * 1024
DRAINED_LINES, DRAINED_READS = 10_000, 4
"""More lines, and more bytes of a stream, than their buffers in the kernel hold."""


@dataclass(frozen=True, slots=True)
class Pipes:
    """Both ends of what carries the output of a process that is to be forked.

    Attributes:
        lines: A message for each line that an attempt wrote, as the process made it: the executor's end.
        lines_to: The process's end.
        stdout: Its standard output, of C code, subprocesses and threads that belong to no attempt.
        stdout_to: The process's end.
        stderr: Its standard error, likewise.
        stderr_to: The process's end.
    """

    lines: socket.socket
    lines_to: socket.socket
    stdout: int
    stdout_to: int
    stderr: int
    stderr_to: int

    @classmethod
    def open(cls) -> Pipes:
        """Make them. Messages, not bytes: threads and forks of the process may send at the same time."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        opened: list[int] = []
        try:
            opened += os.pipe()
            opened += os.pipe()
        except OSError:
            for each in (ours, theirs):
                each.close()
            for fd in opened:
                os.close(fd)
            raise
        return cls(ours, theirs, *opened)

    def close_theirs(self) -> None:
        """Close the process's ends, once it has them."""
        self.lines_to.close()
        os.close(self.stdout_to)
        os.close(self.stderr_to)

    def close_ours(self) -> None:
        """Close the executor's ends."""
        self.lines.close()
        os.close(self.stdout)
        os.close(self.stderr)


class Output:
    """Reads it while the event loop runs.

    Args:
        pipes: From the process.
        on_line: Called with each line of an attempt.
        on_text: Called with the stream and what went into it.
    """

    def __init__(
        self, pipes: Pipes, on_line: Callable[[str], None], on_text: Callable[[str, str], None]
    ) -> None:
        self._pipes = pipes
        self._on_line = on_line
        self._on_text = on_text
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {pipes.stdout: decoder("replace"), pipes.stderr: decoder("replace")}
        self._names = {pipes.stdout: STDOUT, pipes.stderr: STDERR}
        self._loop = asyncio.get_running_loop()
        self._is_open = True
        pipes.lines.setblocking(False)
        self._loop.add_reader(pipes.lines, self._read_line)
        for fd in self._names:
            os.set_blocking(fd, False)
            self._loop.add_reader(fd, self._read_text, fd)

    def drain(self) -> None:
        """Read all that has been written until now; of who goes on writing, no more than could be in a pipe."""
        if not self._is_open:
            return
        for _ in range(DRAINED_LINES):
            if not self._read_line():
                break
        for fd in self._names:
            for _ in range(DRAINED_READS):
                if not self._read_text(fd):
                    break

    def close(self) -> None:
        """Read what is left, and close."""
        if not self._is_open:
            return
        self.drain()
        self._is_open = False
        for fd in (self._pipes.lines.fileno(), *self._names):
            self._loop.remove_reader(fd)
        self._pipes.close_ours()

    def _read_line(self) -> bool:
        try:
            message = self._pipes.lines.recv(MESSAGE_BYTES)
        except (BlockingIOError, ConnectionError):
            return False
        if message:
            self._on_line(message.decode(errors="replace"))
        else:
            self._loop.remove_reader(self._pipes.lines)
        return bool(message)

    def _read_text(self, fd: int) -> bool:
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return False
        if data:
            self._on_text(self._names[fd], self._decoders[fd].decode(data))
        else:
            self._loop.remove_reader(fd)
        return bool(data)


def send_lines(sock: socket.socket) -> Callable[[str], None]:
    """Return what sends lines from the process. It waits for the executor, as a terminal is waited for.

    Args:
        sock: The process's end of `Pipes.lines`.
    """

    def send(line: str) -> None:
        with suppress(OSError):  # the executor is gone, and nobody will read it
            sock.send(line.encode())

    return send
