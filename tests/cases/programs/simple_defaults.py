"""Defaults of every simple type; the parameters are named like the built-ins."""

from datetime import datetime, timedelta

import upwell

env = upwell.TaskEnvironment("simple_defaults")


@env.task
def main(
    str: str = "World",
    int: int = 42,
    float: float = 3.14,
    bool: bool = True,
    start: datetime = datetime(2024, 1, 1, 12),
    duration: timedelta = timedelta(hours=1),
) -> str:
    return f"Hello {str}: {int}, {float}, {bool}\n{start}, {duration}"


if __name__ == "__main__":
    upwell.init_from_config()
    print(upwell.run(main).outputs()[0])
    print(upwell.run(main, str="upwell", int=100, float=2.71).outputs()[0])
