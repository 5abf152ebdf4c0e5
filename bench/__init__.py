"""Benchmarks: commands that print figures. `python -m bench.fanout --help`."""
