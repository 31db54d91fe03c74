"""Search of a whole data folder for values: raw bytes, decompressed files, and every value of tables."""

import gzip
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb
import polars as pl
from backports import zstd


def find_values(root: Path, values: Collection[str]) -> list[tuple[str, str]]:
    """Each value that is still somewhere in the folder, with the file. Names of files are searched too."""
    needles = {value: value.encode() for value in values}
    return sorted(
        {
            (str(path.relative_to(root)), value)
            for path in root.rglob("*")
            if path.is_file()
            for content in _contents(path)
            for value, needle in needles.items()
            if needle in content or value in path.name
        }
    )


def _contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what they hold in another form."""
    raw = path.read_bytes()
    yield raw
    if raw[:2] == b"\x1f\x8b":
        yield gzip.decompress(raw)
    elif raw[:4] == b"\x28\xb5\x2f\xfd":
        yield zstd.decompress(raw)
    elif raw[:4] == b"PAR1":
        yield pl.read_parquet(path, glob=False).write_json().encode()
        yield "\n".join(map(str, pl.read_parquet(path, glob=False).rows())).encode()
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
            for schema, table in tables:
                rows = connection.sql(f'select * from "{schema}"."{table}"').pl()
                yield "\n".join(map(str, rows.rows())).encode()
