"""One run: its program, its processes, its faults, and the look at what became of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bench.faults import breaks, checks
from bench.faults.fleet import Fleet, Place, Role
from bench.faults.ledger import Ledger, WitnessedQueue, WitnessedStore
from bench.faults.messages import MessyQueue
from bench.faults.ports import Killed
from bench.faults.programs import LIMIT, Node, limited, task_of
from bench.faults.report import RunReport
from bench.faults.strikes import Plan
from bench.faults.virtual_time import LoopClock, RealTimeError, VirtualTimeLoop
from upwell._client.options import RunOptions
from upwell._client.submit import new_run
from upwell._core.holds import HOLD_MAX_S, Hold
from upwell._core.model import ActionRecord, Executor, RunRecord, Status
from upwell._core.ports import Ports, StateStore
from upwell._core.settings import Settings
from upwell._exec.environment import RandomIds
from upwell._exec.kernel import Kernel
from upwell._exec.payloads import unpack
from upwell._exec.sweeper import Sweeper
from upwell._exec.user_code import InProcess
from upwell._local.platform import LOCAL_TRANSFERS, RegistryLoader
from upwell._types.transfers.transfer import BlobTransfer

HANGS_AFTER_S = 1200.0
SWEEPS_MAX = 12
SETTLES_WITHIN_S = 1800.0
CHILDREN_END_WITHIN_S = 180.0
"""After their parent: a heartbeat, a stall, the lease of whoever died over it, messages that come late."""
LOOK_S = 5.0

PortsFactory = Callable[[LoopClock, bool], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a backend brings to a run."""

    settings: Settings
    roles: list[Role]
    adapters: PortsFactory
    """Makes store, queue, blobs and orchestrator: for a process, or (True) for the harness, without faults."""
    counted: dict[str, tuple[str, ...]]
    scratch: Path
    long_poll_s: float
    broken: breaks.Guard | None = None
    cpu_s: float = 30.0
    transfers: Mapping[str, BlobTransfer] = field(default_factory=lambda: dict(LOCAL_TRANSFERS))
    witnesses_saves: bool = True
    """Whether accepted writes of records are noted at the port, and not below it."""
    pause: Callable[[], Awaitable[None]] | None = None
    """Gives real time to threads that nobody else waits for."""


