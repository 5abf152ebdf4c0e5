"""The benchmark of data moves it, and compares like with like."""

from __future__ import annotations

from bench.data import directories, files, memory


def test_files_are_measured_beside_boto3() -> None:
    figures = files.measure(20, 1)
    assert figures["upload_to_boto3"] > 0
    assert figures["download_to_boto3"] > 0


def test_directories_are_measured_beside_a_loop() -> None:
    figures = directories.measure(50, 100, 5, 5.0, 1)
    assert figures["upload_to_loop"] > 0
    assert figures["download_to_loop"] > 0


def test_large_files_move_in_little_memory() -> None:
    peaks = memory.measure(200, files=0, kinds=("upload",))
    assert 0 < peaks["upload_peak_mb"] < 200
