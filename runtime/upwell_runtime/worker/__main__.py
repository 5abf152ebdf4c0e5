"""`python -m upwell_runtime.worker`: what a Fargate task runs."""

from __future__ import annotations

import asyncio
import logging
import signal

from upwell._exec.worker import Worker
from upwell_runtime import wiring
from upwell_runtime.observing import keep_flushing
from upwell_runtime.worker.identity import this_task
from upwell_runtime.worker.protection import keep_protected

log = logging.getLogger("upwell.worker")


async def main() -> None:
    """Serve the pool until SIGTERM; then give back what runs, for another worker to go on with."""
    settings = wiring.settings()
    task = this_task()
    executor = wiring.executor(task.executor, memory_mib=task.memory_mib)
    worker = Worker(
        executor.kernel,
        executor,
        pool=settings.pool,
        slots=settings.concurrency,
        visibility_s=settings.lease_s,
    )
    serving = asyncio.create_task(worker.serve())
    protecting = asyncio.create_task(keep_protected(worker.was_busy))
    flushing = asyncio.create_task(keep_flushing())

    def drain() -> None:
        executor.drain()
        serving.cancel()

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, drain)
    try:
        await serving
    except asyncio.CancelledError:
        log.info("drained")
    finally:
        protecting.cancel()
        await executor.kernel.users.aclose()
        flushing.cancel()
        await asyncio.wait({flushing})


if __name__ == "__main__":
    wiring.configure_logging()
    wiring.split_off_zygote()
    asyncio.run(main())
