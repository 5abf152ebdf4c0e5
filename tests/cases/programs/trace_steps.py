"""The steps of a task are traces."""

import asyncio

import upwell

env = upwell.TaskEnvironment("trace_steps")


@upwell.trace
async def call_llm(prompt: str) -> str:
    await asyncio.sleep(0.1)
    return f"LLM response for: {prompt}"


@upwell.trace
async def process_data(data: str) -> dict:
    await asyncio.sleep(0.2)
    return {"processed": data, "status": "completed"}


@env.task
async def main(topic: str) -> dict:
    plan = await call_llm(f"Generate research plan for: {topic}")
    result = await process_data(plan)
    return {"topic": topic, "result": result}


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, "machine learning")
    print(run.url)
    run.wait()
