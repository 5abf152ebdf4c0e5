"""What the first pipeline is made of."""

from etl_library.steps import load, rescale

__all__ = ["load", "rescale"]
