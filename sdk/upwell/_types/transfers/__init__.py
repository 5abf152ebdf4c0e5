"""How blobs move: the port, and its adapters for this machine, object stores and web servers."""
