"""Inputs that do not fit are refused at the call, before anything runs."""

import upwell

env = upwell.TaskEnvironment("refused_inputs")


@env.task
async def add(x: int, y: int) -> int:
    return x + y


@env.task
async def main() -> list[str]:
    seen = []
    for args, kwargs in [
        (("one", 2), {}),
        ((1,), {}),
        ((1, 2, 3), {}),
        ((1, 2), {"z": 3}),
        ((1,), {"x": 1}),
    ]:
        try:
            await add(*args, **kwargs)
        except (TypeError, ValueError) as e:
            seen.append(type(e).__name__)
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
