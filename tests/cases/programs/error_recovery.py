"""A parent recovers: from an exception of a child, and from one that ran out of memory."""

import asyncio

import upwell
import upwell.errors

env = upwell.TaskEnvironment("error_recovery", resources=upwell.Resources(cpu=1, memory="250Mi"))


@env.task
async def always_fails():
    raise ValueError("this never works")


@env.task
async def memory_hog() -> int:
    zeros = [0] * 100_000_000
    return len(zeros)


@env.task
async def always_succeeds() -> int:
    await asyncio.sleep(1)
    return 42


@env.task
async def main() -> int:
    try:
        await always_fails()
    except upwell.errors.RuntimeUserError as e:
        if e.code != "ValueError":
            raise
        print(f"recovered from {e.code}: {e}")
    try:
        await memory_hog()
    except upwell.errors.OOMError as e:
        print(f"out of memory ({e.code}), trying with more")
        try:
            await memory_hog.override(resources=upwell.Resources(cpu=1, memory="1Gi"))()
        except upwell.errors.OOMError:
            print("still out of memory")
            raise
    return await always_succeeds()


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
