"""The end of `make demo`: consoles of the runs that it made."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console

ANSWER_WITHIN_S = 60.0


def present(console: Console, runs: Mapping[str, str]) -> None:
    """Serve a console of each backend, and print the addresses of runs.

    On a terminal they are served until Ctrl-C. Elsewhere, and where `CI` is set, each is asked for its run, and
    they end.

    Args:
        console: Where the addresses are printed.
        runs: A run on each backend, by backend.

    Raises:
        SystemExit: a console does not answer with its run.
    """
    with ExitStack() as serving:
        console.print("These runs in the console:")
        for backend, run in runs.items():
            url = serving.enter_context(served(backend))
            check_run(url, run)
            console.print(f"  {backend:8} {url}runs/{run}", soft_wrap=True)
        if is_terminal():
            console.print("They are served until Ctrl-C, which stops the sandbox as well.")
            with suppress(KeyboardInterrupt):
                signal.pause()
        else:
            console.print("Both answer with the run. They end now, for nobody looks at a terminal.")
    console.print("`.venv/bin/upwell console` shows the local runs at any time.")


def is_terminal() -> bool:
    """Whether somebody is there who can press Ctrl-C."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


@contextmanager
def served(backend: str) -> Iterator[str]:
    """Serve the console of a backend; give its address.

    Raises:
        SystemExit: it did not start.
    """
    command = [str(Path(sys.executable).with_name("upwell")), "console", "--no-open", "--json"]
    with subprocess.Popen([*command, "--backend", backend], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            printed = ""
            for line in process.stdout:
                printed += line
                if line.startswith("}"):
                    break
            if not printed:
                raise SystemExit(f"the console of backend {backend} did not start")
            yield str(json.loads(printed)["url"])
        finally:
            process.terminate()


def check_run(url: str, run: str) -> None:
    """See to it that a console has a run that succeeded.

    Raises:
        SystemExit: it has not.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy
    with opener.open(f"{url}api/v1/runs/{run}", timeout=ANSWER_WITHIN_S) as answer:
        found: dict[str, Any] = json.load(answer)
    if found["run_id"] != run or found["status"] != "succeeded":
        raise SystemExit(f"the console at {url} says that run {run} is {found['status']}")
