"""Loading and rescaling."""


def load(n: int) -> list[float]:
    return [i * 1.5 for i in range(n)]


def rescale(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(value - low) / (high - low) for value in values]
