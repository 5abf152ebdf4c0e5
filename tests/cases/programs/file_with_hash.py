"""A file that counts in cache keys by its content."""

import hashlib
import os
import tempfile

import aiofiles

import upwell
from upwell.io import File, HashFunction

env = upwell.TaskEnvironment("file_with_hash")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@env.task
async def main() -> File:
    path = os.path.join(tempfile.gettempdir(), "file_with_hash.csv")
    async with aiofiles.open(path, "w") as f:
        await f.write("id,value\n1,100\n2,200\n")
    return await File.from_local(path, hash_method=HashFunction.from_fn(sha256))


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
