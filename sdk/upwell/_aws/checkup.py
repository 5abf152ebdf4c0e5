"""Looks at a deployment with the rights of who asks: for `upwell doctor`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from upwell import errors
from upwell._aws.clients import Clients
from upwell._aws.errors import DEPLOY, explain, is_denied, is_missing_queue
from upwell._aws.platform import describe_platform, ports_of
from upwell._core.checkup import (
    CONCURRENCY_MIN,
    VCPUS_MIN,
    Finding,
    Level,
    fail,
    judge_clock,
    judge_concurrency,
    judge_lost_changes,
    judge_queue,
    judge_quota,
    judge_stack,
    judge_versions,
    ok,
)
from upwell._core.keys import DEAD_SUFFIX, DEFAULT_POOL, LOST_CHANGES, bundle_key
from upwell._core.model import ROOT_ID, ActionKey
from upwell._core.settings import Settings

WAITING = "ApproximateNumberOfMessages"
NOBODY = "doctor"
"""Run, cache entry and bundle that do not exist, and are asked for."""
NO_REGION = "set AWS_REGION, or `region` in upwell.toml or the AWS profile"
Look = Callable[[], Awaitable[Finding | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Something to look at.

    Attributes:
        check: Name of the check.
        what: What is looked at, as a person knows it.
        permission: What it takes.
        look: Does it; None is as it should be.
        unseen: How bad it is to get no answer.
    """

    check: str
    what: str
    permission: str
    look: Look
    unseen: Level = Level.FAIL


async def examine(clients: Clients, prefix: str, sdk_version: str) -> list[Finding]:
    """Look at credentials, clock, deployment, access and quotas, in this order, as far as one gets.

    Args:
        clients: Of the account that is looked at.
        prefix: Of the platform.
        sdk_version: The version of upwell here.
    """
    found: list[Finding] = []
    try:
        if not clients.region:
            return [fail("region", "none is configured", NO_REGION)]
        found.append(ok("region", clients.region))
        answer = await clients.call(lambda: clients.sts.get_caller_identity())
    except (BotoCoreError, ClientError) as e:
        return [*found, *_of_error("credentials", "who you are", e)]
    found += [ok("credentials", f"{answer['Arn']}, account {answer['Account']}"), *_clock(answer)]
    try:
        platform = await describe_platform(clients, prefix)
    except (BotoCoreError, ClientError, errors.UpwellError) as e:
        return [*found, *_of_error("deployment", f"stack {prefix}", e, "cloudformation:DescribeStacks")]
    found += [judge_stack(prefix, platform.status), judge_versions(sdk_version, platform.version)]
    return [*found, *await examine_access(clients, platform.settings), *await _quotas(clients)]


async def examine_access(clients: Clients, settings: Settings) -> list[Finding]:
    """Make the requests that clients make, for things that do not exist."""
    return [finding for probe in _access(clients, settings) for finding in await _look_at(probe)]


def _access(clients: Clients, settings: Settings) -> Iterator[Probe]:
    ports = ports_of(clients, settings)
    nobody = ActionKey(NOBODY, ROOT_ID)

    def reads(what: str, permission: str, request: Callable[[], Awaitable[object]]) -> Probe:
        async def look() -> None:
            await request()

        return Probe(check="access", what=what, permission=permission, look=look)

    yield reads(f"table {settings.runs_table}", "dynamodb:Query", lambda: ports.store.list_runs(1))
    yield reads(f"table {settings.actions_table}", "dynamodb:GetItem", lambda: ports.store.get(nobody))
    yield reads(f"table {settings.journal_table}", "dynamodb:Query", lambda: ports.store.read(nobody, 0))
    yield reads(
        f"table {settings.cache_table}", "dynamodb:BatchGetItem", lambda: ports.store.get_cached([NOBODY])
    )
    yield reads(
        f"bucket {settings.bucket}",
        "s3:GetObject and s3:ListBucket",
        lambda: ports.blobs.exists(bundle_key(NOBODY)),
    )
    machine = settings.state_machine_arn
    yield Probe(
        check="access",
        what=f"state machine {machine.rpartition(':')[2]}",
        permission="states:DescribeStateMachine",
        look=lambda: _machine(clients, machine),
        unseen=Level.WARN,
    )
    yield Probe(
        check="queue",
        what=f"queue of pool {DEFAULT_POOL}",
        permission="sqs:GetQueueAttributes",
        look=lambda: _queue(clients, settings),
    )
    yield Probe(
        check="views",
        what="queue of changes that could not be counted",
        permission="sqs:GetQueueAttributes",
        look=lambda: _lost_changes(clients, settings),
        unseen=Level.WARN,
    )


