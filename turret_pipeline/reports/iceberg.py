"""The published tables as Iceberg tables, for engines that do not read DuckDB files.

A table gets a new snapshot only if its rows changed, by one commit: readers see the old or the new rows, and the older
snapshots stay. The rows are those of one published file, which no run changes.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import duckdb
import polars as pl

from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.private_files import following_umask
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.tables import DUCKDB_TYPES, MART_TABLES, PIPELINE_RUNS, Table

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table as IcebergTable
    from pyiceberg.table import Transaction

CONTENT = "turret.content"
"""Property of a snapshot: number and hash of the rows of an export. Snapshots of other programs have none."""
ROWS_AT_ONCE = 50_000
ROWS_PER_FILE = 1_000_000


def open_catalog(folder: str | None, name: str | None) -> "Catalog":
    """The catalog of this name in pyiceberg's configuration, or else one in a folder, which is created.

    Raises TurretError if there is no such catalog, or it cannot be opened.
    """
    if (folder is None) == (name is None):
        raise TurretError("Choose one target: a folder, or with --catalog a catalog of pyiceberg's configuration.")
    try:
        from pyiceberg.catalog import list_catalogs, load_catalog
        from pyiceberg.catalog.sql import SqlCatalog
    except ImportError as error:
        raise TurretError(
            f"The export needs a library that is not installed ({error}). "
            "Install it: pip install 'turret-pipeline[iceberg]'."
        ) from None
    if folder is not None:
        root = Path(folder).resolve()
        if "://" in folder or "%" in str(root) or urlsplit(f"file://{root}").path != str(root):
            raise TurretError(
                f"The target {folder!r} cannot hold a catalog: name a folder without %, # and ? in its path, or, "
                "for an object store, a catalog by --catalog."
            )
        with _explaining(folder), following_umask():
            root.mkdir(parents=True, exist_ok=True)
            return SqlCatalog("turret", uri=f"sqlite:///{root}/catalog.db", warehouse=f"file://{root}")
    assert name is not None
    if name.lower() not in list_catalogs():
        raise TurretError(
            f"Unknown catalog {name!r}: describe it in .pyiceberg.yaml, or with variables such as "
            f"PYICEBERG_CATALOG__NAME__URI. Known: {list_names(list_catalogs())}."
        )
    try:
        return load_catalog(name)
    except Exception as error:  # noqa: BLE001 - each kind of catalog has errors of its own, some with secrets
        raise TurretError(
            f"Cannot open the catalog {name!r} ({type(error).__name__}): check its settings in .pyiceberg.yaml and "
            "PYICEBERG_*, and the connection to it."
        ) from None


def export_tables(published: PublishedTables, catalog: "Catalog", namespace: str) -> Iterator[tuple[str, int, bool]]:
    """Write the published tables to a namespace, and yield the name and rows of each, and True if they changed.

    The last is ``pipeline_runs``: its last row names the run of a complete export. Raises TurretError if nothing is
    published, or the catalog or its files cannot be written.
    """
    if not re.fullmatch(r"\w+(\.\w+)*", namespace):
        raise TurretError(f"Invalid namespace {namespace!r}: use letters, digits and _, and a dot between levels.")
    with published.open() as connection:
        for contract in sorted(MART_TABLES.values(), key=lambda table: table == PIPELINE_RUNS):
            with _explaining(f"{namespace}.{contract.name}"), following_umask():
                if not catalog.namespace_exists(namespace):
                    catalog.create_namespace(namespace)
                if not catalog.table_exists(name := f"{namespace}.{contract.name}"):
                    catalog.create_table(name, _build_schema(contract))
                count, is_changed = _export_table(connection, catalog.load_table(name), contract)
            yield contract.name, count, is_changed


def _export_table(connection: duckdb.DuckDBPyConnection, table: "IcebergTable", contract: Table) -> tuple[int, bool]:
    columns = ", ".join(f"{one.name}::{DUCKDB_TYPES[one.kind]} as {one.name}" for one in contract.columns)
    query = f"(select {columns} from marts.{contract.name})"
    [(count, digest, run)] = connection.execute(
        f"select count(*), sum(hash(t)::hugeint), (select max(run_number) from marts.pipeline_runs) from {query} as t"
    ).fetchall()
    properties = {CONTENT: f"{count}-{digest or 0:x}", "turret.run-number": str(run)}
    last = table.current_snapshot()
    is_changed = last is None or last.summary is None or last.summary.get(CONTENT) != properties[CONTENT]
    with table.transaction() as transaction:
        _describe(transaction, contract)
        if is_changed:
            names = ", ".join(field.name for field in transaction.table_metadata.schema().fields)
            _replace_rows(table, transaction, connection.sql(f"select {names} from {query}"), properties)
    return count, is_changed


def _build_schema(contract: Table) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Arrow schema with the meanings. All columns are optional, so that later versions can add and drop some."""
    import pyarrow as pa

    types = contract.empty().to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    fields = zip(types, contract.columns, strict=True)
    return pa.schema([field.with_metadata({"doc": column.meaning}) for field, column in fields])


