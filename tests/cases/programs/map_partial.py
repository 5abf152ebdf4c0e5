"""Maps of partials: one with its first parameter free, and one that would bind a parameter twice."""

from functools import partial

import upwell

env = upwell.TaskEnvironment("map_partial")


@env.task
def echo(x: int) -> int:
    return x


@env.task
def batch_first(batch_id: str, name: str, config: str) -> str:
    print(name, config, batch_id)
    return name


@env.task
def my_task(name: str, config: str, batch_id: str) -> str:
    print(name, config, batch_id)
    return name


@env.task
def main():
    print(list(upwell.map(echo, range(3))))

    batches = ["0", "1", "2"]
    fixed = partial(batch_first, name="daniel", config="shared_config")
    for result in upwell.map(fixed, batches, return_exceptions=False):
        print(result)

    wrong = partial(my_task, name="daniel", config="shared_config")
    try:
        list(upwell.map(wrong, batches, return_exceptions=False))
    except TypeError as e:
        print(e)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
