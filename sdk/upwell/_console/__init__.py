"""The Run API, and the console that is served with it."""
