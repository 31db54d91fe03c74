"""Bytes to records: JSON lines, JSON arrays, CSV and Parquet, each also gzipped, found by content.

The only module that reads raw bytes. Each record comes with its position; what cannot be read comes as a
refusal in its place, so that bad input never loses good input.
"""

import csv
import glob
import gzip
import hashlib
import io
import itertools
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import orjson

from turret_pipeline.errors import TurretError
from turret_pipeline.events.formats import Refused

RAW_LIMIT = 2000
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


@dataclass(frozen=True)
class Record:
    """One row of a file: its position from 1, and the parsed value or the refusal with the raw text."""

    line_number: int
    value: object
    raw: str | None = None


def discover(patterns: Sequence[str]) -> list[Path]:
    """The input files behind paths, folders and globs, sorted, each once. TurretError where one finds nothing."""
    found: set[Path] = set()
    for pattern in patterns:
        found.update(_files(pattern))
    return sorted(found)


def _files(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file() and _is_event_file(file)]
        if not files:
            raise TurretError(
                f"The input folder {pattern} has no event file: put {', '.join(SUFFIXES)} (or .gz) there."
            )
        return files
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [file for file in map(Path, matches) if file.is_file()]
    if not files:
        verdict = "matches no file" if glob.has_magic(pattern) else "does not exist"
        raise TurretError(f"The input {pattern} {verdict}: check the path.")
    return files


def has_event_file(folder: Path) -> bool:
    """Whether a folder has anything to read."""
    return any(file.is_file() and _is_event_file(file) for file in folder.rglob("*"))


