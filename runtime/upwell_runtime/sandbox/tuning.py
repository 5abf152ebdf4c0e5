"""Settings that differ from the deployed ones because everything is on one machine."""

TUNING = {
    "UPWELL_LEASE_S": "10.0",  # a killed worker is noticed in seconds
    "UPWELL_HEARTBEAT_S": "2.0",
    "UPWELL_SILENCE_S": "5.0",
    "UPWELL_SWEEP_S": "12.0",  # more than a lease, so that a redelivery comes first
    "UPWELL_MAX_IN_FLIGHT": "500",  # the emulator's queues get slow with their depth
}
"""Environment variables, as `Settings.from_env` reads them."""
