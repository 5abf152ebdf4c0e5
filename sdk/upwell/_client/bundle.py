"""Code bundles: the user's modules as a zip that is named after its content."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from upwell._author.code_version.places import OWN_PACKAGES, is_installed, looks_installed
from upwell._client.late_imports import late_imports
from upwell._core.garbage import REFRESH_S
from upwell._core.ids import content_digest
from upwell._core.keys import bundle_key
from upwell._core.limits import MIB
from upwell._core.ports import BlobNotFoundError, BlobStore
from upwell.errors import UsageError

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip can hold: equal files must make equal bundles."""
BUNDLE_MAX_BYTES = 200 * MIB
ALWAYS_IGNORED = (".git/", ".venv/", ".upwell/", "__pycache__/", "node_modules/", "*.pyc")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A zip of source files and its content hash."""

    digest: str
    data: bytes
    files: tuple[str, ...]


def loaded_modules(root: Path) -> list[Path]:
    """Return the source files of the modules below `root` that this process has imported, or will.

    It will import what their functions import.
    """
    files = set()
    for module_name, module in list(sys.modules.items()):
        name = getattr(module, "__file__", None)
        if not isinstance(name, str) or not name.endswith(".py"):
            continue
        if module_name.partition(".")[0] in OWN_PACKAGES or looks_installed(name):
            continue
        path = Path(name).resolve()
        if path.is_relative_to(root) and not is_installed(path):
            files.add(path)
    return sorted(files | late_imports(root, files))


def all_files(root: Path) -> list[Path]:
    """Return the files below `root` that its .gitignore files do not leave out."""
    import pathspec

    ignored = pathspec.GitIgnoreSpec.from_lines([*ALWAYS_IGNORED, *_gitignore_lines(root)])
    return sorted(root / name for name in ignored.match_tree_files(root, negate=True))


def make_bundle(root: Path, files: Iterable[Path]) -> Bundle:
    """Zip files under their paths relative to `root`.

    Raises:
        UsageError: the bundle would be larger than 200 MiB.
    """
    buffer = io.BytesIO()
    names = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            name = path.relative_to(root).as_posix()
            archive.writestr(zipfile.ZipInfo(name, EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
            names.append(name)
    data = buffer.getvalue()
    if len(data) > BUNDLE_MAX_BYTES:
        raise UsageError(
            f"the code below {root} makes a bundle of {len(data) / MIB:.0f} MiB, above the limit of 200; "
            "list data files in .gitignore, or set root_dir to the folder of the code"
        )
    return Bundle(content_digest(data), data, tuple(names))


async def upload_bundle(blobs: BlobStore, bundle: Bundle) -> None:
    """Put a bundle where executors find it; nothing is sent when it is there."""
    key = bundle_key(bundle.digest)
    if not await blobs.is_younger(key, REFRESH_S):
        await blobs.put(key, bundle.data)


async def download_bundle(blobs: BlobStore, digest: str, folder: Path) -> list[str]:
    """Unpack a bundle into a folder and return the names of its files.

    Raises:
        UsageError: it was deleted, or is not what it was when it was uploaded.
    """
    try:
        data = await blobs.get(bundle_key(digest))
    except BlobNotFoundError as e:
        raise UsageError(f"the code bundle {digest[:12]} was deleted; --new-code takes the code here") from e
    if content_digest(data) != digest:
        raise UsageError(
            f"the code bundle {digest[:12]} has other content than was uploaded, and is not used: somebody "
            "has changed it; --new-code takes the code here"
        )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
        return sorted(archive.namelist())


def _gitignore_lines(root: Path) -> list[str]:
    """Return the patterns of every .gitignore below `root`, rewritten to start at `root`."""
    lines = []
    for file in sorted(root.rglob(".gitignore")):
        prefix = file.parent.relative_to(root).as_posix()
        for line in file.read_text().splitlines():
            pattern = line.strip()
            if not pattern or pattern.startswith("#"):
                continue
            lines.append(pattern if prefix == "." else _below(prefix, pattern))
    return lines


def _below(prefix: str, pattern: str) -> str:
    negated, pattern = pattern.startswith("!"), pattern.removeprefix("!")
    anchored = "/" in pattern.rstrip("/")
    placed = f"/{prefix}/{pattern.lstrip('/')}" if anchored else f"/{prefix}/**/{pattern}"
    return ("!" if negated else "") + placed
