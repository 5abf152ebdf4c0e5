"""Emulated AWS on a laptop: the deployed templates on an emulator, with real Lambda and worker processes."""
