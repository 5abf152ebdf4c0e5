"""Random programs under random faults, with what must hold afterwards: `python -m bench.faults --help`."""
