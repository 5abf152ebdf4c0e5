"""What tasks pass besides plain values: references to files and directories, and types of your own.

A reference is passed between tasks instead of the content, which stays in object storage.

Plain methods are async; those that end in `_sync` block.

Example:
    >>> import asyncio, upwell.io
    >>> async def shout(text: upwell.io.File) -> upwell.io.File:
    ...     result = upwell.io.File.new_remote("loud.txt")
    ...     async with text.open("r") as source, result.open("w") as target:
    ...         await target.write((await source.read()).upper())
    ...     return result
"""

from upwell._types.forms import register
from upwell._types.frames.frame_reference import PARQUET
from upwell.io.dataframe import DataFrame
from upwell.io.directory import Directory
from upwell.io.file import File
from upwell.io.hashing import HashFunction

Dir = Directory
EmptyDir = Directory.empty

__all__ = ["PARQUET", "DataFrame", "Dir", "Directory", "EmptyDir", "File", "HashFunction", "register"]
