"""Files of JSON lines to which more is appended: only the rows that are new are read."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from turret_pipeline.events.rows import Block, Lines
from turret_pipeline.ingest.hashing import HashedFile
from turret_pipeline.ingest.reading import read_blocks, read_lines_from

READ_BUFFER = 1 << 20


@dataclass
class LineCounts:
    """Rows of a file, those of them that were repaired, its last line, and the rows of a last line without an end."""

    rows: int = 0
    repaired: int = 0
    last_line: int = 0


def read_rest(
    file: HashedFile, path: Path | UPath, before: Mapping[str, Any] | None, counts: LineCounts
) -> Iterator[Block]:
    """The blocks of a file, or of what follows the content with which it begins; counts its lines."""
    buffered = io.BufferedReader(file, READ_BUFFER)
    if before is None:
        buffered.seek(0)
        blocks = read_blocks(buffered, path.name)
    else:
        counts.last_line = before["complete_lines"]
        blocks = read_lines_from(buffered, before["complete_bytes"], before["complete_lines"] + 1)
    for block in blocks:
        if isinstance(block, Lines):
            counts.last_line = block.first_line + block.count - 1
        elif block.rows:
            counts.last_line = block.rows[-1].line_number
        yield block


def describe_growth(file: HashedFile, counts: LineCounts, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of FILE_SCHEMA by which the next reading of a file that has grown continues."""
    is_open = file.line_end < file.hashed_bytes
    return {
        "byte_count": file.hashed_bytes,
        "complete_bytes": file.line_end,
        "complete_lines": counts.last_line - is_open,
        "open_row_count": int(is_open),
        "continued_sha256": before and before["content_sha256"],
        "first_line": before["complete_lines"] + 1 if before else 1,
    }
