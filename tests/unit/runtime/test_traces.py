"""Traces of functions, as X-Ray's daemon gets them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from upwell._core.settings import Settings

PROGRAM = """
from types import SimpleNamespace
from upwell_runtime.observing import annotate, observed

@observed
def handler(event, context):
    annotate("run-1")
    return {"answer": "of a user"}

context = SimpleNamespace(aws_request_id="r", function_name="f")
print(handler({"secret": "of a user"}, context))
"""


@pytest.mark.parametrize("traces", [1, 0])
def test_a_trace_names_the_run_and_has_nothing_of_the_user(traces: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.setblocking(False)
        environment = {
            **Settings(prefix="upwell-dev", bucket="b", queue_url_prefix="q", traces=traces).to_env(),
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            "LAMBDA_TASK_ROOT": "/var/task",
            "WRAPT_DISABLE_EXTENSIONS": "1",  # the zip has none
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        }
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=False
        )
        assert done.stdout.strip().endswith(b"{'answer': 'of a user'}"), done.stderr
        sent = []
        while True:
            try:
                sent.append(daemon.recv(65_536).decode())
            except BlockingIOError:
                break
    segments = [json.loads(packet.partition("\n")[2]) for packet in sent]
    assert [segment["annotations"]["run_id"] for segment in segments] == ["run-1"] * traces
    assert "of a user" not in "".join(sent)
