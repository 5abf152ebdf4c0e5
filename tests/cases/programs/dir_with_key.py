"""A directory that counts in cache keys by a key of the program's."""

import hashlib
import os
import tempfile

import upwell
from upwell.io import Dir

env = upwell.TaskEnvironment("dir_with_key")


@env.task
async def main() -> Dir:
    folder = os.path.join(tempfile.gettempdir(), "dir_with_key")
    os.makedirs(folder, exist_ok=True)
    content = b"id,value\n1,100\n"
    with open(os.path.join(folder, "part.csv"), "wb") as f:
        f.write(content)
    key = hashlib.sha256(content).hexdigest()
    return await Dir.from_local(folder + "/", dir_cache_key=key)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
