"""Programs of other engines, each run in an environment of its own: see `bench.all.peers`."""
