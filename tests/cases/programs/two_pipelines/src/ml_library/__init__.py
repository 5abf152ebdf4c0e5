"""What the second pipeline is made of."""

from ml_library.mean_model import evaluate, fit

__all__ = ["evaluate", "fit"]
