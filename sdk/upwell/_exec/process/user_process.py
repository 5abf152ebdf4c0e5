"""One user process, seen from the executor: attempts in, ends out, and what it asks for in between."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, BinaryIO

from upwell import errors
from upwell._core.log_lines import STDERR, STDOUT, PieceRedactor, Redactor
from upwell._core.model import Status
from upwell._exec.boundary import Answer, AttemptLostError, Call, Ended, Host, Start, TraceRecord
from upwell._exec.logs.attempt_log import AttemptLog, LineSink, log_of, secret_values
from upwell._exec.process.channel import Channel, Frame, Kind
from upwell._exec.process.death import Death
from upwell._exec.process.heads import End, Init, Reply, dump, load
from upwell._exec.process.memory import kernel_kills, private_bytes
from upwell._exec.process.output import Output
from upwell._exec.process.strays import Strays
from upwell._exec.process.zygote import Forked

PARTING_S = 1.0
"""A process that has ended and its socket are gone soon after each other, unless somebody keeps one of them."""
IDLE_ANSWER_S = 1.0
"""A process that does not answer for so long is busy: something holds its interpreter."""

log = logging.getLogger("upwell.executor")


@dataclass(eq=False)
class Running:
    """An attempt in a process."""

    number: int
    start: Start
    host: Host
    ended: asyncio.Future[tuple[End, bytes]]
    log: AttemptLog
    """Of what it writes past its own: see `Pipes.stdout`."""
    requests: dict[int, asyncio.Task[None]] = field(default_factory=dict)


class UserProcess:
    """A process with the code of one bundle and the variables of one environment.

    Args:
        forked: The process.
        channel: To it.
        faults: The file that it writes its stack to.
        limit_bytes: Memory of the executor, for the words of an error.
        lines: Takes what it prints and logs.
    """

    def __init__(
        self,
        forked: Forked,
        channel: Channel,
        faults: BinaryIO,
        limit_bytes: int | None,
        lines: LineSink,
    ) -> None:
        self.pid = forked.pid
        self._exit = forked.exit
        self._channel = channel
        self._faults = faults
        self._limit_bytes = limit_bytes
        self._numbers = count(1)
        self._idle_answers: dict[int, asyncio.Future[float]] = {}
        self._out_of_memory = False
        self._killed = False
        self._kernel_kills = kernel_kills()
        self.running: dict[int, Running] = {}
        self.memory_bytes = 0
        self.retired = False
        """Whether it takes nothing new, because something in it cannot be stopped or it is dead."""
        self.death: Death | None = None
        self._lines = lines
        self._secrets = Redactor()
        self._strays = Strays(lines, self._secrets)
        self._pieces = {stream: PieceRedactor(self._secrets) for stream in (STDOUT, STDERR)}
        self._output = Output(forked.pipes, lines, self._wrote)
        self._reader = asyncio.create_task(self._read())
        self._end = asyncio.create_task(self._wait())

    def init(self, init: Init) -> None:
        """Give it its code."""
        self._channel.send(Frame(Kind.INIT, head=dump(init)))

    # --- attempts -------------------------------------------------------------------------------------------

    def begin(self, start: Start, inputs: bytes, host: Host) -> Running:
        """Begin an attempt. Its end, or its loss, comes through `ended`."""
        number = next(self._numbers)
        ended: asyncio.Future[tuple[End, bytes]] = asyncio.get_running_loop().create_future()
        self._secrets.add(secret_values(start))
        log = log_of(start, self._lines, host.now, secrets=self._secrets)
        running = self.running[number] = Running(number, start, host, ended, log)
        self._channel.send(Frame(Kind.START, number, 0, dump(start), inputs))
        return running

    def cancel(self, running: Running) -> None:
        """Ask it to stop an attempt."""
        self._channel.send(Frame(Kind.CANCEL, running.number))

    def leave(self, running: Running) -> None:
        """Forget an attempt, and what it still asks for."""
        self._output.drain()  # Lambda stops this process once the attempt has ended
        running.log.close()
        self.running.pop(running.number, None)
        for request in running.requests.values():
            request.cancel()

    async def idle_s(self, running: Running) -> float:
        """Return for how long an attempt has done nothing but wait."""
        number = next(self._numbers)
        answer = self._idle_answers[number] = asyncio.get_running_loop().create_future()
        self._channel.send(Frame(Kind.IDLE, running.number, number))
        try:
            return await asyncio.wait_for(answer, IDLE_ANSWER_S)
        except TimeoutError:
            return 0.0
        finally:
            self._idle_answers.pop(number, None)

    # --- what it prints -------------------------------------------------------------------------------------

    def _wrote(self, stream: str, text: str) -> None:
        """Take what has gone past the logs of attempts: it is of the attempt that alone can have written it.

        A secret may be cut, and its second half be another attempt's to tell: it is hidden before that.
        """
        text = self._pieces[stream](text)
        found = list(self.running.values())
        at_work = [running for running in found if not running.host.is_waiting] or found
        if len(at_work) == 1:
            at_work[0].log.write(stream, text)
        else:
            self._strays.log(running.start for running in found).write(stream, text)

    # --- the process ----------------------------------------------------------------------------------------

    def look_at_memory(self) -> int:
        """Measure its memory, in bytes."""
        self.memory_bytes = private_bytes(self.pid) or self.memory_bytes
        return self.memory_bytes

    def kill(self) -> None:
        """End it, and what it has started. Attempts that are still in it are lost, none of them is to blame."""
        self._killed = True
        self._end_group()

    def kill_for_memory(self) -> None:
        """End it because its executor is about to run out of memory."""
        self._out_of_memory = True
        self._end_group()

    def _end_group(self) -> None:
        self.retired = True
        if self.death is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def on_end(self, call: Callable[[], object]) -> None:
        """Have something called once it has ended."""
        self._end.add_done_callback(lambda _: call())

    async def closed(self) -> None:
        """Wait for its end."""
        await asyncio.shield(self._end)

    async def _wait(self) -> None:
        code = await self._exit_code()
        self.retired = True
        if code is None:  # with the zygote, which is nobody's fault here
            self._killed, code = True, -signal.SIGKILL
        self._output.close()
        for stream, pieces in self._pieces.items():
            self._strays.log([]).write(stream, pieces.close())
        self._strays.close()
        for running in self.running.values():
            running.log.close()
        self._faults.seek(0)
        self.death = Death(
            pid=self.pid,
            code=code,
            memory_bytes=self.memory_bytes,
            limit_bytes=self._limit_bytes,
            out_of_memory=self._out_of_memory or self._was_killed_by_kernel(code),
            stack=self._faults.read().decode(errors="replace"),
        )
        self._faults.close()
        self._channel.close()
        self._blame(self.death)

    async def _exit_code(self) -> int | None:
        """Return its exit code, once all has been read that it sent."""
        either: list[asyncio.Future[Any]] = [self._reader, self._exit]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        self.retired = True  # at once: what began in it now would be blamed for what it has died of
        await asyncio.wait({self._exit}, timeout=PARTING_S)
        if not self._exit.done():  # it lives, and nobody can talk to it: its code has closed the socket
            self._end_group()
        code = await self._exit
        await asyncio.wait({self._reader}, timeout=PARTING_S)  # ends that it still could send count
        if not self._reader.done():  # something that it has started keeps the socket
            self._reader.cancel()
            await asyncio.wait({self._reader})
        elif self._reader.exception() is not None:
            log.warning("what a user process said cannot be read", exc_info=self._reader.exception())
        return code

    def _blame(self, death: Death) -> None:
        """Fail the attempt that brought the process down, if it can be told; the others are lost.

        Those that only waited for children did nothing. If several were at work, none is blamed: each is tried
        again in a process of its own, where a culprit is alone.
        """
        lost = list(self.running.values())
        suspects = [running for running in lost if not running.host.is_waiting] or lost
        if self._killed:
            suspects = []
        for running in lost:
            if running.ended.done():
                continue
            if suspects == [running]:
                error = death.error(running.start.spec.task, running.start.worker)
                running.ended.set_result((End(status=Status.FAILED, error=error), b""))
            else:
                running.ended.set_exception(AttemptLostError(death.loss(running.start.worker)))

    def _was_killed_by_kernel(self, code: int) -> bool:
        is_killed = code == -signal.SIGKILL and not self._killed
        return is_killed and kernel_kills() > self._kernel_kills

    async def _read(self) -> None:
        async for frame in self._channel.frames():
            if frame.kind is Kind.IDLE:
                answer = self._idle_answers.get(frame.request)
                if answer is not None and not answer.done():
                    answer.set_result(float(frame.head))
                continue
            running = self.running.get(frame.attempt)
            if running is not None:
                self._handle(running, frame)
            elif frame.kind in (Kind.CALL, Kind.TRACE):
                self._answer(frame, Reply(cancelled=True))

    def _handle(self, running: Running, frame: Frame) -> None:
        match frame.kind:
            case Kind.CALL | Kind.TRACE:
                request = asyncio.create_task(self._serve(running.host, frame))
                running.requests[frame.request] = request
                request.add_done_callback(lambda served: self._served(running, frame, served))
            case Kind.DROP:
                if frame.request in running.requests:
                    running.requests[frame.request].cancel()
                else:
                    self._answer(frame, Reply(cancelled=True))
            case Kind.ENDED:
                if not running.ended.done():
                    running.ended.set_result((load(End, frame.head), frame.body))
            case _:
                raise RuntimeError(f"a user process does not say {frame.kind.name}")

    def _served(self, running: Running, frame: Frame, served: asyncio.Task[None]) -> None:
        running.requests.pop(frame.request, None)
        if served.cancelled():  # before it began: it could not answer itself
            self._answer(frame, Reply(cancelled=True))

    async def _serve(self, host: Host, frame: Frame) -> None:
        """Carry out a request and answer it, whatever comes of it."""
        body = b""
        try:
            if frame.kind is Kind.CALL:
                answer: Answer = await host.call(load(Call, frame.head), frame.body)
                reply, body = Reply(error=answer.error, ran_s=answer.ran_s), answer.data
            else:
                await host.record_trace(load(TraceRecord, frame.head), frame.body)
                reply = Reply()
        except asyncio.CancelledError:
            reply = Reply(cancelled=True)
        except errors.UpwellError as e:
            reply = Reply(refused=(type(e).__name__, str(e)))
        except Exception as e:  # the engine's own trouble: it has noted it, and the attempt will not count
            reply = Reply(refused=(errors.UnavailableError.__name__, str(e)))
        self._answer(frame, reply, body)

    def _answer(self, frame: Frame, reply: Reply, body: bytes = b"") -> None:
        self._channel.send(Frame(Kind.ANSWER, frame.attempt, frame.request, dump(reply), body))


def ended(end: End, body: bytes) -> Ended:
    """Return how an attempt ended, or raise what that means to the engine.

    Raises:
        CancelledError: it was stopped.
        UnavailableError: a service was out of reach.
    """
    if end.status is Status.ABORTED:
        raise asyncio.CancelledError
    if end.status is Status.QUEUED:
        raise errors.UnavailableError(end.error.message if end.error else "")
    return Ended(
        status=end.status,
        error=end.error,
        data=body,
        ran_s=end.ran_s,
        ahead=end.ahead,
        traces_left=end.traces_left,
        phases=end.phases,
    )
