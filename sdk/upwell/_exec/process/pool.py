"""The user processes of one executor: one per bundle and environment, forked when needed, watched, replaced."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from upwell._core.model import ActionSpec, Status
from upwell._exec.boundary import Ended, Host, Start
from upwell._exec.failure import describe
from upwell._exec.logs.attempt_log import LineSink, print_line
from upwell._exec.process.channel import Channel
from upwell._exec.process.heads import Init
from upwell._exec.process.memory import private_bytes
from upwell._exec.process.user_process import Running, UserProcess, ended
from upwell._exec.process.zygote import Zygote
from upwell._exec.user_code import time_limit

IDLE_MAX = 4
"""Processes without an attempt that are kept, for the next attempt of their code."""
CANCEL_S = 5.0
"""How long an attempt may take to stop before its process is ended."""
OVERTIME_S = 2.0
"""How long after its time limit an attempt may still answer for itself before its process is ended."""
MEMORY_SHARE = 0.95
"""Share of an executor's memory above which its largest user process is ended, before the kernel ends one."""
MEMORY_LOOK_S = 0.05


class Code(Protocol):
    """Brings code to this machine."""

    async def folder(self, spec: ActionSpec) -> Path:
        """Return the folder with the bundle of an action's run.

        Raises:
            TaskNotFoundError: the run has none.
        """


@dataclass(frozen=True, slots=True)
class Key:
    """What attempts of one process have in common."""

    bundle: str | None
    environment: str
    variables: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, spec: ActionSpec) -> Key:
        """Return the key of an action's process."""
        variables = {**spec.task.env_vars, **spec.run.env_vars}
        return cls(spec.run.bundle, spec.task.name.partition(".")[0], tuple(sorted(variables.items())))


class Processes:
    """Runs the users' code in processes of its own (`boundary.Users`).

    Args:
        code: Brings bundles here.
        zygote: Forks.
        memory_bytes: Memory of this executor; None where that is not known, and nothing is watched then.
        lines: Takes what they print and log; by default, the standard output of this process.
    """

    def __init__(
        self,
        code: Code,
        zygote: Zygote,
        *,
        memory_bytes: int | None = None,
        lines: LineSink = print_line,
    ) -> None:
        self._code = code
        self._zygote = zygote
        self._memory_bytes = memory_bytes
        self._lines = lines
        self._processes: dict[Key, list[UserProcess]] = defaultdict(list)
        self._living: set[UserProcess] = set()
        """Also those that are not in `_processes` any more, because they are about to end."""
        self._alone: set[UserProcess] = set()
        self._choosing: dict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._watch: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """See `Users.prepare`."""
        self._zygote.start()

    def attempt(self, start: Start, inputs: bytes, host: Host) -> ProcessRun:
        """See `Users.attempt`."""
        return ProcessRun(self, start, inputs, host)

    async def take(self, start: Start) -> UserProcess:
        """Return a process for an attempt.

        Raises:
            TaskNotFoundError: the run has no code.
            ZygoteError: no process can be forked.
        """
        folder = await self._code.folder(start.spec)
        key = Key.of(start.spec)
        async with self._choosing[key]:
            process = self._free(key, alone=start.alone) or await self._fork(key, folder)
            if start.alone:
                self._alone.add(process)
        self._see_to_watching()
        return process

    def _free(self, key: Key, *, alone: bool) -> UserProcess | None:
        for process in self._processes[key]:
            shared = process not in self._alone
            if not process.retired and (not process.running if alone else shared):
                return process
        return None

    async def _fork(self, key: Key, folder: Path) -> UserProcess:
        faults = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # the process closes it
        try:
            forked = await self._zygote.fork(faults.fileno())
            try:
                channel = await Channel.over(forked.sock)
            except BaseException:
                forked.sock.close()  # which ends it
                forked.pipes.close_ours()
                raise
            process = UserProcess(forked, channel, faults, self._memory_bytes, self._lines)
        except BaseException:
            faults.close()
            raise
        self._living.add(process)
        process.on_end(lambda: self._living.discard(process))
        process.init(Init(code=str(folder), variables=dict(key.variables)))
        self._processes[key].append(process)
        return process

    def give_back(self, process: UserProcess) -> None:
        """Take note that an attempt has left a process."""
        if process.running:
            return
        self._alone.discard(process)
        if process.retired:
            process.kill()
        self._forget_dead()
        idle = [p for processes in self._processes.values() for p in processes if not p.running]
        for surplus in idle[: max(0, len(idle) - IDLE_MAX)]:
            surplus.kill()

    def _forget_dead(self) -> None:
        for key, processes in list(self._processes.items()):
            processes[:] = [process for process in processes if not process.retired or process.running]
            if not processes and not self._choosing[key].locked():
                del self._processes[key], self._choosing[key]

    # --- memory ---------------------------------------------------------------------------------------------

    def _see_to_watching(self) -> None:
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watch_memory())

    async def _watch_memory(self) -> None:
        """Look at the processes while they work."""
        while any(p.running for processes in self._processes.values() for p in processes):
            self._look_at_memory()
            await asyncio.sleep(MEMORY_LOOK_S)

    def _look_at_memory(self) -> None:
        processes = [p for some in self._processes.values() for p in some if not p.retired]
        used = sum(process.look_at_memory() for process in processes)
        if self._memory_bytes is None:
            return
        own = private_bytes(os.getpid())  # the zygote's pages are shared with this process or with its forks
        if processes and own + used > MEMORY_SHARE * self._memory_bytes:
            # One without work first: it only keeps modules warm.
            max(processes, key=lambda p: (not p.running, p.memory_bytes)).kill_for_memory()

    async def aclose(self) -> None:
        """See `Users.aclose`."""
        everyone = list(self._living)
        for process in everyone:
            process.kill()
        await asyncio.gather(*(process.closed() for process in everyone))
        if self._watch is not None:
            self._watch.cancel()
        self._zygote.close()


