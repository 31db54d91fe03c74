"""The one error a person is meant to read, and paths as a person types them."""

from pathlib import Path


class TurretError(Exception):
    """Something the person can mend. The message says the thing, its value, the verdict and the remedy."""


def display_path(path: Path) -> str:
    """The path as a person at this place would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
