"""A row of a file before it is an event."""

from dataclasses import dataclass

import orjson

from turret_pipeline.events.formats import Refused

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
        refusal = Refused("invalid_encoding", f"This is not UTF-8: byte {error.start + 1} of the line.")
        return Record(line_number, refusal, line[: 4 * RAW_LIMIT].decode("utf-8", "replace"))


def json_record(line_number: int, line: bytes) -> Record | None:
    """The JSON of a line; none where it is blank."""
    text = text_record(line_number, line)
    if isinstance(text.value, Refused):
        return text
    raw = text.raw or ""
    if not raw.strip():
        return None
    try:
        return Record(line_number, orjson.loads(raw), raw)
    except orjson.JSONDecodeError as error:
        return Record(line_number, Refused("invalid_json", f"This is not JSON: {error}."), raw)
