"""Frames over a stream socket: what the two halves of attempts say to each other."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct("!BIIII")


class Kind(IntEnum):
    """What a frame is. First what the engine says, then what the process says."""

    INIT = 1
    """First of all: where the code is, and the variables of the environment."""
    START = 2
    """An attempt begins; the body is its inputs."""
    CANCEL = 3
    """Stop an attempt."""
    ANSWER = 4
    """To a request: what became of it."""
    IDLE = 5
    """How long has an attempt done nothing but wait? The process answers with the same kind."""
    CALL = 10
    """A request: run a child; the body is its inputs."""
    TRACE = 11
    """A request: record a traced call; the body is its result."""
    DROP = 12
    """Cancel a request; it is answered all the same, once that is done."""
    ENDED = 13
    """An attempt is over; the body is its output."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.

    Attributes:
        kind: What it is.
        attempt: The attempt that it concerns, numbered per process.
        request: Number of the request, per process; 0 where there is none.
        head: JSON.
        body: An encoded value.
    """

    kind: Kind
    attempt: int = 0
    request: int = 0
    head: bytes = b""
    body: bytes = b""


class Channel:
    """One end of the socket between an executor and a user process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Channel:
        """Return a channel over a connected socket, which it owns from now on."""
        return cls(*await asyncio.open_connection(sock=sock))

    def send(self, frame: Frame) -> None:
        """Send a frame. A peer that is gone hears nothing; its end is learned elsewhere."""
        if self._writer.is_closing():
            return
        sizes = (len(frame.head), len(frame.body))
        self._writer.write(_HEADER.pack(frame.kind, frame.attempt, frame.request, *sizes))
        self._writer.write(frame.head + frame.body)

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield what the peer sends, until it is gone."""
        while True:
            try:
                header = await self._reader.readexactly(_HEADER.size)
                kind, attempt, request, head_bytes, body_bytes = _HEADER.unpack(header)
                head = await self._reader.readexactly(head_bytes)
                body = await self._reader.readexactly(body_bytes)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            yield Frame(Kind(kind), attempt, request, head, body)

    def close(self) -> None:
        """Close the socket."""
        self._writer.close()
