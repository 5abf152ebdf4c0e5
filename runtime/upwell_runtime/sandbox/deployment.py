"""What is deployed, and what runs it: functions, pollers, pools."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from upwell._core.settings import resource_prefix
from upwell_runtime.sandbox.aws import Aws
from upwell_runtime.sandbox.children import Children
from upwell_runtime.sandbox.corrections import Corrections
from upwell_runtime.sandbox.ecs_agent import EcsAgent
from upwell_runtime.sandbox.executor import FunctionSpec
from upwell_runtime.sandbox.lambda_host import LambdaHost
from upwell_runtime.sandbox.queue_poller import QueuePoller, SourceMapping
from upwell_runtime.sandbox.schedule import Schedule
from upwell_runtime.sandbox.stacks import Stack, Stacks, load_template
from upwell_runtime.sandbox.state import SandboxError
from upwell_runtime.sandbox.stream_poller import StreamPoller
from upwell_runtime.sandbox.tuning import TUNING

log = logging.getLogger(__name__)

PROXY_VARIABLE = "MINISTACK_LAMBDA_PROXY_URL"
STAGE = "dev"
"""The stage of the templates in the package."""
EXECUTE = "-execute"
"""How the names of functions that execute actions end."""
CODE = {"CodeBucket": "sandbox", "CodeKey": "none"}
"""Functions run the installed packages, so their zip is never read."""


class PoolSpec(BaseModel):
    """A pool that a client asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    kind: str = Field(pattern=r"^(lambda|worker)$")
    parameters: dict[str, str] = Field(default_factory=dict)
    """Parameters of the pool's template: `MemoryMiB`, `TimeoutS`, `ReplicasMax`, ..."""


@dataclass(slots=True)
class Deployed:
    """What was started for a stack."""

    queue_urls: list[str] = field(default_factory=list)
    pollers: list[asyncio.Task[None]] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)


