"""The zip that functions and workers run: SDK, runtime and their pinned dependencies.

`python -m upwell_infra.package` builds it and prints its path. CDK runs that when it publishes the asset, so
that `cdk synth` needs neither network nor the zip: it knows the asset by the hash of what goes in.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

PACKAGES = ("upwell", "upwell_runtime")
LEFT_OUT = (
    "upwell/_aws/templates/",
    "upwell/_cli/",
    "upwell/_console/static/",
    "upwell_runtime/sandbox/",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui",  # half a megabyte of pages
    "jsonschema/benchmarks/",
    "jsonschema/tests/",
    "referencing/tests/",
)
"""What no executor runs."""
INSTALL_NOTES = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}
"""Files of a `.dist-info` that tell how and where a package was installed: they differ between machines."""
COMPILED_TWINS = ("wrapt/_wrappers.",)
"""Compiled copies of Python modules, and large ones, of what nothing but a trace's segment goes through."""
LOCK = Path(__file__).with_name("runtime.lock")
PLATFORM = "x86_64-manylinux2014"
PYTHONS = ("3.11", "3.12")
"""What executors run; the later one in pools with SnapStart. Compiled modules are there for each of them."""
FORMAT = b"3"
"""Part of the hash; raise it when the way to build the zip changes."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip can hold: the same content is the same file."""


class CodeError(RuntimeError):
    """The zip cannot be built."""


def source_hash(lock: Path = LOCK) -> str:
    """Return the hash of everything that goes into the zip."""
    return _hash(_sources(), lock)


def build(build_dir: Path, lock: Path = LOCK) -> Path:
    """Return the zip, building what is missing.

    Args:
        build_dir: Where zip and installed dependencies are kept.
        lock: The pinned dependencies.

    Raises:
        CodeError: the dependencies could not be installed.
    """
    sources = _sources()  # read once: what is hashed is what is packed
    target = build_dir / f"runtime-{_hash(sources, lock)}.zip"
    if target.exists():
        return target
    entries = _wanted(_read(_dependencies(build_dir, lock))) | sources
    partial = target.with_suffix(f".{os.getpid()}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, date_time=EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, entries[name])
    partial.replace(target)
    return target


def _hash(sources: Mapping[str, bytes], lock: Path) -> str:
    digest = hashlib.sha256(FORMAT + lock.read_bytes())
    for name, content in sources.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _sources() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise CodeError(f"package {package} is not installed; install upwell where CDK runs")
        files = _read(Path(next(iter(spec.submodule_search_locations))))
        found |= {f"{package}/{name}": content for name, content in files.items()}
    return _wanted(found)


def _wanted(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if not name.startswith(LEFT_OUT)}


def _read(root: Path) -> dict[str, bytes]:
    """Return the files under a folder, in the order of their names."""
    files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not _is_litter(name)}


def _is_litter(name: str) -> bool:
    """Whether a file is made by running or installing code, and differs between machines, or is not needed."""
    # Scripts in bin/ hold the path of the interpreter that installed them; nothing runs them here.
    noted = ".dist-info/" in name and name.rpartition("/")[2] in INSTALL_NOTES
    return noted or name.startswith(("bin/", *COMPILED_TWINS)) or "__pycache__/" in name


def _dependencies(build_dir: Path, lock: Path) -> Path:
    """Install the pinned dependencies for the platform of Lambda into a folder named after the lock."""
    digest = hashlib.sha256(FORMAT + lock.read_bytes()).hexdigest()[:16]
    target = build_dir / f"dependencies-{digest}"
    if target.exists():
        return target
    build_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dependencies-", suffix=".partial", dir=build_dir) as partial:
        installed = Path(partial) / "installed"
        for python in reversed(PYTHONS):  # what they share is the oldest one's
            folder = Path(partial) / python
            _install(lock, folder, python)
            shutil.copytree(folder, installed, dirs_exist_ok=True)
        installed.rename(target)
    return target


def _install(lock: Path, folder: Path, python: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder)]
    command += ["--python-platform", PLATFORM, "--python-version", python, "--only-binary", ":all:"]
    command += ["--no-deps", "--require-hashes", "--link-mode", "copy", "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CodeError(
            f"cannot install {lock.name} for {PLATFORM}; is the package index reachable? uv: {done.stderr}"
        )


def main() -> int:
    """Build the zip and print its path."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--build-dir", type=Path, default=Path("build"))
    try:
        print(build(parser.parse_args().build_dir))
    except CodeError as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
