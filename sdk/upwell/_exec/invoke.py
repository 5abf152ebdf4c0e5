"""One attempt's work: has the user's half run, and turns its end into an outcome."""

from __future__ import annotations

from upwell import errors
from upwell._core.keys import data_prefix
from upwell._core.limits import RECORD_INLINE_BYTES
from upwell._core.model import ActionRecord, Outcome, Status
from upwell._core.sizer import Sizing
from upwell._exec.batches import keep, prefill
from upwell._exec.boundary import Start
from upwell._exec.driver import Driver
from upwell._exec.failure import describe
from upwell._exec.kernel import Kernel
from upwell._exec.payloads import pack


async def invoke(kernel: Kernel, record: ActionRecord, driver: Driver) -> Outcome:
    """Run one attempt and return how it ended.

    Whatever the task's function raises becomes an outcome. The cancellation of the attempt itself, by an abort
    or by an executor that drains, passes through.

    Raises:
        Exception: the engine's own work failed; the task is not to blame and must be tried again.
    """
    try:
        outcome = await _outcome(kernel, record, driver)
    except errors.UnavailableError:
        raise
    except (errors.UpwellError, errors.BaseRuntimeError) as e:  # what the program can do something about
        outcome = Outcome(status=Status.FAILED, error=describe(e, kernel.ports.executor.id))
    if driver.trouble is not None:
        raise driver.trouble
    return outcome


async def _outcome(kernel: Kernel, record: ActionRecord, driver: Driver) -> Outcome:
    inputs = await driver.load(record.spec.inputs)
    await driver.guard(driver.prepare())
    if record.spec.items > 1:
        inputs = await driver.guard(prefill(kernel, record.spec, driver.journal, inputs))
    secrets: dict[str, str] = {}
    if record.spec.task.secrets:
        secrets = await driver.guard(kernel.secrets.variables(record.spec.task.secrets))
    ended = await driver.run(kernel.users.attempt(_start(kernel, record, driver, secrets), inputs, driver))
    if record.spec.items > 1 and ended.data:
        await driver.guard(keep(kernel, record, inputs, ended.data))
    if ended.error is not None and not ended.data:
        return Outcome(status=ended.status, error=ended.error, ran_s=ended.ran_s)
    error = driver.checks.at_end(ended, kernel.mode)
    if error is not None and ended.error is None:
        return Outcome(status=Status.FAILED, error=error)
    output = await driver.guard(
        pack(
            kernel.ports.blobs,
            record.spec.run.run_id,
            ended.data,
            inline_bytes=RECORD_INLINE_BYTES,
            cached=record.spec.task.cache_key is not None,
        )
    )
    driver.laps.enter(None)
    return Outcome(status=ended.status, output=output, error=ended.error, ran_s=ended.ran_s)


def _start(kernel: Kernel, record: ActionRecord, driver: Driver, secrets: dict[str, str]) -> Start:
    return Start(
        spec=record.spec,
        attempt=record.attempt,
        worker=kernel.ports.executor.id,
        mode=kernel.mode,
        blob_prefix=kernel.ports.blobs.uri(""),
        raw_data_prefix=kernel.ports.blobs.uri(data_prefix(record.spec.run.run_id)),
        scratch=kernel.scratch_of(record),
        secrets=secrets,
        traces=driver.journal.traces,
        sizing=Sizing(slots=kernel.settings.batch_slots, factor=kernel.settings.batch_overhead_factor),
        batches=driver.journal.batches,
        failures=record.failures,
        alone=record.losses > 0,
    )
