"""Downloads of tasks go when their attempt is over, where executors stay."""

from __future__ import annotations

from pathlib import Path

import upwell
from upwell.io import File
from upwell.testing.moto_flows import moto_flows

env = upwell.TaskEnvironment("scratch")


@env.task
async def downloads() -> tuple[str, str]:
    file = File.new_remote("text.txt")
    async with file.open("wb") as target:
        await target.write(b"content")
    path = await file.download()
    with open(path) as local:  # noqa: ASYNC230  # a few bytes
        return str(path), local.read()


def test_a_download_is_gone_after_its_attempt() -> None:
    with moto_flows() as flows:
        path, content = flows.run(downloads).unwrap()
    assert content == "content"
    assert not Path(path).exists()
    assert not Path(path).parent.exists()
