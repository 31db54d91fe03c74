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
    Contents that continue each other have one ``growth_number``. What follows the ``last_line`` of a content that
    another one continues is read again there, and left out.
    """
    read = parts.source_files().sort("ingestion_number", "ingested_at", "source_file", "content_sha256")
    in_order = pl.col("first_line").fill_null(1)
    numbered = read.with_row_index("read_order").sort("source_file", in_order, "content_sha256")
    connection.register("read_files", _find_growth(numbered.with_row_index("file_number")))
    connection.execute("create temp table files as from read_files")
    connection.execute(_FILE_VARIABLES)
    for view, kind, schema in _PARTS:
        connection.register(f"no_{kind}", pl.DataFrame(schema=schema))
        columns = f"file_number, {', '.join(map(_complete, schema.names()))}, source_file, content_sha256"
        is_read_here = " where last_line is null or line_number <= last_line" if "line_number" in schema else ""
        connection.execute(
            f"create temp view {view} as select {columns} from {_rows_sql(parts.part_files(kind), kind)}{is_read_here}"
        )


def _find_growth(files: pl.DataFrame) -> pl.DataFrame:
    """The files with ``growth_number`` and ``last_line``; ``row_count`` is without the row that is read again."""
    numbers = dict(files.select("content_sha256", "file_number").iter_rows())
    continued = {*files["continued_sha256"].drop_nulls()}
    begins = files.filter(pl.col("first_line") > 1).select("content_sha256", "continued_sha256")
    before = dict(begins.iter_rows())

    def find_begin(sha: str) -> int:
        while before.get(sha) in numbers:
            sha = before[sha]
        return int(numbers[sha])

    is_continued = pl.col("content_sha256").is_in(list(continued))
    open_rows = pl.when(is_continued).then("open_row_count").otherwise(0)
    return files.with_columns(
        pl.Series("growth_number", [find_begin(sha) for sha in files["content_sha256"]], pl.Int64),
        pl.when(is_continued).then("complete_lines").alias("last_line"),
        (pl.col("row_count") - open_rows.fill_null(0)).alias("row_count"),
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
