"""The scenario files import `scenario` from their own folder, here and in executors."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))
pytest.register_assert_rewrite(*(path.stem for path in FOLDER.glob("*.py")))
