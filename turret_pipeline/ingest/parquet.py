"""Rows of Parquet files."""

import io
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import Record
from turret_pipeline.ingest.delimited import parse_object_cells

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 10_000


def parquet_records(file: IO[bytes], *, can_seek: bool) -> Iterator[Record]:
    """Rows without their nulls. A file that cannot seek is read into memory: Parquet is read from its end."""
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    number = 0
    try:
        source = file if can_seek else io.BytesIO(file.read())
        for batch in pq.ParquetFile(source).iter_batches(batch_size=BATCH_ROWS):
            for row in _python_rows(batch):
                number += 1
                yield _record(number, row)
    except (ArrowException, OSError, EOFError, KeyError) as error:  # an unknown time zone is a KeyError
        reason = f"The Parquet file cannot be read from here on: {str(error).splitlines()[0]}."
        yield Record(number + 1, Rejection("damaged_file", reason), "")


def _python_rows(batch: "pa.RecordBatch") -> list[dict[str, Any] | Rejection]:
    """Rows as Python values. A row with a value that Python cannot hold, for example the year 20000, is a rejection."""
    try:
        rows: list[dict[str, Any] | Rejection] = batch.to_pylist()
        return rows
    except (ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            return [Rejection("invalid_value", f"The row has a value that cannot be read: {error}.")]
    return [row for number in range(batch.num_rows) for row in _python_rows(batch.slice(number, 1))]


def _record(number: int, row: dict[str, Any] | Rejection) -> Record:
    if isinstance(row, Rejection):
        return Record(number, row, "")
    value, repaired_count = parse_object_cells({key: cell for key, cell in row.items() if cell is not None})
    return Record(number, value, str(row) if isinstance(value, Rejection) else None, repaired_count)
