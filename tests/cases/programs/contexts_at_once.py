"""Custom context belongs to the code that sets it, also among coroutines that run at once."""

import asyncio

import upwell

env = upwell.TaskEnvironment("contexts_at_once")


@env.task
async def grandchild() -> str:
    return upwell.get_custom_context().get("tenant", "none")


@env.task
async def child() -> str:
    return f"{upwell.ctx().custom_context['tenant']} {await grandchild()}"


async def serve(tenant: str) -> str:
    with upwell.custom_context(tenant=tenant):
        return await child()


@env.task
async def main() -> list[str]:
    seen = await asyncio.gather(*[serve(tenant) for tenant in ("a", "b", "c")])
    with upwell.custom_context(tenant="outer", region="eu"):
        with upwell.custom_context(tenant="inner"):
            seen.append(str(upwell.get_custom_context()))
        seen.append(str(upwell.get_custom_context()))
    return [*seen, str(upwell.get_custom_context())]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
