"""An optional dict of optional lists."""

import upwell

env = upwell.TaskEnvironment("nested_optionals")


@env.task
def main(table: dict[str, list[str] | None] | None) -> dict[str, list[str] | None] | None:
    return table


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, table={"key": ["value1", "value2"]})
    print(run)
    print(run.url)
