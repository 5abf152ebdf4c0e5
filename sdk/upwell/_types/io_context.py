"""Where files go: the prefix for new data, the scratch folder, the transfers; in a context variable."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from upwell._types.transfers.http_transfer import HttpTransfer
from upwell._types.transfers.local_transfer import LocalTransfer
from upwell._types.transfers.transfer import BlobTransfer, is_local, join_uri, scheme_of


def local_transfers() -> dict[str, BlobTransfer]:
    """Return what moves files without a cloud: those of this machine, and of web servers."""
    local, web = LocalTransfer(), HttpTransfer()
    return {"": local, "file": local, "http": web, "https": web}


def _random_name() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class IoContext:
    """What `upwell.io` needs to know of the backend.

    Attributes:
        raw_data_prefix: URI or folder below which new files and directories are made.
        scratch_dir: Folder for downloads without a destination.
        transfers: Transfer by URI scheme; paths have the empty one.
        new_name: Makes names that never repeat.
        max_transfers: Files of one directory that move at the same time.
        seen: URIs named by content under which there is something: what is passed on need not be looked for.
    """

    raw_data_prefix: str
    scratch_dir: Path
    transfers: Mapping[str, BlobTransfer] = field(default_factory=local_transfers)
    new_name: Callable[[], str] = _random_name
    max_transfers: int = 32
    seen: set[str] = field(default_factory=set, compare=False)

    @property
    def is_local(self) -> bool:
        """Whether new data stays on this machine."""
        return is_local(self.raw_data_prefix)

    def transfer_for(self, uri: str) -> BlobTransfer:
        """Return what moves the blobs of a URI.

        Raises:
            ValueError: nothing does.
        """
        scheme = scheme_of(uri)
        if scheme not in self.transfers:
            known = ", ".join(sorted(f"{s}://" if s else "paths" for s in self.transfers))
            raise ValueError(f"cannot reach {uri!r}: no transfer for {scheme}:// here (there is: {known})")
        return self.transfers[scheme]

    def fresh_uri(self, name: str | None = None) -> str:
        """Return a URI below the prefix for new data that nothing has yet."""
        unique = self.new_name()
        return join_uri(self.raw_data_prefix, unique, name) if name else join_uri(self.raw_data_prefix, unique)

    def uri_of_content(self, name: str) -> str:
        """Return the URI of a blob that is named by what it holds, so that it is stored once."""
        return join_uri(self.raw_data_prefix, name)

    def fresh_path(self, name: str) -> Path:
        """Return a path in the scratch folder that nothing has yet."""
        return self.scratch_dir / self.new_name() / name


_current: ContextVar[IoContext | None] = ContextVar("upwell_io_context", default=None)
_process_default: list[IoContext] = []


def current_io_context() -> IoContext:
    """Return the context in use: that of the block, else the process's, else folders below `.upwell/`."""
    context = _current.get()
    if context is not None:
        return context
    if not _process_default:
        root = Path(".upwell").absolute()
        return IoContext(raw_data_prefix=str(root / "data"), scratch_dir=root / "scratch")
    return _process_default[0]


def set_default_io_context(context: IoContext | None) -> None:
    """Set what code outside `use_io_context` blocks uses in this process; None for folders below `.upwell/`."""
    _process_default[:] = [] if context is None else [context]


def set_io_context(context: IoContext) -> None:
    """Use a context from now on in the current `contextvars.Context`, which somebody made for this purpose."""
    _current.set(context)


@contextmanager
def use_io_context(context: IoContext) -> Iterator[IoContext]:
    """Use a context in a block and in the tasks and threads that copy its context variables."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
