"""Runs as executions of the platform's state machine, which `upwell_infra.machine` defines."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from botocore.exceptions import ClientError

from upwell._aws.clients import Clients
from upwell._aws.dynamodb import DynamoStore
from upwell._aws.dynamodb_items import run_item
from upwell._aws.errors import clear_errors, is_code
from upwell._core.limits import STEP_FUNCTIONS_PAYLOAD_BYTES
from upwell._core.model import ErrorInfo, Outcome, RunRecord, Status
from upwell._core.ports import Clock, RunExistsError, Runs
from upwell._core.settings import Settings
from upwell._core.wire import dump_action, dump_outcome
from upwell._exec.environment import SystemClock
from upwell.errors import RunNotFoundError, UsageError

logger = logging.getLogger(__name__)
T = TypeVar("T")

RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,72}")
"""What may name a run: an execution's name of at most 80 characters, with room for `.<generation>`."""
DEFAULT_TIMEOUT_S = 364 * 86_400
"""Of runs without a timeout: below the year after which Step Functions itself ends an execution unrecorded."""
RESULT_BYTES = 64 * 1024
"""What the execution adds to its input: the outcome, inline, or the cause of a failure."""
ERROR_CHARS = 256
CAUSE_CHARS = 32_768
"""Longest `error` and `cause` of a failure that Step Functions takes."""
_OVER = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""The execution that waited is not there any more: it ended or was stopped."""
ABORTED_CODE = "ActionAbortedError"


class InputTooLargeError(UsageError):
    """A run's inputs are larger than an execution takes."""


