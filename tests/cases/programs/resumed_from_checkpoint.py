"""A long loop that goes on where the attempt before it stopped."""

import upwell

RETRIES = 3
env = upwell.TaskEnvironment("resumed_from_checkpoint")


@env.task(retries=RETRIES)
def loop(n: int) -> list[int]:
    checkpoint = upwell.ctx().checkpoint
    path = checkpoint.load_sync()
    start = int(path.read_bytes()) if path else 0
    for index in range(start, n):
        if index > start and index % (n // RETRIES) == 0:
            raise RuntimeError(f"failed at {index}")
        checkpoint.save_sync(f"{index + 1}".encode())
    return [start, n]


@env.task
async def main() -> list[int]:
    return await loop.aio(10)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
