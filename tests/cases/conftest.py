"""The scenario files import `scenario` from their own folder, here and in executors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
