"""Looks at what this machine and its backend are like: for `upwell doctor`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from upwell._client.backend import open_backend
from upwell._client.config import Config
from upwell._client.sandbox import read_sandbox
from upwell._core.checkup import Finding, Level, fail, judge_interrupted, judge_packages, judge_python, ok
from upwell._core.settings import Settings, resource_prefix
from upwell.errors import UpwellError

if TYPE_CHECKING:
    from upwell._aws.clients import Clients

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "io": ("obstore",),
    "aws": ("boto3", "obstore"),
    "sandbox": ("boto3", "ministack", "awslambdaric", "aiohttp"),
    "console": ("uvicorn", "aws_lambda_powertools"),
    "pandas": ("pandas", "pyarrow"),
    "polars": ("polars", "pyarrow"),
    "infra": ("aws_cdk", "cdk_nag", "uv"),
}
"""What each extra adds, by the names that are imported."""
RUNS_LOOKED_AT = 200


async def examine(config: Config, sdk_version: str) -> list[Finding]:
    """Look at Python, packages, configuration, local state, and the backend.

    Args:
        config: Says which backend.
        sdk_version: The version of upwell here.
    """
    installed = {extra: all(map(_is_installed, modules)) for extra, modules in EXTRAS.items()}
    packages = judge_packages(installed, config.mode)
    found = [
        ok("upwell", sdk_version),
        judge_python(sys.version_info[:3], config.mode),
        packages,
        ok("configuration", f"backend {config.mode}, stage {config.stage}, state in {config.state_dir}"),
    ]
    if config.mode == "local":
        return [*found, *await _local(config)]
    if packages.level is Level.FAIL:
        return found
    return [*found, *await (_sandbox(config) if config.mode == "sandbox" else _aws(config, sdk_version))]


async def _local(config: Config) -> list[Finding]:
    from upwell._local.checkup import examine_state

    state = examine_state(config.state_dir)
    if state.level is Level.FAIL or not (config.state_dir / "state.db").exists():
        return [state]
    async with open_backend("local", config) as backend:
        runs = await backend.store.list_runs(RUNS_LOOKED_AT)
        lost = [r.spec.run_id for r in runs if not (r.status.is_terminal or await backend.is_alive(r))]
    return [state, judge_interrupted(lost)]


async def _sandbox(config: Config) -> list[Finding]:
    from upwell._aws.checkup import examine_access
    from upwell._aws.clients import Clients

    try:
        sandbox = read_sandbox(config.state_dir)
    except UpwellError:
        return [ok("sandbox", "none runs; the next use of --backend sandbox starts one")]
    if not sandbox.answers():
        text = f"the one at {sandbox.control_url} does not answer"
        return [fail("sandbox", text, "`upwell sandbox stop`, then `upwell sandbox start`")]
    clients = Clients(environment=sandbox.environment)
    try:
        return [
            ok("sandbox", f"answers at {sandbox.endpoint}"),
            *await examine_access(clients, Settings.from_env(sandbox.settings)),
        ]
    finally:
        clients.close()


async def _aws(config: Config, sdk_version: str) -> list[Finding]:
    from upwell._aws import checkup
    from upwell._aws.clients import Clients

    try:
        clients: Clients = Clients(region=config.region, profile=config.profile)
        try:
            return await checkup.examine(clients, resource_prefix(config.stage), sdk_version)
        finally:
            clients.close()
    except UpwellError as e:
        text, _, todo = str(e).partition("; ")
        return [fail("aws", text, todo)]


def _is_installed(module: str) -> bool:
    return find_spec(module) is not None
