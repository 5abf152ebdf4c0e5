"""Random programs: a tree of calls as data, the tasks that carry it out, and its right result in plain Python.

A node of the tree is a dict, because it travels as the input of its task:

- `leaf`: notes a side effect; fails in its first `fails` attempts, or always (`ends`)
- `size`: takes a text and returns one, inline or offloaded
- `sleeper`: sleeps for good, below it others; it can only be aborted
- `branch`: carries out steps, one after the other, and adds up what they give

The numbers `n` are unique in a program, so that calls are equal only where they are meant to be.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from random import Random
from typing import Any
from zlib import crc32

import upwell
from bench.faults.notes import note
from upwell import Backoff, RetryStrategy, ReusePolicy, TaskEnvironment
from upwell.errors import BaseRuntimeError

Node = dict[str, Any]

warm = TaskEnvironment("faults-warm", reuse_policy=ReusePolicy(replicas=(2, 2), concurrency=8, idle_ttl=600))
cold = TaskEnvironment("faults-cold", depends_on=[warm])

FOREVER_S = 50_000.0
BATCHES = (3, "auto", 1)
"""Items of an action of a map."""
LIMIT = 2
"""How many of the task `limited` run at once."""
ENTER, LEAVE = "enter", "leave"


class FlakyError(Exception):
    """An attempt that fails because the program says so."""


def fail_maybe(node: Node) -> None:
    if node.get("ends") == "error":
        raise LookupError(f"{node['n']} fails always")
    if upwell.ctx().attempt <= node.get("fails", 0):
        raise FlakyError(f"{node['n']} fails at first")


def code_value(code: str) -> int:
    """Return what a caught failure adds to a result."""
    return crc32(code.encode()) % 1000


@upwell.trace
async def traced(n: int) -> int:
    return n + 1


@upwell.trace
def traced_sync(n: int) -> int:
    return n + 2


def _leaf(node: Node, folder: str) -> int:
    note(folder)
    fail_maybe(node)
    return int(node["n"])


@cold.task
async def leaf(text: str, folder: str) -> int:
    node = json.loads(text)
    if node.get("sleep_s"):
        await asyncio.sleep(node["sleep_s"])
    return _leaf(node, folder)


@cold.task
def leaf_sync(text: str, folder: str) -> int:
    return _leaf(json.loads(text), folder)


@warm.task
async def leaf_warm(text: str, folder: str) -> int:
    node = json.loads(text)
    if node.get("sleep_s"):
        await asyncio.sleep(node["sleep_s"])
    return _leaf(node, folder)


@cold.task
async def size(text: str, out: int, folder: str) -> str:
    note(folder)
    return "y" * out


@warm.task
async def mapped(n: int, bad: list[int], folder: str) -> int:
    note(folder, str(n))
    if n in bad:
        raise LookupError(str(n))
    return n


@cold.task(cache=upwell.Cache("auto", version_override="1"))
async def cached(n: int, folder: str) -> int:
    note(folder)
    return 3 * n


async def _limited(node: Node, folder: str) -> int:
    note(folder, ENTER)
    await asyncio.sleep(node["sleep_s"])
    note(folder, LEAVE)
    fail_maybe(node)
    return int(node["n"])


@warm.task(max_concurrency=LIMIT)
async def limited(text: str, folder: str) -> int:
    return await _limited(json.loads(text), folder)


@cold.task(cache=upwell.Cache("auto", version_override="1", serialize=True))
async def kept(n: int, sleep_s: float, folder: str) -> int:
    return await _limited({"n": n, "sleep_s": sleep_s}, folder)


async def _sleep(node: Node, folder: str) -> None:
    below = [sleeper_of(child)(json.dumps(child), folder) for child in node["below"]]
    if below:
        await asyncio.gather(*below)
    else:
        await asyncio.sleep(node.get("sleep_s", FOREVER_S))


@cold.task
async def sleeper(text: str, folder: str) -> None:
    await _sleep(json.loads(text), folder)


@warm.task
async def sleeper_warm(text: str, folder: str) -> None:
    await _sleep(json.loads(text), folder)


def sleeper_of(node: Node) -> Any:
    return sleeper_warm if node["warm"] else sleeper


def retries_of(node: Node) -> Any:
    if not node.get("retries"):
        return None
    return RetryStrategy(node["retries"], Backoff(node.get("backoff_s", 1), factor=2, cap=20))


def task_of(node: Node) -> Any:
    """Return the task of a node, with its retries."""
    if node["kind"] == "leaf":
        task: Any = leaf_warm if node["warm"] else leaf_sync if node["sync"] else leaf
    else:
        task = branch_warm if node["warm"] else branch_sync if node["sync"] else branch
    strategy = retries_of(node)
    return task if strategy is None else task.override(retries=strategy)


async def _call(node: Node, folder: str) -> int:
    try:
        return int(await (task_of(node).aio if node["sync"] else task_of(node))(json.dumps(node), folder))
    except BaseRuntimeError as e:
        return code_value(e.code)


async def _limit_call(node: Node, folder: str) -> int:
    strategy = retries_of(node)
    task = limited if strategy is None else limited.override(retries=strategy)
    try:
        return await task(json.dumps(node), folder)
    except BaseRuntimeError as e:
        return code_value(e.code)


async def _cancel(step: Node, folder: str) -> int:
    child = step["node"]
    call = asyncio.ensure_future(sleeper_of(child)(json.dumps(child), folder))
    await asyncio.wait({call}, timeout=step["after_s"])
    call.cancel()
    await asyncio.wait({call})
    assert call.cancelled() or call.exception() is not None, "a sleeper ended by itself"
    return 1


async def _map(step: Node, folder: str) -> int:
    items = step["items"]
    results = await upwell.map(
        mapped,
        items,
        [step["bad"]] * len(items),
        [folder] * len(items),
        batch=step["batch"],
        concurrency=step["concurrency"],
        return_exceptions=True,
    )
    return sum(code_value(r.code) if isinstance(r, BaseRuntimeError) else r for r in results)


async def _step(step: Node, folder: str, open_calls: list[Any]) -> int:
    match step["op"]:
        case "gather":
            return sum(await asyncio.gather(*(_call(node, folder) for node in step["nodes"])))
        case "map":
            return await _map(step, folder)
        case "equal":
            text = json.dumps(step["node"])
            return sum(await asyncio.gather(*(leaf(text, folder) for _ in range(step["times"]))))
        case "trace":
            return traced_sync(step["n"]) if step["sync"] else await traced(step["n"])
        case "cached":
            return await cached(step["n"], folder) + await cached(step["n"], folder)
        case "size":
            return len(await size("x" * step["in"], step["out"], folder))
        case "limited":
            nodes = step["nodes"]
            return sum(await asyncio.gather(*(_limit_call(node, folder) for node in nodes)))
        case "kept":
            n, sleep_s = step["n"], step["sleep_s"]
            return sum(await asyncio.gather(*(kept(n, sleep_s, folder) for _ in range(2))))
        case "cancel":
            return await _cancel(step, folder)
        case "orphan":
            child = step["node"]
            open_calls.append(asyncio.ensure_future(sleeper_of(child)(json.dumps(child), folder)))
            return await leaf(json.dumps(step["beside"]), folder)
        case "through":
            node = step["node"]
            return int(await task_of(node)(json.dumps(node), folder))
    raise AssertionError(step)


async def _branch(node: Node, folder: str) -> int:
    total = 0
    open_calls: list[Any] = []
    for step in node["steps"]:
        total += await _step(step, folder, open_calls)
    note(folder)
    fail_maybe(node)
    return total


@cold.task
async def branch(text: str, folder: str) -> int:
    return await _branch(json.loads(text), folder)


@warm.task
async def branch_warm(text: str, folder: str) -> int:
    return await _branch(json.loads(text), folder)


def _call_sync(node: Node, folder: str) -> int:
    try:
        return int((task_of(node))(json.dumps(node), folder))
    except BaseRuntimeError as e:
        return code_value(e.code)


@cold.task
def branch_sync(text: str, folder: str) -> int:
    node = json.loads(text)
    total = 0
    for step in node["steps"]:
        if step["op"] == "map":
            for result in upwell.map(leaf_sync, step["items"], [folder] * len(step["items"])):
                total += code_value(result.code) if isinstance(result, BaseRuntimeError) else int(result)
        elif step["op"] == "trace":
            total += traced_sync(step["n"])
        else:
            total += sum(_call_sync(child, folder) for child in step["nodes"])
    note(folder)
    fail_maybe(node)
    return total


# --- the right result -----------------------------------------------------------------------------------------


class ExpectedError(Exception):
    """The node fails, with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def expected(node: Node) -> int:
    """Return what a node gives.

    Raises:
        ExpectedError: it fails.
    """
    total = int(node["n"]) if node["kind"] == "leaf" else sum(map(_expected_step, node["steps"]))
    if node.get("ends") == "error":
        raise ExpectedError("LookupError")
    return total


