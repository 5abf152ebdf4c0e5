"""The zip has what its entry points import: nothing else is there where they run."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from upwell_infra.package import build

IN_LAMBDA = ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "jmespath")
"""What Lambda's Python brings."""
OURS = ("upwell", "upwell_runtime")
ENTRY_POINTS = (
    *(
        f"upwell_runtime.handlers.{name}"
        for name in ("execute", "aggregate", "fold", "dead_letters", "run_ended", "run_api", "scale", "sweep")
    ),
    "upwell_runtime.worker.__main__",
    "upwell_runtime.user.__main__",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Where an entry point finds modules: our code from the zip, the rest as installed for this machine."""
    folder = tmp_path_factory.mktemp("path")
    with zipfile.ZipFile(build(tmp_path_factory.mktemp("build"))) as archive:
        names = [name for name in archive.namelist() if name.startswith(tuple(f"{own}/" for own in OURS))]
        archive.extractall(folder / "code", names)
        packed = {name.partition("/")[0] for name in archive.namelist()} - set(OURS)
    installed = Path(sysconfig.get_path("purelib"))
    beside = folder / "beside"
    beside.mkdir()
    for name in {*packed, *IN_LAMBDA}:
        if (installed / name).exists():
            (beside / name).symlink_to(installed / name)
    return [str(folder / "code"), str(beside)]


@pytest.mark.parametrize("module", ENTRY_POINTS)
def test_an_entry_point_can_be_imported_from_the_zip(module: str, path: list[str]) -> None:
    code = f"import sys; sys.path[:0] = {path!r}; import {module} as m; print(m.__file__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(path[0])
