"""`turret doctor`: check every stored file of the data folder, and repair what can be repaired."""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.storage.data_dir import DataDir

if TYPE_CHECKING:
    from turret_pipeline.storage.damage import Finding


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Find damaged files in the data folder, and repair them.

    Says of each what is wrong and what to do; repairs only with --repair. Reads everything to its end, so it takes
    minutes in a large folder. Runs repair what they need by themselves. Exit codes: 0 nothing is damaged, or all of
    it is repaired; 1 something is damaged.
    """
    settings = load_settings(data_dir=data_dir)
    data, console = DataDir(settings.data_dir), new_console(stderr=False)
    if not data.root.is_dir():
        raise TurretError(f"The data folder {display_path(data.root)} does not exist: pass another with --data-dir.")
    left = found = 0
    with data.lock():
        for finding in _list_findings(settings, data):
            found += 1
            is_repaired = repair and finding.repair is not None
            if is_repaired and finding.repair is not None:
                finding.repair()
            left += not is_repaired
            state = "repaired" if is_repaired else "not repaired" if finding.repair is None else "can be repaired"
            console.print_lines(f"{state}: {finding.sentence()}")
    console.print_lines(_describe_result(found, left, is_repair=repair, folder=display_path(data.root)))
    if left:
        raise typer.Exit(1)


def _describe_result(found: int, left: int, *, is_repair: bool, folder: str) -> str:
    if not found:
        return f"Nothing is damaged in {folder}."
    if not left:
        return f"All {found:,} findings are repaired: the next turret run makes what was removed again."
    more = "" if is_repair else " Run turret doctor --repair to repair what can be repaired."
    return f"{left:,} of {found:,} findings are left.{more}"


def _list_findings(settings: Settings, data: DataDir) -> "Iterator[Finding]":
    from turret_pipeline.ingest.new_files import begin_ingestion, make_parse_options
    from turret_pipeline.ingest.part_damage import find_damaged_parts
    from turret_pipeline.ingest.parts import PartStore
    from turret_pipeline.orchestration.dagster_home import find_damaged_history
    from turret_pipeline.storage.damage import find_damage, find_damaged_lists

    yield from find_damage(data, is_thorough=True)
    yield from find_damaged_history(data.dagster_home)
    yield from find_damaged_lists(data)
    options_of = functools.partial(make_parse_options, settings=settings)
    yield from find_damaged_parts(PartStore(data.parts), options_of, begin_ingestion(data))
