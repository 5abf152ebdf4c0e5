"""The experiments, in the order in which they are run."""

from __future__ import annotations

from bench.all import counts, fair, fan_outs, items
from bench.all.experiment import Experiment

BACKENDS = ("local", "moto", "sandbox")
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
        name="queued-peer",
        about="1,000 actions beside DBOS with its queue",
        backends=("local",),
        measure=fan_outs.queued_peer,
    ),
    Experiment(
        name="chain",
        about="100 actions, one after the other",
        backends=("local",),
        measure=fan_outs.chain,
    ),
    Experiment(
        name="round-trips",
        about="sequential requests a hop, and what they take on AWS",
        backends=("moto",),
        measure=counts.round_trips,
    ),
    Experiment(
        name="meter",
        about="requests, write units and dollars of 10,000 actions",
        backends=("moto", "sandbox"),
        measure=counts.metered,
    ),
    Experiment(
        name="million",
        about="a million items that wait for 1 ms (sandbox: 100,000), batches of measured sizes",
        backends=("local", "sandbox"),
        measure=items.million,
    ),
    Experiment(
        name="batches",
        about="20,000 items that compute for 1 ms, batches of measured and of fixed sizes",
        backends=("local",),
        measure=items.sizes,
    ),
    Experiment(
        name="traces",
        about="1,000 traces in one action",
        backends=("local",),
        measure=fan_outs.traces,
    ),
    Experiment(
        name="trace-requests",
        about="requests of 1,000 traces in one action",
        backends=("moto",),
        measure=counts.trace_requests,
    ),
    Experiment(
        name="fairness",
        about="a run of one action beside one of 20,000, and alone",
        backends=("local", "sandbox"),
        measure=fair.fairness,
    ),
)
