"""A model that predicts the mean."""


def fit(features: list[float], labels: list[int]) -> dict:
    assert len(features) == len(labels)
    return {"mean": sum(labels) / len(labels)}


def evaluate(model: dict) -> float:
    return model["mean"]
