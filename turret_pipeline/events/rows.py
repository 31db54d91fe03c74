"""Rows of a file before they are events, and blocks of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from turret_pipeline.events.formats import Rejection

RAW_LIMIT = 4000
"""Characters that are kept of the text of a refused row."""


@dataclass(frozen=True)
class Record:
    """One row of a file: its position from 1, and the parsed value or the refusal with the raw text."""

    line_number: int
    value: object
    raw: str | None = None


def text_record(line_number: int, line: bytes) -> Record:
    """A line as text, without a value yet, or refused where it is not UTF-8."""
    try:
        return Record(line_number, None, line.decode("utf-8"))
    except UnicodeDecodeError as error:
        refusal = Rejection("invalid_encoding", f"This is not UTF-8: byte {error.start + 1} of the line.")
        return Record(line_number, refusal, line[: 4 * RAW_LIMIT].decode("utf-8", "replace"))


def json_record(line_number: int, line: bytes) -> Record | None:
    """The JSON of a line; none where it is blank."""
    text = text_record(line_number, line)
    if isinstance(text.value, Rejection):
        return text
    raw = text.raw or ""
    if not raw.strip():
        return None
    try:
        return Record(line_number, orjson.loads(raw), raw)
    except orjson.JSONDecodeError as error:
        return Record(line_number, Rejection("invalid_json", f"This is not JSON: {error}."), raw)


@dataclass(frozen=True)
class Lines:
    """So many whole lines of a file as bytes, the first of which has this number."""

    first_line: int
    count: int
    data: bytes

    def split(self) -> list[bytes]:
        """The lines without their ends."""
        lines = self.data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        return lines

    def records(self) -> Iterator[Record]:
        """The JSON of every line that is not blank, or its refusal."""
        found = (json_record(number, line) for number, line in enumerate(self.split(), start=self.first_line))
        return (record for record in found if record is not None)


@dataclass(frozen=True)
class Rows:
    """Rows of any other kind of file, already parsed."""

    rows: list[Record]

    def records(self) -> Iterator[Record]:
        """The rows."""
        return iter(self.rows)


Block = Lines | Rows
