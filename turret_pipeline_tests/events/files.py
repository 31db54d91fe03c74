"""Files for a test, and functions to read their records."""

from pathlib import Path

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import Record
from turret_pipeline.ingest.reading import read_blocks

A, B, C = {"name": "a"}, {"name": "b"}, {"name": "c"}


def write_file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read_records(path: Path) -> list[Record]:
    with path.open("rb") as file:
        return [record for block in read_blocks(file, path.name) for record in block.records()]


def read_outcomes(path: Path) -> list[tuple[int, object]]:
    """Line number and value of each record; the code of a rejection instead of the value."""
    return [
        (record.line_number, record.value.code if isinstance(record.value, Rejection) else record.value)
        for record in read_records(path)
    ]


def read_values(path: Path) -> list[object]:
    return [value for _, value in read_outcomes(path)]
