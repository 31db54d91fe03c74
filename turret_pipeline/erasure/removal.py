"""Removal of what matches tombstones from parts and landing files, content by content.

A kill between any two steps leaves parts and files from which the same removal continues.
"""

from collections.abc import Collection
from pathlib import Path

import polars as pl

from turret_pipeline.erasure.matching import Match, MentionTest
from turret_pipeline.ingest.discovery import event_files
from turret_pipeline.ingest.hashing import hash_file
from turret_pipeline.ingest.landing_erasure import write_without_rows
from turret_pipeline.ingest.parts import ERASED, FORGOTTEN, FORGOTTEN_PART_SCHEMA, PartStore
from turret_pipeline.ingest.source_files import file_signature
from turret_pipeline.storage.atomic_files import atomic_replace, commit, remove
from turret_pipeline.storage.checksums import changing

_POSITION = ["line_number", "item_number"]


def remove_from_parts(parts: PartStore, match: Match) -> None:
    """Remove the matched rows, and note their positions as parts of kind forgotten, so that every row still counts."""
    _remove_reread_rows(parts)
    contents = pl.concat([frame["content_sha256"] for frame in (match.rows, match.rejected, match.links)])
    for sha in contents.unique().sort():
        rows, rejected, links = (_of_content(frame, sha) for frame in (match.rows, match.rejected, match.links))
        with changing(parts.folder(sha)):
            _note_forgotten(parts.folder(sha), rows, rejected)
            _filter_parts(parts.folder(sha), rows, rejected, links, match.user_ids)


def _filter_parts(
    folder: Path, rows: pl.DataFrame, rejected: pl.DataFrame, links: pl.DataFrame, user_ids: frozenset[str]
) -> None:
    for file in sorted(folder.glob("events-*.parquet")):
        if _filter_part(file, rows, _POSITION):
            _remove_values(file)
    for file in sorted(folder.glob("rejected-*.parquet")):
        _filter_part(file, rejected, ["line_number"])
    for file in sorted(folder.glob("identities-*.parquet")):
        _filter_links(file, links, user_ids)


def _remove_reread_rows(parts: PartStore) -> None:
    """Remove rows that were read again when their file had grown: they count where they were read last."""
    for sha, last_line in parts.list_reread_lines().items():
        files = [file for kind in ("events", "rejected", "identities") for file in parts.folder(sha).glob(f"{kind}-*")]
        kept = {file: pl.read_parquet(file, glob=False) for file in sorted(files)}
        changed = {file: rows for file, part in kept.items() if (rows := _until(part, last_line)).height < part.height}
        if changed:
            with changing(parts.folder(sha)):
                for file, rows in changed.items():
                    _write_part(file, rows)
                    if file.name.startswith("events"):
                        _remove_values(file)


def _remove_values(events: Path) -> None:
    """Remove the values of a part of events; the next run extracts them again."""
    for values in events.parent.glob(f"{events.stem.replace('events', 'values')}*.parquet"):
        remove(values)


def _until(part: pl.DataFrame, last_line: int) -> pl.DataFrame:
    return part.filter(pl.col("line_number") <= last_line)


def erase_from_landing(
    parts: PartStore, landing: Path, is_mentioned: MentionTest | None, erased_files: Collection[str]
) -> None:
    """Rewrite the landing files of which rows are forgotten, and remove those of ``erased_files``.

    They are found by their content, whatever folder they were read from. Rejected rows are searched in their full text,
    of which parts keep a scrubbed beginning.
    """
    paths = _group_by_content(parts, landing)
    begins = {sha: parts.list_begins(sha) for sha in paths}
    for sha in parts.content_hashes():
        of_content = paths.get(sha, [])
        if sha in erased_files:
            _remove_files(parts, of_content, sha)
        elif of_content:
            _erase_from_files(parts, of_content, [sha, *begins[sha]], is_mentioned)
        elif parts.is_rewritten(sha):  # killed after the file was rewritten
            remove(parts.folder(sha))
    for sha in {sha for of_content in begins.values() for sha in of_content} - paths.keys():
        if parts.folder(sha).is_dir():  # its rows are gone from the file that grew
            _mark_erased(parts, sha)


def list_landing_files(parts: PartStore, landing: Path, contents: Collection[str]) -> list[Path]:
    """The landing files that have one of these contents now."""
    paths = _group_by_content(parts, landing)
    return sorted(path for sha in contents for path in paths.get(sha, []))


def _group_by_content(parts: PartStore, landing: Path) -> dict[str, list[Path]]:
    """Landing files by the hash of their content."""
    paths: dict[str, list[Path]] = {}
    for path in event_files(landing):
        paths.setdefault(parts.find_hash(path) or hash_file(path), []).append(path)
    return paths


