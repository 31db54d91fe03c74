"""Rows of delimited text: CSV and TSV.

The header and the first rows tell what separates the cells, because programs call any such text CSV.
"""

import contextlib
import csv
import io
import itertools
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import Record
from turret_pipeline.json_repair import Loaded, load_json

MAX_ROW_LINES = 10_000
"""Lines that a row may span: an unclosed quote must not read the whole file into memory."""

_OBJECT_COLUMNS = ("metadata", "properties")

_DELIMITERS, _SAMPLE_LINES = (",", ";", "\t", "|"), 50
_NAMED_DELIMITER = re.compile(r'"?sep=(.)"?\s*', re.DOTALL)
"""A first line that tells Excel the delimiter."""

_DECIMAL_COMMA = re.compile(r"([+-]?\d+),(\d+)", re.ASCII)


def delimited_records(lines: Iterator[Record], usual_delimiter: str) -> Iterator[Record]:
    """Rows under a header, numbered by their first line, with the delimiter that the first lines show.

    Semicolons separate cells where the comma is the decimal sign, so between semicolons 0,5 becomes 0.5.

    If a row is not valid CSV, its first line is rejected and reading continues with the line after it, so that an
    unclosed quote does not swallow the rest of the file.
    """
    csv.field_size_limit(sys.maxsize)
    delimiter, lines = _find_delimiter(lines, usual_delimiter)
    remaining, used = _PushbackLines(lines), list[Record]()
    header: list[str] | None = None
    while True:
        reader = csv.reader(_line_texts(remaining, used), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                rejected, first_line = _rejected_lines(used)
                used.clear()
                yield from rejected
                if header is None:
                    header = [name.strip() for name in cells] or None  # blank lines may precede it
                elif cells:
                    yield _record(first_line, header, _fix_decimals(cells) if delimiter == ";" else cells)
            yield from _rejected_lines(used)[0]
            return
        except csv.Error as error:
            broken, *rest = used
            used = []
            remaining.push_back(rest)
            yield Record(broken.line_number, Rejection("invalid_csv", f"This row is not CSV: {error}."), broken.raw)


def _find_delimiter(lines: Iterator[Record], usual: str) -> tuple[str, Iterator[Record]]:
    """The delimiter of the lines, and the lines without the one that only names it."""
    sample = list(itertools.islice(lines, _SAMPLE_LINES))
    texts = [line.raw or "" for line in sample]
    first = next((number for number, text in enumerate(texts) if text.strip()), None)
    if first is not None and (named := _NAMED_DELIMITER.fullmatch(texts[first])):
        return named[1], itertools.chain(sample[first + 1 :], lines)
    fits = {delimiter: _measure_fit(texts, delimiter) for delimiter in (usual, *_DELIMITERS)}
    return max(fits, key=lambda delimiter: fits[delimiter]), itertools.chain(sample, lines)


def _measure_fit(texts: Sequence[str], delimiter: str) -> tuple[bool, float, int, int]:
    """Fit of a delimiter: whether the header has several cells, share of rows with as many, and number of cells.

    Last, and negative, is the number of cells of the header that start with a space, as words after a comma do.
    """
    found = list[list[str]]()
    with contextlib.suppress(csv.Error):
        found.extend(filter(None, csv.reader((f"{text}\n".replace("\0", "") for text in texts), delimiter=delimiter)))
    header, *rows = found or [[]]
    if len(texts) == _SAMPLE_LINES:
        rows = rows[:-1]  # it may go on after these lines
    equal_count = sum(len(row) == len(header) for row in rows)
    spaced_count = sum(cell.startswith(" ") for cell in header)
    return len(header) > 1, equal_count / max(len(rows), 1), len(header), -spaced_count


def _fix_decimals(cells: list[str]) -> list[str]:
    return [_DECIMAL_COMMA.sub(r"\1.\2", cell) if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]


class _PushbackLines:
    """An iterator of lines that takes lines back, to return them again."""

    def __init__(self, lines: Iterator[Record]) -> None:
        self._lines = lines
        self._returned = deque[Record]()

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        return self._returned.popleft() if self._returned else next(self._lines)

    def push_back(self, lines: list[Record]) -> None:
        self._returned.extendleft(reversed(lines))


def _line_texts(lines: Iterator[Record], used: list[Record]) -> Iterator[str]:
    """Text of the lines, each of which is appended to ``used``.

    Rejected lines have no text, except the header: it names the columns even with an invalid byte.
    """
    for line in lines:
        used.append(line)
        if len(used) > MAX_ROW_LINES:
            raise csv.Error(f"a quote is not closed within {MAX_ROW_LINES:,} lines")
        if not isinstance(line.value, Rejection) or line.line_number == 1:
            yield (line.raw or "").replace("\0", "") + "\n"


def _rejected_lines(used: list[Record]) -> tuple[list[Record], int]:
    """The rejected lines among those used for a row, and the number of the row's first line."""
    rejected = [line for line in used if isinstance(line.value, Rejection) and line.line_number > 1]
    first_line = next((line.line_number for line in used if line not in rejected), 0)
    return rejected, first_line


def _record(number: int, header: list[str], cells: list[str]) -> Record:
    raw = io.StringIO()
    csv.writer(raw).writerow(cells)
    if len(cells) != len(header):
        reason = f"The row has {len(cells)} cells, the header {len(header)}."
        return Record(number, Rejection("invalid_csv", reason), raw.getvalue().rstrip())
    row: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
    value, repaired_count = parse_object_cells(row)
    return Record(number, value, raw.getvalue().rstrip(), repaired_count)


def parse_object_cells(row: dict[str, Any]) -> Loaded:
    """The row with the JSON text of object columns parsed, or a rejection."""
    repaired_count = 0
    for key in _OBJECT_COLUMNS:
        text = row.get(key)
        if not isinstance(text, str):
            continue
        try:
            row[key], count = load_json(text)
        except orjson.JSONDecodeError as error:
            return Loaded(Rejection(f"invalid_{key}", f"{key} is not JSON: {error}."), 0)
        repaired_count += count
    return Loaded(row, repaired_count)
