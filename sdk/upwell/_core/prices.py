"""What AWS asks for: the one table of prices, and usage turned into dollars.

Prices are those of us-east-1 without free tiers and volume discounts, as the pages named here gave them; put
together on the date of `PRICES_OF`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from upwell._core.usage import Usage

REGION = "us-east-1"
PRICES_OF = "2026-11-25"
MILLION = 1_000_000
HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit of something costs.

    Attributes:
        usd: Dollars for one.
        unit: What one is.
        source: Page that says so.
    """

    usd: float
    unit: str
    source: str


def _per_million(usd: float, unit: str, page: str) -> Price:
    return Price(usd=usd / MILLION, unit=unit, source=f"https://aws.amazon.com/{page}/pricing/")


def _price(usd: float, unit: str, page: str) -> Price:
    return Price(usd=usd, unit=unit, source=f"https://aws.amazon.com/{page}/pricing/")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices; those of `Usage`'s fields bear the same names."""

    write_units: Price
    read_units: Price
    sqs_requests: Price
    fair_requests: Price
    s3_puts: Price
    s3_gets: Price
    transitions: Price
    events: Price
    lambda_requests: Price
    lambda_gb_s: Price
    fargate_vcpu_s: Price
    fargate_gb_s: Price
    durable_operations: Price
    durable_gb: Price
    express_requests: Price
    express_gb_s: Price


PRICES = PriceTable(
    write_units=_per_million(0.625, "write of 1 KB, on demand", "dynamodb"),
    read_units=_per_million(0.125, "strongly consistent read of 4 KB, on demand", "dynamodb"),
    sqs_requests=_per_million(0.40, "request of up to 64 KB, standard queue", "sqs"),
    fair_requests=_per_million(0.10, "request on a fair queue, on top", "sqs"),
    s3_puts=_per_million(5.00, "PUT, COPY, POST or LIST", "s3"),
    s3_gets=_per_million(0.40, "GET or other read", "s3"),
    transitions=_per_million(25.00, "state transition, Standard", "step-functions"),
    events=_per_million(1.00, "custom event of up to 64 KB", "eventbridge"),
    lambda_requests=_per_million(0.20, "invocation", "lambda"),
    lambda_gb_s=_price(0.0000166667, "GB-second, x86", "lambda"),
    fargate_vcpu_s=_price(0.04048 / HOUR_S, "vCPU-second, Linux on x86", "fargate"),
    fargate_gb_s=_price(0.004445 / HOUR_S, "GB-second, Linux on x86", "fargate"),
    durable_operations=_per_million(8.00, "operation of a durable function", "lambda"),
    durable_gb=_price(0.25, "GB written by a durable function", "lambda"),
    express_requests=_per_million(1.00, "execution of an Express workflow", "step-functions"),
    express_gb_s=_price(0.00001667, "GB-second of an Express workflow", "step-functions"),
)

SERVICES: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("write_units", "read_units"),
    "sqs": ("sqs_requests", "fair_requests"),
    "s3": ("s3_puts", "s3_gets"),
    "step functions": ("transitions",),
    "eventbridge": ("events",),
    "lambda": ("lambda_requests", "lambda_gb_s"),
    "fargate": ("fargate_vcpu_s", "fargate_gb_s"),
}
"""What is billed, by service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What usage costs.

    Attributes:
        lines: Dollars by what is billed, as `Usage` names it; without what was not used.
    """

    lines: Mapping[str, float] = field(default_factory=dict)

    @property
    def usd(self) -> float:
        """The sum."""
        return sum(self.lines.values())

    @property
    def services(self) -> dict[str, float]:
        """Dollars by service."""
        sums = {name: sum(self.lines.get(line, 0.0) for line in lines) for name, lines in SERVICES.items()}
        return {name: usd for name, usd in sums.items() if usd}


def price(usage: Usage, prices: PriceTable = PRICES) -> Bill:
    """Return what usage costs, line by line."""
    billed = {line for lines in SERVICES.values() for line in lines}
    amounts = {f.name: getattr(usage, f.name) for f in fields(usage) if f.name in billed}
    return Bill(lines={name: n * getattr(prices, name).usd for name, n in amounts.items() if n})


# --- what others would ask for --------------------------------------------------------------------------------

STANDARD_CHILD_TRANSITIONS = 3
"""Of an item of a Distributed Map with Standard children: its start, the task's state, its end."""
EXPRESS_CHILD_TRANSITIONS = 1
"""With Express children: the start alone; the child is billed as an Express execution."""
EXPRESS_CHILD_GB_S = 64 / 1024 * 0.1
"""The smallest that is billed: 64 MB for 100 ms."""
DURABLE_OPERATIONS = 1
"""Of an item of a durable function's `map`: its own checkpoint. A step or an invocation in it is one more."""
DURABLE_BYTES = 1000
"""Written with it: about what an action's record has here."""
GB = 1e9


def alternatives(prices: PriceTable = PRICES) -> dict[str, float]:
    """Return what the control plane of a million items costs elsewhere, in dollars, without the items' compute.

    They are lower bounds: retries, larger payloads and the calling workflow come on top.
    """
    express = EXPRESS_CHILD_TRANSITIONS * prices.transitions.usd + prices.express_requests.usd
    durable = DURABLE_OPERATIONS * prices.durable_operations.usd + DURABLE_BYTES / GB * prices.durable_gb.usd
    each = {
        "distributed map, standard children": STANDARD_CHILD_TRANSITIONS * prices.transitions.usd,
        "distributed map, express children": express + EXPRESS_CHILD_GB_S * prices.express_gb_s.usd,
        "lambda durable functions": durable,
    }
    return {name: round(usd * MILLION, 4) for name, usd in each.items()}
