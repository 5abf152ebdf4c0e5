"""`python -m bench.meter --backend sandbox --n 1000`: the requests of a fan-out, and what AWS bills for them.

Requests are counted where they are made, by `upwell._aws.meter`: on moto in this process, on the sandbox in all
of its processes, which share a file. What a state machine does within AWS is added by a constant. Invocations
and times of Lambda, and the times of the workers, are those of the sandbox.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import upwell
from bench.flows import fan_out, warm_fan_out
from upwell._aws.meter import METER_FILE, Meter, MeterReading, Reading, read_lines
from upwell._core.prices import HOUR_S, MILLION, PRICES_OF, REGION, alternatives, price
from upwell._core.usage import MIB_PER_GB, Usage, total

WARM_UP = 10
"""Actions of a run that is not counted: it starts what has to be started once."""
QUIET_S = 1.5
"""The streams' functions are behind: the count is over when nothing but idle polls came for so long."""
TIMED = ("-scale", "-sweep")
PLATFORM = ("-fold", "-aggregate", "-dead-letters", "-run-ended", *TIMED)
"""Ends of the names of the platform's own functions; the others execute actions."""
WORKER_VCPU, WORKER_GB = 1.0, 2.0
"""Of `bench.flows.workers`, which asks for nothing special."""
FLOWS = {"cold": fan_out, "warm": warm_fan_out}
"""Where the parent runs: on Lambda, which it may leave while it waits, or in the pool of its children."""
GOALS = {"requests_per_action": 3.0, "write_units_per_action": 3.0, "control_usd_per_million_actions": 2.50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """A run of n actions below a root, as it was counted.

    Attributes:
        reading: Requests of all processes.
        functions: Lambda: invocations and GB-seconds of the platform's own functions.
        compute: Lambda and Fargate: GB-seconds and vCPU-seconds of the executors.
    """

    backend: str
    n: int
    elapsed_s: float
    reading: Reading
    functions: Usage
    compute: Usage


def figures(metered: Metered) -> dict[str, Any]:
    """Return what a metered run comes to: per action, and in dollars."""
    n, reading = metered.n, metered.reading
    busy, hours = reading.without_idle(), metered.elapsed_s / HOUR_S
    control = reading.usage + metered.functions
    bill = price(busy.usage + metered.functions)
    per_action = {
        "requests_per_action": busy.usage.requests,
        "write_units_per_action": control.write_units,
        "read_units_per_action": control.read_units,
        "sqs_requests_per_action": busy.usage.sqs_requests,
        "lambda_requests_per_action": control.lambda_requests,
    }
    return {
        "backend": metered.backend,
        "n": n,
        "elapsed_s": round(metered.elapsed_s, 3),
        **{name: round(value / n, 3) for name, value in per_action.items()},
        "idle_receives": sum(reading.counts.values()) - sum(busy.counts.values()),
        "transitions": control.transitions,
        "control_usd_per_million_actions": round(bill.usd / n * MILLION, 3),
        "control_usd_by_service": {k: round(v / n * MILLION, 3) for k, v in bill.services.items()},
        "idle_usd_per_hour": round((price(reading.usage).usd - price(busy.usage).usd) / hours, 6),
        "compute_usd_per_million_actions": round(price(metered.compute).usd / n * MILLION, 3),
        "by_operation": _by_operation(reading, n),
        "alternatives_usd_per_million": alternatives(),
        "goals": GOALS,
        "prices": f"{REGION}, {PRICES_OF}",
    }


def _by_operation(reading: Reading, n: int) -> dict[str, dict[str, float]]:
    """Return amounts an action by operation, the largest first."""
    return {
        operation: {
            "per_action": round(count / n, 4),
            **{
                name: round(value / n, 4)
                for name, value in reading.usages[operation].amounts().items()
                if name in {"write_units", "read_units", "sqs_requests", "s3_puts", "s3_gets"}
            },
        }
        for operation, count in reading.counts.most_common()
    }


# --- moto -----------------------------------------------------------------------------------------------------


def on_moto(n: int, flow: str = "cold") -> Metered:
    """Meter a fan-out of n on the AWS adapters over moto, all in this process."""
    from upwell.testing.moto_flows import moto_flows

    counted = MeterReading()
    with moto_flows() as flows:
        meter, clients = Meter(counted.count), flows.clients
        flows.run(FLOWS[flow], WARM_UP).unwrap()
        for client in (clients.dynamodb, clients.sqs, clients.s3, clients.stepfunctions):
            meter.watch(client)
        start = time.perf_counter()
        _check(flows.run(FLOWS[flow], n).unwrap(), n)
        elapsed_s = time.perf_counter() - start
    none = Usage()
    return Metered(
        backend="moto", n=n, elapsed_s=elapsed_s, reading=counted.take(), functions=none, compute=none
    )


# --- sandbox --------------------------------------------------------------------------------------------------


class MeteredSandbox:
    """A sandbox of its own, all of whose processes count their requests; stopped at the end of the block."""

    def __enter__(self) -> MeteredSandbox:
        from upwell._client.sandbox import read_sandbox, sandbox_command

        self._root = Path(tempfile.mkdtemp(prefix="upwell-meter-"))
        self._file = self._root / "requests"
        self._file.touch()
        self._before = os.environ.get(METER_FILE)
        os.environ[METER_FILE] = str(self._file)
        self._state = self._root / "state"
        subprocess.run(sandbox_command(self._state, "start"), check=True, capture_output=True)
        upwell.init(mode="sandbox", state_dir=self._state)
        self._sandbox = read_sandbox(self._state)
        return self

    def __exit__(self, *_: object) -> None:
        from upwell._client.sandbox import sandbox_command

        subprocess.run(sandbox_command(self._state, "stop"), check=False, capture_output=True)
        os.environ.pop(METER_FILE)
        if self._before is not None:
            os.environ[METER_FILE] = self._before
        shutil.rmtree(self._root, ignore_errors=True)

    def meter(self, n: int, flow: str = "cold") -> Metered:
        """Meter a fan-out of n."""
        self._quiet()
        offset, before = self._file.stat().st_size, self._sandbox.status()["functions"]
        start = time.perf_counter()
        run = upwell.with_runcontext(mode="sandbox").run(FLOWS[flow], n)
        (values,) = run.outputs()
        elapsed_s = time.perf_counter() - start
        _check(values, n)
        self._quiet()
        after, workers = self._sandbox.status()["functions"], len(self._sandbox.status()["workers"])
        pools = {name for name in after if not name.endswith(PLATFORM)}
        used = {name: _lambda_usage(before.get(name, {}), now) for name, now in after.items()}
        seconds = workers * elapsed_s
        fargate = Usage(fargate_vcpu_s=seconds * WORKER_VCPU, fargate_gb_s=seconds * WORKER_GB)
        executors = [Usage(lambda_gb_s=used[name].lambda_gb_s) for name in pools]
        platform = [u for name, u in used.items() if name not in pools and not name.endswith(TIMED)]
        invoked = Usage(lambda_requests=sum(used[name].lambda_requests for name in pools))
        with self._file.open() as file:
            file.seek(offset)
            reading = read_lines(file)
        return Metered(
            backend="sandbox",
            n=n,
            elapsed_s=elapsed_s,
            reading=reading,
            functions=total([*platform, invoked]),
            compute=total([*executors, fargate]),
        )

    def _quiet(self) -> None:
        """Wait until no requests come but idle polls."""
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < QUIET_S:
            with self._file.open() as file:
                now = sum(read_lines(file).without_idle().counts.values())
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(QUIET_S / 5)


def _lambda_usage(before: dict[str, float], now: dict[str, float]) -> Usage:
    seconds = now["billed_s"] - before.get("billed_s", 0)
    return Usage(
        lambda_requests=now["invocations"] - before.get("invocations", 0),
        lambda_gb_s=seconds * now["memory_mib"] / MIB_PER_GB,
    )


def on_sandbox(n: int, flow: str = "cold") -> Metered:
    """Meter a fan-out of n on a sandbox of its own."""
    with MeteredSandbox() as sandbox:
        sandbox.meter(WARM_UP, flow)
        return sandbox.meter(n, flow)


def _check(values: list[int], n: int) -> None:
    if values != list(range(n)):
        raise SystemExit("the run's result is wrong or out of order")


def measured(backend: str, n: int, flow: str = "cold") -> dict[str, Any]:
    """Return the figures of a fan-out of n on `moto` or `sandbox`; see `FLOWS`."""
    metered = on_moto(n, flow) if backend == "moto" else on_sandbox(n, flow)
    return {"parent": flow, **figures(metered)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("moto", "sandbox"), default="moto")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--parent", choices=FLOWS, default="cold", help="where it runs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measured(options.backend, options.n, options.parent)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        if not isinstance(value, dict):
            print(f"{name:>34}  {value}{f'  (goal {GOALS[name]:g})' if name in GOALS else ''}")
            continue
        print(f"{name}:")
        for key, part in value.items():
            shown = "  ".join(f"{k} {v}" for k, v in part.items()) if isinstance(part, dict) else part
            print(f"{key:>34}  {shown}")


if __name__ == "__main__":
    main()
