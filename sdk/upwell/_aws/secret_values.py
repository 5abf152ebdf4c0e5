"""Secrets of tasks, in AWS Secrets Manager."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from upwell._aws.clients import Clients
from upwell._aws.errors import clear_errors, is_code
from upwell._core.model import SecretSpec
from upwell._core.settings import Settings
from upwell.errors import SecretNotFoundError

KEPT_S = 300.0
"""How long a value is used before it is fetched anew: a secret that is rotated is seen after that."""


class SecretValues:
    """Implements `SecretStore` over Secrets Manager: a secret `<name>` of a task is `<prefix>/<name>` there.

    Args:
        clients: Makes the requests.
        settings: Has the prefix.
        clock: Seconds that only grow.
    """

    def __init__(
        self, clients: Clients, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clients = clients
        self._prefix = settings.prefix
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    async def variables(self, secrets: Sequence[SecretSpec]) -> dict[str, str]:
        """See `SecretStore.variables`."""
        values = await asyncio.gather(*(self._value(secret.name) for secret in secrets))
        return {secret.env_var: value for secret, value in zip(secrets, values, strict=True)}

    async def _value(self, name: str) -> str:
        until, value = self._kept.get(name, (0.0, ""))
        if self._clock() >= until:
            value = await self._fetched(f"{self._prefix}/{name}")
            self._kept[name] = (self._clock() + KEPT_S, value)
        return value

    async def _fetched(self, secret_id: str) -> str:
        with clear_errors(f"secret {secret_id}"):
            answer = await self._clients.call(lambda: self._answer(secret_id))
        if answer is None:
            raise SecretNotFoundError(
                f"secret {secret_id!r} does not exist in {self._clients.region}; "
                f"`aws secretsmanager create-secret --name {secret_id} --secret-string ...` makes it"
            )
        text: str | None = answer.get("SecretString")
        return text if text is not None else answer["SecretBinary"].decode()

    def _answer(self, secret_id: str) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = self._clients.secretsmanager.get_secret_value(SecretId=secret_id)
        except ClientError as e:
            if is_code(e, {"ResourceNotFoundException"}):
                return None
            raise
        return answer
