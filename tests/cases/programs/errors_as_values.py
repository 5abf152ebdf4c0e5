"""Failures of a map are values; arithmetic on one raises it."""

import upwell
from upwell.errors import RuntimeUserError

env = upwell.TaskEnvironment("errors_as_values")


@env.task
def root(x: int) -> float:
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x**0.5


@env.task
def main() -> list[str]:
    results = list(upwell.map(root, [4, -1, 9]))
    seen = [str(r) if isinstance(r, float) else f"{type(r).__name__} {r.code}" for r in results]
    try:
        sum(results)
    except RuntimeUserError as e:
        seen.append(f"sum: {e}")
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
