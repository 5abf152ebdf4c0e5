"""The experiments, in the order in which they are run."""

from __future__ import annotations

from bench.all import counts, fan_outs
from bench.all.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        name="fanout",
        about="n actions that do nothing, n = 100, 1,000, 10,000, 50,000",
        backends=("local", "sandbox"),
        measure=fan_outs.fan_out,
    ),
    Experiment(
        name="peers",
        about="1,000 actions beside DBOS and Flyte, and from start-up to the first result",
        backends=("local",),
        measure=fan_outs.against_peers,
    ),
    Experiment(
        name="chain", about="100 actions, one after the other", backends=("local",), measure=fan_outs.chain
    ),
    Experiment(
        name="meter",
        about="requests, write units and dollars of 10,000 actions",
        backends=("moto", "sandbox"),
        measure=counts.metered,
    ),
    Experiment(name="traces", about="1,000 traces in one action", backends=("local",), measure=fan_outs.traces),
    Experiment(
        name="trace-requests",
        about="requests of 1,000 traces in one action",
        backends=("moto",),
        measure=counts.trace_requests,
    ),
)
BACKENDS = ("local", "moto", "sandbox")
