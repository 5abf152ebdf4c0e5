"""The first pipeline: load and rescale."""

from etl_library import load, rescale

from pipelines.envs import etl_env


@etl_env.task
async def load_task(n: int) -> list[float]:
    return load(n)


@etl_env.task
async def rescale_task(values: list[float]) -> list[float]:
    return rescale(values)


@etl_env.task
async def etl_pipeline(n: int = 10) -> list[float]:
    return await rescale_task(await load_task(n))
