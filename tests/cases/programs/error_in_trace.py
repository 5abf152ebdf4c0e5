"""A trace that raises; the task that called it catches the error itself."""

import logging

import upwell

logger = logging.getLogger(__name__)
env = upwell.TaskEnvironment("error_in_trace")


class MockClient:
    async def post(self, endpoint: str, payload: dict) -> dict:
        if payload == {"invalid": "data"}:
            raise ValueError("Invalid data provided to API")
        return {"endpoint": endpoint, "payload": payload}


client = MockClient()


@upwell.trace
async def call_api(endpoint: str, payload: dict) -> dict:
    try:
        return await client.post(endpoint, payload)
    except ValueError as e:
        logger.error("call of %s failed: %s", endpoint, e)
        raise


@env.task
async def main(payload: dict) -> dict:
    try:
        return {"status": "ok", "result": await call_api("https://api.example.com", payload)}
    except Exception as e:
        return {"status": "error", "message": str(e)}


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, {"invalid": "data"})
    print(run.url)
    run.wait()
