"""A reusable environment, and its clone without reuse: each task runs where its own environment says."""

import asyncio
from datetime import timedelta

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment(
    "case-reusable",
    resources=upwell.Resources(memory="500Mi", cpu=1),
    reuse_policy=upwell.ReusePolicy(replicas=(1, 2), idle_ttl=timedelta(seconds=300)),
)
plain_env = env.clone_with("case-reusable-clone", reusable=None, resources=upwell.Resources(), depends_on=[env])


@env.task
async def square(x: int) -> int:
    return x**2


@env.task
async def cube(x: int) -> int:
    return x**3


@plain_env.task
async def main(n: int) -> list[int]:
    squares = await asyncio.gather(*[square(x) for x in range(n)])
    cubes = await asyncio.gather(*[cube(x) for x in range(n)])
    return squares + cubes


def check(observed: Observed) -> None:
    assert plain_env.pool == "default"
    assert observed.kinds(square) == observed.kinds(cube) == {observed.kind(reusable=True)}
    assert observed.kinds(main) == {observed.kind(reusable=False)}


SCENARIO = Scenario(main, {"n": 6}, value=[x**2 for x in range(6)] + [x**3 for x in range(6)], check=check)