class World:
    """Everything of one run.

    Args:
        setting: The backend's part.
        seed: Names the run.
        program: What is run.
        plan: What goes wrong.
        chance: Randomness of the messages.
    """

    def __init__(self, setting: Setting, seed: int, program: Node, plan: Plan, chance: Random) -> None:
        self._loop = VirtualTimeLoop(setting.cpu_s)
        self._loop.set_exception_handler(_ignore_deaths)
        self.clock = LoopClock(self._loop)
        self.ledger = Ledger(self.clock)
        self.plan, self.program = plan, program
        self._setting, self._chance, self._seed = setting, chance, seed
        self._run_id = f"seed-{seed}-{time.time_ns():x}"
        self._adapters = setting.adapters(self.clock, True)
        self._place = Place(
            clock=self.clock,
            settings=setting.settings,
            make_ports=self._process_ports,
            plan=plan,
            ledger=self.ledger,
            scratch=setting.scratch,
            counted=setting.counted,
            long_poll_s=setting.long_poll_s,
            transfers=setting.transfers,
        )
        self._records: list[ActionRecord] = []

    def run(self) -> RunReport:
        """Run it, in a loop of its own, and check it."""
        started = time.monotonic()
        try:
            with (
                breaks.decisions(self._setting.broken),
                asyncio.Runner(loop_factory=lambda: self._loop) as runner,
            ):
                wrong = runner.run(self._go())
        except RealTimeError as e:
            wrong = [*self.ledger.wrong, f"hangs: {e}"]
        losses = sum(record.losses for record in self._records)
        if losses:
            self.plan.happened["lease expired"] += losses
        return RunReport(
            seed=self._seed,
            wrong=wrong,
            happened=self.plan.happened,
            actions=len(self.ledger.saves),
            virtual_s=self._loop.passed_s,
            wall_s=time.monotonic() - started,
            story=self._story(),
        )

    def _process_ports(self) -> dict[str, Any]:
        adapters = self._setting.adapters(self.clock, False)
        if self._setting.witnesses_saves:
            adapters["store"] = WitnessedStore(adapters["store"], self.ledger)
        adapters["store"] = breaks.store(self._setting.broken, adapters["store"])
        witnessed = WitnessedQueue(adapters["queue"], self.ledger)
        queue = breaks.queue(self._setting.broken, witnessed)
        adapters["queue"] = MessyQueue(queue, self.plan, self._chance)
        return adapters

    async def _go(self) -> list[str]:
        fleet = Fleet(self._place, self._setting.roles)
        try:
            run = await self._submitted()
            fleet.start()
            ended = await self._ended(run) or await self._rescued(run)
            settled = ended is not None and await self._settled()
            self._records = await self._all()
        finally:
            await fleet.aclose()
        if self.ledger.wrong:
            return self.ledger.wrong
        if ended is None:
            return [f"hangs; open is\n{checks.describe_open(self._records)}"]
        return await self._verdict(ended, settled)

    async def _submitted(self) -> RunRecord:
        task = task_of(self.program)
        encoded = task.interface.encode_inputs({"text": json.dumps(self.program), "folder": ""})
        now, blobs = self.clock.now(), self._adapters["blobs"]
        run = await new_run(blobs, task, encoded, RunOptions(), run_id=self._run_id, bundle=None, now=now)
        await self._adapters["orchestrator"].start(run)
        if self._setting.pause is not None:
            await self._setting.pause()
        return run

    async def _ended(self, run: RunRecord, within_s: float = HANGS_AFTER_S) -> RunRecord | None:
        """Wait for the end of the run; None if it does not come."""
        give_up_at = self.clock.now() + within_s
        while self.clock.now() < give_up_at and not self.ledger.wrong:
            record: RunRecord | None = await self._adapters["store"].get_run(self._run_id)
            if record is not None and record.status.is_terminal:
                return record
            if self._setting.pause is not None:
                await self._setting.pause()
            await self.clock.sleep(LOOK_S)
        return None

    async def _rescued(self, run: RunRecord) -> RunRecord | None:
        """Let the sweeper put right what hangs. One fault alone must never come to that."""
        if self._setting.broken is not None or self.ledger.wrong or self.plan.happened.total() <= 1:
            return None
        ports = Ports(clock=self.clock, executor=Executor(kind="worker", id="sweeper"), **self._adapters)
        kernel = Kernel(
            ports=ports,
            settings=self._setting.settings,
            users=InProcess(RegistryLoader(), self._setting.transfers),
            ids=RandomIds(),
            mode="local",
            scratch=self._setting.scratch,
        )
        for _ in range(SWEEPS_MAX):
            for remedy, times in (await Sweeper(kernel).look(self._run_id)).items():
                self.plan.happened[f"sweeper: {remedy}"] += times
            ended = await self._ended(run, self._setting.settings.sweep_s)
            if ended is not None:
                return ended
        return None

    async def _settled(self) -> bool:
        """Wait until all that was sent has ended; return whether it did."""
        give_up_at = self.clock.now() + SETTLES_WITHIN_S
        while self.clock.now() < give_up_at:
            ended = {key for key, saves in self.ledger.saves.items() if saves[-1].record.outcome is not None}
            if len(ended) == len(self.ledger.saves) and ended >= self.ledger.sent.keys():
                return True
            await self.clock.sleep(LOOK_S)
        return False

    async def _all(self) -> list[ActionRecord]:
        return [record async for record in self._adapters["store"].list_actions(self._run_id)]

    async def _holds_left(self) -> list[Hold]:
        """Return the places that are held when those of the dead have run out."""
        if not self.plan.seen["take hold"]:
            return []
        await self.clock.sleep(HOLD_MAX_S + LOOK_S)
        store: StateStore = self._adapters["store"]
        return [hold for hold in await store.list_holds() if hold.run_id == self._run_id]

    async def _verdict(self, run: RunRecord, settled: bool) -> list[str]:
        value: object = None
        outcome = run.outcome
        if outcome is not None and outcome.output is not None:
            data = await unpack(self._adapters["blobs"], outcome.output)
            value = task_of(self.program).interface.decode_output(data)
        return [
            *checks.check_result(self.program, outcome, value),
            *(() if settled else checks.check_ends(self.ledger, self._records)),
            *checks.check_children(self._records, CHILDREN_END_WITHIN_S),
            *checks.check_warnings(self._records),
            *checks.check_side_effects(self.ledger, self._run_id),
            *checks.check_limits(self.ledger, self._run_id, {limited.name: LIMIT}),
            *checks.check_locks(await self._holds_left(), self.clock.now()),
        ]

    def _story(self) -> list[str]:
        """Return what happened, write by write, for a look at one seed."""
        saves = sorted(
            ((saved.at, saved.record) for all_of in self.ledger.saves.values() for saved in all_of),
            key=lambda pair: pair[0],
        )
        start = saves[0][0] if saves else 0.0
        lines = [f"program: {json.dumps(self.program)}", f"plan: {self.plan}"]
        shown: dict[str, tuple[str, int]] = {}
        for at, record in saves:
            now = (record.status.value, record.attempt)
            if record.status is Status.RUNNING and shown.get(record.spec.action_id) == now:
                continue  # a lease that was extended
            shown[record.spec.action_id] = now
            worker = record.attempts[-1].executor.id if record.attempts else "-"
            end = record.attempts[-1].end if record.attempts else ""
            if record.attempts and (error := record.attempts[-1].error):
                end += f" {error.code}: {error.message}"
            spec = record.spec
            who = f"{spec.action_id[:12]:12} {spec.task.name:26} of {str(spec.parent_id)[:12]:12}"
            state = f"v{record.version:<3} {record.status:9} attempt {record.attempt} {worker} {end}"
            lines.append(f"{at - start:9.2f} s  {who} {state}")
        return lines


def _ignore_deaths(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)
