"""Async functions that sync code can call: `syncify(f)(...)` blocks, `await syncify(f).aio(...)` does not."""

from upwell._author.syncify import to_both as syncify

__all__ = ["syncify"]
