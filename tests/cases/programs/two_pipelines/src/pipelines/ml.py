"""The second pipeline: train and evaluate."""

from ml_library import evaluate, fit

from pipelines.envs import ml_env


@ml_env.task
async def train_task(features: list[float], labels: list[int]) -> dict:
    return fit(features, labels)


@ml_env.task
async def evaluate_task(model: dict) -> float:
    return evaluate(model)


@ml_env.task
async def ml_pipeline() -> float:
    model = await train_task([1.5, 3.0, 4.5, 6.0, 7.5], [0, 1, 2, 3, 4])
    return await evaluate_task(model)
