from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench.meter import WARM_UP, figures, on_moto

from upwell._aws.clients import Clients
from upwell._aws.meter import METER_FILE, Meter, MeterFile, MeterReading, read_lines
from upwell._core.usage import Usage
from upwell.testing.moto_aws import ENVIRONMENT, REGION, moto_platform

QUEUE = "metered"


def test_each_request_is_counted_with_what_it_is_billed_as() -> None:
    counted = MeterReading()
    with moto_platform() as (_, settings):
        clients = Clients(region=REGION, environment=ENVIRONMENT, threads=1, meter=Meter(counted.count))
        item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "record": {"S": "x" * 1500}}
        clients.dynamodb.put_item(TableName=settings.actions_table, Item=item)
        url = clients.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        clients.copy().sqs.send_message(QueueUrl=url, MessageBody="hello")  # a copy has the meter, too
        clients.sqs.receive_message(QueueUrl=url)
        clients.sqs.receive_message(QueueUrl=url)
        clients.close()
    reading = counted.take()
    assert reading.counts == {
        "dynamodb.PutItem": 1,
        "sqs.CreateQueue": 1,
        "sqs.SendMessage": 1,
        "sqs.ReceiveMessage": 1,
        "sqs.ReceiveMessage (empty)": 1,
    }
    assert reading.usages["dynamodb.PutItem"] == Usage(requests=1, write_units=2)
    assert reading.usage.sqs_requests == 4
    assert reading.without_idle().usage.requests == 4
    assert not counted.take().counts


def test_processes_that_are_killed_have_counted_into_their_file(tmp_path: Path) -> None:
    file = tmp_path / "requests"
    program = (
        "import os, signal\n"
        "from upwell._aws.meter import meter_of\n"
        "from upwell._core.usage import Usage\n"
        "meter = meter_of(os.environ)\n"
        "for _ in range(50): meter._count('sqs.SendMessage', Usage(requests=1, sqs_requests=1))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], env={METER_FILE: str(file)}) for _ in range(3)
    ]
    assert [process.wait() for process in processes] == [-9] * 3
    assert read_lines(file.read_text().splitlines()).usage == Usage(requests=150, sqs_requests=150)


def test_a_line_says_only_what_was_used(tmp_path: Path) -> None:
    MeterFile(str(tmp_path / "f")).count("s3.GetObject", Usage(requests=1, s3_gets=1))
    assert (tmp_path / "f").read_text() == '["s3.GetObject",{"requests":1,"s3_gets":1}]\n'


def test_a_fan_out_on_moto_costs_two_puts_an_action_and_one_execution() -> None:
    n = 30
    metered = on_moto(n)
    assert metered.reading.counts["stepfunctions.StartExecution"] == 1, f"the run of {WARM_UP} is not counted"
    assert metered.reading.counts["dynamodb.PutItem"] == 2 * (n + 1), "a claim and a finish each, root included"
    shown = figures(metered)
    assert shown["transitions"] == 5
    # n + 1 records twice, and the run's own 6; entries of the journal share units.
    records = 2 * (n + 1) + 6
    assert records < shown["write_units_per_action"] * n < records + n
    assert shown["control_usd_per_million_actions"] == pytest.approx(
        sum(shown["control_usd_by_service"].values()), abs=0.01
    )
