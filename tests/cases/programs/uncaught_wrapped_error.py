"""A child's ValueError is not a ValueError to its parent."""

import upwell

env = upwell.TaskEnvironment("uncaught_wrapped_error", resources=upwell.Resources(cpu=1, memory="500Mi"))


@env.task
async def train(max_depth: int) -> float:
    if max_depth <= 0:
        raise ValueError("max_depth must be positive")
    return 0.90 + max_depth / 1000


@env.task
async def main(max_depth: int) -> float:
    try:
        return await train(max_depth)
    except ValueError:
        print("max_depth is not valid, using 6")
        return await train(6)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, max_depth=0)
    print(run.url)
    run.wait()
