"""`ctx()`, `group` and `custom_context`: what tasks see, what flows to children, what a block restores."""

from typing import Any

from scenario import ANYTHING, Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-contexts")


@env.task
async def child() -> dict[str, Any]:
    context = upwell.ctx()
    return {
        "custom": dict(context.custom_context or {}),
        "group": context.group_data.name if context.group_data else None,
        "action": context.action.name if context.action else None,
        "grandchild": upwell.get_custom_context(),
    }


@env.task
async def main() -> dict[str, Any]:
    context = upwell.ctx()
    assert context.action is not None
    seen: dict[str, Any] = {
        "truth": bool(context),
        "action": context.action.name,
        "task action": context.action == context.task_action,
        "run": context.action.run_name,
        "attempt": context.attempt,
        "mode": context.mode,
        "in cluster": context.is_in_cluster(),
        "started": context.run_start_time is not None and context.run_start_time.tzinfo is not None,
        "data": context.raw_data_path,
        "cache off": context.disable_run_cache,
        "before": upwell.get_custom_context(),
    }
    with upwell.group("outer"), upwell.custom_context(trace_id="child-override", more="yes"):
        with upwell.group("inner"):
            seen["inner"] = await child()
        seen["outer"] = await child()
    seen["plain"] = await child()
    seen["after"] = upwell.get_custom_context()
    return seen


def check(observed: Observed) -> None:
    seen, run = observed.value, observed.run
    root = {"trace_id": "root-abc"}
    overridden = {"trace_id": "child-override", "more": "yes"}
    assert (seen["truth"], seen["action"], seen["task action"]) == (True, "a0", True)
    assert (seen["run"], seen["attempt"], seen["cache off"]) == (run.spec.run_id, 1, False)
    assert seen["mode"] == {"local": "local", "moto": "aws", "sandbox": "sandbox"}[observed.backend]
    assert seen["in cluster"] is (observed.backend != "local")
    assert seen["started"] is True
    assert run.spec.run_id in seen["data"]
    assert seen["before"] == seen["after"] == seen["plain"]["custom"] == root
    assert seen["inner"]["custom"] == seen["outer"]["custom"] == overridden
    assert [seen[name]["group"] for name in ("inner", "outer", "plain")] == ["inner", "outer", None]
    ids = {seen[name]["action"] for name in ("inner", "outer", "plain")}
    assert ids == {action.spec.action_id for action in observed.of(child)}
    assert not upwell.ctx()
    assert upwell.ctx().action is None


SCENARIO = Scenario(main, value=ANYTHING, check=check, options={"custom_context": {"trace_id": "root-abc"}})
