"""Context of a run, overridden for one child."""

import upwell

env = upwell.TaskEnvironment("context_override")


@env.task
async def child() -> str:
    print("child sees", upwell.ctx().custom_context)
    return upwell.ctx().custom_context["trace_id"]


@env.task
async def main() -> str:
    print("parent sees", upwell.ctx().custom_context)
    with upwell.custom_context(trace_id="child-override"):
        value = await child()
    print("parent sees", upwell.ctx().custom_context, "afterwards")
    return value


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.with_runcontext(custom_context={"trace_id": "root-abc"}).run(main)
    print(run.url)
    run.wait()
