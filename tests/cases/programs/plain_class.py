"""An object of a class without any base goes in and comes out."""

import upwell

env = upwell.TaskEnvironment("plain_class")


class Box:
    def __init__(self, name: str, value: int):
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return f"Box(name={self.name}, value={self.value})"


@env.task
async def wrap(box: Box) -> dict[str, Box]:
    return {box.name: box}


@env.task
async def main(box: Box) -> dict[str, Box]:
    box.value += 10
    return await wrap(box)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, box=Box("example", 5))
    print(run.url)
    run.wait()
    print(run.outputs())
