"""Secrets of local runs: they are in the variables of the process that starts them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from upwell._author.secret import default_env_var
from upwell._core.model import SecretSpec

log = logging.getLogger("upwell.local")


class EnvironmentSecrets:
    """Implements `SecretStore` over variables.

    A secret is the value of its own variable, or of the one that it would have if it did not name another. One
    that is nowhere is warned of, once: a program may well run without it.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._missed: set[str] = set()

    async def variables(self, secrets: Sequence[SecretSpec]) -> dict[str, str]:
        """See `SecretStore.variables`."""
        found = {}
        for secret in secrets:
            own = default_env_var(secret.name)
            if secret.env_var in self._environment:
                continue
            if own in self._environment:
                found[secret.env_var] = self._environment[own]
            elif secret.name not in self._missed:
                self._missed.add(secret.name)
                log.warning(
                    "a secret is not among the variables of this process",
                    extra={"secret": secret.name, "variable": secret.env_var},
                )
        return found
