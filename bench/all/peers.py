"""The engines that upwell is measured beside, each in a virtual environment of its own below a cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = Path(__file__).parent.parent / "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An engine, or a way of using one.

    Attributes:
        name: As it is shown.
        package: On PyPI.
        version: Pinned, so that a figure can be measured again.
        program: File in `bench/peers`.
        variant: What the program gets as `BENCH_VARIANT`.
        durable: A finished task is not run again after a crash.
    """

    name: str
    package: str
    version: str
    program: str
    variant: str = ""
    durable: bool


DBOS = Peer(name="DBOS", package="dbos", version="3.4.0", program="dbos_peer.py", durable=True)
DBOS_QUEUE = Peer(
    name="DBOS queue", package="dbos", version="3.4.0", program="dbos_peer.py", variant="queue", durable=True
)
FLYTE = Peer(name="Flyte local", package="flyte", version="2.12.1", program="flyte_peer.py", durable=False)
FLYTE_PERSIST = Peer(
    name="Flyte persist",
    package="flyte",
    version="2.12.1",
    program="flyte_peer.py",
    variant="persist",
    durable=False,
)
PEERS = (DBOS, DBOS_QUEUE, FLYTE, FLYTE_PERSIST)


class PeerError(Exception):
    """A peer could not be installed."""


def cache_dir() -> Path:
    """Return the folder of the environments; it may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "upwell-bench"


@dataclass(slots=True)
class Environments:
    """Installs each package once; what failed is not tried again."""

    folder: Path = field(default_factory=cache_dir)
    errors: dict[str, str] = field(default_factory=dict)

    def python(self, peer: Peer) -> Path:
        """Return the interpreter that has the peer installed.

        Raises:
            PeerError: the package does not install.
        """
        home = self.folder / f"{peer.package}-{peer.version}"
        interpreter, done = home / "bin" / "python", home / "installed"
        if done.exists():
            return interpreter
        if peer.package not in self.errors:
            try:
                self._install(peer, home)
            except (OSError, subprocess.SubprocessError) as error:
                said = getattr(error, "stderr", "") or str(error)
                self.errors[peer.package] = said.strip()[-300:]
            else:
                done.touch()
                return interpreter
        raise PeerError(f"{peer.package}=={peer.version} did not install: {self.errors[peer.package]}")

    def _install(self, peer: Peer, home: Path) -> None:
        beside = Path(sys.executable).parent / "uv"
        uv = str(beside) if beside.exists() else shutil.which("uv") or "uv"
        interpreter = home / "bin" / "python"
        for command in (
            [uv, "venv", "--clear", "--python", sys.executable, str(home)],
            [uv, "pip", "install", "--python", str(interpreter), f"{peer.package}=={peer.version}"],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
