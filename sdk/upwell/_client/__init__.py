"""Submitting and following runs, on any backend."""
