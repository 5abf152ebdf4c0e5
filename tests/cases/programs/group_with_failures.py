"""A fan-out in warm workers; what fails of it is a value among the results."""

import asyncio
from datetime import timedelta

import upwell

env = upwell.TaskEnvironment(
    "group_with_failures",
    image=upwell.Image.from_debian_base().with_pip_packages("tabulate"),
    resources=upwell.Resources(cpu=1, memory="1Gi"),
    reusable=upwell.ReusePolicy(
        replicas=10, concurrency=100, idle_ttl=timedelta(seconds=60), scaledown_ttl=timedelta(seconds=60)
    ),
)


@env.task
async def worker(x: int) -> int:
    if x % 1000 == 0:
        raise ValueError(f"{x} is a multiple of 1000")
    return x


@env.task
async def main(n: int) -> int:
    with upwell.group("workers"):
        results = await asyncio.gather(*[worker(i) for i in range(n)], return_exceptions=True)
    return sum(r for r in results if not isinstance(r, Exception))


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.with_runcontext().run(main, n=100)
    print(run.url)
    run.wait()
