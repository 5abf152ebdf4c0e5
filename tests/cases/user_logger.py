"""The user's logger, at two levels, with lazy arguments."""

from scenario import Scenario

import upwell

env = upwell.TaskEnvironment("case-user-logger")


@env.task
def main(name: str, count: int) -> str:
    upwell.logger.info("starting with %s", name)
    parts = []
    for i in range(count):
        upwell.logger.debug("iteration %d of %d", i, count)
        parts.append(f"{name}_{i}")
    upwell.logger.info("done: %d parts", len(parts))
    return ", ".join(parts)


SCENARIO = Scenario(main, {"name": "hello", "count": 3}, value="hello_0, hello_1, hello_2")
