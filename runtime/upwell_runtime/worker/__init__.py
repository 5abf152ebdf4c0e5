"""The warm executor: a process that serves one pool until it is told to stop."""
