"""A map starts when it is iterated over, ends with the shortest iterable, and keeps the order."""

import time

import upwell

env = upwell.TaskEnvironment("lazy_map")


@env.task
def power(x: int, n: int) -> int:
    time.sleep(0.02 * (3 - x))
    return x**n


@env.task
def main() -> list[list[int]]:
    upwell.map(power, [1, 2], [1, 2])  # never iterated over
    numbers = (i for i in range(100))
    return [
        list(upwell.map(power, [1, 2, 3], [2, 3, 4, 5])),
        list(upwell.map(power, [2, 1, 0], numbers, concurrency=1, group_name="numbers")),
        list(upwell.map(power, [], [1])),
    ]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
