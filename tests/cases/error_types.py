"""What reaches a parent: types, codes, messages and the traceback of where it was raised."""

import sys
from typing import Any

from scenario import Observed, Scenario

import upwell
from upwell import errors
from upwell._author.task import Task

env = upwell.TaskEnvironment("case-error-types")


class OwnError(Exception):
    """An exception class of the user."""


@env.task
async def raise_own() -> None:
    raise OwnError("mine")


@env.task
async def grandchild() -> None:
    await raise_own()


@env.task
def raise_key_error() -> None:
    {"there": 1}.__getitem__("missing")


@env.task
async def run_out_of_memory() -> None:
    raise MemoryError("no more")


@env.task
async def leave() -> None:
    sys.exit(3)


@env.task
def leave_a_thread() -> None:
    sys.exit(4)


@env.task
async def wrong_output() -> int:
    return "text"  # type: ignore[return-value]


@env.task
async def coded() -> None:
    raise errors.RuntimeUserError("MY_CODE", "a code of its own")


@env.task
async def number(x: int) -> int:
    return x


async def failure(task: Task[..., Any], **inputs: Any) -> list[str]:
    """Return type, code and message of how a call fails."""
    try:
        await task.aio(**inputs)
    except errors.BaseRuntimeError as e:
        said = "\n".join(e.__notes__)
        where = task.func.__name__ if task not in {grandchild, wrong_output} else ""
        return [type(e).__name__, e.code, str(e)] if where in said and e.__cause__ is None else [said]
    except (TypeError, ValueError) as e:
        return [type(e).__name__, "", ""]
    return []


@env.task
async def main() -> dict[str, list[str]]:
    try:
        await raise_own()
    except errors.RuntimeUserError as e:
        said = "\n".join(e.__notes__)
    return {
        "traceback": [part for part in ("error_types.py", 'raise OwnError("mine")') if part in said],
        "own": await failure(raise_own),
        "grandchild": await failure(grandchild),
        "key": await failure(raise_key_error),
        "memory": await failure(run_out_of_memory),
        "exit": (await failure(leave))[:2],
        "exit in a thread": (await failure(leave_a_thread))[:2],
        "output": (await failure(wrong_output))[:2],
        "coded": await failure(coded),
        "wrong type": await failure(number, x="three"),
        "missing": await failure(number),
        "unknown": await failure(number, x=1, y=2),
    }


def check(observed: Observed) -> None:
    assert observed.of(number) == []  # refused before anything is sent
    assert all(action.status == "FAILED" for action in observed.of(grandchild) + observed.of(wrong_output))


SCENARIO = Scenario(
    main,
    value={
        "traceback": ["error_types.py", 'raise OwnError("mine")'],
        "own": ["RuntimeUserError", "OwnError", "mine"],
        "grandchild": ["RuntimeUserError", "OwnError", "mine"],
        "key": ["RuntimeUserError", "KeyError", "'missing'"],
        "memory": ["OOMError", "OOMError", "no more"],
        "exit": ["RuntimeUserError", "SystemExit"],
        "exit in a thread": ["RuntimeUserError", "SystemExit"],
        "output": ["RuntimeDataValidationError", "DataValidationError"],
        "coded": ["RuntimeUserError", "MY_CODE", "a code of its own"],
        "wrong type": ["TypeError", "", ""],
        "missing": ["ValueError", "", ""],
        "unknown": ["ValueError", "", ""],
    },
    check=check,
)
