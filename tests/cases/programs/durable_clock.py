"""Sleeping and looking at the clock in a task that is tried again."""

import upwell
import upwell.durable

env = upwell.TaskEnvironment("durable_clock")


@env.task(retries=1)
async def waits() -> list[bool]:
    begun = await upwell.durable.now.aio()
    await upwell.durable.sleep.aio(0.2)
    checkpoint = upwell.ctx().checkpoint
    if upwell.ctx().attempt == 1:
        await checkpoint.save(begun.isoformat().encode())
        raise RuntimeError("once more")
    return [(await checkpoint.load()).read_text() == begun.isoformat(), begun.tzinfo is not None]


@env.task
def waits_in_a_thread() -> bool:
    begun = upwell.durable.time()
    upwell.durable.sleep(0.1)
    return upwell.durable.time() - begun >= 0.1


@env.task
async def main() -> list[bool]:
    return [*await waits(), await waits_in_a_thread.aio()]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
