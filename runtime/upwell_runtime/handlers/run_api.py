"""Answers requests to the Run API of a deployment."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from upwell._client.cloud import CloudBackend
from upwell._client.config import Config
from upwell._console.app import RunApi
from upwell._core.settings import stage_of
from upwell_runtime import wiring
from upwell_runtime.observing import observed


@cache
def application() -> APIGatewayHttpResolver:
    """Return the API of this deployment. The code of runs is not here: each goes on with its own."""
    settings = wiring.settings()
    region = wiring.ports().clients.region
    place = Config(mode="aws", stage=stage_of(settings.prefix), region=region)
    app = APIGatewayHttpResolver(enable_validation=True)
    RunApi(CloudBackend("aws", wiring.ports(), settings, None), place).add_to(app)
    return app


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a request that API Gateway has authorised."""
    return asyncio.run(application().resolve_async(event, context))
