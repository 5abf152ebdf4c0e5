"""What an image is made of: each method of `Image` adds one of these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PipPackages:
    """Packages to install, as pip would."""

    packages: tuple[str, ...]
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    pre: bool = False
    extra_args: str | None = None


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """A requirements file to install."""

    file: str


@dataclass(frozen=True, slots=True)
class UvProject:
    """Dependencies of a project that uv manages."""

    pyproject_file: str
    uvlock: str | None = None
    extra_args: str | None = None
    project_install_mode: str = "dependencies_only"


@dataclass(frozen=True, slots=True)
class UvScript:
    """Dependencies in the PEP 723 header of a script."""

    script: str


@dataclass(frozen=True, slots=True)
class EnvVars:
    """Environment variables."""

    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Source files; the code bundle carries them."""

    src: str
    dst: str = "."
    copy_contents_only: bool = False


@dataclass(frozen=True, slots=True)
class CodeBundle:
    """The user's code; it is bundled for each run anyway."""

    copy_style: str = "loaded_modules"
    dst: str = "."


@dataclass(frozen=True, slots=True)
class ContainerOnly:
    """A step that needs a container image of one's own."""

    method: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method}({', '.join(map(repr, self.arguments))})"


Layer = PipPackages | RequirementsFile | UvProject | UvScript | EnvVars | Source | CodeBundle | ContainerOnly
INSTALLS = (PipPackages, RequirementsFile, UvProject, UvScript)
"""Layers that become wheels for the executor."""
BUNDLED = (Source, CodeBundle)
"""Layers that ask for nothing more than the code bundle."""
