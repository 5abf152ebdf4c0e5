"""Command line: `python -m upwell_runtime.sandbox start|status|stop|pool|serve`.

Results go to stdout (`--json`: as JSON), messages to stderr. Exit codes: 0 done, 1 failed, 2 usage,
3 there is no sandbox.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from upwell_runtime.sandbox import commands
from upwell_runtime.sandbox.state import SandboxError, StateDir

NO_SANDBOX = 3
SWITCH_S = 0.0005
"""The loop hands invocations on while threads are busy in boto3: it must not wait 5 ms for each turn."""
DEFAULT_DIR = Path(".upwell") / "sandbox"


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(argv)
    try:
        code: int = options.run(options, StateDir(options.dir.resolve()))
    except SandboxError as e:
        print(f"sandbox: {e}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m upwell_runtime.sandbox", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("start", _start, "start the sandbox, unless it runs"),
        ("serve", _serve, "run the sandbox in the foreground"),
        ("status", _status, "show what runs"),
        ("stop", _stop, "stop the sandbox and wait until all is gone"),
        ("pool", _pool, "create a pool, unless it is there"),
    ):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.set_defaults(run=run)
        verb.add_argument("--dir", type=Path, default=DEFAULT_DIR, help="state directory (%(default)s)")
        verb.add_argument("--json", action="store_true", help="print JSON")
        if name in ("start", "serve"):
            _add_serve_options(verb)
        if name == "pool":
            verb.add_argument("name")
            verb.add_argument("kind", choices=("lambda", "worker"))
            verb.add_argument("parameters", nargs="*", metavar="NAME=VALUE")
    return parser


def _add_serve_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--region", default="us-east-1", help="region to emulate (%(default)s)")
    verb.add_argument(
        "--idle-stop-s", type=float, default=3600.0, help="stop after so long unused; 0: never (%(default)s)"
    )
    verb.add_argument("--executors", type=int, default=12, help="processes per function (%(default)s)")
    verb.add_argument(
        "--lambda-timeout-s", type=float, help="end every invocation of a pool's function after so long"
    )
    verb.add_argument("--templates", type=Path, help="folder of templates (the package's)")


def _serve_arguments(options: argparse.Namespace, state_dir: StateDir) -> list[str]:
    given = {
        "--dir": state_dir.root,
        "--region": options.region,
        "--idle-stop-s": options.idle_stop_s,
        "--executors": options.executors,
        "--lambda-timeout-s": options.lambda_timeout_s,
        "--templates": options.templates and options.templates.resolve(),
    }
    return [str(part) for name, value in given.items() if value is not None for part in (name, value)]


def _start(options: argparse.Namespace, state_dir: StateDir) -> int:
    state, started = commands.start(state_dir, _serve_arguments(options, state_dir))
    _print(
        options,
        commands.describe(state) | {"started": started},
        f"sandbox {'started' if started else 'already runs'}: {state.endpoint} "
        f"(pid {state.pid}, log {state.log})",
    )
    return 0


def _serve(options: argparse.Namespace, state_dir: StateDir) -> int:
    from upwell_runtime.sandbox.lambda_host import Growth
    from upwell_runtime.sandbox.supervisor import Options, Supervisor

    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Fields())
    state_dir.create()
    sys.setswitchinterval(SWITCH_S)

    async def run() -> None:
        growth = Growth(processes=options.executors, processes_stalled=max(64, options.executors))
        await Supervisor(
            Options(
                state_dir=state_dir,
                region=options.region,
                idle_stop_s=options.idle_stop_s,
                growth=growth,
                lambda_timeout_s=options.lambda_timeout_s,
                templates=options.templates,
            )
        ).run()

    asyncio.run(run())
    return 0


def _status(options: argparse.Namespace, state_dir: StateDir) -> int:
    found = commands.status(state_dir)
    if found is None:
        _print(options, {"running": False}, f"no sandbox runs in {state_dir.root}")
        return NO_SANDBOX
    lines = [f"sandbox runs: {found['endpoint']} (pid {found['pid']}, log {found['log']})"]
    lines += [f"pool {name}: {pool['kind']}" for name, pool in found["pools"].items()]
    lines += [f"worker {w['pid']} of {w['pool']}: {w['state']}" for w in found["workers"]]
    lines += [f"executor {e['pid']} of {e['function']}: {e['state']}" for e in found["executors"]]
    _print(options, {"running": True} | found, "\n".join(lines))
    return 0


def _stop(options: argparse.Namespace, state_dir: StateDir) -> int:
    stopped = commands.stop(state_dir)
    _print(
        options, {"stopped": stopped}, "sandbox stopped" if stopped else f"no sandbox runs in {state_dir.root}"
    )
    return 0


def _pool(options: argparse.Namespace, state_dir: StateDir) -> int:
    state = state_dir.read()
    if state is None or not state.alive:
        print(f"sandbox: none runs in {state_dir.root}; start it first", file=sys.stderr)
        return NO_SANDBOX
    parameters = dict(parameter.partition("=")[::2] for parameter in options.parameters)
    body = {"name": options.name, "kind": options.kind, "parameters": parameters}
    answer = commands.ask(state, "POST", "/pools", body)
    if answer is None:
        raise SandboxError(f"it does not answer at {state.control_url}; see {state.log}")
    _print(options, answer, f"pool {options.name} {'created' if answer['created'] else 'is there'}")
    return 0


def _print(options: argparse.Namespace, data: dict[str, Any], text: str) -> None:
    print(json.dumps(data) if options.json else text)


class _Fields(logging.Formatter):
    """A line with the time, the message and the fields of `extra`."""

    STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        shown = {name: value for name, value in record.__dict__.items() if name not in self.STANDARD}
        tail = "".join(f" {name}={value}" for name, value in shown.items())
        text = f"{self.formatTime(record)} {record.levelname} {record.getMessage()}{tail}"
        return text + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


if __name__ == "__main__":
    sys.exit(main())
