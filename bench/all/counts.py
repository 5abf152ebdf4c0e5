"""Experiments that count: requests, write units and dollars, which do not depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator

from bench.all.experiment import Setting
from bench.all.flows import traces
from bench.all.rows import PeerFigure, Row, at_most, significant
from bench.meter import GOALS, WARM_UP, measured
from upwell._aws.meter import Meter, MeterReading
from upwell._core.prices import PRICES_OF, price

UNITS = {
    "requests_per_action": "requests",
    "write_units_per_action": "WRU",
    "control_usd_per_million_actions": "$ / million",
}


def metered(setting: Setting, backend: str) -> Iterator[Row]:
    """Count the requests of a fan-out and price them, the alternatives beside it from the same table."""
    n = {("moto", True): 200, ("sandbox", True): 200}.get((backend, setting.quick), 10_000)
    found = measured(backend, n)
    for name, unit in UNITS.items():
        row = Row.of(
            [found[name]],
            name=name.replace("_", " "),
            backend=backend,
            n=n,
            unit=unit,
            goals=(at_most(found[name], GOALS[name]),),
        )
        if name.startswith("control_usd"):
            for peer, usd in found["alternatives_usd_per_million"].items():
                row.peers[peer] = PeerFigure(
                    version=f"prices of {PRICES_OF}", median=usd, ratio=significant(usd / found[name])
                )
        yield row


def trace_requests(setting: Setting, _backend: str) -> Iterator[Row]:
    """Count the requests of 1,000 traces in one action, over the AWS adapters."""
    from upwell.testing.moto_flows import moto_flows

    n, counted = 100 if setting.quick else 1_000, MeterReading()
    with moto_flows() as flows:
        meter, clients = Meter(counted.count), flows.clients
        flows.run(traces, WARM_UP).unwrap()
        for client in (clients.dynamodb, clients.sqs, clients.s3, clients.stepfunctions):
            meter.watch(client)
        flows.run(traces, n).unwrap()
    reading = counted.take().without_idle()
    more = {
        "write_units": round(reading.usage.write_units, 1),
        "usd_per_million_traces": significant(price(reading.usage).usd / n * 1_000_000),
        "by_operation": dict(reading.counts.most_common()),
    }
    yield Row.of(
        [reading.usage.requests], name="requests of all traces", backend="moto", n=n, unit="requests", more=more
    )


def round_trips(setting: Setting, backend: str) -> Iterator[Row]:
    """Yield the modelled round trips and times a hop, between processes (warm pool) and within one."""
    from bench.latency import GOALS as TRIPS
    from bench.latency import figures

    hops = 20 if setting.quick else 100
    found = figures(hops, 10 if setting.quick else 100)
    for kind, goal in TRIPS.items():
        trips = found[f"trips_per_hop_{kind}"]
        yield Row.of(
            [trips],
            name=f"round trips a hop, {kind}",
            backend=backend,
            n=hops,
            unit="trips",
            goals=(at_most(trips, goal),),
            more={"ms_on_aws": found[f"ms_per_hop_{kind}"]},
        )
