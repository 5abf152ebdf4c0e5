"""upwell's counterpart of the programs in `bench.peers`: `python -m bench.all.program fanout 1000`."""

from __future__ import annotations

import os
from typing import Any

import upwell
from bench.all import flows
from bench.peers.timing import arguments, report, state_dir

BACKEND = "BENCH_BACKEND"


def run(flow: Any, n: int) -> Any:
    return upwell.run(flow, n).outputs()[0]


def main() -> None:
    mode, n = arguments()
    upwell.init(mode=os.environ[BACKEND], state_dir=state_dir())
    flow = {"fanout": flows.gather, "chain": flows.chain, "traces": flows.traces}[mode]
    report(lambda: run(flows.chain, 1), lambda: run(flow, n), list(range(n)))


if __name__ == "__main__":
    main()
