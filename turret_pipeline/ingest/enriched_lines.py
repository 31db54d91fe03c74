"""Rows of the lines of Snowplow's enriched stream, which are cells without a header and without quotes."""

import re
from collections.abc import Iterator

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.formats.snowplow import ENRICHED_COLUMNS
from turret_pipeline.events.rows import Record

OLDEST_COUNT = 108
"""Columns of the oldest version that is read. Later versions only append columns."""

_LINE_START = re.compile(
    rb"(?:[^\t\n]*\t){3}\d{4}-\d\d-\d\d[ T][^\t\n]*\t[^\t\n]*\t[a-z_]*\t"
    rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\t"
)
"""The columns up to event_id."""


def is_enriched_line(begin: bytes) -> bool:
    """True if these first bytes are those of a line of the enriched stream."""
    return _LINE_START.match(begin) is not None


def enriched_records(lines: Iterator[Record]) -> Iterator[Record]:
    """Rows of lines, without their empty cells; lines that are no rows are rejections."""
    for line in lines:
        cells = (line.raw or "").rstrip("\r").split("\t")
        if isinstance(line.value, Rejection):
            yield line
        elif OLDEST_COUNT <= len(cells) <= len(ENRICHED_COLUMNS):
            row = {name: cell for name, cell in zip(ENRICHED_COLUMNS, cells, strict=False) if cell}
            yield Record(line.line_number, row, line.raw)
        elif cells != [""]:
            reason = f"The line has {len(cells)} cells: an enriched event of Snowplow has {len(ENRICHED_COLUMNS)}."
            yield Record(line.line_number, Rejection("invalid_tsv", reason), line.raw)
