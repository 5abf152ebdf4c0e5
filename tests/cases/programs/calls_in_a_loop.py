"""The same call ten times."""

import upwell

env = upwell.TaskEnvironment("calls_in_a_loop")


@env.task
def say_hello(name: str) -> str:
    return f"Hello, {name}!"


@env.task
def main(name: str) -> str:
    for _ in range(10):
        say_hello(name)
    return "Done"


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, name="World")
    print(run.url)
    run.wait()
