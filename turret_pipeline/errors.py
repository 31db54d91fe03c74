"""TurretError, the error that users see, and paths as users type them."""

from pathlib import Path


class TurretError(Exception):
    """An error that the user can fix. The message names the thing, its value, what is wrong, and the fix."""


def display_path(path: Path) -> str:
    """The path relative to the working folder if it is below it, else the path itself."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