def _caught(node: Node) -> int:
    try:
        return expected(node)
    except ExpectedError as e:
        return code_value(e.code)


def _expected_step(step: Node) -> int:
    n: int = step.get("n", 0)
    match step["op"]:
        case "gather" | "calls" | "limited":
            return sum(map(_caught, step["nodes"]))
        case "map" if "bad" in step:
            return sum(code_value("LookupError") if i in step["bad"] else i for i in step["items"])
        case "map":
            return sum(_caught(json.loads(text)) for text in step["items"])
        case "equal":
            return int(step["times"] * step["node"]["n"])
        case "trace":
            return n + 2 if step["sync"] else n + 1
        case "cached":
            return 6 * n
        case "kept":
            return 2 * n
        case "size":
            return int(step["out"])
        case "cancel":
            return 1
        case "orphan":
            return int(step["beside"]["n"])
    return expected(step["node"])


# --- a random program -----------------------------------------------------------------------------------------


class Writer:
    """Writes one program.

    Args:
        chance: Where its randomness comes from.
        actions: About how many calls there may be.
        sleeps_s: How long a task may take.
    """

    def __init__(self, chance: Random, actions: int = 20, sleeps_s: Sequence[float] = (0.5, 3, 12, 40)) -> None:
        self._chance, self._sleeps_s = chance, sleeps_s
        self._left = actions
        self._n = 0
        self._cached_n = chance.randrange(10**9) * 1000  # other programs' results are in the cache, too

    def program(self, with_op: str | None = None) -> Node:
        """Return the root: an asynchronous branch, which begins with a step of this kind."""
        root = self.branch(0, sync=False)
        if with_op is not None:
            root["steps"].insert(0, self.step(0, with_op))
        while self._left > 0:
            root["steps"].append(self.step(0))
        return root

    def _next(self) -> int:
        self._n += 1
        self._left -= 1
        return self._n

    def _long_s(self) -> float:
        """Return how long a place under a limit is held; the longest is renewed meanwhile."""
        return self._chance.choice([self._sleeps_s[1], self._sleeps_s[2]])

    def _fate(self) -> Node:
        fate: Node = {}
        kind = self._chance.random()
        if kind < 0.2:
            fate = {"retries": 2, "fails": self._chance.randint(1, 2), "backoff_s": self._chance.choice([1, 3])}
        elif kind < 0.3:
            fate = {"ends": "error", "retries": self._chance.choice([0, 1])}
        return fate

    def leaf(self, *, plain: bool = False) -> Node:
        """Return a leaf."""
        chance = self._chance
        warm_, sync = chance.random() < 0.5, chance.random() < 0.3
        node = {"kind": "leaf", "n": self._next(), "warm": warm_, "sync": sync and not warm_}
        if chance.random() < 0.5 and not node["sync"]:
            node["sleep_s"] = chance.choice(self._sleeps_s)
        return node if plain else {**node, **self._fate()}

    def sleeper(self, depth: int = 0) -> Node:
        """Return a sleeper."""
        below = [] if depth or self._chance.random() < 0.5 else [self.sleeper(1), self.sleeper(1)]
        return {"kind": "sleeper", "n": self._next(), "warm": self._chance.random() < 0.5, "below": below}

    def branch(self, depth: int, *, sync: bool | None = None) -> Node:
        """Return a branch."""
        chance = self._chance
        sync = chance.random() < 0.3 if sync is None else sync
        n = self._next()
        steps = [self.sync_step(depth) if sync else self.step(depth) for _ in range(chance.randint(1, 3))]
        warm_ = not sync and chance.random() < 0.4
        return {"kind": "branch", "n": n, "warm": warm_, "sync": sync, "steps": steps, **self._fate()}

    def _child(self, depth: int, *, sync: bool | None = None) -> Node:
        if depth < 2 and self._left > 0 and self._chance.random() < 0.45:
            return self.branch(depth + 1, sync=sync)
        return {**self.leaf(), "warm": False, "sync": True} if sync else self.leaf()

    def sync_step(self, depth: int) -> Node:
        """Return a step of a synchronous branch."""
        chance = self._chance
        match chance.choice(["calls", "map", "trace"]):
            case "map":
                nodes = [{**self.leaf(), "sync": True, "warm": False} for _ in range(chance.randint(2, 4))]
                for node in nodes:  # the map has no retries
                    node.pop("retries", None)
                    node.pop("fails", None)
                return {"op": "map", "items": [json.dumps(node) for node in nodes]}
            case "trace":
                return {"op": "trace", "n": self._next(), "sync": True}
            case _:
                return {
                    "op": "calls",
                    "nodes": [self._child(depth, sync=True) for _ in range(chance.randint(1, 2))],
                }

    def step(self, depth: int, op: str | None = None) -> Node:
        """Return a step of an asynchronous branch."""
        chance = self._chance
        rest = "map trace trace equal cached size limited kept cancel orphan through"
        kinds = ["gather"] * 3 + rest.split()
        match op or chance.choice(kinds):
            case "map":
                items = [self._next() for _ in range(chance.randint(2, 6))]
                bad = [n for n in items if chance.random() < 0.2]
                batch = BATCHES[items[0] % len(BATCHES)]
                at_once = chance.choice([0, 2])
                return {"op": "map", "items": items, "bad": bad, "batch": batch, "concurrency": at_once}
            case "trace":
                return {"op": "trace", "n": self._next(), "sync": chance.random() < 0.4}
            case "equal":
                node = {"kind": "leaf", "n": self._next(), "warm": False, "sync": False}
                return {"op": "equal", "node": node, "times": chance.randint(2, 3)}
            case "cached":
                return {"op": "cached", "n": self._cached_n + self._next()}
            case "size":
                sizes = [10, 9_000, 60_000]
                return {
                    "op": "size",
                    "n": self._next(),
                    "in": chance.choice(sizes),
                    "out": sizes[-1] if op else chance.choice(sizes),
                }
            case "limited":
                nodes = [{**self.leaf(), "sleep_s": self._long_s()} for _ in range(chance.randint(2, 4))]
                return {"op": "limited", "nodes": nodes}
            case "kept":
                n = self._cached_n + self._next()
                return {"op": "kept", "n": n, "sleep_s": self._long_s()}
            case "cancel":
                return {
                    "op": "cancel",
                    "node": self.sleeper(),
                    "after_s": chance.choice([0.01, *self._sleeps_s]),
                }
            case "orphan":
                return {"op": "orphan", "node": self.sleeper(), "beside": self.leaf(plain=True)}
            case "through":
                ends = "error" if chance.random() < 0.3 else "value"
                node = {**self.leaf(plain=True), "sync": False, "ends": ends}
                return {"op": "through", "node": node}
            case _:
                return {"op": "gather", "nodes": [self._child(depth) for _ in range(chance.randint(1, 4))]}
