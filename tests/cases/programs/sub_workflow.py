"""A task that calls tasks, called by a task."""

import upwell

env = upwell.TaskEnvironment("sub_workflow")


@env.task
def clean(value: float) -> float:
    return value if value >= 0 else 0.0


@env.task
def normalize(value: float) -> float:
    return value / 100


@env.task
def preprocess(value: float) -> float:
    return normalize(clean(value))


@env.task
def main(raw_value: float) -> float:
    return preprocess(raw_value)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, raw_value=42.0)
    print(run.url)
    run.wait()