def _is_event_file(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return not path.name.startswith(".") and name.endswith(SUFFIXES)


def content_sha256(path: Path) -> str:
    """Hash of a file's bytes. TurretError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TurretError(f"The input {path} cannot be read: {error.strerror}. Check its permissions.") from None


def read_records(path: Path) -> Iterator[Record]:
    """The rows of a file in order; those that cannot be read have a Refused as their value."""
    with path.open("rb") as raw:
        head = raw.read(4)
        raw.seek(0)
        name = path.name.lower().removesuffix(".gz")
        is_parquet = head == _PARQUET or _holds_parquet(raw)
        file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if head[:2] == _GZIP else raw)
        if is_parquet:
            yield from _parquet(file)
        elif name.endswith((".csv", ".tsv")):
            yield from _csv(file, "\t" if name.endswith(".tsv") else ",")
        else:
            yield from _json(file)


def _holds_parquet(raw: IO[bytes]) -> bool:
    """Whether it is gzipped Parquet; the position in the file stays."""
    try:
        return gzip.GzipFile(fileobj=raw).read(4) == _PARQUET
    except (EOFError, zlib.error, gzip.BadGzipFile):  # not gzipped, or damaged, which reading on will tell
        return False
    finally:
        raw.seek(0)


def _json(file: IO[bytes]) -> Iterator[Record]:
    """JSON lines, or a document where the first text opens an array or an object that goes on."""
    lines = _lines(file)
    head: list[Record] = []
    for line in lines:
        head.append(line)
        if not isinstance(line.value, Refused) and (line.raw or "").strip():
            break
    if not head or isinstance(head[-1].value, Refused) or _is_row(head[-1].raw or ""):
        yield from filter(None, map(_line_record, itertools.chain(head, lines)))
    else:
        yield from _document([*head, *lines])


def _is_row(line: str) -> bool:
    text = line.strip()
    return not text.startswith("[") and text != "{"


def _line_record(line: Record) -> Record | None:
    raw = line.raw or ""
    if isinstance(line.value, Refused):
        return line
    if not raw.strip():
        return None
    try:
        return Record(line.line_number, orjson.loads(raw), raw)
    except orjson.JSONDecodeError as error:
        return Record(line.line_number, Refused("invalid_json", f"This is not JSON: {error}."), raw)


def _document(lines: list[Record]) -> Iterator[Record]:
    """The items of JSON arrays or the one object that spans many lines; what follows damage is one refusal."""
    text = "".join(line.raw or "" for line in lines if not isinstance(line.value, Refused))
    damage = [line for line in lines if isinstance(line.value, Refused)]
    position = 0
    for position, item in enumerate(_items(text), start=1):
        yield Record(position, item, item.args[1] if isinstance(item, Refused) and len(item.args) > 1 else None)
    for extra, line in enumerate(damage, start=1):
        yield Record(position + extra, line.value, line.raw)


def _items(text: str) -> Iterator[object]:
    try:
        value = orjson.loads(text)
        yield from value if isinstance(value, list) else [value]
        return
    except orjson.JSONDecodeError:
        pass
    decoder, at, in_array = json.JSONDecoder(parse_constant=_no_constant), 0, False
    while True:
        while at < len(text) and (text[at].isspace() or text[at] in ",]" or (text[at] == "[" and not in_array)):
            in_array = text[at] == "[" or (in_array and text[at] != "]")
            at += 1
        if at >= len(text):
            return
        try:
            value, end = decoder.raw_decode(text, at)
            json.dumps(value, ensure_ascii=False).encode()  # lone surrogates, which no table can hold
        except (ValueError, RecursionError) as error:
            refusal = Refused("invalid_json", f"The document is not JSON from character {at + 1} on: {error}.")
            refusal.args = (refusal.reason, text[at : at + RAW_LIMIT])
            yield refusal
            return
        at = end
        yield value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _lines(file: IO[bytes]) -> Iterator[Record]:
    """Lines as text; damaged compression or encoding becomes a refusal in its place."""
    number = 0
    try:
        for number, raw in enumerate(file, start=1):
            line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            try:
                yield Record(number, None, line.decode("utf-8"))
            except UnicodeDecodeError as error:
                refusal = Refused("invalid_encoding", f"This is not UTF-8: byte {error.start + 1} of the line.")
                yield Record(number, refusal, line.decode("utf-8", "replace"))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        refusal = Refused("damaged_file", f"The compressed file ends or breaks here: {error}.")
        yield Record(number + 1, refusal, "")


def _csv(file: IO[bytes], delimiter: str) -> Iterator[Record]:
    """Rows of a CSV file, placed by the line that they begin on.

    Where a row is not CSV, its first line is refused and reading goes on with the next: a quote that nobody closes
    does not swallow the rest of the file.
    """
    csv.field_size_limit(sys.maxsize)
    lines, taken = _lines(file), list[Record]()
    header: list[str] | None = None
    while True:
        reader = csv.reader(_csv_texts(lines, taken), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                refused, begin = _without_text(taken)
                taken.clear()
                yield from refused
                if header is None:
                    header = [name.strip() for name in cells]
                elif cells:
                    yield _csv_record(begin, header, cells)
            yield from _without_text(taken)[0]
            return
        except csv.Error as error:
            broken, *rest = taken
            taken = []
            lines = itertools.chain(rest, lines)
            yield Record(broken.line_number, Refused("invalid_csv", f"This row is not CSV: {error}."), broken.raw)


def _csv_texts(lines: Iterator[Record], taken: list[Record]) -> Iterator[str]:
    """The text of the lines, noting in ``taken`` which were used; a header with a wrong byte still names columns."""
    for line in lines:
        taken.append(line)
        if not isinstance(line.value, Refused) or line.line_number == 1:
            yield (line.raw or "").replace("\0", "")


def _without_text(taken: list[Record]) -> tuple[list[Record], int]:
    """The refused lines among those taken for a row, and the line that the row begins on."""
    refused = [line for line in taken if isinstance(line.value, Refused) and line.line_number > 1]
    begin = next((line.line_number for line in taken if line not in refused), 0)
    return refused, begin


def _csv_record(number: int, header: list[str], cells: list[str]) -> Record:
    raw = io.StringIO()
    csv.writer(raw).writerow(cells)
    if len(cells) != len(header):
        reason = f"The row has {len(cells)} cells, the header {len(header)}."
        return Record(number, Refused("invalid_csv", reason), raw.getvalue().rstrip())
    row: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
    return Record(number, _with_parsed_objects(row), raw.getvalue().rstrip())


def _with_parsed_objects(row: dict[str, Any]) -> object:
    for key in ("metadata", "properties"):
        text = row.get(key)
        if not isinstance(text, str):
            continue
        try:
            row[key] = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return Refused(f"invalid_{key}", f"{key} is not JSON: {error}.")
    return row


def _parquet(file: IO[bytes]) -> Iterator[Record]:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    number = 0
    try:
        for batch in pq.ParquetFile(io.BytesIO(file.read()) if isinstance(file, gzip.GzipFile) else file).iter_batches(
            batch_size=10_000
        ):
            for row in batch.to_pylist():
                number += 1
                value = _with_parsed_objects({key: cell for key, cell in row.items() if cell is not None})
                yield Record(number, value, str(row) if isinstance(value, Refused) else None)
    except (ArrowException, OSError) as error:
        refusal = Refused(
            "damaged_file", f"The Parquet file cannot be read from here on: {str(error).splitlines()[0]}."
        )
        yield Record(number + 1, refusal, "")
