"""Projects: each has a name and a data folder of its own, which `turret run --data-dir` takes."""

import re
from pathlib import Path

from turret_pipeline.errors import TurretError

# lower case only: two names never meet in one folder, whatever the file system thinks of capitals
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def checked_name(name: str) -> str:
    """The name of a project. TurretError where it could lead out of the folder of projects, or to two of one name."""
    if not _NAME.fullmatch(name):
        raise TurretError(
            f"The project name {name!r} cannot be used: take 1 to 63 of a-z, 0-9, _ and -, the first a letter or digit."
        )
    return name


def landing_folder(data_dir: Path, project: str) -> Path:
    """Where the events of a project land."""
    return data_dir / "projects" / checked_name(project) / "landing"
