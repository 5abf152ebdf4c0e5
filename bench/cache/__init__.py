"""What the cache costs, what it saves, and what its keys depend on."""