class ProcessRun:
    """One attempt in a process (`boundary.UserCode`)."""

    def __init__(self, processes: Processes, start: Start, inputs: bytes, host: Host) -> None:
        self._processes = processes
        self._start = start
        self._inputs = inputs
        self._host = host
        self._place: tuple[UserProcess, Running] | None = None

    async def idle_s(self) -> float:
        """See `UserCode.idle_s`."""
        if self._place is None:
            return 0.0
        process, running = self._place
        return await process.idle_s(running)

    async def run(self) -> Ended:
        """See `UserCode.run`.

        Raises:
            AttemptLostError: the process died, and this attempt is not known to be the cause.
            UnavailableError: a service was out of reach.
        """
        process = await self._processes.take(self._start)
        running = process.begin(self._start, self._inputs, self._host)
        self._place = process, running
        try:
            return await self._ended(process, running)
        finally:
            self._place = None
            process.leave(running)
            self._processes.give_back(process)

    async def _ended(self, process: UserProcess, running: Running) -> Ended:
        limit_s, too_late = time_limit(self._start.spec, self._host.now())
        try:
            await asyncio.wait({running.ended}, timeout=None if limit_s is None else limit_s + OVERTIME_S)
        except asyncio.CancelledError:
            await self._stop(process, running)
            raise
        if not running.ended.done():  # it cannot even say that it is late: something holds its interpreter
            process.leave(running)
            process.kill()
            return Ended(status=Status.TIMED_OUT, error=describe(too_late, self._start.worker))
        end, body = running.ended.result()
        process.retired = process.retired or end.stuck
        return ended(end, body)

    async def _stop(self, process: UserProcess, running: Running) -> None:
        """Stop the attempt; if it does not stop, its process is ended."""
        process.cancel(running)
        try:
            await asyncio.wait({running.ended}, timeout=CANCEL_S)
        finally:
            if not running.ended.done():
                process.leave(running)
                process.kill()
            elif running.ended.exception() is None and running.ended.result()[0].stuck:
                process.retired = True
