"""The table and the JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.all.peers import PEERS
from bench.all.rows import PeerFigure, Row

METER = (
    "usd",
    "requests",
    "write_units",
    "cpu_ms",
    "peak_mib",
    "parent_mib",
    "actions_per_s",
    "items_per_s",
    "actions",
    "over",
    "alone",
    "ms_on_aws",
)
"""Beginnings of what else is shown of a row; the JSON has all of it."""


def table(rows: Sequence[Row]) -> Table:
    """Return the rows as they are printed."""
    shown = Table("measurement", "backend", "n", "median (min to max)", "also", "peers (x ours)", "goal", "met")
    for row in rows:
        if row.error is not None:
            shown.add_row(row.name, row.backend, "", f"failed: {row.error}", "", "", "", "[red]error[/red]")
            continue
        middle = f"{row.median:g} {row.unit}" + _range(row)
        also = [f"{name} {value}" for name, value in row.more.items() if name.startswith(METER)]
        peers = [f"{name} {_peer(figure)}" for name, figure in row.peers.items()]
        met = {None: "", True: "[green]yes[/green]", False: "[red]no[/red]"}[row.meets]
        goals = "\n".join(f"{goal.text}{'' if goal.meets else ' (missed)'}" for goal in row.goals)
        shown.add_row(
            row.name, row.backend, f"{row.n:,}", middle, "\n".join(also), "\n".join(peers), goals, met
        )
    return shown


def _range(row: Row) -> str:
    known = [f"{value:g}" for value in (row.min, row.max) if value is not None]
    return f" ({' to '.join(known)})" if row.runs > 1 and known else ""


def _peer(figure: PeerFigure) -> str:
    if figure.median is None:
        return f"failed: {(figure.error or '').splitlines()[-1:]}"
    return f"{figure.median:g}" + (f" ({figure.ratio:g} x)" if figure.ratio is not None else "")


def document(rows: Sequence[Row], *, runs: int, quick: bool) -> dict[str, Any]:
    """Return the rows with what one has to know to read them."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "load_1_min": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "upwell": version("upwell"),
            "commit": _commit(),
            **{peer.package: peer.version for peer in PEERS},
        },
        "runs": runs,
        "quick": quick,
        "rows": [row.to_json() for row in rows],
    }


def write(path: Path, found: dict[str, Any]) -> None:
    """Write the JSON."""
    path.write_text(json.dumps(found, indent=2) + "\n")


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
