"""Creates and updates the CloudFormation stacks of pools, from the templates in the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from upwell._aws.clients import Clients
from upwell._aws.errors import DEPLOY, clear_errors, is_code
from upwell.errors import NotDeployedError

POOL_PARAMETERS_OUTPUT = "PoolParameters"


def pool_template(kind: str) -> str:
    """Return the template of a kind of pool: `lambda` or `worker`."""
    return files("upwell._aws.templates").joinpath(f"pool-{kind}.json").read_text()


async def deploy_pool(clients: Clients, prefix: str, pool: str, kind: str, parameters: dict[str, Any]) -> bool:
    """Create or update the stack of a pool and wait until that is done.

    Returns:
        Whether anything had to change.

    Raises:
        NotDeployedError: there is no platform.
    """
    shared = await _shared_parameters(clients, prefix)
    template = pool_template(kind)
    names = json.loads(template)["Parameters"]
    values = {**shared, **parameters, "PoolName": pool}
    request: dict[str, Any] = {
        "StackName": f"{prefix}-pool-{pool}",
        "TemplateBody": template,
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": str(values[name])} for name in names if name in values
        ],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": "upwell:pool", "Value": pool}],
    }
    cloudformation = clients.cloudformation
    with clear_errors(f"stack {request['StackName']}"):
        try:
            await clients.call(lambda: cloudformation.create_stack(**request))
            waiter = "stack_create_complete"
        except Exception as e:
            if not is_code(e, {"AlreadyExistsException"}):
                raise
            try:
                await clients.call(lambda: cloudformation.update_stack(**request))
            except Exception as unchanged:
                if is_code(unchanged, {"ValidationError"}) and "No updates" in str(unchanged):
                    return False
                raise
            waiter = "stack_update_complete"
        name = request["StackName"]
        wait: Any = cloudformation.get_waiter
        await clients.call(lambda: wait(waiter).wait(StackName=name, WaiterConfig={"Delay": 3}))
    return True


async def _shared_parameters(clients: Clients, prefix: str) -> dict[str, str]:
    try:
        with clear_errors(f"stack {prefix}"):
            answer = await clients.call(lambda: clients.cloudformation.describe_stacks(StackName=prefix))
    except Exception as e:
        if is_code(e, {"ValidationError"}):
            raise NotDeployedError(f"no platform {prefix!r} in {clients.region}; {DEPLOY}") from e
        raise
    outputs = {o["OutputKey"]: o["OutputValue"] for o in answer["Stacks"][0].get("Outputs", [])}
    shared: dict[str, str] = json.loads(outputs[POOL_PARAMETERS_OUTPUT])
    return shared