class Deployment:
    """Creates the platform and pools, and starts and stops what runs them."""

    def __init__(
        self,
        aws: Aws,
        functions: LambdaHost,
        *,
        invoke_url: str,
        metadata_url: str,
        children: Children,
        templates: Path | None = None,
        lambda_timeout_s: float | None = None,
    ) -> None:
        """Prepare.

        Args:
            aws: clients of the emulator.
            functions: where functions run.
            invoke_url: where the emulator sends invocations; the function's name is added.
            metadata_url: the task metadata endpoint of workers.
            children: starts processes.
            templates: folder of templates in place of the package's.
            lambda_timeout_s: longest invocation of a pool's function; None is what its template says.
        """
        self._aws = aws
        self._functions = functions
        self._invoke_url = invoke_url
        self._templates = templates
        self._lambda_timeout_s = lambda_timeout_s
        self._stacks = Stacks(aws)
        self._deployed: dict[str, Deployed] = {}
        self._pools: dict[str, PoolSpec] = {}
        self._turn = asyncio.Lock()
        self._shared: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        """The platform's settings, once it is created."""
        self.prefix = resource_prefix(STAGE)
        """What the names of all resources start with; also the platform's stack."""
        self.agent = EcsAgent(aws, children, self.prefix, metadata_url)
        machine = "UPWELL_STATE_MACHINE_ARN"
        self.schedule = Schedule(aws, functions, self.prefix, lambda: self.settings[machine])

    @property
    def pools(self) -> dict[str, dict[str, Any]]:
        """The pools created on demand: name -> {kind, parameters}."""
        return {name: {"kind": spec.kind, "parameters": spec.parameters} for name, spec in self._pools.items()}

    async def create_platform(self) -> None:
        """Create the platform's stack and start its functions and pollers."""
        template = load_template("platform", self._templates)
        stack = await self._stacks.create(self.prefix, template, CODE)
        self.settings = _json_output(stack, "Settings")
        self._shared = CODE | _json_output(stack, "PoolParameters")
        await self._start(stack)

    async def ensure_pool(self, spec: PoolSpec) -> bool:
        """Create a pool, or create it anew when it was created to another specification.

        Returns:
            Whether anything was done.

        Raises:
            SandboxError: the pool cannot be created.
        """
        async with self._turn:
            if self._pools.get(spec.name) == spec:
                return False
            platform_queues = {url.rpartition("/")[2] for url in self._deployed[self.prefix].queue_urls}
            if f"{self.prefix}-{spec.name}" in platform_queues:
                raise SandboxError(
                    f"pool {spec.name!r} belongs to the platform; name the environment differently"
                )
            template = load_template(f"pool-{spec.kind}", self._templates)
            if unknown := spec.parameters.keys() - template.get("Parameters", {}).keys():
                has = sorted(template["Parameters"])
                raise SandboxError(f"pool-{spec.kind} has no parameters {sorted(unknown)}; it has {has}")
            stack_name = f"{self.prefix}-pool-{spec.name}"
            if self._pools.pop(spec.name, None):
                await self._remove(stack_name)
            parameters = self._shared | {"PoolName": spec.name} | spec.parameters
            try:
                await self._start(await self._stacks.create(stack_name, template, parameters))
            except Exception:
                # The name must be free for the next try.
                await self._remove(stack_name)
                raise
            self._pools[spec.name] = spec
            return True

    async def _start(self, stack: Stack) -> None:
        deployed = self._deployed[stack.name] = Deployed()
        await Corrections(self._aws, stack).apply()
        for logical_id in stack.resources("AWS::SQS::Queue"):
            deployed.queue_urls.append(stack.physical_ids[logical_id])
        for logical_id in stack.resources("AWS::Lambda::Function"):
            deployed.functions.append(await self._deploy_function(stack.physical_ids[logical_id]))
        for logical_id in stack.resources("AWS::ECS::Service"):
            deployed.services.append(stack.physical_ids[logical_id].rpartition("/")[2])
        for logical_id in stack.resources("AWS::Lambda::EventSourceMapping"):
            deployed.pollers.append(await self._poll(stack.physical_ids[logical_id]))
        for logical_id, properties in stack.resources("AWS::Events::Rule").items():
            if "ScheduleExpression" in properties:
                await self._take_over_schedule(stack.physical_ids[logical_id])

    async def _deploy_function(self, name: str) -> str:
        api = self._aws.client("lambda")
        described = await self._aws.call(api.get_function_configuration, FunctionName=name)
        environment = described.get("Environment", {}).get("Variables", {}) | TUNING
        timeout_s = float(described["Timeout"])
        if self._lambda_timeout_s is not None and name.endswith(EXECUTE):
            timeout_s = min(timeout_s, self._lambda_timeout_s)
        self._functions.deploy(
            FunctionSpec(
                name=described["FunctionName"],
                arn=described["FunctionArn"],
                handler=described["Handler"],
                timeout_s=timeout_s,
                memory_mib=int(described["MemorySize"]),
                environment=environment,
            )
        )
        # What invokes the function through the emulator's API reaches the same processes.
        proxied = environment | {PROXY_VARIABLE: f"{self._invoke_url}/{name}"}
        await self._aws.call(
            api.update_function_configuration, FunctionName=name, Environment={"Variables": proxied}
        )
        return name

    async def _poll(self, uuid: str) -> asyncio.Task[None]:
        # Created disabled (see `without_triggers`), which the emulator's API shows only after this.
        described = await self._aws.call(
            self._aws.client("lambda").update_event_source_mapping, UUID=uuid, Enabled=False
        )
        mapping = SourceMapping.of(described)
        function = self._functions.function(mapping.function_arn)
        kind = StreamPoller if ":dynamodb:" in mapping.source_arn else QueuePoller
        poller = kind(self._aws, mapping, function)
        task = asyncio.create_task(poller.run(), name=f"poll {mapping.source_arn}")
        task.add_done_callback(_report_failure)
        return task

    async def _take_over_schedule(self, rule: str) -> None:
        rule = rule.rpartition("/")[2]
        targets = await self._aws.call(self._aws.client("events").list_targets_by_rule, Rule=rule)
        self.schedule.add(rule, [target["Arn"] for target in targets["Targets"]])

    async def _remove(self, stack_name: str) -> None:
        deployed = self._deployed.pop(stack_name, None) or Deployed()
        for poller in deployed.pollers:
            poller.cancel()
        await asyncio.gather(*deployed.pollers, return_exceptions=True)
        await self._stacks.delete(stack_name)
        await self._functions.remove(deployed.functions)
        for service in deployed.services:
            await self.agent.stop_service(service)

    def stop_polling(self) -> None:
        """End all polls."""
        for deployed in self._deployed.values():
            for poller in deployed.pollers:
                poller.cancel()

    def queue_urls(self) -> list[str]:
        """Return the queues of all stacks."""
        return [url for deployed in self._deployed.values() for url in deployed.queue_urls]


def _json_output(stack: Stack, name: str) -> dict[str, str]:
    if name not in stack.outputs:
        raise SandboxError(f"stack {stack.name!r} has no output {name!r}; it has {sorted(stack.outputs)}")
    values = json.loads(stack.outputs[name])
    return {key: str(value) for key, value in values.items()}


def _report_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error(
            "poller ended: its messages stay where they are", exc_info=error, extra={"poller": task.get_name()}
        )
