"""All three bounds of time."""

from datetime import timedelta

import upwell
from upwell import Timeout

env = upwell.TaskEnvironment("time_bounds", resources=upwell.Resources(cpu=1, memory="250Mi"))


@env.task(
    timeout=Timeout(
        max_runtime=timedelta(minutes=30),
        max_queued_time=timedelta(minutes=15),
        deadline=timedelta(hours=2),
    )
)
async def main() -> str:
    return "done"


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
