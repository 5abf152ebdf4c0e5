"""What a task leaves besides its result: a report for people, a checkpoint for its next attempt."""

import asyncio

from scenario import Observed, Scenario

import upwell
import upwell.durable
import upwell.report
from upwell.io import File

env = upwell.TaskEnvironment("case-reports-and-checkpoints")


@env.task(report=True)
async def reported() -> str:
    upwell.report.log("<p>replaced</p>")
    await upwell.report.replace.aio("<p>main part</p>")
    await upwell.report.flush.aio()
    upwell.report.get_tab("more & more").log("<p>second tab</p>")  # written at the end
    report = upwell.ctx().report
    assert report is not None
    return str(report.uri)


@env.task
async def unreported() -> None:
    upwell.report.log("<p>nobody keeps this</p>", do_flush=True)


@env.task(retries=2)
async def counts() -> list[int]:
    checkpoint = upwell.ctx().checkpoint
    assert checkpoint is not None
    saved = await checkpoint.load()
    done = int(saved.read_bytes()) if saved else 0
    assert await checkpoint.prev_exists() is bool(saved)
    await checkpoint.save(b"0")
    await checkpoint.save(str(done + 10).encode())
    if done < 20:
        raise RuntimeError(f"stopped at {done}")
    return [done, upwell.ctx().attempt or 0]


@env.task(retries=1)
def keeps_a_folder() -> list[str]:
    checkpoint = upwell.ctx().checkpoint
    assert checkpoint is not None
    saved = checkpoint.load_sync()
    if saved is None:
        folder = checkpoint.path / "work"
        (folder / "epoch-1").mkdir(parents=True)
        (folder / "epoch-1" / "last.ckpt").write_text("weights")
        checkpoint.save_sync(folder)
        raise RuntimeError("stopped after the first epoch")
    newest = upwell.latest_checkpoint(saved)
    assert newest is not None
    return [newest.relative_to(saved).as_posix(), newest.read_text()]


@env.task(retries=1)
async def sleeps() -> list[bool]:
    first = await upwell.durable.now.aio()
    begun = await upwell.durable.time.aio()
    await upwell.durable.sleep.aio(0.3)
    slept = await upwell.durable.time.aio() - begun
    if upwell.ctx().attempt == 1:
        await asyncio.sleep(0.1)
        raise RuntimeError(f"{first.isoformat()} {slept}")
    return [first.tzinfo is not None, 0.3 <= slept < 30, upwell.durable.now() >= first]


@env.task
async def main() -> dict[str, list[str] | list[int] | list[bool] | bool]:
    uri = await reported()
    async with File.from_existing_remote(uri).open("r") as f:
        page = await f.read()
    await unreported()
    parts = ("<p>main part</p>", "<p>second tab</p>", "more &amp; more")
    return {
        "report": [part in page for part in parts] + ["replaced" in page],
        "count": await counts(),
        "folder": await keeps_a_folder.aio(),
        "durable": await sleeps(),
    }


def check(observed: Observed) -> None:
    assert observed.ends(counts) == [["failed", "failed", "succeeded"]]


SCENARIO = Scenario(
    main,
    value={
        "report": [True, True, True, False],
        "count": [20, 3],
        "folder": ["epoch-1/last.ckpt", "weights"],
        "durable": [True, True, True],
    },
    check=check,
)
