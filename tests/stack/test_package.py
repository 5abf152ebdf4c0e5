"""The zip that functions and workers run."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from upwell_infra.package import LEFT_OUT, LOCK, CodeError, build, source_hash

LAMBDA_UNPACKED_MAX_BYTES = 250 * 1024 * 1024
SMALL_BYTES = 13 * 1024 * 1024


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("build"))


def test_it_holds_runtime_sdk_and_their_dependencies_and_nothing_that_lambda_has(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        top = {name.partition("/")[0] for name in opened.namelist()}
    assert {"upwell", "upwell_runtime", "pydantic", "pydantic_core", "cloudpickle"} <= top
    assert "aws_lambda_powertools" in top
    assert not {"boto3", "botocore", "bin", "aiohttp", "typer", "aws_cdk"} & top


def test_it_leaves_out_what_no_executor_runs(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert not [name for name in names if name.startswith(LEFT_OUT) or "__pycache__" in name]
    assert "upwell/_core/settings.py" in names


def test_its_native_code_is_for_the_platform_of_lambda(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        native = [name for name in opened.namelist() if name.endswith(".so")]
    parts = [name.partition(".cpython-") for name in native if not name.endswith(".abi3.so")]
    assert {tag for _, _, tag in parts} == {f"{n}-x86_64-linux-gnu.so" for n in (311, 312)}
    modules = [module for module, _, _ in parts]
    assert all(modules.count(module) == 2 for module in modules)  # one for each Python
    assert [name for name in native if name.endswith(".abi3.so")] == ["obstore/_obstore.abi3.so"]  # for both


def test_it_is_small_enough_to_start_fast(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        assert sum(entry.file_size for entry in opened.infolist()) < LAMBDA_UNPACKED_MAX_BYTES
    assert archive.stat().st_size < SMALL_BYTES


def test_the_same_content_makes_the_same_file(archive: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert again.name == archive.name
    assert again.read_bytes() == archive.read_bytes()


def test_what_was_built_is_not_built_again(archive: Path) -> None:
    before = archive.stat().st_mtime_ns
    assert build(archive.parent) == archive
    assert archive.stat().st_mtime_ns == before


def test_other_dependencies_make_another_hash(tmp_path: Path) -> None:
    lock = tmp_path / "runtime.lock"
    lock.write_text(LOCK.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert source_hash(lock) != source_hash()


def test_dependencies_that_cannot_be_had_are_an_error_that_says_so(tmp_path: Path) -> None:
    lock = tmp_path / "runtime.lock"
    lock.write_text(f"pydantic==0.0.0.dev0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(CodeError, match=r"cannot install runtime\.lock for x86_64-manylinux2014"):
        build(tmp_path / "build", lock)
    assert list((tmp_path / "build").iterdir()) == []


def test_every_dependency_is_pinned_by_hash_and_names_no_index() -> None:
    text = LOCK.read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+)==\S+ \\$", text, re.MULTILINE)
    assert {"pydantic", "cloudpickle", "aws-lambda-powertools"} <= set(pins)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "http" not in text
