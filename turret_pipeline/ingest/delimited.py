"""Lines of delimited text (CSV, TSV) to rows."""

import csv
import io
import sys
from collections import deque
from collections.abc import Iterator
from typing import Any

import orjson

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import Record

ROW_LINES = 10_000
"""Lines that a row may have: a quote that nobody closes must not take the file into memory."""

_OBJECTS = ("metadata", "properties")


def delimited_records(texts: Iterator[Record], delimiter: str) -> Iterator[Record]:
    """Rows under a header, placed by the line that they begin on.

    Where a row is not CSV, its first line is refused and reading goes on with the next: a quote that nobody closes
    does not swallow the rest of the file.
    """
    csv.field_size_limit(sys.maxsize)
    lines, taken = _Returnable(texts), list[Record]()
    header: list[str] | None = None
    while True:
        reader = csv.reader(_texts(lines, taken), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                refused, begin = _without_text(taken)
                taken.clear()
                yield from refused
                if header is None:
                    header = [name.strip() for name in cells] or None  # blank lines may come before it
                elif cells:
                    yield _record(begin, header, cells)
            yield from _without_text(taken)[0]
            return
        except csv.Error as error:
            broken, *rest = taken
            taken = []
            lines.give_back(rest)
            yield Record(broken.line_number, Rejection("invalid_csv", f"This row is not CSV: {error}."), broken.raw)


class _Returnable:
    """Lines of which some can be given back, to be taken again."""

    def __init__(self, lines: Iterator[Record]) -> None:
        self._lines = lines
        self._returned = deque[Record]()

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        return self._returned.popleft() if self._returned else next(self._lines)

    def give_back(self, lines: list[Record]) -> None:
        self._returned.extendleft(reversed(lines))


def _texts(lines: Iterator[Record], taken: list[Record]) -> Iterator[str]:
    """The text of the lines, noting in ``taken`` which were used; a header with a wrong byte still names columns."""
    for line in lines:
        taken.append(line)
        if len(taken) > ROW_LINES:
            raise csv.Error(f"a quote is not closed within {ROW_LINES:,} lines")
        if not isinstance(line.value, Rejection) or line.line_number == 1:
            yield (line.raw or "").replace("\0", "") + "\n"


def _without_text(taken: list[Record]) -> tuple[list[Record], int]:
    """The refused lines among those taken for a row, and the line that the row begins on."""
    refused = [line for line in taken if isinstance(line.value, Rejection) and line.line_number > 1]
    begin = next((line.line_number for line in taken if line not in refused), 0)
    return refused, begin


def _record(number: int, header: list[str], cells: list[str]) -> Record:
    raw = io.StringIO()
    csv.writer(raw).writerow(cells)
    if len(cells) != len(header):
        reason = f"The row has {len(cells)} cells, the header {len(header)}."
        return Record(number, Rejection("invalid_csv", reason), raw.getvalue().rstrip())
    row: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
    return Record(number, with_parsed_objects(row), raw.getvalue().rstrip())


def with_parsed_objects(row: dict[str, Any]) -> object:
    """The row with JSON text parsed where an object belongs, or a refusal."""
    for key in _OBJECTS:
        text = row.get(key)
        if not isinstance(text, str):
            continue
        try:
            row[key] = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return Rejection(f"invalid_{key}", f"{key} is not JSON: {error}.")
    return row
