"""The SDK's logger for users' messages."""

import upwell

env = upwell.TaskEnvironment("user_logging")


@env.task
def main(name: str, count: int) -> str:
    upwell.logger.info("starting with %s", name)
    parts = []
    for i in range(count):
        upwell.logger.debug("iteration %d of %d", i, count)
        parts.append(f"{name}_{i}")
    upwell.logger.info("done with %s: %d parts", name, len(parts))
    return ", ".join(parts)


if __name__ == "__main__":
    upwell.init_from_config()
    upwell.run(main, "hello", 3)
