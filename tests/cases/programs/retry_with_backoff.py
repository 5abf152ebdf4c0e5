"""Retries with delays that grow."""

from datetime import timedelta

import upwell

env = upwell.TaskEnvironment("retry_with_backoff", resources=upwell.Resources(cpu=1, memory="250Mi"))


async def remote_call() -> str:
    return "ok"


@env.task(
    retries=upwell.RetryStrategy(
        count=5,
        backoff=upwell.Backoff(base=timedelta(seconds=10), factor=2.0, cap=timedelta(minutes=5)),
    )
)
async def main() -> str:
    return await remote_call()


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
