"""An output that does not fit the annotation is an error of the task."""

import upwell
from upwell.errors import RuntimeDataValidationError, RuntimeUserError

env = upwell.TaskEnvironment("wrong_output")


@env.task
async def number() -> int:
    return "not a number"


@env.task
async def nothing() -> None:
    return 1


@env.task
async def main() -> list[str]:
    seen = []
    for task in (number, nothing):
        try:
            await task()
        except RuntimeDataValidationError as e:
            seen.append(f"{e.code} {isinstance(e, RuntimeUserError)}")
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
