"""Values to bytes and back, and references to data that is not passed by value."""
