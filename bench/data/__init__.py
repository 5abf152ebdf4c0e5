"""What data costs on its way: files, directories, frames. `python -m bench.data`."""
