"""Settings of an environment, and of its tasks."""

from datetime import timedelta

import upwell

env = upwell.TaskEnvironment(
    "task_settings",
    image=upwell.Image.from_debian_base().with_pip_packages("tabulate", "idna"),
    resources=upwell.Resources(cpu="2", memory="4Gi"),
    cache="auto",
)


@env.task(retries=3, timeout=timedelta(minutes=30))
def loss(step: int) -> float:
    return 1 / (step + 1)


@env.task
def main(step: int) -> float:
    return loss(step)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, step=1)
    print(run.url)
    run.wait()
