"""What has to be installed where tasks run: a description, resolved when an environment is deployed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath

from upwell._author.layers import (
    BUNDLED,
    INSTALLS,
    CodeBundle,
    ContainerOnly,
    EnvVars,
    Layer,
    PipPackages,
    RequirementsFile,
    Source,
    UvProject,
    UvScript,
)
from upwell.errors import UnsupportedError

Path = str | PathLike[str]


@dataclass(frozen=True, slots=True)
class Image:
    """What tasks need besides Python and upwell. Immutable: every method returns a new image.

    pip and uv steps become wheels for the executors' platform, without Docker. Steps that need a container
    image of one's own are recorded, so that programs run locally, and refused when the environment is deployed.

    Attributes:
        name: Name for display.
        python_version: Python version asked for, as (major, minor); executors have the platform's.
        layers: The steps, in order.

    Example:
        >>> Image.from_debian_base().with_pip_packages("pandas", "pyarrow").requirements
        ('pandas', 'pyarrow')
    """

    name: str | None = None
    python_version: tuple[int, int] | None = None
    layers: tuple[Layer, ...] = ()

    # --- where to start ---------------------------------------------------------------------------------------

    @classmethod
    def from_debian_base(
        cls, python_version: tuple[int, int] | None = None, *, name: str | None = None, **_: object
    ) -> Image:
        """Start with Python and upwell. Settings of a registry have no meaning here."""
        return cls(name=name, python_version=python_version)

    @classmethod
    def from_uv_script(cls, script: Path, *, name: str | None = None, **_: object) -> Image:
        """Start with the dependencies in the PEP 723 header of a script."""
        return cls(name=name, layers=(UvScript(fspath(script)),))

    @classmethod
    def from_base(cls, image_uri: str) -> Image:
        """Start with a container image. Needs a container pool."""
        return cls(layers=(ContainerOnly("from_base", (image_uri,)),))

    @classmethod
    def from_dockerfile(cls, file: Path, *_: object, name: str | None = None, **__: object) -> Image:
        """Start with a Dockerfile. Needs a container pool."""
        return cls(name=name, layers=(ContainerOnly("from_dockerfile", (fspath(file),)),))

    @classmethod
    def from_ref_name(cls, name: str = "default") -> Image:
        """Start with an image that the configuration names; all but `default` need a container pool."""
        return cls(layers=() if name == "default" else (ContainerOnly("from_ref_name", (name,)),))

    @classmethod
    def from_pixi_script(cls, script: Path, *, name: str | None = None, **_: object) -> Image:
        """Start with a pixi script. Needs a container pool."""
        return cls(name=name, layers=(ContainerOnly("from_pixi_script", (fspath(script),)),))

    # --- what to install --------------------------------------------------------------------------------------

    def with_pip_packages(
        self,
        *packages: str,
        index_url: str | None = None,
        extra_index_urls: str | Sequence[str] | None = None,
        pre: bool = False,
        extra_args: str | None = None,
        secret_mounts: object = None,
    ) -> Image:
        """Install packages, named as pip does: `"pandas"`, `"pandas>=2"`."""
        for package in packages:
            if not isinstance(package, str):
                raise TypeError(f"with_pip_packages({package!r}): give each package as a text of its own")
        urls = (extra_index_urls,) if isinstance(extra_index_urls, str) else tuple(extra_index_urls or ())
        return self._with(PipPackages(tuple(packages), index_url, urls, pre, extra_args))

    def with_requirements(self, file: Path, **_: object) -> Image:
        """Install what a requirements file lists."""
        return self._with(RequirementsFile(fspath(file)))

    def with_uv_project(
        self,
        pyproject_file: Path,
        uvlock: Path | None = None,
        extra_args: str | None = None,
        project_install_mode: str = "dependencies_only",
        **_: object,
    ) -> Image:
        """Install the dependencies of a project that uv manages."""
        lock = None if uvlock is None else fspath(uvlock)
        return self._with(UvProject(fspath(pyproject_file), lock, extra_args, project_install_mode))

    def with_poetry_project(self, pyproject_file: Path, *_: object, **__: object) -> Image:
        """Install a Poetry project. Needs a container pool."""
        return self._with(ContainerOnly("with_poetry_project", (fspath(pyproject_file),)))

    def with_pixi_project(self, manifest_file: Path, *_: object, **__: object) -> Image:
        """Install a pixi project. Needs a container pool."""
        return self._with(ContainerOnly("with_pixi_project", (fspath(manifest_file),)))

    def with_apt_packages(self, *packages: str, secret_mounts: object = None) -> Image:
        """Install Debian packages. Needs a container pool."""
        return self._with(ContainerOnly("with_apt_packages", packages))

    def with_commands(self, commands: Sequence[str], secret_mounts: object = None) -> Image:
        """Run shell commands. Needs a container pool."""
        return self._with(ContainerOnly("with_commands", tuple(commands)))

    # --- what else --------------------------------------------------------------------------------------------

    def with_env_vars(self, env_vars: Mapping[str, str]) -> Image:
        """Set environment variables."""
        return self._with(EnvVars(tuple((str(key), str(value)) for key, value in env_vars.items())))

    def with_code_bundle(self, copy_style: str = "loaded_modules", dst: str = ".") -> Image:
        """Have the user's code in it. It is bundled for each run anyway."""
        return self._with(CodeBundle(copy_style, dst))

    def with_source_folder(self, src: Path, dst: str = ".", copy_contents_only: bool = False) -> Image:
        """Have a folder of sources in it."""
        return self._with(Source(fspath(src), dst, copy_contents_only))

    def with_source_file(self, src: Path, dst: str = ".") -> Image:
        """Have a source file in it."""
        return self._with(Source(fspath(src), dst))

    def with_dockerignore(self, path: Path) -> Image:
        """Leave files out of a Docker build; there is none, so nothing changes."""
        return self

    def with_local_v2(self) -> Image:
        """Have the SDK that runs here in it; executors always do."""
        return self

    def with_workdir(self, workdir: str) -> Image:
        """Set the working folder. Needs a container pool."""
        return self._with(ContainerOnly("with_workdir", (str(workdir),)))

    def clone(
        self,
        *,
        name: str | None = None,
        base_image: str | None = None,
        python_version: tuple[int, int] | None = None,
        **_: object,
    ) -> Image:
        """Return the same image under another name, or on another base or Python."""
        base = () if base_image is None else (ContainerOnly("from_base", (base_image,)),)
        return replace(
            self,
            name=name or self.name,
            python_version=python_version or self.python_version,
            layers=base + self.layers,
        )

    def _with(self, layer: Layer) -> Image:
        return replace(self, layers=(*self.layers, layer))

    # --- what it comes to -------------------------------------------------------------------------------------

    @property
    def requirements(self) -> tuple[str, ...]:
        """The packages named by `with_pip_packages`, in order."""
        return tuple(p for layer in self.layers if isinstance(layer, PipPackages) for p in layer.packages)

    @property
    def installs(self) -> tuple[Layer, ...]:
        """The steps that become wheels."""
        return tuple(layer for layer in self.layers if isinstance(layer, INSTALLS))

    @property
    def env_vars(self) -> dict[str, str]:
        """Its environment variables."""
        return {k: v for layer in self.layers if isinstance(layer, EnvVars) for k, v in layer.variables}

    @property
    def is_default(self) -> bool:
        """Whether it asks for nothing but Python, upwell and the user's code."""
        return all(isinstance(layer, BUNDLED) for layer in self.layers)

    @property
    def uri(self) -> str:
        """Name made from its content."""
        text = repr((self.python_version, self.layers))
        return f"upwell:{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def check_supported(self) -> None:
        """Check what only matters when the environment is deployed.

        Raises:
            UnsupportedError: a step needs a container image of one's own.
        """
        for layer in self.layers:
            if isinstance(layer, ContainerOnly):
                raise UnsupportedError(
                    f"Image.{layer}: images are made of wheels, without Docker, and there is no container pool "
                    "yet; use with_pip_packages, with_requirements, with_uv_project or from_uv_script"
                )


def to_image(image: str | Image | None) -> Image:
    """Return what `image=` asks for: `"auto"` is the default image, another text names a container image.

    Raises:
        TypeError: it is neither a text nor an `Image`.
    """
    if image is None or image == "auto":
        return Image()
    if isinstance(image, str):
        return Image.from_base(image)
    if not isinstance(image, Image):
        raise TypeError(f"image={image!r}: give 'auto' or an Image")
    return image
