"""What EventBridge would start by itself: the schedule, and the events of ended executions."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from upwell_runtime.sandbox.aws import Aws
from upwell_runtime.sandbox.events import schedule_event
from upwell_runtime.sandbox.invocation import InvocationError
from upwell_runtime.sandbox.lambda_host import LambdaHost

log = logging.getLogger(__name__)

SCHEDULE_S = 1.0
"""The deployed rules have a minute, the shortest that EventBridge knows."""
SWEEP_S = 2.0
SWEEP_ON_S = 60.0
"""So long after the last execution was seen, there may be something to sweep up."""
EXECUTIONS_S = 0.5
SCALE = "-scale"
"""Of the name of the rule whose function is about services; the others are about runs."""
ENDED = ("ABORTED", "TIMED_OUT", "FAILED")


class Schedule:
    """Invokes the scheduled functions of a stack every second or two, as long as they may have something to do.

    The scaler has if there are services, others if there are executions.
    """

    def __init__(self, aws: Aws, functions: LambdaHost, cluster: str, machine_arn: Callable[[], str]) -> None:
        self._aws = aws
        self._functions = functions
        self._cluster = cluster
        self._machine_arn = machine_arn
        self._rules: dict[str, list[str]] = {}
        self.invocations = 0
        """Invocations by the schedule: not a sign that anybody uses the sandbox."""

    def add(self, rule: str, function_arns: list[str]) -> None:
        """Take over a rule that was switched off in the emulator."""
        self._rules[rule] = function_arns

    async def run(self) -> None:
        """Fire for ever. A run that takes longer than the interval delays the next one."""
        scalers, others = partial(self._fire_all, scaling=True), partial(self._fire_all, scaling=False)
        await asyncio.gather(
            self._repeat(SCHEDULE_S, self._has_services, scalers),
            self._repeat(SWEEP_S, self._has_executions, others, on_s=SWEEP_ON_S),
        )

    async def _repeat(
        self,
        interval_s: float,
        has_work: Callable[[], Awaitable[bool]],
        fire: Callable[[], Awaitable[None]],
        *,
        on_s: float = 0.0,
    ) -> None:
        """Fire while there is work, and some seconds longer."""
        clock, seen_at = asyncio.get_running_loop().time, float("-inf")
        while True:
            await asyncio.sleep(interval_s)
            now = clock()
            try:
                if await has_work():
                    seen_at = now
            except (ClientError, BotoCoreError) as e:
                log.warning("cannot see whether there is work", extra={"error": str(e)})
                continue
            if now - seen_at <= on_s:
                await fire()

    async def _has_services(self) -> bool:
        services = await self._aws.call(self._aws.client("ecs").list_services, cluster=self._cluster)
        return bool(services["serviceArns"])

    async def _has_executions(self) -> bool:
        running = await self._aws.call(
            self._aws.client("stepfunctions").list_executions,
            stateMachineArn=self._machine_arn(),
            statusFilter="RUNNING",
        )
        return bool(running["executions"])

    async def _fire_all(self, *, scaling: bool) -> None:
        rules = [rule for rule in self._rules if rule.endswith(SCALE) == scaling]
        await asyncio.gather(*(self._fire(rule) for rule in rules))

    async def _fire(self, rule: str) -> None:
        event = schedule_event(
            datetime.now(UTC),
            rule_arn=f"arn:aws:events:{self._aws.region}:{self._aws.account}:rule/{rule}",
            account=self._aws.account,
            region=self._aws.region,
            event_id=str(uuid.uuid4()),
        )
        for arn in self._rules[rule]:
            self.invocations += 1
            try:
                await self._functions.function(arn).invoke(json.dumps(event).encode())
            except InvocationError as e:
                log.warning("scheduled function failed", extra={"rule": rule, "error": str(e)})


class ExecutionEvents:
    """Puts the events on the bus that Step Functions emits when an execution ends, and the emulator does not.

    Which function they start is for the deployed rules to say.
    """

    def __init__(self, aws: Aws, machine_arn: str) -> None:
        self._aws = aws
        self._machine_arn = machine_arn
        self._seen: set[str] = set()

    async def run(self) -> None:
        """Look for ended executions for ever."""
        while True:
            try:
                for status in ENDED:
                    await self._publish_new(status)
            except (ClientError, BotoCoreError) as e:
                log.warning("cannot read the executions", extra={"error": str(e)})
            await asyncio.sleep(EXECUTIONS_S)

    async def _publish_new(self, status: str) -> None:
        machine = self._aws.client("stepfunctions")
        pages = machine.get_paginator("list_executions").paginate(
            stateMachineArn=self._machine_arn,
            statusFilter=status,  # type: ignore[arg-type]  # one of ENDED
        )
        executions = await self._aws.call(lambda: [e for page in pages for e in page["executions"]])
        for execution in executions:
            if execution["executionArn"] not in self._seen:
                details = await self._aws.call(
                    machine.describe_execution, executionArn=execution["executionArn"]
                )
                await self._publish(status_change(details))
                self._seen.add(execution["executionArn"])

    async def _publish(self, detail: dict[str, Any]) -> None:
        entry = {
            "Source": "aws.states",
            "DetailType": "Step Functions Execution Status Change",
            "Resources": [detail["executionArn"]],
            "Detail": json.dumps(detail),
        }
        await self._aws.call(self._aws.client("events").put_events, Entries=[entry])


def status_change(execution: Any) -> dict[str, Any]:
    """Return the detail of a status-change event, given what DescribeExecution tells."""
    stopped = execution.get("stopDate")
    return {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"],
        "status": execution["status"],
        "startDate": int(execution["startDate"].timestamp() * 1000),
        "stopDate": int(stopped.timestamp() * 1000) if stopped else None,
        "input": execution.get("input", "{}"),
        "output": execution.get("output"),
        "error": execution.get("error"),
        "cause": execution.get("cause"),
    }
