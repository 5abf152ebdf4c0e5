"""What `upwell doctor` makes of what it finds: fine or not, and what to do. Nothing is looked at here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from upwell._core.limits import MIB

EXECUTOR_PYTHON = (3, 11)
"""What tasks run on, on AWS."""
PYTHON_MIN = (3, 11)
SKEW_WARN_S, SKEW_MAX_S = 30.0, 300.0
"""AWS refuses requests whose time is five minutes off."""
DISK_WARN_BYTES = 500 * MIB
CONCURRENCY_MIN = 100
"""Of functions at once in an account: new ones have 10, which one small fan-out uses up."""
VCPUS_MIN = 8
IN_FLIGHT_MAX = 120_000
"""Received and not deleted messages of one standard queue."""


class Level(StrEnum):
    """How bad a finding is; `fail` is what keeps upwell from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: What was looked at.
        level: How bad it is.
        found: What was found.
        todo: What to do about it; empty where nothing is to be done.
    """

    check: str
    level: Level
    found: str
    todo: str = ""


def ok(check: str, found: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(check=check, level=Level.OK, found=found)


def warn(check: str, found: str, todo: str) -> Finding:
    """Return a finding that may become a problem, or that could not be looked at."""
    return Finding(check=check, level=Level.WARN, found=found, todo=todo)


def fail(check: str, found: str, todo: str) -> Finding:
    """Return a finding that keeps upwell from working."""
    return Finding(check=check, level=Level.FAIL, found=found, todo=todo)


def judge_python(version: tuple[int, ...], mode: str) -> Finding:
    """Judge the Python of this process, which encodes values and names the modules of tasks."""
    text, wanted = _dotted(version), _dotted(EXECUTOR_PYTHON)
    if version[:2] < PYTHON_MIN:
        return fail("python", text, f"upwell needs Python {_dotted(PYTHON_MIN)} or later")
    if mode == "aws" and version[:2] != EXECUTOR_PYTHON:
        return warn(
            "python", f"{text}; tasks run on {wanted} on AWS", f"use Python {wanted} here: pickles differ"
        )
    return ok("python", text)


def judge_packages(installed: Mapping[str, bool], mode: str) -> Finding:
    """Judge which extras are installed.

    Args:
        installed: By extra, whether what it adds is there.
        mode: The backend that is asked about.
    """
    there = ", ".join(extra for extra, is_there in installed.items() if is_there) or "none"
    if not installed.get(mode, True):
        return fail("packages", f"extras that are installed: {there}", f"pip install 'upwell[{mode}]'")
    return ok("packages", f"extras that are installed: {there}")


def judge_versions(sdk: str, stack: str | None) -> Finding:
    """Judge the version of a deployed platform beside the one that is used here."""
    deploy = "deploy the platform again with the version here: `cdk deploy`"
    if stack is None:
        return warn("versions", f"the platform does not say its version; here is {sdk}", deploy)
    if stack == sdk:
        return ok("versions", f"{sdk}, here and deployed")
    text = f"{stack} is deployed, here is {sdk}"
    if _numbers(stack)[:2] == _numbers(sdk)[:2]:
        return ok("versions", text)
    newer = _numbers(stack) > _numbers(sdk)
    return warn("versions", text, f"pip install 'upwell=={stack}'" if newer else deploy)


def judge_clock(skew_s: float) -> Finding:
    """Judge by how much the clock here is ahead of that of AWS (behind: below 0), in seconds."""
    size_s, side = abs(skew_s), "ahead of" if skew_s > 0 else "behind"
    text = f"{size_s:.0f} s {side} AWS" if size_s >= 1.5 else "as on AWS, to a second"
    todo = "set the clock of this machine (NTP)"
    if size_s >= SKEW_MAX_S:
        return fail("clock", text, f"{todo}: AWS refuses signatures of such a time")
    return warn("clock", text, todo) if size_s >= SKEW_WARN_S else ok("clock", text)


def judge_stack(name: str, status: str) -> Finding:
    """Judge the status of the platform's CloudFormation stack."""
    if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return ok("deployment", f"stack {name}: {status}")
    if status.endswith("_IN_PROGRESS"):
        return warn("deployment", f"stack {name}: {status}", "wait until it is deployed")
    if status == "UPDATE_ROLLBACK_COMPLETE":
        return warn(
            "deployment", f"stack {name}: {status}", "the last update failed; look at its events, deploy again"
        )
    return fail(
        "deployment", f"stack {name}: {status}", "look at its events in CloudFormation, and deploy again"
    )


def judge_concurrency(limit: int, unreserved: int) -> Finding:
    """Judge how many Lambda functions may run at once in the account and region."""
    text = f"{limit:,} at once, {unreserved:,} of them not reserved"
    if unreserved >= CONCURRENCY_MIN:
        return ok("lambda concurrency", text)
    todo = "ask for more in Service Quotas (Lambda, Concurrent executions), or reserve less for other functions"
    return warn("lambda concurrency", text, f"{todo}: actions wait for each other")


def judge_quota(check: str, name: str, value: float, least: float) -> Finding:
    """Judge a quota of the account.

    Args:
        check: What it bounds.
        name: As Service Quotas has it.
        value: What it is.
        least: What it should be.
    """
    text = f"{name}: {value:,.0f}"
    return ok(check, text) if value >= least else warn(check, text, f"ask for {least:,.0f} in Service Quotas")


def judge_queue(pool: str, in_flight: int, dead: int) -> Finding:
    """Judge the queue of a pool, and the one of its dead letters."""
    check, text = "queue", f"pool {pool}: {in_flight:,} messages in flight, {dead:,} dead letters"
    if dead:
        return warn(check, text, "look at them in SQS: their actions were failed, or cannot be told")
    if in_flight > 0.8 * IN_FLIGHT_MAX:
        return warn(check, text, f"SQS allows {IN_FLIGHT_MAX:,}; give the work pools of its own")
    return ok(check, text)


def judge_lost_changes(url: str, n: int) -> Finding:
    """Judge the queue of changes of actions that were given up."""
    if not n:
        return ok("views", "all changes of actions were counted")
    text = f"changes of actions were not counted: {n:,} messages in {url}"
    advice = (
        "what is shown of their runs stays wrong; the log of fold or aggregate says why. "
        f"When that is put right: aws sqs purge-queue --queue-url {url}"
    )
    return warn("views", text, advice)


def judge_store(problems: Collection[str], runs: int, size_bytes: int, free_bytes: int) -> Finding:
    """Judge the state folder of local runs.

    Args:
        problems: What SQLite found wrong with its file.
        runs: How many it has.
        size_bytes: Of all its files.
        free_bytes: What the disk has left.
    """
    text = f"{runs:,} runs, {size_bytes / MIB:,.1f} MiB, {free_bytes / MIB:,.0f} MiB free"
    if problems:
        first = next(iter(problems))
        return fail(
            "local state", f"the database is damaged: {first}", "move the state folder away, and start anew"
        )
    if free_bytes < DISK_WARN_BYTES:
        return warn("local state", text, "free some space: `upwell gc` deletes what nobody needs")
    return ok("local state", text)


def judge_interrupted(runs: Collection[str]) -> Finding:
    """Judge the local runs whose process is gone before they ended."""
    if not runs:
        return ok("interrupted runs", "none")
    first = next(iter(runs))
    return warn(
        "interrupted runs", ", ".join(runs), f"`upwell recover {first}` goes on, `upwell abort {first}` ends"
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version[:3]))


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparison; those of a suffix do not count."""
    parts = version.split("+")[0].split(".")
    return tuple(int("".join(c for c in part if c.isdigit()) or 0) for part in parts[:3])
