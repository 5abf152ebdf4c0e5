"""Large data by reference, small data by value.

upwell run examples/large_files.py main --lines 1000
"""

from pathlib import Path

import upwell
from upwell.io import File

env = upwell.TaskEnvironment(name="large-files")


def process(local_path: Path) -> str:
    """Number the lines of a file into a new one next to it, and return that one's path."""
    result = Path(f"{local_path}.numbered")
    lines = Path(local_path).read_text().splitlines()
    result.write_text("\n".join(f"{number} {line}" for number, line in enumerate(lines)))
    return str(result)


@env.task
async def make_file(lines: int) -> File:
    file = File.new_remote("lines.txt")
    async with file.open("wb") as f:
        await f.write(b"\n".join(b"line" for _ in range(lines)))
    return file


@env.task
async def process_large_file(input_file: File) -> File:
    """Files passed by reference, not copied."""
    # Download only when needed
    local_path = input_file.download()

    # Process file
    result_path = process(local_path)

    # Upload result
    return File.new_remote(result_path)


@env.task
async def process_metadata(metadata: dict) -> dict:
    """Small dicts passed inline efficiently."""
    return {"processed": metadata}


@env.task
async def main(lines: int = 1000) -> dict:
    numbered = await process_large_file(await make_file(lines))
    async with numbered.open("rb") as f:
        content = await f.read()
    return await process_metadata({"lines": content.count(b"\n") + 1, "last": content.split()[-2].decode()})


if __name__ == "__main__":
    print(upwell.run(main).outputs())
