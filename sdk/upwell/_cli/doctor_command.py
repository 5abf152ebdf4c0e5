"""`upwell doctor`: whether everything is there that runs need, and what to do where it is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import typer

from upwell._cli.get_commands import AsJson
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._core.checkup import Finding


@shared_options
def doctor(session: Session, as_json: AsJson = False) -> None:
    """Check Python, packages, credentials, deployment, versions, access and quotas, and say what to do.

    It asks the backend that runs go to, changes nothing there, and exits with 1 where something is broken.
    """
    from dataclasses import asdict

    from upwell import __version__
    from upwell._cli.failures import FAILURE
    from upwell._cli.terminal import print_json
    from upwell._client.checkup import examine
    from upwell._core.checkup import Level

    found = asyncio.run(examine(session.configure(), __version__))
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        _print(found)
    if any(finding.level is Level.FAIL for finding in found):
        raise typer.Exit(FAILURE)


def _print(found: list[Finding]) -> None:
    from upwell._cli.terminal import note, out, plain
    from upwell._core.checkup import Level

    styles = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}
    console, width = out(), max(len(finding.check) for finding in found)
    for finding in found:
        level = plain(f"{finding.level.value:<5}", styles[finding.level])
        console.print(level + plain(f"{finding.check:<{width}}  {finding.found}"))
        if finding.todo:
            console.print(plain(f"{'':<{width + 7}}{finding.todo}", "bold"))
    counts = Counter(finding.level for finding in found)
    note(", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level]))
