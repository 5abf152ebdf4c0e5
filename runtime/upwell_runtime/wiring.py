"""The composition root: settings from the environment, adapters, engine. Nothing else reads `os.environ`."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from upwell._author.context import Mode
from upwell._author.logs import program_handler, system_logger
from upwell._aws.platform import AwsPorts, open_ports
from upwell._aws.worker_pools import WorkerPools
from upwell._core.limits import MIB
from upwell._core.metrics import Metric
from upwell._core.model import Executor as ExecutorId
from upwell._core.ports import Ports
from upwell._core.settings import Settings, stage_of
from upwell._exec.environment import RandomIds
from upwell._exec.executor import Executor
from upwell._exec.kernel import Kernel
from upwell._exec.process.pool import Processes
from upwell._exec.process.zygote import Zygote
from upwell._exec.subject import SubjectFilter
from upwell_runtime.bundles import Bundles
from upwell_runtime.metrics import EmfMetrics
from upwell_runtime.user.process import guest

if TYPE_CHECKING:
    from aws_lambda_powertools import Tracer

ZYGOTE = (sys.executable, "-m", "upwell_runtime.user")


@cache
def settings() -> Settings:
    """Return the settings of this component.

    Raises:
        SettingsError: the environment is not that of a deployed component.
    """
    return Settings.from_env(os.environ)


@cache
def ports() -> AwsPorts:
    """Return the adapters of this component's deployment, which begins to log with them."""
    configure_logging()
    return open_ports(settings(), throttled=lambda: metrics().add(Metric.THROTTLES))


@cache
def zygote() -> Zygote:
    """Return what this executor forks user processes from."""
    return Zygote(ZYGOTE)


def split_off_zygote() -> None:
    """Fork the zygote from this process, while it has one thread: when an executor starts, before all else."""
    zygote().split_off(guest)


def is_function() -> bool:
    """Whether this process is an execution environment of Lambda."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


def be_unique_when_restored() -> None:
    """Where this start is kept as a snapshot: have each environment made of it draw random numbers of its own.

    A snapshot has the zygote and no connection, id or client: those are made by the first invocation. Ids come
    from the kernel, which Lambda seeds anew, and user processes seed `random` when they are forked.
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        # Part of Lambda's runtime.
        from snapshot_restore_py import register_after_restore  # type: ignore[import-untyped]  # it has no types

        register_after_restore(random.seed)


@cache
def worker_pools() -> WorkerPools:
    """Return the worker pools of this component's deployment."""
    aws = ports()
    return WorkerPools(aws.clients, settings(), aws.queue, metrics())


def kernel(executor: ExecutorId, *, suspends: bool = False, memory_mib: int | None = None) -> Kernel:
    """Return the engine's surroundings for an executor.

    Args:
        executor: Who it is.
        suspends: Whether parents that wait leave it.
        memory_mib: Memory of this executor.
    """
    aws = ports()
    scratch = Path(tempfile.gettempdir()) / "upwell"
    memory_bytes = memory_mib * MIB if memory_mib is not None else None
    return Kernel(
        ports=Ports(
            store=aws.store,
            blobs=aws.blobs,
            queue=aws.queue,
            orchestrator=aws.orchestrator,
            clock=aws.clock,
            executor=executor,
        ),
        settings=settings(),
        users=Processes(Bundles(aws.blobs, scratch / "bundles"), zygote(), memory_bytes=memory_bytes),
        ids=RandomIds(),
        mode=mode(),
        suspends=suspends,
        scratch=scratch / "scratch",
        secrets=aws.secrets,
        metrics=metrics(),
    )


def executor(identity: ExecutorId, *, suspends: bool = False, memory_mib: int | None = None) -> Executor:
    """Return the executor of this process; see `kernel`."""
    surroundings = kernel(identity, suspends=suspends, memory_mib=memory_mib)
    surroundings.users.prepare()
    return Executor(surroundings, lease_s=settings().lease_s)


def mode() -> Mode:
    """Return `sandbox` where AWS is emulated, else `aws`."""
    return "sandbox" if "AWS_ENDPOINT_URL" in os.environ else "aws"


def pool_of_queue(arn: str) -> str:
    """Return the name by which `Settings.queue_url` finds a queue: a pool's, or `<pool>-dead`."""
    return arn.rpartition(":")[2].removeprefix(f"{settings().prefix}-")


def run_of_execution(name: str) -> tuple[str, int]:
    """Return run id and generation of an execution: it is named `<run id>`, or `<run id>.<generation>`."""
    run_id, _, generation = name.partition(".")
    return run_id, int(generation or 1)


@cache
def metrics() -> EmfMetrics:
    """Return what takes this process's metrics."""
    return EmfMetrics(stage_of(settings().prefix))


@cache
def tracer() -> Tracer | None:
    """Return what takes this function's traces; None where there are none."""
    if not settings().traces:
        return None
    from aws_lambda_powertools import Tracer

    # Requests of boto3 are not patched: they are made from threads, which belong to no segment.
    return Tracer(service="upwell", auto_patch=False)


@cache
def configure_logging() -> None:
    """Log as JSON lines on stdout, as Lambda and ECS collect them, with what each line is about."""
    from aws_lambda_powertools import Logger

    system_logger.removeHandler(program_handler)
    logger = Logger(service=system_logger.name, level=settings().log_level)
    logger.append_keys(stage=stage_of(settings().prefix), pool=settings().pool)
    logger.registered_handler.addFilter(SubjectFilter())
