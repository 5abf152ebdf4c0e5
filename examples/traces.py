"""Checkpoints inside a task: each step is recorded, and a task that runs again goes on after the last one.

upwell run examples/traces.py main --n 5
"""

import httpx
from http_server import serving

import upwell

env = upwell.TaskEnvironment(name="traces")


@upwell.trace
async def fetch_data(url: str) -> dict:
    """Traced function for API call."""
    async with httpx.AsyncClient() as http_client:
        response = await http_client.get(url)
        return response.json()


@upwell.trace
async def transform_data(data: dict) -> dict:
    """Traced function for transformation."""
    return {"transformed": data}


@env.task
async def process_workflow(urls: list[str]) -> list[dict]:
    """Orchestrate using traces instead of tasks."""
    results = []
    for url in urls:
        data = await fetch_data(url)
        transformed = await transform_data(data)
        results.append(transformed)
    return results


@env.task
async def main(n: int = 5) -> list[dict]:
    """Start a server for the example, and let the workflow call it."""
    with serving() as base:
        return await process_workflow([f"{base}/{i}" for i in range(n)])


if __name__ == "__main__":
    print(upwell.run(main).outputs())
