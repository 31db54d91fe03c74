"""The one error a person is meant to read."""


class TurretError(Exception):
    """Something the person can mend. The message says the thing, its value, the verdict and the remedy."""
