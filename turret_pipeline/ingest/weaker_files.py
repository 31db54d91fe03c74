"""Files that were read with weaker privacy settings than those in force, so that they have to be read again."""

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl
from upath import UPath

from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.ingest.source_files import hash_content

_HASHED_ID = "^[0-9a-f]{32}$"


def find_weaker_files(
    parts: PartStore, privacy: Privacy, inputs: Sequence[Path | UPath], erased: Collection[str] = ()
) -> dict[str, Path | UPath]:
    """Contents that were read with another salt, or before a kind of personal data was replaced, and their files.

    They are sought where they were read, and among the inputs, in case the folder was moved. A file may have grown
    since. Contents that are being ``erased`` are left out.

    Raises TurretError if one of these files is gone or has another content now.
    """
    read = sorted({*parts.content_hashes()} - {*erased})
    weaker = [sha for sha in read if not _is_protected(parts, sha, privacy)]
    found = {sha: _find_source(parts, sha, _list_paths(parts, sha)) for sha in weaker}
    for sha in [sha for sha, path in found.items() if path is None]:
        found[sha] = _find_source(parts, sha, inputs)
    if gone := [sha for sha, path in found.items() if path is None]:
        name = display_path(Path(parts.paths_of(gone[0])[0]))
        raise TurretError(
            f"{len(gone)} of the files that were read with weaker privacy settings or another salt are gone or "
            f"changed, the first is {name}: restore them, erase what was read from them with turret forget --file, or "
            "set user_id_salt and the scrub settings as they were."
        )
    return {sha: path for sha, path in found.items() if path is not None}


def _is_protected(parts: PartStore, sha: str, privacy: Privacy) -> bool:
    """True if a content needs not be read again. Of an earlier version's, only ids show how it was read."""
    stamp = parts.read_privacy_stamp(sha)
    if stamp is not None:
        return privacy.is_as_strict_as(stamp)
    if privacy.salt is None:
        return True
    files = [file for file in parts.part_files("events") if Path(file).parent.name == sha]
    users = pl.scan_parquet(files, glob=False).select(pl.col("user_id").drop_nulls())
    return bool(users.select(pl.col("user_id").str.contains(_HASHED_ID).all()).collect().item())


def _list_paths(parts: PartStore, sha: str) -> list[Path | UPath]:
    return [UPath(name) if "://" in name else Path(name) for name in parts.paths_of(sha)]


def _find_source(parts: PartStore, sha: str, paths: Sequence[Path | UPath]) -> Path | UPath | None:
    """The first file that has the content, or begins with it; None if there is none."""
    row = parts.read_row(sha)
    size = None if row is None or "byte_count" not in row.columns else row["byte_count"].item()
    for path in paths:
        if path.exists() and (size is None or path.stat().st_size >= size) and hash_content(path, size) == sha:
            return path
    return None
