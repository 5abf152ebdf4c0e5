"""What a person does to runs: abort, recover, rerun."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol

from upwell._client.again import recover_on, rerun_on
from upwell._client.backend import Backend
from upwell._client.deployed_tasks import deployed_task, start_deployed
from upwell._client.stopping import stop_action, stop_run
from upwell._client.submit import NewBounds, new_run_id
from upwell._console.reading import Reading
from upwell.errors import UsageError

SEEN_WITHIN_S, LOOK_S = 10.0, 0.1


class Launcher(Protocol):
    """Starts what needs the user's code, in a process of its own."""

    async def recover(self, run_id: str, *, new_code: bool) -> None:
        """Go on with a run; return once that has begun."""

    async def rerun(self, run_id: str, inputs: Mapping[str, Any], *, new_code: bool, name: str) -> None:
        """Run a run again under a new name; return once that has begun."""


class Steering:
    """Changes runs.

    Args:
        backend: Where they are.
        reading: Of the same backend.
        launcher: For what needs the user's code; None where there is none: deployed runs go on with theirs.
    """

    def __init__(self, backend: Backend, reading: Reading, launcher: Launcher | None) -> None:
        self._backend = backend
        self._reading = reading
        self._launcher = launcher

    async def abort_run(self, run_id: str, reason: str) -> None:
        """End a run and everything in it.

        Raises:
            RunNotFoundError: there is no such run.
            RunStateError: it has ended already.
        """
        await stop_run(self._backend, await self._reading.record(run_id), reason)

    async def abort_action(self, run_id: str, action_id: str, reason: str) -> None:
        """End an action and everything below it.

        Raises:
            RunNotFoundError: there is no such run.
            ActionNotFoundError: the run has no such action, or none yet.
            RunStateError: it has ended already, or nothing works on the run.
        """
        await stop_action(self._backend, await self._reading.record(run_id), action_id, reason)

    async def recover(self, run_id: str, *, new_code: bool) -> None:
        """Go on with a run that failed, was aborted or lost its process.

        Raises:
            RunNotFoundError: there is no such run.
            RunStateError: it has succeeded, is under way, or is a local one whose code has changed.
            UsageError: it needs code that is not here.
        """
        before = await self._reading.record(run_id)
        if not self._needs_code(new_code=new_code):
            await recover_on(self._backend, run_id, NewBounds())
            await self._seen(run_id, before.spec.generation + 1)
            return
        await self._launching(f"recover {run_id} --new-code").recover(run_id, new_code=new_code)

    async def rerun(self, run_id: str, inputs: Mapping[str, Any], *, new_code: bool) -> str:
        """Run a run again; return the id of the new one.

        Raises:
            RunNotFoundError: there is no such run.
            UsageError: the inputs do not fit, or it needs code that is not here.
        """
        await self._reading.record(run_id)
        name = new_run_id(time.time())
        if not inputs and not self._needs_code(new_code=new_code):
            await rerun_on(self._backend, run_id, {}, name=name)
            await self._seen(name, 1)
        else:
            launcher = self._launching(f"rerun {run_id}")
            await launcher.rerun(run_id, inputs, new_code=new_code, name=name)
        return name

    async def submit(
        self, task: str, inputs: Mapping[str, Any], *, name: str | None, labels: Mapping[str, str]
    ) -> str:
        """Start a run of a deployed task; return its id.

        Raises:
            RemoteTaskNotFoundError: no such task is deployed.
            InputsError: the inputs are not as it wants them.
            RunStateError: there is a run of this name.
            UsageError: this is the local backend, or the name or the labels are none.
        """
        if self._backend.mode == "local":
            raise UsageError("a local run is started where its code is: `upwell run FILE.py TASK`")
        deployed = await deployed_task(self._backend.blobs, task)
        run = await start_deployed(self._backend, deployed, inputs, name=name, labels=labels)
        await self._seen(run.spec.run_id, 1)
        return run.spec.run_id

    async def _seen(self, run_id: str, generation: int) -> None:
        """Wait a while until what was started is listed: on AWS, the state machine writes its record."""
        for _ in range(round(SEEN_WITHIN_S / LOOK_S)):
            run = await self._backend.store.get_run(run_id)
            if run is not None and run.spec.generation >= generation:
                return
            await asyncio.sleep(LOOK_S)

    def _needs_code(self, *, new_code: bool) -> bool:
        return new_code or self._backend.mode == "local"

    def _launching(self, command: str) -> Launcher:
        if self._launcher is None:
            raise UsageError(f"the run's code is needed, and is not here; use `upwell {command}` where it is")
        return self._launcher
