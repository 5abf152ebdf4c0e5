"""The cloud backends of the client: AWS, and its emulation, which differs by endpoint alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import quote

from upwell._author.context import Mode
from upwell._author.environment import TaskEnvironment
from upwell._aws.orchestrator import execution_name
from upwell._aws.platform import AwsPorts, describe_settings, open_ports
from upwell._aws.scaling_events import ScalingEvents
from upwell._client.config import Config, console_page
from upwell._client.deploy import pool_parameters
from upwell._client.sandbox import Sandbox, started_sandbox
from upwell._core.commands import Abort
from upwell._core.keys import DATA
from upwell._core.model import ActionKey, Executor, RunRecord, SecretSpec, Status
from upwell._core.ports import Logs, PoolNotFoundError, Ports
from upwell._core.scaling import ScalingEvent
from upwell._core.settings import Settings, resource_prefix
from upwell._core.sizes import cut
from upwell._exec.control import abort_named, control_kernel
from upwell._exec.transition import transition
from upwell._local.log_files import FileLogs
from upwell._types.io_context import IoContext, set_default_io_context
from upwell.errors import NotDeployedError


class CloudBackend:
    """Submits runs to a deployed platform."""

    def __init__(
        self,
        mode: Mode,
        ports: AwsPorts,
        settings: Settings,
        sandbox: Sandbox | None,
        console_url: str | None = None,
    ) -> None:
        self.mode = mode
        self.store = ports.store
        self.blobs = ports.blobs
        self.transfers = ports.transfers
        self.logs: Logs = (
            ports.logs if sandbox is None else FileLogs(partial(sandbox.log_files, settings.prefix))
        )
        self._ports = ports
        self._settings = settings
        self._sandbox = sandbox
        self._console_url = console_url

    async def prepare(self, pools: dict[str, TaskEnvironment]) -> None:
        """Create missing pools on the sandbox; on AWS, name the command that does."""
        for name, environment in pools.items():
            kind, parameters = pool_parameters(environment)
            if self._sandbox is not None:
                await asyncio.to_thread(self._sandbox.ensure_pool, name, kind, parameters)
            elif not await self._ports.queue.exists(name):
                raise NotDeployedError(
                    f"environment {environment.name!r} has no pool {name!r} in {self._settings.prefix}; "
                    "`upwell deploy` the file that defines it"
                )

    async def start(self, run: RunRecord, *, timeout_s: float | None) -> RunRecord:
        """Start the run's execution and return at once."""
        await self._ports.orchestrator.start(run, timeout_s=timeout_s)
        return run

    async def abort(self, run: RunRecord, reason: str) -> None:
        """Stop the execution and mark the root action; executors notice with their next heartbeat."""
        reason = cut(reason)
        await self._ports.orchestrator.stop(run.spec.run_id, reason)
        key = ActionKey(run.spec.run_id, run.root.action_id)
        command = Abort(spec=run.root, reason=reason)
        await transition(self.store, self._ports.clock, key, command)

    async def abort_action(self, run: RunRecord, action_id: str, reason: str) -> Status:
        """End an action and tell its parent; its executor notices with its next heartbeat."""
        ports = Ports(
            store=self.store,
            blobs=self.blobs,
            queue=self._ports.queue,
            orchestrator=self._ports.orchestrator,
            clock=self._ports.clock,
            executor=Executor(kind="client", id=""),
        )
        kernel = control_kernel(ports, self._settings, self.mode)
        return await abort_named(kernel, run.spec.run_id, action_id, reason)

    async def is_alive(self, run: RunRecord) -> bool:
        """Whether the run's execution is under way: its record says so."""
        return not run.status.is_terminal

    async def backlog(self, pool: str) -> int | None:
        """Return about how many messages wait in a pool's queue; None if the pool is not deployed."""
        try:
            return await self._ports.queue.waiting(pool)
        except PoolNotFoundError:
            return None

    async def scaling(self, pool: str) -> list[ScalingEvent]:
        """Return what the scaler did to a pool."""
        return await ScalingEvents(self._ports.clients, self._settings).newest(pool)

    async def secrets(self, secrets: Sequence[SecretSpec]) -> dict[str, str]:
        """Return what Secrets Manager has, with the rights of this process."""
        return await self._ports.secrets.variables(secrets)

    def describe(self, run: RunRecord) -> str:
        """Return the address of the run's page in the console, or of its execution in AWS's."""
        if self._console_url is not None or self._sandbox is not None:
            return console_page(self._console_url, run.spec.run_id)
        arn = self._settings.state_machine_arn
        region = arn.split(":")[3]
        name = execution_name(run.spec.run_id, run.spec.generation)
        execution = quote(arn.replace(":stateMachine:", ":execution:") + f":{name}", safe="")
        return f"https://{region}.console.aws.amazonaws.com/states/home?region={region}#/v2/executions/details/{execution}"


@asynccontextmanager
async def open_cloud(mode: Mode, config: Config) -> AsyncIterator[CloudBackend]:
    """Connect to the platform of a stage, or to the sandbox, which is started if it does not run.

    Raises:
        NotDeployedError: the stage has no platform.
        UsageError: no credentials or no region.
    """
    sandbox: Sandbox | None = None
    if mode == "sandbox":
        sandbox = await asyncio.to_thread(started_sandbox, config.state_dir)
        settings = Settings.from_env(sandbox.settings)
        ports = open_ports(settings, environment=sandbox.environment)
    else:
        settings = await describe_settings(
            resource_prefix(config.stage), region=config.region, profile=config.profile
        )
        ports = open_ports(settings, region=config.region, profile=config.profile)
    # Files that the program names before or after a run go to and come from this deployment's storage.
    set_default_io_context(
        IoContext(
            raw_data_prefix=ports.blobs.uri(f"{DATA}inputs"),
            scratch_dir=config.state_dir.absolute() / "scratch",
            transfers=ports.transfers,
        )
    )
    try:
        yield CloudBackend(mode, ports, settings, sandbox, config.console_url)
    finally:
        ports.close()
