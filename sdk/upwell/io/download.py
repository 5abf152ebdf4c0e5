"""A download that is awaited, or that happens when the path is first used."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from upwell._types.blocking import run_blocking


class Download(os.PathLike[str]):
    """The local path of a download: `await` it, or use it as a path, which blocks until it is there.

    Example:
        >>> path = file.download()             # doctest: +SKIP
        >>> with open(path) as f: ...          # doctest: +SKIP
    """

    def __init__(self, fetch: Callable[[], Coroutine[Any, Any, str]]) -> None:
        self._fetch = fetch
        self._path: str | None = None
        self._lock = threading.Lock()

    def __await__(self) -> Generator[Any, None, str]:
        return self._get().__await__()

    async def _get(self) -> str:
        if self._path is None:
            self._path = await self._fetch()
        return self._path

    def __fspath__(self) -> str:
        with self._lock:
            return self._path if self._path is not None else run_blocking(self._get())

    def __str__(self) -> str:
        return self.__fspath__()

    def __repr__(self) -> str:
        return f"Download({self._path!r})" if self._path is not None else "Download(not yet used)"

    def __eq__(self, other: object) -> bool:
        return str(self) == os.fspath(other) if isinstance(other, (str, os.PathLike)) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(str(self), name)  # what programs do with the string that they expect: endswith, split
