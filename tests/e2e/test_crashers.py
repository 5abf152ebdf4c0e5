"""Crashes of user code in Lambda and in workers, as the parent sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest

pytestmark = pytest.mark.e2e

CRASHERS = Path(__file__).parents[2] / "examples" / "crashers.py"


class CommandLine(Protocol):
    """The fixtures of conftest.py."""

    def json(self, *arguments: str) -> Any: ...
    def actions(self, run: str) -> list[dict[str, Any]]: ...


EXPECTED = {
    "segfaults": ("ProcessDiedError", "killed by SIGSEGV"),
    "exits_without_a_word": ("ProcessDiedError", "exit code 3"),
    "exits": ("RuntimeUserError (SystemExit)", "sys.exit('enough')"),
    "runs_out_of_memory": ("OOMError", "ran out of memory"),
    "never_returns": ("MaxRuntimeExceededError", "max_runtime of 1 s"),
    "never_lets_go": ("MaxRuntimeExceededError", "max_runtime of 1 s"),
    "crashes_twice": ("", "succeeded in attempt 3"),
    "neighbour 0": ("ProcessDiedError", "exit code 4"),
    "neighbour 1": ("", "neighbour 1 finished"),
    "neighbour 2": ("", "neighbour 2 finished"),
    "neighbour 3": ("", "neighbour 3 finished"),
}


def test_each_crash_costs_its_own_attempt_and_says_why(sandbox_cli: CommandLine) -> None:
    document = sandbox_cli.json("run", str(CRASHERS), "crash_everything", "--hold-s", "12", "--follow")
    assert document["status"] == "succeeded"
    told = dict(line.split(": ", 1) for line in document["outputs"]["o0"])
    assert told.pop("holds_the_interpreter for 12 s") == "finished"
    assert told.keys() == EXPECTED.keys()
    for name, (kind, says) in EXPECTED.items():
        assert told[name].startswith(kind), told[name]
        assert says in told[name], told[name]
    ends: dict[str, list[list[str]]] = {}
    for action in sandbox_cli.actions(document["run"]):
        name = action["task"].partition(".")[2]
        ends.setdefault(name, []).append([attempt["end"] for attempt in action["attempts"]])
    assert ends["holds_the_interpreter"] == [["succeeded"]]  # longer than the lease, which is 10 s here
    assert ends["crashes_twice"] == [["failed", "failed", "succeeded"]]
    assert sorted(ends["neighbour"]) == [["lost", "failed"], *[["lost", "succeeded"]] * 3]
