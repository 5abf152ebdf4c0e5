"""Aggregates an Iceberg table in parallel: paths of data files travel between tasks, never their content.

upwell run examples/iceberg_aggregation.py main --rows 100000 --partitions 4

As a script it also says how many bytes went through the engine: python examples/iceberg_aggregation.py
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io import load_file_io
from pyiceberg.table import Table

import upwell

env = upwell.TaskEnvironment(
    name="iceberg",
    reuse_policy=upwell.ReusePolicy(
        replicas=(1, 4), concurrency=4, scaledown_ttl=timedelta(minutes=5), idle_ttl=timedelta(minutes=30)
    ),
)
CITIES = ("Bergen", "Oslo", "Tromsø")


def io_properties() -> dict[str, str]:
    """Return how Iceberg reaches the data: by AWS's own settings, at their endpoint."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    return {"s3.endpoint": endpoint} if endpoint else {}


def create_table(warehouse: str, rows: int, files: int) -> Table:
    """Create a table of trips, in as many data files."""
    catalog_file = Path(tempfile.mkdtemp()) / "catalog.db"
    catalog = SqlCatalog("example", uri=f"sqlite:///{catalog_file}", warehouse=warehouse, **io_properties())
    catalog.create_namespace("demo")
    schema = pa.schema([("trip", pa.string()), ("city", pa.string()), ("distance_km", pa.int64())])
    table = catalog.create_table("demo.trips", schema)
    paths = [f"{table.location()}/data/{number:05}.parquet" for number in range(files)]
    for number, path in enumerate(paths):
        ids = range(number, rows, files)
        columns = {
            "trip": [f"{uuid.UUID(int=i * 0x9E3779B97F4A7C15)}" for i in ids],
            "city": [CITIES[i % 3] for i in ids],
            "distance_km": [i % 10 for i in ids],
        }
        with table.io.new_output(path).create() as stream:
            pq.write_table(pa.table(columns, schema=schema), stream)
    table.add_files(paths)
    catalog.close()
    return table


def distribute_files(file_paths: list[str], num_partitions: int) -> list[list[str]]:
    """Spread files evenly over partitions."""
    return [file_paths[i::num_partitions] for i in range(num_partitions)]


@env.task
async def aggregate_partition(files: list[str], partition_id: int) -> dict[str, int]:
    """Return the sum of distances by city over some data files."""
    return await asyncio.to_thread(sum_by_city, files)


def sum_by_city(files: Iterable[str]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for path in files:
        with load_file_io(io_properties(), path).new_input(path).open() as stream:
            table = pq.read_table(stream, columns=["city", "distance_km"])
        grouped = table.group_by("city").aggregate([("distance_km", "sum")])
        for row in grouped.to_pylist():
            totals[row["city"]] = totals.get(row["city"], 0) + row["distance_km_sum"]
    return totals


@env.task
async def main(rows: int = 100_000, partitions: int = 4, files: int = 100) -> dict[str, int]:
    warehouse = upwell.ctx().raw_data_path.rstrip("/") + "/warehouse"
    table = await asyncio.to_thread(create_table, warehouse, rows, files)

    # Instead of loading entire table, get file paths
    data_files = [task.file for task in table.scan().plan_files()]
    file_paths = [file.file_path for file in data_files]
    size_bytes = sum(file.file_size_in_bytes for file in data_files)
    print(f"{len(data_files)} files, {size_bytes:,} bytes", file=sys.stderr)

    # Distribute files across partitions (zero-copy!)
    partition_files = distribute_files(file_paths, partitions)

    # Process partitions in parallel
    results = await asyncio.gather(
        *[aggregate_partition(files, partition_id) for partition_id, files in enumerate(partition_files)]
    )

    # Combine
    return {city: sum(result.get(city, 0) for result in results) for city in CITIES}


def engine_bytes(run_name: str) -> int:
    """Return how large all inputs and results of a run's actions are together."""
    command = [Path(sys.executable).with_name("upwell"), "get", "actions", run_name, "--json"]
    actions = json.loads(subprocess.check_output(command))
    return sum(action["input_bytes"] + action["output_bytes"] for action in actions)


if __name__ == "__main__":
    run = upwell.run(main)
    print(run.outputs())
    print(f"{engine_bytes(run.name):,} bytes went through the engine")
