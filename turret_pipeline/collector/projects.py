"""Projects: each has a name and its own data folder, for `turret run --data-dir`."""

import re
from pathlib import Path

from turret_pipeline.errors import TurretError

# lower case only, so that two names never share a folder on a file system that ignores case
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def validate_project_name(name: str) -> str:
    """The name, if it is safe as the name of a folder. Raises TurretError otherwise."""
    if not _NAME.fullmatch(name):
        raise TurretError(
            f"Invalid project name {name!r}: use 1 to 63 of a-z, 0-9, _ and -, starting with a letter or digit."
        )
    return name


def landing_folder(data_dir: Path, project: str) -> Path:
    """Folder of the landing files of a project. Raises TurretError if the project name is invalid."""
    return data_dir / "projects" / validate_project_name(project) / "landing"
