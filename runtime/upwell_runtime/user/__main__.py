"""`python -m upwell_runtime.user FD`: the zygote of an executor, at the other end of a socket."""

from __future__ import annotations

import os
import sys

from upwell._exec.process.zygote import serve
from upwell_runtime.user.process import guest

if __name__ == "__main__":
    serve(int(sys.argv[1]), guest, os.getppid())
