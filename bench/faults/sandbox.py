"""Runs on a sandbox: real processes, killed with SIGKILL and stopped with SIGSTOP, whose requests fail."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import upwell
from bench.faults import checks
from bench.faults.breaks import Guard
from bench.faults.notes import read_notes
from bench.faults.programs import Node, Writer, task_of
from bench.faults.report import RunReport
from upwell._client import config
from upwell._client.backend import open_backend
from upwell._client.sandbox import sandbox_command
from upwell._core.model import ActionRecord, RunRecord
from upwell._exec.payloads import unpack

AT_ONCE = 5
"""Programs that run at the same time: they wait most of the time, and each kill hits some of them."""
ACTIONS, SLEEPS_S = 8, (0.2, 1.0, 4.0)
ENDS_WITHIN_S = 150.0
CHILDREN_END_WITHIN_S = 90.0
STALL_S = 13.0
"""More than the sandbox's lease."""
FAULTS_EVERY_S = (1.0, 4.0)
REQUEST_RATE = 0.02
VICTIMS = ("worker", "lambda", "user process")
KILLED = VICTIMS[:2]
"""A process of user code that is killed is a failure of the task, which its result shows."""
PROCESS_KINDS = tuple(
    f"{how} {victim}" for how in ("kill -9", "stall") for victim in (KILLED if how == "kill -9" else VICTIMS)
)
REQUEST_KINDS = ("throttle", "500", "reset before", "reset after", "timeout after")
OPERATIONS = ("PutItem", "BatchWriteItem", "Query", "SendMessageBatch", "DeleteMessageBatch")


@dataclass(frozen=True, slots=True)
class _Ended:
    run: RunRecord | None
    actions: list[ActionRecord]
    value: object


class SandboxBackend:
    """Runs programs on one sandbox, several at a time.

    Args:
        root: A folder.
        broken: No guard can be taken out of other processes.
    """

    name = "sandbox"
    kinds = (*PROCESS_KINDS, *(f"{kind} {operation}" for kind in REQUEST_KINDS for operation in OPERATIONS))

    def __init__(self, root: Path, broken: Guard | None = None) -> None:
        if broken is not None:
            raise SystemExit(
                "--break needs --backend local or moto: the sandbox's executors are other processes"
            )
        self._root = root
        self._hooks, self._log = root / "hooks", root / "requests"
        self._hooks.mkdir()
        self._log.touch()
        shutil.copy(Path(__file__).parent / "on_sandbox" / "sitecustomize.py", self._hooks)
        self._state = root / "state"
        self._reports: dict[int, RunReport] = {}
        self.seeds = range(0)
        self._started = False

    def close(self) -> None:
        """Stop the sandbox."""
        if self._started:
            subprocess.run(sandbox_command(self._state, "stop"), check=True, capture_output=True)

    def run(self, seed: int) -> RunReport:
        """Run the program of a seed, together with those of the next seeds."""
        if seed not in self._reports:
            seeds = [n for n in range(seed, seed + AT_ONCE) if n in self.seeds or n == seed]
            self._run_batch(seeds)
        return self._reports.pop(seed)

    def _start(self, seed: int) -> None:
        settings = {"rate": REQUEST_RATE, "seed": seed, "log": str(self._log)}
        (self._hooks / "upwell_faults.json").write_text(json.dumps(settings))
        environment = {**os.environ, "PYTHONPATH": str(self._hooks)}
        command = sandbox_command(self._state, "start")
        subprocess.run(command, check=True, capture_output=True, env=environment)
        self._started = True
        upwell.init(mode="sandbox", state_dir=self._state)

    def _run_batch(self, seeds: list[int]) -> None:
        if not self._started:
            self._start(seeds[0])
        happened: Counter[str] = Counter()
        over = threading.Event()
        known = len(self._log.read_text().splitlines())
        killer = threading.Thread(target=self._strike, args=(Random(seeds[0]), happened, over))
        begun = time.monotonic()
        runs = {}
        for seed in seeds:
            program = Writer(Random(seed), ACTIONS, sleeps_s=SLEEPS_S).program()
            folder = self._root / f"seed-{seed}"
            folder.mkdir(exist_ok=True)
            started = upwell.with_runcontext(mode="sandbox").run(
                task_of(program), json.dumps(program), str(folder)
            )
            runs[seed] = (program, folder, started.name)
        killer.start()
        try:
            ended = asyncio.run(self._wait_for({seed: (run[2], run[0]) for seed, run in runs.items()}))
        finally:
            over.set()
            killer.join()
        happened.update(self._log.read_text().splitlines()[known:])
        for number, (seed, (program, folder, _)) in enumerate(runs.items()):
            self._reports[seed] = RunReport(
                seed=seed,
                wrong=list(_verdict(program, folder, ended[seed])),
                happened=happened if number == 0 else Counter(),
                actions=len(ended[seed].actions),
                virtual_s=time.monotonic() - begun,
                wall_s=(time.monotonic() - begun) / len(seeds),
                story=[
                    json.dumps(program),
                    *(f"{a.spec.task.name} {a.status} {a.attempts}" for a in ended[seed].actions),
                ],
            )

    async def _wait_for(self, runs: dict[int, tuple[str, Node]]) -> dict[int, _Ended]:
        async with open_backend("sandbox", config.current_config()) as backend:
            waited = await asyncio.gather(*(_ended(backend, *run) for run in runs.values()))
        return dict(zip(runs, waited, strict=True))

    # --- faults -----------------------------------------------------------------------------------------------

    def _strike(self, chance: Random, happened: Counter[str], over: threading.Event) -> None:
        """Kill and stall processes until the programs have ended; the first minute, so that they can end."""
        give_up_at = time.monotonic() + ENDS_WITHIN_S / 5
        while not over.wait(chance.uniform(*FAULTS_EVERY_S)) and time.monotonic() < give_up_at:
            victim = chance.choice(VICTIMS)
            pids = self._pids(victim)
            if not pids:
                continue
            pid = chance.choice(pids)
            if victim in KILLED and chance.random() < 0.75:
                if _send(pid, signal.SIGKILL):
                    happened[f"kill -9 {victim}"] += 1
            elif _send(pid, signal.SIGSTOP):
                happened[f"stall {victim}"] += 1
                over.wait(STALL_S)
                _send(pid, signal.SIGCONT)

    def _pids(self, victim: str) -> list[int]:
        done = subprocess.run(
            sandbox_command(self._state, "status", "--json"), capture_output=True, text=True, check=True
        )
        status: dict[str, Any] = json.loads(done.stdout)
        workers = [w["pid"] for w in status["workers"] if w["state"] == "running"]
        lambdas = [e["pid"] for e in status["executors"] if e["state"] == "busy" and e["pid"]]
        if victim == "worker":
            return workers
        if victim == "lambda":
            return lambdas
        return [child for pid in (*workers, *lambdas) for child in _user_processes(pid)]


def _send(pid: int, number: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def _user_processes(pid: int) -> Iterator[int]:
    """Yield the processes that run users' code under an executor: forks of its zygote."""
    for zygote in _children(pid):
        yield from _children(zygote)


def _children(pid: int) -> list[int]:
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in tasks.read_text().split()]
    return found


async def _ended(backend: Any, run_id: str, program: Node) -> _Ended:
    """Wait for the end of a run and of all its actions."""
    give_up_at = time.monotonic() + ENDS_WITHIN_S
    record, actions = None, []
    while time.monotonic() < give_up_at:
        record = await backend.store.get_run(run_id)
        if record is not None and record.status.is_terminal:
            actions = [action async for action in backend.store.list_actions(run_id)]
            if all(action.outcome is not None for action in actions):
                break
        await asyncio.sleep(0.5)
    value: object = None
    if record is not None and record.outcome is not None and record.outcome.output is not None:
        value = task_of(program).interface.decode_output(await unpack(backend.blobs, record.outcome.output))
    if not actions:
        actions = [action async for action in backend.store.list_actions(run_id)]
    return _Ended(record, actions, value)


def _verdict(program: Node, folder: Path, ended: _Ended) -> Iterator[str]:
    if ended.run is None or not ended.run.status.is_terminal:
        yield f"hangs; open is\n{checks.describe_open(ended.actions)}"
        return
    yield from checks.check_result(program, ended.run.outcome, ended.value)
    for action in ended.actions:
        if action.outcome is None:
            yield f"{action.spec.action_id} ({action.spec.task.name}) is {action.status} for good"
    yield from checks.check_children(ended.actions, CHILDREN_END_WITHIN_S)
    yield from checks.check_notes(read_notes(folder))
