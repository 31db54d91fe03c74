"""Rows of a file before they are events, and blocks of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from turret_pipeline.events.formats import Rejection
from turret_pipeline.json_repair import load_json

RAW_LIMIT = 4000
"""Characters to keep of the text of a rejected row."""


@dataclass(frozen=True)
class Record:
    """One row of a file: its number, starting at 1, and its parsed value, or a rejection and the raw text.

    ``repaired_count`` is the number of values in it that no table can hold and that were replaced.
    """

    line_number: int
    value: object
    raw: str | None = None
    repaired_count: int = 0


def text_record(line_number: int, line: bytes) -> Record:
    """The text of a line, not yet parsed, or a rejection if it is not UTF-8."""
    try:
        return Record(line_number, None, line.decode("utf-8"))
    except UnicodeDecodeError as error:
        rejection = Rejection("invalid_encoding", f"Invalid UTF-8: byte {error.start + 1} of the line.")
        return Record(line_number, rejection, line[: 4 * RAW_LIMIT].decode("utf-8", "replace"))


def json_record(line_number: int, line: bytes) -> Record | None:
    """The parsed JSON of a line, or a rejection; None if the line is blank."""
    text = text_record(line_number, line)
    if isinstance(text.value, Rejection):
        return text
    raw = text.raw or ""
    if not raw.strip():
        return None
    try:
        value, repaired_count = load_json(raw)
        return Record(line_number, value, raw, repaired_count)
    except orjson.JSONDecodeError as error:
        return Record(line_number, Rejection("invalid_json", f"Invalid JSON: {error}."), raw)


@dataclass(frozen=True)
class Lines:
    """Whole lines of a file as bytes."""

    first_line: int
    """Number of the first of these lines in the file, starting at 1."""
    count: int
    data: bytes

    def split(self) -> list[bytes]:
        """The lines without their line ends."""
        lines = self.data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        return lines

    def records(self) -> Iterator[Record]:
        """Records of all lines that are not blank."""
        found = (json_record(number, line) for number, line in enumerate(self.split(), start=self.first_line))
        return (record for record in found if record is not None)


@dataclass(frozen=True)
class Rows:
    """Rows of any other kind of file, already parsed."""

    rows: list[Record]

    def records(self) -> Iterator[Record]:
        """Records of all rows."""
        return iter(self.rows)


Block = Lines | Rows
