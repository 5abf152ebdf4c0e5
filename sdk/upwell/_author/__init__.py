"""What people write: environments, tasks, traces, map, run context."""