class StepFunctionsOrchestrator:
    """`Orchestrator` on Step Functions.

    Args:
        clients: Makes the requests.
        settings: Names the state machine, the queues and the runs table.
        clock: Tells when a run was stopped.
    """

    def __init__(self, clients: Clients, settings: Settings, clock: Clock | None = None) -> None:
        self._clients = clients
        self._settings = settings
        self._runs: Runs = DynamoStore(clients, settings)
        self._clock = clock or SystemClock()

    async def start(self, run: RunRecord, *, timeout_s: float | None = None) -> None:
        """Start the execution that writes the run record and sends the root action.

        Repeating the very same call while the run goes on changes nothing.

        Raises:
            RunExistsError: another run of this name and generation was started before.
            UsageError: the run id cannot name an execution.
            InputTooLargeError: the root's inputs should have been offloaded.
        """
        spec = run.spec
        if not RUN_ID.fullmatch(spec.run_id):
            raise UsageError(
                f"{spec.run_id!r} cannot be a run id: use 1 to 72 letters (a-z, A-Z), digits, '-' and '_'"
            )
        text = self._execution_input(run, timeout_s)
        try:
            await self._call(
                f"state machine {self._settings.prefix}-run",
                lambda: self._clients.stepfunctions.start_execution(
                    stateMachineArn=self._settings.state_machine_arn,
                    name=execution_name(spec.run_id, spec.generation),
                    input=text,
                ),
            )
        except ClientError as e:
            if is_code(e, {"ExecutionAlreadyExists"}):
                raise RunExistsError(
                    f"run {spec.run_id!r} (generation {spec.generation}) was started before; "
                    "use another run id, or recover the run"
                ) from e
            raise

    def _execution_input(self, run: RunRecord, timeout_s: float | None) -> str:
        content = {
            "run_id": run.spec.run_id,
            "run": run_item(run),
            "queue_url": self._settings.queue_url(run.root.task.pool),
            "action": dump_action(run.root),
            "timeout_s": DEFAULT_TIMEOUT_S if timeout_s is None else max(1, round(timeout_s)),
        }
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        size_bytes = len(text.encode())
        if size_bytes > STEP_FUNCTIONS_PAYLOAD_BYTES - RESULT_BYTES:
            raise InputTooLargeError(
                f"run {run.spec.run_id!r} makes an execution input of {size_bytes} bytes, Step Functions takes "
                f"{STEP_FUNCTIONS_PAYLOAD_BYTES}; pass large values as File or Directory, and keep the custom "
                "context and environment variables small"
            )
        return text

    async def root_ended(self, run_id: str, task_token: str | None, outcome: Outcome) -> None:
        """Tell the waiting execution how the root action ended; nothing happens when it waits no longer."""
        if task_token is None:  # ended from outside: who did that stops the execution, too
            logger.info("a root action ended without a task token", extra={"run_id": run_id})
            return
        request = _failure if outcome.error is not None else _success
        try:
            await self._call(f"execution of run {run_id}", lambda: request(self._clients, task_token, outcome))
        except ClientError as e:
            if not is_code(e, _OVER):
                raise
            logger.info("the execution of a run had ended before its root action", extra={"run_id": run_id})

    async def stop(self, run_id: str, reason: str) -> None:
        """Stop the execution and record the run as ABORTED, unless it has ended already.

        The state machine cannot record that it was stopped, so this does.

        Raises:
            RunNotFoundError: there is no such run.
        """
        run = await self._runs.get_run(run_id)
        if run is not None and run.status.is_terminal:
            return
        generation = run.spec.generation if run is not None else 1  # started, and not recorded yet
        if not await self._stop_execution(run_id, generation, ABORTED_CODE, reason):
            raise RunNotFoundError(f"there is no run {run_id!r}; `upwell get runs` lists them")
        error = ErrorInfo(code=ABORTED_CODE, message=reason, recoverable=False)
        await self._record_end(run_id, generation, Outcome(status=Status.ABORTED, error=error))

    async def settle(self, run: RunRecord, outcome: Outcome) -> None:
        """Record the end of a run's root, and stop the execution, which did not hear of it."""
        run_id, generation = run.spec.run_id, run.spec.generation
        await self._record_end(run_id, generation, outcome)
        code = outcome.error.code if outcome.error is not None else "Settled"
        await self._stop_execution(run_id, generation, code, "its root action has ended; the run says how")

    async def _stop_execution(self, run_id: str, generation: int, code: str, cause: str) -> bool:
        """Stop an execution; return False when there is none."""
        name = execution_name(run_id, generation)
        arn = f"{self._settings.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            await self._call(
                f"execution of run {run_id}",
                lambda: self._clients.stepfunctions.stop_execution(
                    executionArn=arn, error=code[:ERROR_CHARS], cause=cause[:CAUSE_CHARS]
                ),
            )
        except ClientError as e:
            if is_code(e, {"ExecutionDoesNotExist"}):
                return False
            raise
        return True

    async def _record_end(self, run_id: str, generation: int, outcome: Outcome) -> None:
        while (run := await self._runs.get_run(run_id)) is not None:
            if run.status.is_terminal or run.spec.generation != generation:
                return
            ended = replace(
                run,
                status=outcome.status,
                version=run.version + 1,
                ended_at=self._clock.now(),
                outcome=outcome,
            )
            if await self._runs.save_run(ended, expected=run.version):
                return

    async def _call(self, what: str, request: Callable[[], T]) -> T:
        with clear_errors(what):
            return await self._clients.call(request)


def execution_name(run_id: str, generation: int) -> str:
    """Return the name of the execution of a run: its id, and the generation where it was recovered."""
    return run_id if generation == 1 else f"{run_id}.{generation}"


def _success(clients: Clients, task_token: str, outcome: Outcome) -> object:
    output = json.dumps({"status": outcome.status, "outcome": dump_outcome(outcome)}, ensure_ascii=False)
    return clients.stepfunctions.send_task_success(taskToken=task_token, output=output)


def _failure(clients: Clients, task_token: str, outcome: Outcome) -> object:
    assert outcome.error is not None  # the caller has looked
    return clients.stepfunctions.send_task_failure(
        taskToken=task_token, error=outcome.error.code[:ERROR_CHARS], cause=cause_text(outcome)
    )


def cause_text(outcome: Outcome) -> str:
    """Return a failed outcome as JSON of at most 32,768 characters: long texts lose their middle."""
    text = dump_outcome(outcome)
    keep = CAUSE_CHARS // 4
    while len(text) > CAUSE_CHARS and outcome.error is not None and keep:
        error = outcome.error
        shorter = replace(error, traceback=_cut(error.traceback, keep), message=_cut(error.message, keep))
        text = dump_outcome(replace(outcome, error=shorter))
        keep //= 2
    return text


def _cut(text: str, keep: int) -> str:
    """Return a text of at most `keep` characters and a mark where the rest was."""
    if len(text) <= keep:
        return text
    half = keep // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters ...]\n{text[len(text) - half :]}"
