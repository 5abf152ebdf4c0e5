"""Keeps what the code of cached tasks was, once per version, so that `upwell why` can tell versions apart."""

from __future__ import annotations

from upwell._core.keys import version_key
from upwell._core.model import TaskSpec
from upwell._exec.boundary import Call
from upwell._exec.kernel import Kernel


class CodeDocuments:
    """Takes documents from the calls of one attempt, and keeps those of tasks whose results will be.

    Args:
        kernel: The surroundings; knows what this process has kept already.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._texts: dict[str, str] = {}

    def take(self, call: Call) -> None:
        """Take the document that comes with a call, if one does."""
        if call.document and call.task.cache_parts is not None:
            self._texts[call.task.cache_parts.code] = call.document

    async def keep(self, task: TaskSpec) -> None:
        """Put the document of a task's code where it is found later, unless it is there."""
        if task.cache_parts is None or not self._texts:
            return
        digest, kept = task.cache_parts.code, self._kernel.documents
        if digest in kept or digest not in self._texts:
            return
        kept.add(digest)  # now: many calls come at the same time
        try:
            await self._kernel.ports.blobs.put(version_key(digest), self._texts[digest].encode())
        except BaseException:
            kept.discard(digest)
            raise
