"""Lambda entry points: each parses, makes one call, encodes."""