def _erase_from_files(
    parts: PartStore, paths: list[Path], contents: list[str], is_mentioned: MentionTest | None
) -> None:
    """Rewrite the landing files with a content, the first one, which may continue others."""
    forgotten = set[int]().union(*(parts.line_numbers(FORGOTTEN, sha) for sha in contents))
    rejected = {sha: parts.line_numbers("rejected", sha) for sha in contents if is_mentioned is not None}
    searched = set[int]().union(*rejected.values())
    if not forgotten and not searched:
        return
    named = set[int]()

    def erases(number: int, text: str) -> bool:
        if number in forgotten:
            return True
        is_named = is_mentioned is not None and number in searched and is_mentioned(text)
        if is_named:
            named.add(number)
        return is_named

    written = [(path, *found) for path in paths if (found := write_without_rows(path, erases)) is not None]
    for sha, lines in rejected.items():
        if lines & named:
            remove_from_parts(parts, Match.of_rejected(sha, lines & named))
    if written:
        _replace_files(parts, contents[0], written)


def _replace_files(parts: PartStore, sha: str, written: list[tuple[Path, Path, Path]]) -> None:
    """Give the parts of landing files the hash of their new content, then put the new files in place.

    In this order, no run reads a new file as one that was never read. ``written`` has the path of each file, the
    temporary file with its new content, and the path of that.
    """
    hashes = [hash_file(temp) for _, temp, _ in written]
    for (path, temp, target), new_sha in zip(written, hashes, strict=True):
        parts.copy_rewritten(sha, new_sha, str(target), _measure_extent(parts, sha, temp))
        commit(temp, target)
        if target != path:
            remove(path)
        parts.signatures.remember(file_signature(target), new_sha)
    remove(parts.folder(sha))


def _remove_files(parts: PartStore, paths: list[Path], sha: str) -> None:
    """Remove the landing files with a content."""
    for path in paths:
        remove(path)
    _mark_erased(parts, sha)


def _mark_erased(parts: PartStore, sha: str) -> None:
    """Note that the file of a content has lost its forgotten rows."""
    if files := list(parts.folder(sha).glob(f"{FORGOTTEN}-*.parquet")):
        with changing(parts.folder(sha)):
            for file in files:
                file.rename(file.with_name(file.name.replace(FORGOTTEN, ERASED)))


def _measure_extent(parts: PartStore, sha: str, file: Path) -> dict[str, int]:
    """The bytes of a rewritten file, in all and up to the last line end; nothing if no rows can be appended to it."""
    row = parts.read_row(sha)
    if row is None or "byte_count" not in row.columns or row["byte_count"].item() is None:
        return {}
    content = file.read_bytes()
    return {"byte_count": len(content), "complete_bytes": content.rfind(b"\n") + 1}


def _note_forgotten(folder: Path, rows: pl.DataFrame, rejected: pl.DataFrame) -> None:
    """Write the positions of rows to remove before they are removed. Rejected rows have negative numbers in a line."""
    numbered = [
        pl.read_parquet(file, columns=["line_number"], glob=False) for file in sorted(folder.glob("rejected-*.parquet"))
    ]
    lost = pl.concat([pl.DataFrame(schema={"line_number": pl.Int64}), *numbered]).join(
        rejected.select("line_number"), on="line_number", how="semi"
    )
    positions = pl.concat(
        [
            rows.select("line_number", "row_in_line").unique(),
            lost.with_columns((-pl.int_range(1, pl.len() + 1).over("line_number")).cast(pl.Int64).alias("row_in_line")),
        ]
    )
    if positions.height:
        known = [*folder.glob(f"{FORGOTTEN}-*.parquet"), *folder.glob(f"{ERASED}-*.parquet")]
        number = 1 + max((int(file.stem.rpartition("-")[2]) for file in known), default=-1)
        with atomic_replace(folder / f"{FORGOTTEN}-{number:05}.parquet") as temp:
            positions.sort("line_number", "row_in_line").select(FORGOTTEN_PART_SCHEMA.names()).write_parquet(temp)


def _filter_part(file: Path, removed: pl.DataFrame, key: list[str]) -> bool:
    """Rewrite a part without some of its rows. False if it has none of them."""
    part = pl.read_parquet(file, glob=False)
    kept = part.join(removed.select(key).unique(), on=key, how="anti", maintain_order="left")
    if kept.height == part.height:
        return False
    _write_part(file, kept)
    return True


def _filter_links(file: Path, links: pl.DataFrame, user_ids: frozenset[str]) -> None:
    """Rewrite a part of evidence without that about the ids of these users."""
    part = pl.read_parquet(file, glob=False)
    ids = list(user_ids)
    is_of_user = pl.col("sent_id").is_in(ids) | pl.col("linked_id").is_in(ids).fill_null(value=False)
    is_linked = pl.col("line_number").is_in(links["line_number"].implode())
    kept = part.filter(~(is_linked & (is_of_user if ids else pl.lit(value=True))))
    if kept.height < part.height:
        _write_part(file, kept)


def _write_part(file: Path, part: pl.DataFrame) -> None:
    with atomic_replace(file) as temp:
        part.write_parquet(temp, compression="lz4", statistics=False)


def _of_content(frame: pl.DataFrame, sha: str) -> pl.DataFrame:
    return frame.filter(pl.col("content_sha256") == sha)
