"""Two sync steps, one after the other."""

import upwell

env = upwell.TaskEnvironment("two_steps")


@env.task
def greet(name: str) -> str:
    return f"Hello, {name}!"


@env.task
def shout(text: str) -> str:
    return text.upper()


@env.task
def main(name: str) -> str:
    greeting = greet(name)
    return shout(greeting)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, name="World")
    print(run.name)
    print(run.url)
    run.wait()
