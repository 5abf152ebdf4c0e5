"""Settings: those of an override go before the task's, and these before the environment's."""

import os

import upwell

env = upwell.TaskEnvironment("environment_settings", env_vars={"LEVEL": "environment", "OTHER": "kept"})
copy = env.clone_with("environment_settings_copy", env_vars={"LEVEL": "clone"})


@env.task
async def level() -> str:
    return f"{os.environ['LEVEL']} {os.environ.get('OTHER')}"


@copy.task
async def cloned_level() -> str:
    return f"{os.environ['LEVEL']} {os.environ.get('OTHER')}"


@env.task(retries=3, short_name="patient")
async def settings() -> str:
    return "ran"


@env.task
async def main() -> list[str]:
    changed = settings.override(retries=1, short_name="hasty", timeout=5)
    return [
        await level(),
        await level.override(env_vars={"LEVEL": "override"})(),
        await cloned_level(),
        f"{settings.retries} {settings.short_name}",
        f"{changed.retries} {changed.short_name} {await changed()}",
        f"{changed.override(retries=0).retries} {settings.name} {changed.name}",
    ]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
