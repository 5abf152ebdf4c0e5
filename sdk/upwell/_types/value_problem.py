"""What is wrong with a value, before it is known whose it is."""

from __future__ import annotations


class ValueProblem(Exception):  # noqa: N818  # internal: the interface turns it into the caller's exception
    """A value does not fit, or cannot be written or read."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name
        self.text = text
