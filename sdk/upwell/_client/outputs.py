"""What actions took and gave, as their tasks' annotations say."""

from __future__ import annotations

from typing import Any

from upwell._author.context import Mode
from upwell._author.registry import resolve
from upwell._author.task import Task
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._core.model import ActionSpec, Payload
from upwell._exec.payloads import unpack
from upwell._types.blocking import off_loop


class ActionOutputs(tuple[Any, ...]):
    """The outputs of an action: a tuple, and by name in `named_outputs` (`o0`, `o1`, ... or field names)."""

    named_outputs: dict[str, Any]

    @classmethod
    def of(cls, named: dict[str, Any]) -> ActionOutputs:
        """Make it of names and values."""
        outputs = cls(named.values())
        outputs.named_outputs = named
        return outputs


class ActionInputs(dict[str, Any]):
    """The inputs of an action by name."""


def task_of(spec: ActionSpec) -> Task[..., Any]:
    """Return the task of an action, importing its module if need be.

    Raises:
        TaskNotFoundError: its module is not here, or has no such task.
    """
    return resolve(spec.task.module, spec.task.name)


async def fetch(mode: Mode, payload: Payload) -> bytes:
    """Return encoded data; the backend is opened only for what is not at hand."""
    if payload.text is not None:
        return payload.text.encode()
    async with open_backend(mode, current_config()) as backend:
        return await unpack(backend.blobs, payload)


async def decode_outputs(task: Task[..., Any], data: bytes) -> ActionOutputs:
    """Return a result as its values."""
    interface = task.interface
    value = await off_loop(interface.decode_output, data, is_slow=interface.output_moves_data)
    values = interface.outputs_of(value)
    return ActionOutputs.of(dict(zip(interface.output_names, values, strict=True)))


async def decode_inputs(task: Task[..., Any], data: bytes) -> ActionInputs:
    """Return inputs as their values."""
    interface = task.interface
    return ActionInputs(await off_loop(interface.decode_inputs, data, is_slow=interface.inputs_move_data))
