"""How this process reaches its backend."""

from upwell._client.config import Config

__all__ = ["Config"]
