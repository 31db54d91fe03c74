"""Views of the parts of all files in a scratch database, and what the steps over them share."""

import duckdb
import polars as pl

from turret_pipeline.events.formats import FORMATS
from turret_pipeline.events.identities import IDENTITY_PART_SCHEMA
from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, REJECTED_PART_SCHEMA
from turret_pipeline.ingest.parts import ERASED, FORGOTTEN, FORGOTTEN_PART_SCHEMA, PartStore
from turret_pipeline.scrubbing.batch import SCRUBBED_COUNTS
from turret_pipeline.storage.scratch_database import read_parquet_sql

POSITION = "file_number, line_number, item_number"
"""The columns that identify an event of the parts, in the order of the events of one time."""

ORDER = f"event_at, nanosecond, {POSITION}"

_PARTS = (
    ("parts", "events", EVENT_PART_SCHEMA),
    ("rejected", "rejected", REJECTED_PART_SCHEMA),
    ("scrubbed", "scrubbed", SCRUBBED_COUNTS),
    ("links", "identities", IDENTITY_PART_SCHEMA),
    ("forgotten", FORGOTTEN, FORGOTTEN_PART_SCHEMA),
    ("erased", ERASED, FORGOTTEN_PART_SCHEMA),
)
"""Views, with the kind of their parts and its columns."""


_LONE_FORMATS = [spec.name for spec in FORMATS.values() if spec.columns.lone_session_id]
_MAY_BE_LONE = f"user_id is null and source_format in ({', '.join(map(repr, _LONE_FORMATS))})"
_DEFAULTS = {"nanosecond": "0", "row_in_line": "1", "is_session_lone": _MAY_BE_LONE}
"""Values of columns that parts of an earlier version lack; those of other marks are false."""


def create_part_views(connection: duckdb.DuckDBPyConnection, parts: PartStore) -> None:
    """Create the table ``files`` and a view of each kind of parts.

    ``file_number`` is a file's place by name and content, and ``read_order`` its place in the order of reading.
    """
    read = parts.source_files().sort("ingestion_number", "ingested_at", "source_file", "content_sha256")
    known = read.with_row_index("read_order").sort("source_file", "content_sha256").with_row_index("file_number")
    connection.register("read_files", known)
    connection.execute("create temp table files as from read_files")
    connection.execute(_FILE_VARIABLES)
    for view, kind, schema in _PARTS:
        connection.register(f"no_{kind}", pl.DataFrame(schema=schema))
        columns = f"file_number, {', '.join(map(_complete, schema.names()))}, source_file, content_sha256"
        connection.execute(
            f"create temp view {view} as select {columns} from {_rows_sql(parts.part_files(kind), kind)}"
        )


def has_rows(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """True if a query has a row."""
    return bool(connection.execute(f"select exists ({query})").fetchall()[0][0])


def _rows_sql(files: list[str], kind: str) -> str:
    """All parts of a kind with their files; columns that parts of an earlier version lack are null."""
    if not files:
        return f"no_{kind}, files"
    rows = f"select * from {read_parquet_sql(files, 'filename', 'union_by_name')} union all by name from no_{kind}"
    return f"({rows}) as part join files on content_sha256 = parse_path(part.filename)[-2]"


def _complete(column: str) -> str:
    """The column, with a default in place of null where parts of an earlier version lack it."""
    default = _DEFAULTS.get(column, "false" if EVENT_PART_SCHEMA.get(column) == pl.Boolean else None)
    return column if default is None else f"coalesce({column}, {default}) as {column}"


_FILE_VARIABLES = """
    set variable source_files = (select list(source_file order by file_number) from files);
    set variable contents = (select list(content_sha256 order by file_number) from files)"""
