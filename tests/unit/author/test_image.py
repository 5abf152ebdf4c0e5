from __future__ import annotations

from typing import Any

import pytest

from upwell import errors
from upwell._author.image import Image, to_image
from upwell._author.layers import PipPackages, UvProject, UvScript

base = Image.from_debian_base()


def test_every_method_returns_a_new_image() -> None:
    more = base.with_pip_packages("pandas").with_pip_packages("pyarrow>=15", "httpx", pre=True)
    assert base.requirements == ()
    assert more.requirements == ("pandas", "pyarrow>=15", "httpx")
    assert more.layers[1] == PipPackages(("pyarrow>=15", "httpx"), pre=True)


def test_uv_projects_and_scripts_are_kept_as_data(tmp_path: Any) -> None:
    image = Image.from_uv_script(tmp_path / "s.py", name="x").with_uv_project(
        "pyproject.toml", extra_args="--group x"
    )
    assert image.installs == (
        UvScript(str(tmp_path / "s.py")),
        UvProject("pyproject.toml", extra_args="--group x"),
    )


def test_the_uri_depends_on_the_content_alone() -> None:
    assert base.with_pip_packages("a").uri == Image.from_debian_base(name="n").with_pip_packages("a").uri
    assert base.with_pip_packages("a").uri != base.with_pip_packages("b").uri


@pytest.mark.parametrize(
    "image",
    [
        base.with_apt_packages("git"),
        base.with_commands(["make"]),
        base.with_workdir("/srv"),
        base.with_pixi_project("pixi.toml"),
        base.with_poetry_project("pyproject.toml"),
        base.clone(base_image="python:3.12"),
        Image.from_base("python:3.12"),
        Image.from_dockerfile("Dockerfile", "registry", name="x"),
        Image.from_pixi_script("s.py"),
        Image.from_ref_name("custom"),
        to_image("python:3.12"),
    ],
)
def test_steps_that_need_a_container_are_refused_only_when_it_is_deployed(image: Image) -> None:
    with pytest.raises(errors.UnsupportedError, match="with_pip_packages"):
        image.check_supported()


def test_other_steps_are_supported() -> None:
    image = base.with_pip_packages("a").with_requirements("r.txt").with_env_vars({"A": "1"})
    image.with_code_bundle().with_source_folder("src").with_source_file("a.py").check_supported()
    assert image.env_vars == {"A": "1"}
    assert base.with_dockerignore("x").with_local_v2() == base


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(TypeError, match="image="):
        to_image(3)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match="a text of its own"):
        base.with_pip_packages(["a", "b"])  # type: ignore[arg-type]  # that is the point
