"""Each attempt is a fresh execution; the parent sees the error of the last one."""

import upwell
from upwell.errors import NonRecoverableError, RuntimeUserError

env = upwell.TaskEnvironment("last_attempt")


@env.task(retries=2)
async def always_fails() -> int:
    raise RuntimeError(f"attempt {upwell.ctx().attempt}")


@env.task(retries=2)
async def gives_up() -> int:
    raise NonRecoverableError(f"attempt {upwell.ctx().attempt}")


@env.task(retries=upwell.RetryStrategy(count=3, backoff=upwell.Backoff(base=0.01, factor=2.0, cap=0.05)))
async def third_time() -> int:
    if upwell.ctx().attempt < 3:
        raise RuntimeError("not yet")
    return upwell.ctx().attempt


@env.task
async def main() -> list[str]:
    seen = []
    for task in (always_fails, gives_up, third_time, always_fails.override(retries=1)):
        try:
            seen.append(str(await task()))
        except RuntimeUserError as e:
            seen.append(f"{e.code}: {e}")
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
