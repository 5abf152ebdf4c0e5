"""Results kept: the second call with the same input does not run.

upwell run examples/caching.py main --x 3
"""

import time

import upwell

env = upwell.TaskEnvironment(name="caching")


@env.task(cache="auto")
async def expensive_computation(input_data: dict) -> dict:
    """Automatically cached based on inputs."""
    # Expensive operation
    time.sleep(0.2)
    return {"result": input_data["x"] ** 2, "computed_at": time.time()}


@env.task
async def main(x: int = 3) -> bool:
    """Return whether both calls gave the very same result."""
    first = await expensive_computation({"x": x})
    second = await expensive_computation({"x": x})
    return first == second


if __name__ == "__main__":
    print(upwell.run(main).outputs())
