"""The user process: runs the attempts that the executor sends, and sends it what they ask for."""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import io
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from upwell import errors
from upwell._author.registry import resolve
from upwell._author.task import Task
from upwell._core.model import ActionSpec, Status
from upwell._exec.boundary import Answer, Call, Ended, Start, TraceRecord
from upwell._exec.failure import describe
from upwell._exec.logs.attempt_log import LineSink, log_of
from upwell._exec.process.channel import Channel, Frame, Kind
from upwell._exec.process.heads import End, Init, Reply, dump, load
from upwell._exec.process.output import send_lines
from upwell._exec.user_code import TaskRun
from upwell._types import codec  # noqa: F401  # loaded once by the zygote, and not by each process that it forks
from upwell._types.transfers.transfer import BlobTransfer


def run_guest(
    sock: socket.socket, fault_fd: int, lines: socket.socket, transfers: Mapping[str, BlobTransfer]
) -> None:
    """Serve the executor at the other end of the socket until it is gone.

    Args:
        sock: Connected to the executor.
        fault_fd: A file that takes the stacks when a signal kills this process.
        lines: Takes what attempts print and log.
        transfers: How files and directories move, by URI scheme.
    """
    faulthandler.enable(file=fault_fd, all_threads=False)
    for stream in (sys.stdout, sys.stderr):  # of threads that belong to no attempt: not to be lost in a crash
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    asyncio.run(_serve(sock, send_lines(lines), transfers))


async def _serve(sock: socket.socket, lines: LineSink, transfers: Mapping[str, BlobTransfer]) -> None:
    await Guest(await Channel.over(sock), lines, transfers).serve()


class BundleLoader:
    """Finds tasks in the one bundle of this process."""

    async def load(self, spec: ActionSpec) -> Task[..., Any]:
        """Return the task. Its module is imported on the main thread, as libraries expect."""
        return resolve(spec.task.module, spec.task.name)


class Guest:
    """The attempts of one process.

    Args:
        channel: To the executor.
        lines: Takes what attempts print and log.
        transfers: How files and directories move, by URI scheme.
    """

    def __init__(self, channel: Channel, lines: LineSink, transfers: Mapping[str, BlobTransfer]) -> None:
        self._channel = channel
        self._lines = lines
        self._transfers = transfers
        self._runs: dict[int, TaskRun] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._requests = count(1)
        self._waiting: dict[int, asyncio.Future[Frame]] = {}

    async def serve(self) -> None:
        """Handle frames until the executor is gone."""
        async for frame in self._channel.frames():
            match frame.kind:
                case Kind.INIT:
                    _become(load(Init, frame.head))
                case Kind.START:
                    self._start(frame)
                case Kind.CANCEL:
                    if frame.attempt in self._runs:
                        self._tasks[frame.attempt].cancel()
                case Kind.IDLE:
                    await self._tell_idle(frame)
                case Kind.ANSWER:
                    waiting = self._waiting.pop(frame.request, None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(frame)
                case _:
                    raise RuntimeError(f"an executor does not say {frame.kind.name}")
        os._exit(0)  # nobody is left to work for; threads of tasks cannot be stopped otherwise

    def _start(self, frame: Frame) -> None:
        host = RemoteHost(self, frame.attempt)
        start = load(Start, frame.head)
        log = log_of(start, self._lines, host.now)
        run = TaskRun(start, frame.body, host, BundleLoader(), self._transfers, log)
        self._runs[frame.attempt] = run
        task = self._tasks[frame.attempt] = asyncio.create_task(self._run(frame.attempt, run))
        task.add_done_callback(lambda _: self._ended(frame.attempt, task))

    async def _run(self, attempt: int, run: TaskRun) -> None:
        body = b""
        try:
            ended: Ended = await run.run()
            end = End(
                status=ended.status,
                error=ended.error,
                ran_s=ended.ran_s,
                ahead=ended.ahead,
                traces_left=ended.traces_left,
                phases=ended.phases,
            )
            body = ended.data
        except asyncio.CancelledError:
            end = End(status=Status.ABORTED)
        except errors.UnavailableError as e:
            end = End(status=Status.QUEUED, error=describe(e, ""))
        del self._runs[attempt]  # from here on it is too late to cancel it
        end = replace(end, stuck=await run.leaves_a_thread())
        sys.stdout.flush()  # of what belongs to no attempt
        self._channel.send(Frame(Kind.ENDED, attempt, 0, dump(end), body))

    def _ended(self, attempt: int, task: asyncio.Task[None]) -> None:
        del self._tasks[attempt]
        if task.cancelled():  # before it began: it could not say so itself
            self._runs.pop(attempt, None)
            self._channel.send(Frame(Kind.ENDED, attempt, 0, dump(End(status=Status.ABORTED))))

    async def _tell_idle(self, frame: Frame) -> None:
        run = self._runs.get(frame.attempt)
        idle_s = await run.idle_s() if run is not None else 0.0
        self._channel.send(Frame(Kind.IDLE, frame.attempt, frame.request, b"%.3f" % idle_s))

    async def ask(self, kind: Kind, attempt: int, head: bytes, body: bytes = b"") -> Frame:
        """Send a request and return its answer. Cancelled, it waits until the executor has let go of it."""
        request = next(self._requests)
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Frame] = loop.create_future()
        self._waiting[request] = waiting
        self._channel.send(Frame(kind, attempt, request, head, body))
        try:
            return await waiting
        except asyncio.CancelledError:
            let_go = self._waiting[request] = loop.create_future()
            self._channel.send(Frame(Kind.DROP, attempt, request))
            await let_go
            raise


class RemoteHost:
    """Implements `boundary.Host` by asking the executor."""

    def __init__(self, guest: Guest, attempt: int) -> None:
        self._guest = guest
        self._attempt = attempt

    async def call(self, call: Call, inputs: bytes) -> Answer:
        """See `Host.call`."""
        answer = await self._guest.ask(Kind.CALL, self._attempt, dump(call), inputs)
        reply = _reply(answer)
        return Answer(error=reply.error, data=answer.body, ran_s=reply.ran_s)

    async def record_trace(self, trace: TraceRecord, result: bytes) -> None:
        """See `Host.record_trace`."""
        _reply(await self._guest.ask(Kind.TRACE, self._attempt, dump(trace), result))

    @property
    def is_waiting(self) -> bool:
        """See `Host.is_waiting`; the engine's half knows."""
        return False

    def now(self) -> float:
        """See `Host.now`."""
        return time.time()


def _reply(answer: Frame) -> Reply:
    """Return the head of an answer, or raise what it says.

    Raises:
        UpwellError: the engine refused.
        CancelledError: the attempt is over, or is leaving.
    """
    reply = load(Reply, answer.head)
    if reply.cancelled:
        raise asyncio.CancelledError("the attempt is over")
    if reply.refused is not None:
        name, message = reply.refused
        refusal = getattr(errors, name, errors.UpwellError)
        raise refusal(message)
    return reply


def _become(init: Init) -> None:
    os.environ.update(init.variables)
    sys.path.insert(0, init.code)
    importlib.invalidate_caches()
