"""The errors that users see, and the paths and names in its message."""

from collections.abc import Sequence
from pathlib import Path

NAMES_SHOWN = 20


class TurretError(Exception):
    """An error that the user can fix. The message names the thing, its value, what is wrong, and the fix."""


class FaultError(TurretError):
    """A fault of the machine or of a stored file, not of what the user asked for: commands end with exit code 1."""


def display_path(path: Path) -> str:
    """The path relative to the working folder if it is below it, else the path itself."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def list_names(names: Sequence[str]) -> str:
    """The first NAMES_SHOWN names and the number of further ones, for a message; "none" if there are no names."""
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return f"{', '.join(names[:NAMES_SHOWN])}{more}" if names else "none"
