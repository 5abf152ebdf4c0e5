"""Counts the requests of this process's clients, and what they are billed as.

With `UPWELL_METER=<file>` in its environment, a process adds a line for each request to that file, at once: a
process that is killed has counted all the same, and any number of them can share the file. Without it, there is
no meter and no hook.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from upwell._core.usage import Usage, measure, total

METER_FILE = "UPWELL_METER"
SENT = "upwell_sent"
"""Where botocore's context of a request keeps its parameters until the answer is there."""
EMPTY = " (empty)"
FUNCTION = "AWS_LAMBDA_FUNCTION_NAME"
TIMED = ("-scale/", "-sweep/")
"""In what a function is called that works by the clock, whatever there is to do."""


@dataclass(slots=True)
class Reading:
    """What was counted, by `<service>.<operation>`, in a Lambda function by `<function>/<service>.<operation>`.

    Receives that brought nothing are counted on their own: their number goes with time, not with work.
    """

    counts: Counter[str] = field(default_factory=Counter)
    usages: dict[str, Usage] = field(default_factory=dict)

    def add(self, operation: str, usage: Usage) -> None:
        """Count a request."""
        self.counts[operation] += 1
        self.usages[operation] = self.usages.get(operation, Usage()) + usage

    @property
    def usage(self) -> Usage:
        """All together."""
        return total(self.usages.values())

    def without_idle(self) -> Reading:
        """Return it without what goes with time: receives that brought nothing, functions on a timer."""
        kept = [name for name in self.counts if not name.endswith(EMPTY) and not any(t in name for t in TIMED)]
        return Reading(
            Counter({name: self.counts[name] for name in kept}), {name: self.usages[name] for name in kept}
        )


class Meter:
    """Hands on each request of the clients that it watches.

    Args:
        count: Told the operation and what it is billed as, from any thread.
    """

    def __init__(self, count: Callable[[str, Usage], None]) -> None:
        self._count = count

    def watch(self, client: Any) -> None:
        """Count a client's requests from now on."""
        client.meta.events.register("before-parameter-build", self._before)
        client.meta.events.register("after-call", self._after)

    def _before(self, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[SENT] = params

    def _after(self, model: Any, parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        sent = context.pop(SENT, {})
        service, operation = model.service_model.service_name, model.name
        usage = measure(service, operation, sent, parsed)
        is_empty = operation == "ReceiveMessage" and not parsed.get("Messages")
        self._count(f"{service}.{operation}{EMPTY if is_empty else ''}", usage)


class MeterFile:
    """Adds a line for each request to a file; a line is written at once and whole.

    Args:
        path: The file.
        function: Lambda function that this process is of; empty if it is none.
    """

    def __init__(self, path: str, function: str = "") -> None:
        self._prefix = f"{function}/" if function else ""
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def count(self, operation: str, usage: Usage) -> None:
        """Add a request."""
        line = json.dumps([self._prefix + operation, usage.amounts()], separators=(",", ":"))
        os.write(self._file, f"{line}\n".encode())


class MeterReading:
    """Counts in memory.

    Attributes:
        reading: What was counted since the start, or since `take`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reading = Reading()

    def count(self, operation: str, usage: Usage) -> None:
        """Add a request."""
        with self._lock:
            self.reading.add(operation, usage)

    def take(self) -> Reading:
        """Return what was counted, and begin anew."""
        with self._lock:
            taken, self.reading = self.reading, Reading()
        return taken


def meter_of(environment: Mapping[str, str]) -> Meter | None:
    """Return the meter that a process's environment asks for."""
    path = environment.get(METER_FILE)
    return Meter(MeterFile(path, environment.get(FUNCTION, "")).count) if path else None


def read_lines(lines: Iterable[str]) -> Reading:
    """Return what the lines of a meter's file say."""
    reading = Reading()
    for line in lines:
        operation, amounts = json.loads(line)
        reading.add(operation, Usage(**amounts))
    return reading
