"""`turret backup` and `turret restore`: the data folder as one archive."""

from pathlib import Path
from typing import Annotated

import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import display_path
from turret_pipeline.storage.data_dir import DataDir


def backup(
    archive: Annotated[Path, typer.Argument(metavar="PATH", help="File to write: .tar, or .tar.gz to compress it.")],
    data_dir: DataDirOption = None,
) -> None:
    """Write a backup of the data folder to one file.

    Runs and the collector may be at work meanwhile. It holds what people wrote and the keys of the collector: only
    its owner can read it. Files outside the data folder and turret.toml are not in it.
    """
    from turret_pipeline.storage.backup import back_up

    data = DataDir(load_settings(data_dir=data_dir).data_dir)
    count = back_up(data, archive)
    new_console(stderr=False).print_lines(
        f"Wrote {count:,} files of {display_path(data.root)} to {display_path(archive)}."
    )


def restore(
    archive: Annotated[Path, typer.Argument(metavar="PATH", help="A file that turret backup wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace everything in a data folder that has files.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Restore a data folder from a backup.

    The next run gives the tables that a run at the time of the backup would have given. A folder that has files is
    replaced only with --force.
    """
    from turret_pipeline.storage.backup import restore as put_back

    data = DataDir(load_settings(data_dir=data_dir).data_dir)
    sentences = put_back(archive, data, is_forced=force)
    new_console(stderr=False).print_lines(
        f"Restored {display_path(data.root)} from {display_path(archive)}.", *sentences
    )
