"""Runs and actions that exist: `Run`, `Action`, and what they hold.

Example:
    >>> import upwell.remote
    >>> upwell.remote.Run.listall(in_phase="failed")  # doctest: +SKIP
"""

from upwell._author.out_of_scope import REGISTRY, names_of
from upwell._client.action_handle import Action, ActionDetails
from upwell._client.outputs import ActionInputs, ActionOutputs
from upwell._client.remote_task import RemoteTask as Task
from upwell._client.run_handle import Run

RunDetails = ActionDetails

__all__ = ["Action", "ActionDetails", "ActionInputs", "ActionOutputs", "Run", "RunDetails", "Task"]

__getattr__ = names_of("upwell.remote", REGISTRY)
