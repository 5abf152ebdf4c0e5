"""Ordinary Python between the calls of tasks."""

import upwell

env = upwell.TaskEnvironment(
    "plain_arithmetic", image=upwell.Image.from_debian_base().with_pip_packages("tabulate")
)


@env.task
def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@env.task
def main(values: list[float]) -> float:
    result = mean(values) / 100
    if result < 0:
        raise ValueError(f"the result is negative: {result}")
    return result


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, values=[float(x) for x in range(10)])
    print(run.name)
    print(run.url)
    run.wait()
