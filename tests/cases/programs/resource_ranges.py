"""Resources as ranges, and a call that overrides them."""

import upwell

env = upwell.TaskEnvironment(
    "resource_ranges",
    resources=upwell.Resources(cpu=("2", "4"), memory=("2Gi", "12Gi"), disk="50Gi", shm="8Gi"),
)


@env.task
async def train(path: str) -> str:
    return "model trained"


@env.task
async def train_heavy() -> str:
    return "heavy model trained with overridden resources"


@env.task
async def main():
    print(await train("s3://bucket/data.csv"))
    heavy = train_heavy.override(
        resources=upwell.Resources(cpu=4, memory="24Gi", disk="100Gi", shm="16Gi"),
    )
    print(await heavy())


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
