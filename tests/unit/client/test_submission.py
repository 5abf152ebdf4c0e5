"""What a run is submitted with."""

from __future__ import annotations

from pathlib import Path

import upwell
from upwell._aws.orchestrator import StepFunctionsOrchestrator
from upwell._client.options import RunOptions
from upwell._client.submit import encode_root_inputs, new_run
from upwell._local.blobs import FolderBlobs
from upwell.testing.moto_aws import moto_platform

env = upwell.TaskEnvironment("submission")


@env.task
async def length(text: str) -> int:
    return len(text)


async def test_text_that_grows_wherever_it_is_quoted_fits_an_execution(tmp_path: Path) -> None:
    encoded = encode_root_inputs(length, {"text": '"\\' * 11_500})
    assert len(encoded) < 48 * 1024  # it would fit into a message
    with moto_platform() as (clients, settings):
        run = await new_run(
            FolderBlobs(tmp_path), length, encoded, RunOptions(), run_id="quoted", bundle=None, now=1.0
        )
        await StepFunctionsOrchestrator(clients, settings).start(run)
