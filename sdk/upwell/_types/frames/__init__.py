"""Data frames: what class they are, their parquet files, and how each stands in a value."""