async def _machine(clients: Clients, arn: str) -> Finding | None:
    answer = await clients.call(lambda: clients.stepfunctions.describe_state_machine(stateMachineArn=arn))
    status = answer.get("status", "ACTIVE")
    if status == "ACTIVE":
        return None
    return fail("access", f"the state machine is {status}", "deploy the platform again: `cdk deploy`")


async def _queue(clients: Clients, settings: Settings) -> Finding:
    dead = f"{DEFAULT_POOL}{DEAD_SUFFIX}"
    in_flight = await _count(clients, settings, DEFAULT_POOL, "ApproximateNumberOfMessagesNotVisible")
    return judge_queue(DEFAULT_POOL, in_flight, await _count(clients, settings, dead, WAITING))


async def _lost_changes(clients: Clients, settings: Settings) -> Finding:
    n = await _count(clients, settings, LOST_CHANGES, WAITING)
    return judge_lost_changes(settings.queue_url(LOST_CHANGES), n)


async def _count(clients: Clients, settings: Settings, name: str, attribute: Any) -> int:
    url = settings.queue_url(name)
    answer = await clients.call(
        lambda: clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])
    )
    return int(answer["Attributes"][attribute])


async def _quotas(clients: Clients) -> list[Finding]:
    def quota(check: str, service: str, code: str, least: float) -> Probe:
        async def look() -> Finding:
            answer = await clients.call(
                lambda: clients.service_quotas.get_service_quota(ServiceCode=service, QuotaCode=code)
            )
            return judge_quota(check, answer["Quota"]["QuotaName"], answer["Quota"]["Value"], least)

        permission = "servicequotas:GetServiceQuota"
        return Probe(
            check=check, what=f"quotas of {service}", permission=permission, look=look, unseen=Level.WARN
        )

    probes = [
        Probe(
            check="lambda concurrency",
            what="settings of Lambda",
            permission="lambda:GetAccountSettings",
            look=lambda: _concurrency(clients),
            unseen=Level.WARN,
        ),
        quota("lambda quota", "lambda", "L-B99A9384", CONCURRENCY_MIN),
        quota("fargate quota", "fargate", "L-3032A538", VCPUS_MIN),
        Probe(
            check="step functions quota",
            what="quotas of states",
            permission="servicequotas:ListServiceQuotas",
            look=lambda: _starts(clients),
            unseen=Level.WARN,
        ),
    ]
    return [finding for probe in probes for finding in await _look_at(probe)]


async def _concurrency(clients: Clients) -> Finding:
    answer = await clients.call(lambda: clients.lambda_.get_account_settings())
    limit = answer["AccountLimit"]
    return judge_concurrency(limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"])


async def _starts(clients: Clients) -> Finding:
    """Find the quota of how fast runs may be started; its code is not documented, its name is."""

    def listed() -> list[dict[str, Any]]:
        pages = clients.service_quotas.get_paginator("list_service_quotas").paginate(ServiceCode="states")
        return [quota for page in pages for quota in page["Quotas"]]

    check, least = "step functions quota", 20.0
    for quota in await clients.call(listed):
        if "StartExecution" in quota["QuotaName"] and "refill" in quota["QuotaName"].lower():
            return judge_quota(check, quota["QuotaName"], quota["Value"], least)
    return ok(check, "StartExecution has no quota of the account's own; that of AWS holds")


async def _look_at(probe: Probe) -> list[Finding]:
    try:
        found = await probe.look()
    except (BotoCoreError, ClientError, errors.UpwellError, LookupError) as e:
        return _of_error(probe.check, probe.what, e, probe.permission, probe.unseen)
    return [found or ok(probe.check, probe.what)]


def _clock(answer: Any) -> list[Finding]:
    said = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    if said is None:
        return []
    return [judge_clock((datetime.now(UTC) - parsedate_to_datetime(said).astimezone(UTC)).total_seconds())]


def _of_error(
    check: str, what: str, error: Exception, permission: str = "", level: Level = Level.FAIL
) -> list[Finding]:
    """Return the finding that an error is, with what is to be done about it."""
    if is_denied(error) and permission:
        text = f"{what}: not allowed to look ({permission})"
        todo = f"have {permission} allowed, or use another AWS profile"
    elif is_missing_queue(error):
        text, todo = f"{what} does not exist", DEPLOY
    else:
        clear = error if isinstance(error, errors.UpwellError) else explain(error, what)
        text, _, todo = str(clear).partition("; ")
    todo = todo or f"see what answers requests for {what}: it is not as AWS does"
    return [Finding(check=check, level=level, found=text, todo=todo)]
