"""A map that raises the first failure."""

import upwell

env = upwell.TaskEnvironment("map_first_failure")


@env.task
def pick(x: int) -> str:
    if x == 2:
        raise ValueError("Intentional error for testing")
    return f"item {x}"


@env.task
def main(n: int):
    results = list(upwell.map(pick, range(n), return_exceptions=False))
    for result in results:
        print(result)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, n=3)
    print(run.url)
    run.wait()
