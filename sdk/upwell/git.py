"""The configuration of the git repository that the program is in."""

from __future__ import annotations

from pathlib import Path

__all__ = ["config_from_root"]


def config_from_root(path: str | Path = "upwell.toml") -> Path | None:
    """Return a configuration file of the repository around the working directory, for `init_from_config`.

    Args:
        path: Where it is, relative to the root of the repository.

    Returns:
        The file; None outside of a repository, or when it has none.
    """
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / ".git").exists():
            return folder / path if (folder / path).is_file() else None
    return None
