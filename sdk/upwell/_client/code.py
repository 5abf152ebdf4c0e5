"""Which code a run has, and whether it is still the code that is here.

On `sandbox` and `aws` a run has a bundle, and its executors run that whatever becomes of the files. A local run
has a digest of each of its source files: it runs what this process has loaded, so that it cannot stay on old
code, but it can say that there is new one.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upwell._author.task import Task
from upwell._client.backend import Backend
from upwell._client.bundle import all_files, loaded_modules, make_bundle, upload_bundle
from upwell._client.options import CopyStyle
from upwell._client.pools import root_dir_of
from upwell._client.submit import NewCode
from upwell._core.ids import content_digest
from upwell._core.keys import bundle_key, code_key
from upwell._core.model import RunRecord
from upwell._core.ports import BlobNotFoundError, BlobStore
from upwell._exec.payloads import unpack
from upwell.errors import RunStateError

log = logging.getLogger("upwell.client")

FILES_NAMED = 3


@dataclass(frozen=True, slots=True)
class SourceCode:
    """The source files of a program.

    Attributes:
        root: The folder that they are below; empty where it is not known.
        digests: Relative path -> SHA-256 of the content.
    """

    root: str
    digests: dict[str, str]

    @classmethod
    def of(cls, root: Path, files: Iterable[Path]) -> SourceCode:
        """Read files below a folder."""
        return cls(str(root), {f.relative_to(root).as_posix(): content_digest(f.read_bytes()) for f in files})

    def changed(self, root: Path) -> list[str]:
        """Return the files that are not any more as they were, neither where they were nor below `root`."""
        found = [
            [name for name, digest in self.digests.items() if _digest(folder / name) != digest]
            for folder in {root, Path(self.root or root)}
        ]
        return min(found, key=len)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeHere:
    """The code of this process, as a run would have it.

    Attributes:
        root: The folder that it is below.
        bundle: Its bundle, on `sandbox` and `aws`.
        code: Where its digests are kept, on the local backend.
    """

    root: Path
    bundle: str | None = None
    code: str | None = None

    def for_run(self, run: RunRecord, task: Task[..., Any], inputs: bytes) -> NewCode:
        """Return this code for an existing run, with what its root task says of itself now."""
        spec = task.spec(inputs, cache=run.spec.cache_mode != "off")
        return NewCode(bundle=self.bundle, code=self.code, task=spec)


async def code_here(
    backend: Backend, task: Task[..., Any], *, copy_style: CopyStyle = "loaded_modules", root_dir: Path | None
) -> CodeHere:
    """Bundle the code of this process, or, for a local run, note what it is."""
    if backend.mode == "local":
        return await _local_code(backend.blobs, task, root_dir, is_kept=copy_style != "none")
    root = root_dir_of(task, root_dir)
    if copy_style == "none":
        return CodeHere(root=root)
    files = all_files(root) if copy_style == "all" else loaded_modules(root)
    bundle = make_bundle(root, files)
    await upload_bundle(backend.blobs, bundle)
    return CodeHere(root=root, bundle=bundle.digest)


async def _local_code(
    blobs: BlobStore, task: Task[..., Any], root_dir: Path | None, *, is_kept: bool
) -> CodeHere:
    try:
        root = root_dir_of(task, root_dir)
        code = SourceCode.of(root, loaded_modules(root))
    except (OSError, IndexError):  # typed in, or of a notebook; it can be run, but not be compared
        return CodeHere(root=Path.cwd())
    return CodeHere(root=root, code=await _keep(blobs, code) if is_kept else None)


async def code_to_go_on_with(
    backend: Backend, run: RunRecord, task: Task[..., Any], here: CodeHere, *, wanted: bool
) -> NewCode | None:
    """Return the code here, if a run is to go on with it and it is not the run's own; None stays on that.

    Args:
        backend: Where the run is.
        run: The run.
        task: Its root task, as it is here.
        here: The code here.
        wanted: Whether the run is to take it.

    Raises:
        RunStateError: the code of a local run has changed, and it was not said that it is to go on with that.
    """
    if here.bundle == run.spec.bundle and here.code == run.code:
        return None
    changed = await changed_files(backend.blobs, run, here.root)
    if not changed and not (wanted and backend.mode != "local"):
        return None
    if not wanted and backend.mode == "local":
        raise RunStateError(
            f"the code of run {run.spec.run_id} has changed since it was submitted ({_listed(changed)}); "
            f"`upwell recover {run.spec.run_id} --new-code` goes on with the code as it is now and reuses what "
            "succeeded (in a program: new_code=True)"
        )
    if not wanted:
        fields = {"run_id": run.spec.run_id, "files": _listed(changed)}
        log.warning(
            "the run goes on with the code it was submitted with; new_code=True takes the one here",
            extra=fields,
        )
        return None
    return here.for_run(run, task, await unpack(backend.blobs, run.root.inputs))


async def changed_files(blobs: BlobStore, run: RunRecord, root: Path) -> list[str]:
    """Return the files of a run's code that are not any more as they were, as far as that is known.

    Args:
        blobs: Where the code, or what it was, is kept.
        run: The run.
        root: The folder of the code here.
    """
    try:
        if run.code is not None:
            content = json.loads(await blobs.get(run.code))
            return SourceCode(content["root"], content["files"]).changed(root)
        if run.spec.bundle is not None:
            return _unzipped(await blobs.get(bundle_key(run.spec.bundle))).changed(root)
    except BlobNotFoundError:  # deleted: there is nothing to compare with
        pass
    return []


def _unzipped(bundle: bytes) -> SourceCode:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return SourceCode("", {name: content_digest(archive.read(name)) for name in archive.namelist()})


async def _keep(blobs: BlobStore, code: SourceCode) -> str:
    text = json.dumps({"root": code.root, "files": code.digests}, sort_keys=True, separators=(",", ":"))
    key = code_key(content_digest(text.encode()))
    await blobs.put(key, text.encode())
    return key


def _digest(file: Path) -> str | None:
    try:
        return content_digest(file.read_bytes())
    except OSError:
        return None


def _listed(files: list[str]) -> str:
    more = f" and {len(files) - FILES_NAMED} more" if len(files) > FILES_NAMED else ""
    return ", ".join(files[:FILES_NAMED]) + more
