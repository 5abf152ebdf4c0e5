"""What a parent sees of its children's exceptions: class, code, message, and no cause."""

import upwell
import upwell.errors

env = upwell.TaskEnvironment("error_codes")


class QuotaError(Exception):
    """An exception of the program's own."""


@env.task
async def fail(kind: str) -> None:
    if kind == "own":
        raise QuotaError("no quota")
    if kind == "memory":
        raise upwell.errors.OOMError("killed")
    if kind == "timeout":
        raise upwell.errors.MaxRuntimeExceededError("too slow")
    if kind == "coded":
        raise upwell.errors.RuntimeUserError("BadRow", "row 7")
    if kind == "system":
        raise upwell.errors.RuntimeSystemError("Lost", "machine is gone")
    if kind == "custom":
        raise upwell.errors.CustomError.from_exception(KeyError("id"))
    raise upwell.errors.NonRecoverableError("never again")


@env.task
async def middle(kind: str) -> None:
    await fail(kind)


@env.task
async def main() -> list[str]:
    seen = []
    for kind in ("own", "memory", "timeout", "coded", "system", "custom", "final"):
        try:
            await middle(kind)
        except upwell.errors.BaseRuntimeError as e:
            seen.append(f"{type(e).__name__} {e.code} {e.kind} {e} {e.__cause__}")
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
