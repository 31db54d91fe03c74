"""One query of a person, in a process of its own: `python -m turret_pipeline.dashboard.sql_worker FILE ROWS MEGABYTES`.

The query comes on standard input, and its rows go to standard output as an Arrow stream. DuckDB cannot open a file
twice with other settings in one process, and only a process can be stopped at once and returns its memory. No file but
the published one can be read: DuckDB denies all access beyond it, and its settings are locked.
"""

import sys
from collections.abc import Iterator

import duckdb
import pyarrow as pa

ALLOWED = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
SHOWN = {
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT",
    "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
"""Types of columns that a page can show as they are."""

PREPARE = (
    "set timezone = 'UTC'; set schema = 'marts'; set python_enable_replacements = false; set lock_configuration = true"
)
MESSAGE_CHARACTERS, ROWS_PER_BATCH = 2000, 10_000


def run_query(path: str, query: str, max_rows: int, max_megabytes: int) -> None:
    """Write the first rows of a query, one more than ``max_rows`` if there are more.

    Raises ValueError if the query is invalid.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "memory_limit": f"{max_megabytes}MB",
        "temp_directory": "",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(path, read_only=True, config=config) as connection:
        connection.execute(PREPARE)
        try:
            statements = connection.extract_statements(query)
            if len(statements) != 1:
                raise ValueError(f"Write one statement: these are {len(statements)}.")
            if statements[0].type not in ALLOWED:
                raise ValueError("Only queries that read are possible: begin with select, with, from, or describe.")
            relation = connection.sql(query)
            _write(relation.project(", ".join(_list_columns(relation))).to_arrow_reader(ROWS_PER_BATCH), max_rows)
        except duckdb.Error as error:
            raise ValueError(str(error)[:MESSAGE_CHARACTERS]) from None


def _list_columns(relation: duckdb.DuckDBPyRelation) -> Iterator[str]:
    """The columns under distinct names, numbers as numbers, and what no table of a page can show as text."""
    names: set[str] = set()
    for place, (name, kind) in enumerate(zip(relation.columns, map(str, relation.types), strict=True), 1):
        unique = name if name not in names else f"{name}_{place}"
        names.add(unique)
        quoted = unique.replace('"', '""')
        cast = (
            "" if kind in SHOWN else "::double" if kind.startswith(("DECIMAL", "HUGEINT", "UHUGEINT")) else "::varchar"
        )
        yield f'#{place}{cast} as "{quoted}"'


def _write(reader: pa.RecordBatchReader, max_rows: int) -> None:
    left = max_rows + 1
    with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch.slice(0, left))
            left -= batch.num_rows
            if left <= 0:
                return


def main() -> None:
    """Run the query; exit with 2 and a message on standard error if it is invalid."""
    path, rows, megabytes = sys.argv[1:]
    try:
        run_query(path, sys.stdin.read(), int(rows), int(megabytes))
    except ValueError as error:
        sys.stderr.write(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
