"""upwell."""
