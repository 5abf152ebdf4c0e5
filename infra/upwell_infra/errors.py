"""What goes wrong before anything is deployed."""


class InfraError(ValueError):
    """What was asked for cannot be deployed: a name, a number or a value of the context."""
