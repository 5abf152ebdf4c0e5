"""What tasks print and log: caught where they do it, told apart by attempt, bounded, without their secrets."""
