"""A task with triggers, links and documentation, run by hand."""

from datetime import datetime

import upwell

env = upwell.TaskEnvironment("scheduled", description="Runs every night.")

hourly = upwell.Trigger.hourly("at")
nightly = upwell.Trigger(
    name="nightly",
    automation=upwell.Cron("0 3 * * *", timezone="Europe/Oslo"),
    description="Every night.",
    inputs={"at": upwell.TriggerTime, "n": 3},
)


@env.task(triggers=(nightly, hourly), docs=upwell.Documentation("Counts."), entrypoint=True)
async def main(at: datetime = datetime(2024, 1, 1), n: int = 1) -> str:
    return f"{at} {n}"


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
