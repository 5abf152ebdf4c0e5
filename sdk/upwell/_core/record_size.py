"""What DynamoDB takes an action's record to be."""

from __future__ import annotations

import zlib

from upwell._core.model import ActionRecord
from upwell._core.usage import WRITE_UNIT_BYTES
from upwell._core.wire import dump_record

NAMES_BYTES = len("".join(("pk", "sk", "run_id", "task", "status", "version", "generation", "record")))


def record_bytes(record: ActionRecord) -> int:
    """Return the size of the item that DynamoDB has of a record; one above a write unit is deflated."""
    run_id, action_id = record.spec.run.run_id, record.spec.action_id
    keys = f"{run_id}#0{action_id}{run_id}{record.spec.task.name}{record.status.value}00"
    rest_bytes = NAMES_BYTES + len(keys.encode())
    content = dump_record(record).encode()
    size_bytes = rest_bytes + len(content)
    return size_bytes if size_bytes <= WRITE_UNIT_BYTES else rest_bytes + len(zlib.compress(content))
