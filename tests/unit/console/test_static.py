"""The committed build of the console: whole, of these sources, small, and with nothing from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

import upwell

STATIC = Path(upwell.__file__).parent / "_console" / "static"
SOURCES = Path(__file__).parents[3] / "console"
PARTS = (
    ".npmrc",
    "digest.ts",
    "index.html",
    "package-lock.json",
    "package.json",
    "public",
    "src",
    "tsconfig.json",
    "vite.config.ts",
)
MOST_GZIPPED_BYTES = 500_000


def files() -> list[Path]:
    return [path for path in STATIC.rglob("*") if path.is_file()]


def source_digest() -> str:
    paths = [
        path for part in PARTS for path in [SOURCES / part, *(SOURCES / part).rglob("*")] if path.is_file()
    ]
    digest = hashlib.sha256()
    for name in sorted(str(path.relative_to(SOURCES)) for path in paths):
        digest.update(f"{name}\0".encode() + (SOURCES / name).read_bytes() + b"\0")
    return digest.hexdigest()


def test_the_build_is_of_the_sources() -> None:
    assert (STATIC / "sources.sha256").read_text().strip() == source_digest(), (
        "run `make console` and commit its build"
    )


def test_the_page_needs_only_files_that_are_there_and_no_inline_script() -> None:
    page = (STATIC / "index.html").read_text()
    needed = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert needed
    assert all((STATIC / path.lstrip("/")).is_file() for path in needed)
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=", page)


@pytest.mark.parametrize("kind", ["css", "js", "html", "svg"])
def test_nothing_is_loaded_from_elsewhere(kind: str) -> None:
    for path in STATIC.rglob(f"*.{kind}"):
        text = path.read_text()
        assert not re.search(r"@import|url\(\s*['\"]?(?:https?:)?//|(?:src|href)=\"https?:", text), path.name
        assert not re.search(r"(?:fetch|import)\(\s*['\"`]https?:", text), path.name


def test_it_is_small() -> None:
    assert sum(len(gzip.compress(path.read_bytes())) for path in files()) < MOST_GZIPPED_BYTES
