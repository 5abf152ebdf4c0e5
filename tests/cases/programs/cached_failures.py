"""Failures are not kept; what is overridden is computed anew."""

import upwell
from upwell.errors import RuntimeUserError

env = upwell.TaskEnvironment("cached_failures")


@env.task(cache="auto")
async def fails_once(started: str) -> str:
    if upwell.get_custom_context().get("fail") == "yes":
        raise ValueError("asked to fail")
    return upwell.ctx().action.name


@env.task
async def main() -> list[str]:
    started = upwell.ctx().action.run_name
    seen = []
    try:
        with upwell.custom_context(fail="yes"):
            await fails_once(started)
    except RuntimeUserError as e:
        seen.append(e.code)
    first = await fails_once(started)
    again = await fails_once(started)
    anew = await fails_once.override(cache="override")(started)
    kept = await fails_once(started)
    return [*seen, str(first == again), str(first == anew), str(anew == kept)]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
