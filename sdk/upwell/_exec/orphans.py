"""Ends an action whose parent ended without knowing of it.

A parent that dies between sending a child and writing so, and is aborted before another attempt of it replays,
leaves a child that nobody will abort: its message was all there was of it. So an attempt that lasts looks after
its parent now and then.
"""

from __future__ import annotations

from upwell._core.model import ActionKey, ActionSpec
from upwell._exec.effects import abort
from upwell._exec.kernel import Kernel

LOOK_BEATS = 6
"""Heartbeats between two looks: an orphan ends within a minute, and an attempt pays a read per six writes."""


async def end_orphan(kernel: Kernel, spec: ActionSpec) -> None:
    """Abort an action if its parent has ended; a parent that waits to be recovered has not."""
    if spec.parent_id is None:
        return
    parent = await kernel.ports.store.get(ActionKey(spec.run.run_id, spec.parent_id))
    if parent is not None and parent.outcome is not None and parent.generation >= spec.run.generation:
        await abort(kernel, spec, f"its parent {parent.spec.task.name} had ended")
