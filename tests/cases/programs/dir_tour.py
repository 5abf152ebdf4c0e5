"""The asynchronous interface of directories, one task for each operation."""

import asyncio
import os
import tempfile

import upwell
from upwell.io import Dir, File

env = upwell.TaskEnvironment("dir_tour", reusable=upwell.ReusePolicy(replicas=2, concurrency=10))


def make_files(folder: str) -> None:
    os.makedirs(os.path.join(folder, "subdir"), exist_ok=True)
    for name, content in {
        "file1.txt": "Content of file 1",
        "file2.txt": "Content of file 2",
        "subdir/file3.txt": "Content of file 3",
    }.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(content)


@env.task
async def upload() -> Dir:
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder)
        return await Dir.from_local(folder, remote_destination=Dir.new_remote("uploaded").path)


@env.task
async def upload_with_key(key: str) -> Dir:
    folder = tempfile.mkdtemp()
    make_files(folder)
    return await Dir.from_local(folder, dir_cache_key=key)


@env.task
async def exists(folder: Dir) -> bool:
    found = await folder.exists()
    print(f"Directory exists: {found}")
    return found


@env.task
async def list_files(folder: Dir) -> list[File]:
    files = await folder.list_files()
    for file in files:
        print(f"Listed {file.name}")
    return files


@env.task
async def walk(folder: Dir) -> int:
    shallow = [file async for file in folder.walk(recursive=False)]
    print(f"Total files found (non-recursive): {len(shallow)}")
    limited = [file async for file in folder.walk(recursive=True, max_depth=2)]
    print(f"Total files found (max_depth=2): {len(limited)}")
    found = []
    async for file in folder.walk(recursive=True):
        found.append(file)
    print(f"Total files found recursively: {len(found)}")
    return len(found)


@env.task
async def get_file(folder: Dir, name: str) -> File | None:
    return await folder.get_file(name)


@env.task
async def read(file: File) -> str:
    async with file.open("rb") as f:
        content = (await f.read()).decode()
    print(f"Read {file.name}: {content}")
    return content


@env.task
async def download(folder: Dir) -> None:
    path = await folder.download()
    print(f"Downloaded: {sorted(os.listdir(path))}")
    with tempfile.TemporaryDirectory() as target:
        chosen = await folder.download(os.path.join(target, "chosen"))
        print(f"Downloaded to a chosen path: {sorted(os.listdir(chosen))}")


@env.task
async def refer(path: str) -> Dir:
    return Dir.from_existing_remote(path)


@env.task
async def properties(folder: Dir) -> None:
    print(f"Path: {bool(folder.path)}, name: {folder.name}, format: {folder.format!r}, hash: {folder.hash}")


@env.task
async def size(file: File) -> int:
    async with file.open("rb") as f:
        return len(await f.read())


@env.task
async def main():
    print("1. Uploading a directory...")
    folder = await upload()
    print("2. Checking that it exists...")
    assert await exists(folder)
    print("3. Listing its files...")
    files = await list_files(folder)
    print("4. Walking it...")
    await walk(folder)
    print("5. Getting one file...")
    one = await get_file(folder, "file1.txt")
    assert one is not None
    assert await get_file(folder, "missing.txt") is None
    print("6. Reading the text files...")
    await asyncio.gather(*[read(file) for file in files if file.name.endswith(".txt")])
    print("7. Downloading it...")
    await download(folder)
    print("8. Referring to it by path...")
    same = await refer(folder.path)
    assert await exists(same)
    print("9. Properties...")
    await properties(folder)
    print("10. Uploading with a cache key...")
    keyed = await upload_with_key("my-key")
    print(f"Key: {keyed.hash}")
    print("11. Sizes of all files...")
    sizes = await asyncio.gather(*[size(file) for file in files])
    print(f"Total size: {sum(sizes)} bytes")


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