def _describe(transaction: "Transaction", contract: Table) -> None:
    """Give the table the columns, meanings and grain of the contract. Older snapshots keep the columns they had."""
    with transaction.update_schema() as update:
        for field in transaction.table_metadata.schema().fields:
            if field.name not in contract.schema:
                update.delete_column(field.name)
        update.union_by_name(_build_schema(contract))
    properties = {"comment": contract.grain, "write.metadata.delete-after-commit.enabled": "true"}
    if properties.items() - transaction.table_metadata.properties.items():
        transaction.set_properties(properties)


def _replace_rows(
    table: "IcebergTable", transaction: "Transaction", rows: duckdb.DuckDBPyRelation, properties: dict[str, str]
) -> None:
    """Add a snapshot with these rows only. After an error here, no file of them is left.

    pyiceberg's ``overwrite`` would make two snapshots, and may hold all rows at once.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyiceberg.io.pyarrow import parquet_file_to_data_file, schema_to_pyarrow

    metadata, io, written = transaction.table_metadata, table.io, list[str]()
    schema, batches = schema_to_pyarrow(metadata.schema()), iter(rows.to_arrow_reader(ROWS_AT_ONCE))
    try:
        with transaction.update_snapshot(properties).overwrite() as snapshot:
            for task in table.scan().plan_files():
                snapshot.delete_data_file(task.file)
            while (first := next(batches, None)) is not None:
                written.append(path := table.location_provider().new_data_location(f"{uuid.uuid4()}.parquet"))
                with io.new_output(path).create() as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
                    for batch in chain([first], islice(batches, ROWS_PER_FILE // ROWS_AT_ONCE - 1)):
                        writer.write_table(pa.Table.from_batches([batch]).cast(schema))
                snapshot.append_data_file(parquet_file_to_data_file(io, metadata, path))
    except BaseException:
        for path in written:
            with suppress(OSError):  # the last one may not exist yet
                io.delete(path)
        raise


@contextmanager
def _explaining(place: str) -> Iterator[None]:
    """Raise TurretError for an error of a catalog or of its files."""
    from pyiceberg.exceptions import CommitFailedException, RESTError, ValidationError, ValidationException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (CommitFailedException, ValidationException):
        raise TurretError(f"Another program changed {place} meanwhile: run the same command again.") from None
    except ValidationError as error:
        raise TurretError(f"{place} has other columns ({error}): drop it, or choose another --namespace.") from None
    except (OSError, RESTError, SQLAlchemyError) as error:
        cause = getattr(error, "strerror", None) or getattr(error, "orig", None) or type(error).__name__
        raise TurretError(
            f"Cannot write {place}: {str(cause).splitlines()[0]}. Make the target writable, with enough free space, or "
            "choose another."
        ) from None
