"""A sync task maps another over a list and returns the mean."""

from statistics import fmean

import upwell

env = upwell.TaskEnvironment("map_mean", resources=upwell.Resources(memory="250Mi"))


@env.task
def linear(x: int) -> int:
    return 2 * x + 5


@env.task
def main(x_list: list[int] = list(range(1, 11))) -> float:
    if len(x_list) < 10:
        raise ValueError(f"x_list doesn't have a large enough sample size, found: {len(x_list)}")
    y_list = list(upwell.map(linear, x_list))
    return fmean(y_list)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, x_list=list(range(10)))
    print(run.name)
    print(run.url)
    run.wait()
