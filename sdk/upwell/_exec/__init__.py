"""The engine at work: driver, executor, worker, invocation."""
