"""Removal of rows from landing files, so that every other row keeps its number."""

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import orjson
from backports import zstd

from turret_pipeline.errors import TurretError
from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import Lines, Record, Rows
from turret_pipeline.ingest.reading import read_blocks
from turret_pipeline.storage.atomic_files import temp_path

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
ATTEMPTS = 3
"""A file that changes while it is read is read again."""

Erases = Callable[[int, str], bool]
"""Decides about a row by its number and its text."""


def write_without_rows(path: Path, erases: Erases) -> tuple[Path, Path] | None:
    """A temporary file with the other rows of a landing file, and the path that it is to replace or to join.

    Rows are removed from JSON lines by emptying their lines. A file of another kind becomes JSON lines, with the row
    of each number in the line of that number, and gets the ending .jsonl. None if no row is removed. Raises TurretError
    if the file keeps changing, because somebody writes to it.
    """
    for _ in range(ATTEMPTS):
        before = _signature(path)
        temp = temp_path(path)
        try:
            is_changed, target = _write(path, temp, erases)
            if _signature(path) == before:
                if is_changed:
                    shutil.copymode(path, temp)
                    os.utime(temp, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
                    return temp, target
                temp.unlink()
                return None
        except BaseException:
            temp.unlink(missing_ok=True)
            raise
        temp.unlink()
    raise TurretError(f"The landing file {path} changes all the time: stop what writes to it, and run again.")


def _write(path: Path, temp: Path, erases: Erases) -> tuple[bool, Path]:
    """Write the other rows; return whether a row was left out, and the path for the new file."""
    target, is_changed = path, False
    with path.open("rb") as raw, temp.open("wb") as out:
        head = raw.read(len(_ZSTD))
        raw.seek(0)
        blocks = read_blocks(raw, path.name)
        first = next(blocks, None)
        if first is None:
            return False, path
        if isinstance(first, Lines):
            with _compressed(out, head) as plain:
                for block in _chain(first, blocks):
                    is_changed |= _write_lines(block, plain, erases)
        else:
            target = _json_lines_path(path)
            with _compressed(out, head if target == path else b"") as plain:
                is_changed = _write_records(_records(first, blocks), plain, erases)
    return is_changed, target


def _chain(first: Lines | Rows, rest: Iterator[Lines | Rows]) -> Iterator[Lines | Rows]:
    yield first
    yield from rest


def _records(first: Lines | Rows, rest: Iterator[Lines | Rows]) -> Iterator[Record]:
    for block in _chain(first, rest):
        yield from block.records()


def _write_lines(block: Lines | Rows, out: IO[bytes], erases: Erases) -> bool:
    """Write a block of lines, those to erase empty. A line that is too long to be read is left out."""
    if isinstance(block, Rows):
        out.write(b"\n" * sum(1 for _ in block.records()))
        return True
    lines, is_changed = block.split(), False
    for place, line in enumerate(lines):
        if line and erases(block.first_line + place, line.decode("utf-8", "replace")):
            lines[place], is_changed = b"", True
    out.write(b"\n".join(lines) + (b"\n" if block.data.endswith(b"\n") else b""))
    return is_changed


def _write_records(records: Iterator[Record], out: IO[bytes], erases: Erases) -> bool:
    """Write a record per line, in the line of its number."""
    written, is_changed = 0, False
    for record in records:
        out.write(b"\n" * (record.line_number - 1 - written))
        text = _to_line(record)
        if erases(record.line_number, text):
            text, is_changed = "", True
        out.write(text.encode("utf-8", "surrogatepass") + b"\n")
        written = record.line_number
    return is_changed


def _to_line(record: Record) -> str:
    if record.value is None or isinstance(record.value, Rejection):
        return " ".join((record.raw or "").split("\n"))
    try:
        return orjson.dumps(record.value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        import json

        return json.dumps(record.value, default=str, ensure_ascii=False)


def _json_lines_path(path: Path) -> Path:
    """The path of a file that becomes JSON lines: the same if its name already says JSON."""
    stem = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    return path if stem.endswith((".json", ".jsonl", ".ndjson")) else path.with_name(f"{path.name}.jsonl")


def _compressed(out: IO[bytes], head: bytes) -> Any:  # noqa: ANN401 - a context of a binary file
    if head[: len(_GZIP)] == _GZIP:
        return gzip.GzipFile(fileobj=out, mode="wb", mtime=0)
    if head == _ZSTD:
        return zstd.ZstdFile(out, "wb")
    return _Plain(out)


class _Plain:
    """A file as a context that leaves it open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __enter__(self) -> IO[bytes]:
        return self._file

    def __exit__(self, *_: object) -> None:
        self._file.flush()


def _signature(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino
