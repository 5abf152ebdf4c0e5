"""A lookup that fails half of the time is tried again; a cached step follows."""

import random

import upwell

env = upwell.TaskEnvironment("random_failures")


@env.task(retries=10)
def lookup(user_id: int) -> str:
    if random.random() < 0.5:
        raise RuntimeError("the lookup service is not available")
    return f"user-{user_id}"


@env.task(cache="auto")
def profile(user: str) -> dict[str, str]:
    return {"user": user, "email": f"{user}@example.com", "phone": "+1234567890"}


@env.task
def main(user_id: int) -> dict[str, str]:
    return profile(user=lookup(user_id=user_id))


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.with_runcontext(mode="local", disable_run_cache=True).run(main, user_id=1)
    print(run.outputs())
