"""For the tests of programs that use upwell: run a flow on the real engine, in this process.

A pytest plugin comes with the package and gives fixtures: `upwell_flows` (the local backend, with a clock that
skips waits), `upwell_aws_flows` (the AWS adapters over moto). Direct calls of tasks need none of them: outside
a run it is the plain function.

Example:
    >>> import asyncio, tempfile
    >>> from upwell import TaskEnvironment
    >>> from upwell.testing import LocalFlows
    >>> env = TaskEnvironment("demo")
    >>> @env.task
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> LocalFlows(tempfile.mkdtemp()).run(double, 21).value
    42
"""

from upwell.testing.clock import SkippingClock
from upwell.testing.flows import FlowResult, LocalFlows

__all__ = ["FlowResult", "LocalFlows", "SkippingClock"]
