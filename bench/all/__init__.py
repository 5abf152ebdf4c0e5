"""All measurements in one: `python -m bench.all --json out.json`."""
