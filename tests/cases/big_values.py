"""Values from a few bytes to megabytes, as inputs and as outputs: inline, or by blob, with no difference."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-big-values")
SIZES = [10, 30_000, 100_000, 3_000_000]


@env.task
async def echo(text: str, number: int) -> str:
    return text


@env.task
async def make(size: int) -> bytes:
    return bytes(range(256)) * (size // 256)


@upwell.trace
async def traced(size: int) -> str:
    return "t" * size


@env.task(retries=1)
async def main(sizes: list[int]) -> list[bool]:
    same = []
    for size in sizes:
        text = ("ä" + "x" * 99) * (size // 100)
        same.append(await echo(text, 1) == text)
        same.append(len(await make(size)) == size // 256 * 256)
        same.append(await traced(size) == "t" * size)
    if upwell.ctx().attempt == 1:
        raise RuntimeError("replayed from here")
    return same


def check(observed: Observed) -> None:
    echoed = observed.of(echo)
    assert len(echoed) == len(SIZES)
    inline = [action for action in echoed if action.spec.inputs.text is not None]
    assert [action.spec.inputs.size_bytes < 1000 for action in inline] == [True]
    assert all(action.spec.inputs.blob for action in echoed if action not in inline)
    outputs = [action.outcome.output for action in echoed if action.outcome and action.outcome.output]
    assert sorted(output.text is None for output in outputs) == [False, True, True, True]
    assert observed.ends(echo) == [["succeeded"]] * len(SIZES)


SCENARIO = Scenario(main, {"sizes": SIZES}, value=[True] * 3 * len(SIZES), check=check)
