"""The blocking interface of files, one task for each operation."""

import os
import tempfile

import upwell
from upwell.io import File

env = upwell.TaskEnvironment("file_tour_sync")


@env.task
def create() -> File:
    file = File.new_remote()
    with file.open_sync("wb") as f:
        f.write(b"Hello from a new remote file")
    return file


@env.task
def read(file: File) -> str:
    with file.open_sync("rb") as f:
        return f.read().decode()


@env.task
def exists(file: File) -> bool:
    return file.exists_sync()


@env.task
def download(file: File) -> str:
    path = file.download_sync()
    with open(path) as f:
        return f.read()


@env.task
def upload() -> File:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as f:
        f.write("Hello from a temporary file")
    try:
        return File.from_local_sync(f.name, remote_destination=File.new_remote("kept.txt").path)
    finally:
        os.unlink(f.name)


@env.task
def refer(path: str) -> File:
    return File.from_existing_remote(path)


@env.task
def construct(path: str) -> File:
    return File(path=path)


@env.task
def properties(file: File) -> None:
    print("File path:", file.path)
    print("File name:", file.name)
    print("File format:", file.format)
    print("File hash:", file.hash)


@env.task
def main():
    print("1. Creating new remote file...")
    file = create()
    print("2. Reading remote file...")
    print("Content:", read(file))
    print("3. Checking that it exists...")
    print("Exists:", exists(file))
    print("4. Downloading it...")
    print("Downloaded:", download(file))
    print("5. Uploading a local file...")
    print("Uploaded:", read(upload()))
    print("6. Referring to an existing file...")
    print("Content:", read(refer(file.path)))
    print("7. Constructing a file from a path...")
    print("Content:", read(construct(file.path)))
    print("8. File properties...")
    properties(file)
    print("All operations on files are done.")


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
