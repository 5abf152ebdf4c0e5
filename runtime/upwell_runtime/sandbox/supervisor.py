"""The sandbox's one long-lived process: starts everything, keeps it going, and ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upwell_runtime.sandbox.aws import Aws, aws_environment
from upwell_runtime.sandbox.children import Children
from upwell_runtime.sandbox.control import Control
from upwell_runtime.sandbox.deployment import Deployment, PoolSpec
from upwell_runtime.sandbox.emulator import Emulator
from upwell_runtime.sandbox.lambda_host import Growth, LambdaHost
from upwell_runtime.sandbox.schedule import ExecutionEvents
from upwell_runtime.sandbox.state import SandboxError, SandboxState, StateDir, process_started

log = logging.getLogger(__name__)

ACCOUNT = "000000000000"
STOP_GRACE_S = 1.0
"""All state goes with the emulator, so draining has no use; this is for user code to end in order."""
HOUSEKEEPING_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a sandbox."""

    state_dir: StateDir
    region: str = "us-east-1"
    idle_stop_s: float = 3600.0
    """Stop by itself after so long without use; 0: never."""
    growth: Growth = field(default_factory=Growth)
    lambda_timeout_s: float | None = None
    """End every invocation of a pool's function after so long: for parents that outlive theirs."""
    templates: Path | None = None
    """Folder of templates in place of the package's."""


class Supervisor:
    """One sandbox, from start to stop."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._dir = options.state_dir
        self._children = Children(options.state_dir)
        self._emulator = Emulator(self._children, options.state_dir, region=options.region, account=ACCOUNT)
        self._functions = LambdaHost(self._children, options.growth)
        self._control = Control(self)
        self._stop = asyncio.Event()
        self._aws: Aws | None = None
        self._deployment: Deployment | None = None

    async def run(self) -> None:
        """Start, serve until asked to stop, and leave nothing behind.

        Raises:
            SandboxError: it could not start, or the emulator ended.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.request_stop, number.name)
        try:
            await self._emulator.start()
            self._aws = Aws(endpoint=self._emulator.endpoint, region=self._options.region, account=ACCOUNT)
            await self._serve(self._aws)
        finally:
            self._dir.forget()
            await self._stop_work()
            await self._children.stop_all(0)
            await self._control.stop()
            if self._aws is not None:
                self._aws.close()
            self._children.close()
            log.info("stopped")

    async def _stop_work(self) -> None:
        """End pollers, functions, workers and the emulator, all at the same time."""
        ending = [self._functions.stop(), self._emulator.stop()]
        if self._deployment is not None:
            self._deployment.stop_polling()
            ending.append(self._deployment.agent.stop(STOP_GRACE_S))
        await asyncio.gather(*ending)

    async def _serve(self, aws: Aws) -> None:
        self._children.environment |= aws_environment(aws.endpoint, aws.region, aws.account)
        await self._functions.start()
        await self._control.start()
        self._deployment = deployment = Deployment(
            aws,
            self._functions,
            invoke_url=self._control.invoke_url,
            metadata_url=self._control.metadata_url,
            children=self._children,
            templates=self._options.templates,
            lambda_timeout_s=self._options.lambda_timeout_s,
        )
        await deployment.create_platform()
        events = ExecutionEvents(aws, deployment.settings["UPWELL_STATE_MACHINE_ARN"])
        services = [
            asyncio.create_task(service, name=name)
            for name, service in {
                "functions": self._functions.run(),
                "workers": deployment.agent.run(),
                "schedule": deployment.schedule.run(),
                "execution events": events.run(),
                "emulator": self._emulator.child.wait(),
                "housekeeping": self._keep_house(aws),
                "stop": self._stop.wait(),
            }.items()
        ]
        self._write_state()
        log.info("ready", extra={"endpoint": aws.endpoint})
        ended, running = await asyncio.wait(services, return_when=asyncio.FIRST_COMPLETED)
        for service in running:
            service.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._raise_unless_stopped(ended)

    def _raise_unless_stopped(self, ended: set[asyncio.Task[Any]]) -> None:
        if self._stop.is_set():
            return
        for service in ended:
            raise SandboxError(
                f"{service.get_name()} ended by itself ({service.exception() or service.result()}); "
                f"see {self._dir.logs}"
            ) from service.exception()

    def _write_state(self) -> None:
        assert self._deployment is not None
        assert self._aws is not None
        aws = self._aws
        pid = os.getpid()
        self._dir.write(
            SandboxState(
                pid=pid,
                started=process_started(pid) or "",
                reaper_pid=self._children.reaper_pid,
                endpoint=aws.endpoint,
                region=aws.region,
                account=aws.account,
                environment=aws_environment(aws.endpoint, aws.region, aws.account),
                control_url=self._control.url,
                token=self._control.token,
                settings=self._deployment.settings,
                pools=self._deployment.pools,
                log=str(self._dir.log),
            )
        )

    async def _keep_house(self, aws: Aws) -> None:
        """Trim logs, and stop the sandbox when nobody uses it."""
        used, since = self._uses(), asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            self._children.trim_logs()
            now = asyncio.get_running_loop().time()
            if self._uses() != used:
                used, since = self._uses(), now
            elif 0 < self._options.idle_stop_s < now - since:
                if not await self._has_work(aws):
                    self.request_stop(f"idle for {now - since:.0f} s")
                since = now

    def _uses(self) -> int:
        """Return a number that changes when somebody uses the sandbox."""
        assert self._deployment is not None
        scheduled = self._deployment.schedule.invocations
        return self._control.requests + self._functions.invocations() - scheduled

    async def _has_work(self, aws: Aws) -> bool:
        """Whether runs are under way or messages wait."""
        assert self._deployment is not None
        running = await aws.call(
            aws.client("stepfunctions").list_executions,
            stateMachineArn=self._deployment.settings["UPWELL_STATE_MACHINE_ARN"],
            statusFilter="RUNNING",
        )
        if running["executions"]:
            return True
        for url in self._deployment.queue_urls():
            counts = await aws.call(
                aws.client("sqs").get_queue_attributes,
                QueueUrl=url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
            if any(int(count) for count in counts["Attributes"].values()):
                return True
        return False

    def request_stop(self, reason: str) -> None:
        """See `Controlled`."""
        log.info("stopping", extra={"reason": reason})
        self._stop.set()

    def status(self) -> dict[str, Any]:
        """See `Controlled`."""
        assert self._deployment is not None
        return {
            "pools": self._deployment.pools,
            "workers": self._deployment.agent.status(self._deployment.prefix),
            "executors": self._functions.status(),
            "functions": self._functions.usage(),
        }

    async def ensure_pool(self, spec: PoolSpec) -> bool:
        """See `Controlled`."""
        assert self._deployment is not None
        created = await self._deployment.ensure_pool(spec)
        if created and not self._stop.is_set():
            self._write_state()
        return created

    async def invoke(self, function: str, event: bytes) -> bytes:
        """See `Controlled`."""
        return await self._functions.function(function).invoke(event)

    def task_metadata(self, task_id: str) -> dict[str, Any] | None:
        """See `Controlled`."""
        assert self._deployment is not None
        return self._deployment.agent.metadata(task_id)

    def protection(self, task_id: str) -> dict[str, Any] | None:
        """See `Controlled`."""
        assert self._deployment is not None
        return self._deployment.agent.protection(task_id)

    def protect(self, task_id: str, until: float | None) -> dict[str, Any] | None:
        """See `Controlled`."""
        assert self._deployment is not None
        return self._deployment.agent.protect(task_id, until)
