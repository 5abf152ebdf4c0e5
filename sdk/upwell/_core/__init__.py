"""The engine's decisions: pure data and functions. No I/O, no clock, no randomness; ports carry them out."""
