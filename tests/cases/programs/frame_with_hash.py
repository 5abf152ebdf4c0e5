"""A frame that counts in cache keys by its content."""

from typing import Annotated

import pandas as pd

import upwell
from upwell.io import HashFunction

env = upwell.TaskEnvironment(
    "frame_with_hash", image=upwell.Image.from_debian_base().with_pip_packages("pandas", "pyarrow")
)


def hash_frame(frame: pd.DataFrame) -> str:
    return str(pd.util.hash_pandas_object(frame).sum())


@env.task
async def produce() -> Annotated[pd.DataFrame, HashFunction.from_fn(hash_frame)]:
    return pd.DataFrame(
        {
            "id": [1, 2, 3, 4, 5],
            "name": ["Alice", "Bob", "Carol", "Dave", "Eve"],
            "value": [100, 200, 300, 400, 500],
        }
    )


@env.task(cache=upwell.Cache(behavior="override", version_override="v1"))
async def consume(frame: pd.DataFrame) -> int:
    return int(frame["value"].sum())


@env.task
async def main() -> bool:
    frame = await produce()
    first = await consume(frame)
    second = await consume(frame)
    return first == second == 1500


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
