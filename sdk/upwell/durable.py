"""Time that survives crashes: a task that runs again sees the times that its first attempt saw.

Each function has an `.aio` twin for async tasks. Outside of a run they are the plain clock.

Example:
    >>> import upwell.durable
    >>> upwell.durable.now().tzinfo
    datetime.timezone.utc
"""

from upwell._author.durable import now, sleep, time

__all__ = ["now", "sleep", "time"]
