"""Values to bytes and back, and references to data."""
