"""New input files to parts, as the settings say."""

import functools
from collections.abc import Callable
from pathlib import Path

import duckdb
from upath import UPath

from turret_pipeline.clock import now
from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.events.formats.times import find_zone
from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.ingest.discovery import describe_skipped, discover, event_files
from turret_pipeline.ingest.part_damage import find_damaged_parts
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.ingest.source_files import modification_time
from turret_pipeline.ingest.weaker_files import find_weaker_files
from turret_pipeline.progress import Progress
from turret_pipeline.scrubbing.identifiers import ErasedIds
from turret_pipeline.shards.local import LOCAL
from turret_pipeline.shards.shard import Engine
from turret_pipeline.storage.damage import repair_all
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.tombstones import FILE


def read_new_files(
    settings: Settings, data: DataDir, progress: Progress, log: Callable[[str], None], engine: Engine = LOCAL
) -> bool:
    """Write the parts of every input file that was not read yet; True if damaged parts were repaired before.

    Raises TurretError if there is nothing to read, and FaultError if parts are damaged that the input no longer has.
    """
    parts = PartStore(data.parts, engine)
    options_of = functools.partial(make_parse_options, settings=settings, erased_ids=data.tombstones.erased_ids())
    damaged = find_damaged_parts(parts, options_of, begin_ingestion(data))
    repair_count = repair_all(damaged, lambda sentence: progress.say(f"Warning: {sentence}"))
    parts.write_missing_checksums()
    _read_again_if_stricter(settings, data, parts, progress, log, options_of)
    new = parts.new_files(find_input_files(settings, parts))
    log(f"{len(new)} new landing files, {len(parts.content_hashes())} known.")
    if skipped := describe_skipped(settings.input_patterns):
        log(skipped)
        progress.say(skipped)
    ingestion = begin_ingestion(data)
    for path in new:
        steps = parts.add(path, options_of(path), ingestion)
        rows = progress.track(f"Reading {path.name}", None, steps)
        log(f"{path.name}: {rows:,} rows read.")
    parts.signatures.drop_superseded()
    return repair_count > 0


def _read_again_if_stricter(
    settings: Settings,
    data: DataDir,
    parts: PartStore,
    progress: Progress,
    log: Callable[[str], None],
    options_of: Callable[[Path | UPath], ParseOptions],
) -> None:
    """Read all contents again that were read with weaker privacy settings or another salt.

    Raises TurretError, before anything is changed, if a file is gone. A killed run continues where it was.
    """
    privacy = Privacy(settings.scrubbed_kinds, settings.salt)
    erased = data.tombstones.select(FILE, parts.content_hashes())
    weaker = find_weaker_files(parts, privacy, find_input_files(settings, parts), erased)
    if not weaker:
        return
    log(f"The privacy settings are stricter than before: {len(weaker)} files are read again.")
    data.mark_stricter()
    for sha, path in weaker.items():
        steps = parts.add(path, options_of(path), begin_ingestion(data), replace=True, repaired_sha256=sha)
        progress.track(f"Reading {path.name} again", None, steps)


def begin_ingestion(data: DataDir) -> Ingestion:
    """An ingestion that starts now."""
    try:
        return Ingestion(now(), data.warehouse.latest_event_at())
    except (duckdb.Error, OSError) as error:
        raise FaultError(
            f"The published file {data.warehouse.published} is damaged ({str(error).splitlines()[0]}): turret doctor "
            "--repair repairs it or says what to restore."
        ) from None


def make_parse_options(path: Path | UPath, settings: Settings, erased_ids: ErasedIds | None = None) -> ParseOptions:
    """The options by which the rows of a file become events. ``erased_ids`` are those of users with a tombstone."""
    return ParseOptions(
        default_time=None if settings.missing_times == "refuse" else modification_time(path),
        selected_format=settings.selected_format,
        privacy=Privacy(settings.scrubbed_kinds, settings.salt, erased_ids),
        time_zone=find_zone(settings.input_time_zone),
        is_default_for_chats_only=settings.missing_times == "chats",
        keeps_tool_calls=settings.keep_tool_calls,
    )


def find_input_files(settings: Settings, parts: PartStore) -> list[Path | UPath]:
    """The input files, read or not. Raises TurretError if there are none and nothing was read before."""
    if settings.inputs:
        return discover(settings.inputs)
    landing = Path(settings.input_patterns[0])
    if any(event_files(landing)):
        return discover([str(landing)])
    if not parts.content_hashes():
        raise TurretError(
            f"Nothing to read: the landing folder {landing} has no event files. Put some there, or set TURRET_INPUTS "
            "(data/sample has an example)."
        )
    return []
