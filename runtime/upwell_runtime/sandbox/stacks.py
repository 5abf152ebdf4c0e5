"""Stacks of the emulated CloudFormation, created from the package's templates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from upwell_runtime.sandbox.aws import Aws
from upwell_runtime.sandbox.state import SandboxError

STACK_WITHIN_S = 30.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack that was created."""

    name: str
    template: dict[str, Any]
    parameters: dict[str, str]
    outputs: dict[str, str]
    physical_ids: dict[str, str]
    """Logical id -> physical id."""

    def resources(self, *types: str) -> dict[str, dict[str, Any]]:
        """Return the resources of the types: logical id -> properties as the template has them."""
        return {
            logical_id: resource.get("Properties", {})
            for logical_id, resource in self.template["Resources"].items()
            if resource["Type"] in types and logical_id in self.physical_ids
        }


def load_template(name: str, folder: Path | None = None) -> dict[str, Any]:
    """Return a template of the package, or of another folder.

    Raises:
        SandboxError: there is none of that name.
    """
    source: Traversable | Path = (
        folder if folder is not None else Path(str(files("upwell"))) / "_aws" / "templates"
    )
    path = source / f"{name}.json"
    try:
        template: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise SandboxError(f"{path} is missing; `python -m upwell_infra.export` writes it") from None
    return template


def without_triggers(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template with mappings and schedules switched off, which the sandbox runs by itself.

    The emulator polls all mappings one after another, in one process per function; see `pollers`.
    """
    changed: dict[str, Any] = json.loads(json.dumps(template))
    for resource in changed["Resources"].values():
        properties = resource.setdefault("Properties", {})
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            properties["Enabled"] = False
        elif resource["Type"] == "AWS::Events::Rule" and "ScheduleExpression" in properties:
            properties["State"] = "DISABLED"
    return changed


class Stacks:
    """Creates and deletes stacks. They are never updated: the emulator would empty queues and tables."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._api = aws.client("cloudformation")

    async def create(self, name: str, template: dict[str, Any], parameters: Mapping[str, str]) -> Stack:
        """Create a stack and wait for it. Parameters that the template does not have are left out.

        Raises:
            SandboxError: it was not created; the message has the emulator's reasons.
        """
        given = {key: value for key, value in parameters.items() if key in template.get("Parameters", {})}
        try:
            await self._aws.call(
                self._api.create_stack,
                StackName=name,
                TemplateBody=json.dumps(without_triggers(template)),
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
        except ClientError as e:
            raise SandboxError(f"stack {name!r} was refused by the emulator: {e}") from e
        outputs = await self._outputs_when_created(name)
        listed = await self._aws.call(self._api.describe_stack_resources, StackName=name)
        defaults = {
            key: str(declared["Default"])
            for key, declared in template.get("Parameters", {}).items()
            if "Default" in declared
        }
        return Stack(
            name=name,
            template=template,
            parameters=defaults | given,
            outputs=outputs,
            physical_ids={
                resource["LogicalResourceId"]: resource["PhysicalResourceId"]
                for resource in listed["StackResources"]
            },
        )

    async def delete(self, name: str) -> None:
        """Delete a stack and wait until it is gone."""
        await self._aws.call(self._api.delete_stack, StackName=name)
        for _ in range(int(STACK_WITHIN_S / POLL_S)):
            status, _ = await self._status(name)
            if status in ("DELETE_COMPLETE", "GONE"):
                return
            await asyncio.sleep(POLL_S)
        raise SandboxError(f"stack {name!r} is still there {STACK_WITHIN_S:.0f} s after its deletion")

    async def _outputs_when_created(self, name: str) -> dict[str, str]:
        for _ in range(int(STACK_WITHIN_S / POLL_S)):
            status, outputs = await self._status(name)
            if status == "CREATE_COMPLETE":
                return outputs
            if not status.endswith("_IN_PROGRESS"):
                raise SandboxError(f"stack {name!r} ended as {status}: {await self._reasons(name)}")
            await asyncio.sleep(POLL_S)
        raise SandboxError(f"stack {name!r} was not created within {STACK_WITHIN_S:.0f} s")

    async def _status(self, name: str) -> tuple[str, dict[str, str]]:
        try:
            found = await self._aws.call(self._api.describe_stacks, StackName=name)
        except ClientError as e:
            if "does not exist" in str(e):
                return "GONE", {}
            raise
        stack = found["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        return stack["StackStatus"], outputs

    async def _reasons(self, name: str) -> str:
        events = await self._aws.call(self._api.describe_stack_events, StackName=name)
        reasons = [
            f"{event.get('LogicalResourceId')}: {event['ResourceStatusReason']}"
            for event in events["StackEvents"]
            if event.get("ResourceStatusReason")
        ]
        return "; ".join(reasons[-5:]) or "no reason given"
