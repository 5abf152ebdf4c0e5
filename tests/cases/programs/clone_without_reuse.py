"""A reusable environment and its clone without a reuse policy."""

import asyncio

import upwell

env = upwell.TaskEnvironment(
    "clone_without_reuse",
    image=upwell.Image.from_debian_base().with_pip_packages("tabulate"),
    resources=upwell.Resources(cpu=1, memory="500Mi"),
    reusable=upwell.ReusePolicy(replicas=(1, 4), idle_ttl=300),
)


@env.task
async def square(x: int) -> int:
    return x * x


@env.task
async def cube(x: int) -> int:
    return x * x * x


main_env = env.clone_with("clone_without_reuse_main", reusable=None, depends_on=[env])


@main_env.task
async def main(n: int) -> list[int]:
    squares, cubes = [], []
    for x in range(n):
        squares.append(square(x))
        cubes.append(cube(x))
    return await asyncio.gather(*squares) + await asyncio.gather(*cubes)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, n=30)
    print(run.url)
    run.wait()
