"""Bad input is one line that says what, where and what to do; never a traceback of ours, never a hang."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

Cli = Any

NO_STACK = b"""<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>
<Message>Stack with id upwell-prod does not exist</Message></Error></ErrorResponse>"""


class _NoStacks(BaseHTTPRequestHandler):
    """CloudFormation of an account without stacks."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400)
        self.send_header("Content-Length", str(len(NO_STACK)))
        self.end_headers()
        self.wfile.write(NO_STACK)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        pass


@pytest.fixture
def cloudformation() -> Iterator[str]:
    """Serve CloudFormation's answer for a stack that does not exist; gives the address."""
    server = HTTPServer(("127.0.0.1", 0), _NoStacks)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "flow.py", "total", "--n", "abc"), "--n: expects int, got 'abc'"),
        (("run", "flow.py", "total"), "missing option '--n'"),
        (("run", "flow.py", "total", "--n", "1", "--zap", "2"), "no such option: --zap"),
        (("run", "flow.py", "total", "--n", "1", "extra"), "extra"),
        (("run", "flow.py", "total", "--n"), "'--n'"),
        (("run", "flow.py", "totl", "--n", "1"), "no task 'totl'; did you mean 'total'?"),
        (
            ("run", "flow.py", "helper", "--x", "1"),
            "'helper' in flow.py is not a task; decorate it with @env.task",
        ),
        (("run", "flo.py", "total"), "did you mean 'flow.py'?"),
        (("run", "/nowhere/flow.py", "total"), "there is no file '/nowhere/flow.py'"),
        (("run",), "missing argument 'FILE.py'"),
        (("run", "flow.py", "shape", "--p", "{"), "--p: expects Point as JSON"),
        (("run", "flow.py", "size", "--f", "no.bin"), "--f: there is no file 'no.bin'"),
        (("run", "flow.py", "boom", "--text", "a" * 5000), "max_inline_io"),
        (("run", "flow.py", "nothing", "--name", "a b"), "run name 'a b'"),
        (("run", "flow.py", "nothing", "--env", "A"), "--env 'A' is not KEY=VALUE"),
        (("run", "flow.py", "nothing", "--timeout", "soon"), "--timeout: expects a length of time"),
        (("run", "flow.py", "nothing", "--copy-style", "some"), "--copy-style 'some'"),
        (("run", "flow.py", "nothing", "--backend", "moon"), "--backend 'moon' is no backend"),
        (("run", "flow.py", "nothing", "--overwrite-cache", "--no-cache"), "exclude each other"),
        (("run", "flow.py", "nothing", "--root-dir", "/nowhere"), "not below --root-dir"),
        (("get",), "--help"),
        (("run", "deployed-task", "flow.total"), "local runs need their file"),
        (("run", "deployed-task"), "missing argument 'NAME'"),
        (("get", "runs", "--status", "odd"), "--status 'odd'"),
        (("get", "runs", "--limit", "0"), "--limit"),
        (("frobnicate",), "no such command 'frobnicate'"),
        (("deploy", "nowhere.py"), "there is no file"),
        (("deploy", "flow.py", "cold"), "flow.py has no environment 'cold'; it has flow"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    result = cli(*arguments)
    assert result.code == 2
    assert message in result.error
    assert len(result.err.splitlines()) == 1
    assert result.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("get", "run", "nope"), "there is no run 'nope' on backend local, in .upwell"),
        (("get", "actions", "nope"), "there is no run 'nope'"),
        (("get", "io", "nope"), "there is no run 'nope'"),
        (("abort", "nope"), "there is no run 'nope'"),
        (("recover", "nope"), "there is no run 'nope'"),
    ],
)
def test_a_run_that_is_not_there_is_a_failure(
    cli: Cli, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = cli(*arguments)
    assert result.code == 1
    assert message in result.error
    assert len(result.err.splitlines()) == 1
    assert not (folder / ".upwell").exists()  # looking makes nothing


def test_an_unpicklable_value_names_the_task_and_what_to_do(cli: Cli) -> None:
    result = cli("run", "flow.py", "locked")
    assert result.code == 1
    assert "flow.locked" in result.error
    assert "_thread.lock cannot be pickled" in result.error
    assert "a type with a schema" in result.error
    assert "Traceback" not in result.err


def test_a_file_that_cannot_be_imported_shows_the_users_frames(cli: Cli, folder: Path) -> None:
    (folder / "broken.py").write_text("def f():\n    return 1 / 0\n\nf()\n")
    result = cli("run", "broken.py", "f")
    assert result.code == 1
    assert "broken.py, line 2: importing it raised ZeroDivisionError" in result.error
    assert 'broken.py", line 4' in result.err


def test_aws_without_a_region(cli: Cli) -> None:
    result = cli("run", "flow.py", "nothing", "--backend", "aws")
    assert result.code == 2
    assert "no AWS region" in result.error


def test_aws_without_credentials(cli: Cli, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "none"))
    result = cli("run", "flow.py", "nothing", "--backend", "aws", "--region", "eu-west-1")
    assert result.code == 2
    assert "no usable AWS credentials" in result.error
    assert "aws configure" in result.error


@pytest.mark.parametrize("command", [("run", "flow.py", "nothing"), ("get", "runs"), ("abort", "r1")])
def test_aws_without_a_deployment(
    cli: Cli, cloudformation: str, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", cloudformation)
    result = cli(*command, "--backend", "aws", "--stage", "prod")
    assert result.code == 2
    assert "no platform 'upwell-prod' in us-east-1" in result.error
    assert "cdk deploy" in result.error
    assert len(result.err.splitlines()) == 1
