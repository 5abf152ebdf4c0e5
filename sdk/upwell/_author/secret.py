"""Secrets that tasks need."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from upwell.errors import UnsupportedError

_ENV_VAR = re.compile(r"[A-Z_][A-Z0-9_]*")
_MOUNTS = ("/etc/upwell/secrets", "/etc/flyte/secrets")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that a task finds in an environment variable, or in a file.

    Attributes:
        key: Name of the secret.
        group: Group that the secret is in, if any.
        mount: Give it as a file below this folder (`/etc/upwell/secrets`) instead of a variable.
        as_env_var: Name of the variable; by default the key in upper case with `-` as `_`, after the group's.

    Example:
        >>> Secret("openai-api-key").env_var
        'OPENAI_API_KEY'
    """

    key: str
    group: str | None = None
    mount: str | None = None
    as_env_var: str | None = None

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("Secret(key='') names no secret; give the secret's name")
        if self.mount is not None and str(self.mount) not in _MOUNTS:
            raise ValueError(f"Secret(mount={self.mount!r}): secrets are mounted at {_MOUNTS[0]} only")
        if self.as_env_var is not None and not _ENV_VAR.fullmatch(self.as_env_var):
            raise ValueError(
                f"Secret(as_env_var={self.as_env_var!r}) is no name of a variable; "
                "use upper-case letters, digits and _"
            )

    @property
    def name(self) -> str:
        """Name in the store: `<group>/<key>`, or `<key>`."""
        return f"{self.group}/{self.key}" if self.group else self.key

    @property
    def env_var(self) -> str | None:
        """Name of the variable, or None for a mounted secret."""
        if self.as_env_var is not None:
            return self.as_env_var
        if self.mount is not None:
            return None
        return default_env_var(self.name)

    def check_supported(self) -> None:
        """Check what only matters when the environment is deployed.

        Raises:
            UnsupportedError: it is to be a file.
        """
        if self.env_var is None:
            raise UnsupportedError(
                f"Secret({self.key!r}, mount={str(self.mount)!r}): executors have no folder for secrets; "
                "use as_env_var=, which gives it as a variable"
            )


SecretRequest = str | Secret | Iterable[str | Secret]


def to_secrets(request: SecretRequest | None) -> tuple[Secret, ...]:
    """Return what `secrets=` asks for."""
    if request is None:
        return ()
    several = [request] if isinstance(request, str | Secret) else list(request)
    return tuple(Secret(one) if isinstance(one, str) else one for one in several)


def default_env_var(name: str) -> str:
    """Return the variable of a secret whose name is `<group>/<key>`, or `<key>`, unless it says another."""
    return name.replace("/", "_").replace("-", "_").upper()
