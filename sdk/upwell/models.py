"""Types of what contexts and handles hold."""

from upwell._author.context import ActionID, GroupData, TaskContext
from upwell._client.phase import ActionPhase

__all__ = ["ActionID", "ActionPhase", "GroupData", "TaskContext"]
