"""What is particular to runs as executions of Step Functions: names, sizes, and ends that nobody waits for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from moto import mock_aws

from upwell._aws.clients import Clients
from upwell._aws.orchestrator import (
    CAUSE_CHARS,
    InputTooLargeError,
    StepFunctionsOrchestrator,
    cause_text,
)
from upwell._core.model import (
    ROOT_ID,
    ActionSpec,
    ErrorInfo,
    Outcome,
    Payload,
    RunRecord,
    RunSpec,
    Status,
    TaskSpec,
)
from upwell._core.settings import Settings
from upwell._core.wire import dump_action, dump_outcome, load_outcome
from upwell.errors import NotDeployedError, UsageError

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:upwell-test-run"
SETTINGS = Settings(
    prefix="upwell-test",
    bucket="",
    state_machine_arn=MACHINE,
    queue_url_prefix="https://sqs.us-east-1.amazonaws.com/123456789012/upwell-test-",
)
SPEC = RunSpec(run_id="run-1", created_at=1_800_000_000.0)
ROOT = ActionSpec(
    run=SPEC,
    action_id=ROOT_ID,
    task=TaskSpec(name="env.main", module="program", pool="large"),
    inputs=Payload(text='{"x": "ü"}', size_bytes=11),
)
RUN = RunRecord(spec=SPEC, task="env.main", status=Status.RUNNING, root=ROOT)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        clients = Clients(region="us-east-1")
        clients.stepfunctions.create_state_machine(
            name="upwell-test-run",
            definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/run",
        )
        yield clients
        clients.close()


@pytest.fixture
def orchestrator(clients: Clients) -> StepFunctionsOrchestrator:
    return StepFunctionsOrchestrator(clients, SETTINGS)


def with_inputs(text: str) -> RunRecord:
    return replace(RUN, root=replace(ROOT, inputs=Payload(text=text, size_bytes=len(text))))


async def test_an_execution_gets_what_the_state_machine_needs(
    clients: Clients, orchestrator: StepFunctionsOrchestrator
) -> None:
    await orchestrator.start(RUN, timeout_s=90)
    execution = f"{MACHINE.replace('stateMachine', 'execution')}:run-1"
    content = json.loads(clients.stepfunctions.describe_execution(executionArn=execution)["input"])
    assert content["run_id"] == "run-1"
    assert content["run"]["pk"] == {"S": "run-1"}
    assert content["queue_url"] == SETTINGS.queue_url("large")
    assert content["action"] == dump_action(ROOT)
    assert content["timeout_s"] == 90


async def test_a_recovered_run_has_an_execution_of_its_own(
    clients: Clients, orchestrator: StepFunctionsOrchestrator
) -> None:
    await orchestrator.start(RUN)
    await orchestrator.start(replace(RUN, spec=replace(SPEC, generation=2)))
    listed = clients.stepfunctions.list_executions(stateMachineArn=MACHINE)["executions"]
    assert {execution["name"] for execution in listed} == {"run-1", "run-1.2"}


async def test_repeating_the_same_start_changes_nothing(
    clients: Clients, orchestrator: StepFunctionsOrchestrator
) -> None:
    await orchestrator.start(RUN)
    await orchestrator.start(RUN)
    assert len(clients.stepfunctions.list_executions(stateMachineArn=MACHINE)["executions"]) == 1


async def test_inputs_that_may_travel_in_a_message_may_start_a_run(
    orchestrator: StepFunctionsOrchestrator,
) -> None:
    await orchestrator.start(with_inputs(json.dumps({"x": ['say "hi"\n'] * 500})))


async def test_inputs_above_the_limit_are_refused_with_their_size(
    orchestrator: StepFunctionsOrchestrator,
) -> None:
    with pytest.raises(InputTooLargeError, match=r"'run-1' makes an execution input of \d{6} bytes, .* 262144"):
        await orchestrator.start(with_inputs("x" * 200_000))


@pytest.mark.parametrize("run_id", ["a b", "a.2", "", "x" * 73, "näme", "a\n"])
async def test_a_run_id_that_cannot_name_an_execution_is_refused(
    orchestrator: StepFunctionsOrchestrator, run_id: str
) -> None:
    with pytest.raises(UsageError, match="cannot be a run id: use 1 to 72 letters"):
        await orchestrator.start(replace(RUN, spec=replace(SPEC, run_id=run_id)))


async def test_a_missing_state_machine_is_a_missing_deployment(clients: Clients) -> None:
    settings = replace(SETTINGS, prefix="upwell-nowhere", state_machine_arn=MACHINE + "-nowhere")
    with pytest.raises(NotDeployedError, match="state machine upwell-nowhere-run does not exist; deploy"):
        await StepFunctionsOrchestrator(clients, settings).start(RUN)


async def test_an_end_without_a_token_is_nobodys_business(
    orchestrator: StepFunctionsOrchestrator,
) -> None:
    await orchestrator.root_ended("run-1", None, Outcome(status=Status.SUCCEEDED))


def failure(message: str, traceback: str) -> Outcome:
    return Outcome(
        status=Status.FAILED, error=ErrorInfo(code="ValueError", message=message, traceback=traceback)
    )


def test_a_cause_of_usual_size_is_whole() -> None:
    outcome = failure("m" * 4096, "t" * 4096)
    assert cause_text(outcome) == dump_outcome(outcome)


@pytest.mark.parametrize("character", ["x", "\n", "\x00", "é", "🧀"])
def test_a_cause_that_is_too_long_is_cut_in_the_middle(character: str) -> None:
    outcome = failure("first " + character * 40_000, character * 90_000 + " last")
    text = cause_text(outcome)
    assert len(text) <= CAUSE_CHARS
    error = load_outcome(text).error
    assert error is not None
    assert error.code == "ValueError"
    assert error.message.startswith("first ")
    assert error.traceback.endswith(" last")
    assert "characters ...]" in error.traceback
