"""What functions import later is shipped too, so that executors have the code that the version is of."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

from bench.cache.programs import SHOP
from bench.cache.stability import imported

from upwell._client.bundle import loaded_modules, make_bundle

MORE = {
    "shop/late.py": "from shop.later import join\n\ndef finish(lines):\n    return join(lines)\n",
    "shop/later.py": "def join(lines):\n    from .last.words import END\n    return END.join(lines)\n",
    "shop/last/__init__.py": "",
    "shop/last/words.py": "END = '.'\n",
    "shop/alone.py": "x = 1\n",
}


def test_a_bundle_has_what_will_be_imported_and_gives_the_same_version_elsewhere(tmp_path: Path) -> None:
    with imported({**SHOP, **MORE}) as tasks:
        root = Path(tasks.__file__).resolve().parent  # type: ignore[attr-defined]  # a module
        bundle = make_bundle(root, loaded_modules(root))
        digest = tasks.report.code.digest  # type: ignore[attr-defined]  # the program's
    assert {"tasks.py", "shop/late.py", "shop/later.py", "shop/last/__init__.py", "shop/last/words.py"} <= {
        *bundle.files
    }
    assert not {"shop/alone.py", "shop/unused.py"} & {*bundle.files}
    zipfile.ZipFile(io.BytesIO(bundle.data)).extractall(tmp_path)
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import tasks; print(tasks.report.code.digest)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest
