"""Adapters for one machine: SQLite, memory, folders."""
