"""The import order of the design, as `.importlinter` says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

CONFIG = Path(__file__).parents[3] / ".importlinter"


def test_imports_go_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(CONFIG), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out
