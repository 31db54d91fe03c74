"""Command-line options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")]
