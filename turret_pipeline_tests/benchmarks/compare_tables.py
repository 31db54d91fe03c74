"""Compare the published tables of two data folders, row by row: whether a change of the code changed results.

    turret run --input data/sample --data-dir before     # with the code before the change
    turret run --input data/sample --data-dir after      # with the code after it
    python -m turret_pipeline_tests.benchmarks.compare_tables before after

Ignores columns of ids, times and texts that may change when results do not (IGNORED). Lists columns and tables
that only one side has. Exits with 1 if any other value differs.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl

IGNORED = {
    "run_id", "started_at", "published_at", "changed_at", "ingested_at",  # of one run
    "reason", "note", "description", "role_reason",  # sentences for people
    "code_sha256", "settings_sha256", "topic_state_id", "package_version",  # of one version of the code
}  # fmt: skip
SESSION_TIMES = {"sessions", "journey_steps"}
"""Tables whose started_at is a time of the data, not of the run."""


def read_tables(data_dir: Path) -> dict[str, pl.DataFrame]:
    """Every published table by name."""
    with duckdb.connect(str(data_dir / "warehouse" / "turret.duckdb"), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        names = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        tables = {name: connection.sql(f"select * from marts.{name}").pl() for (name,) in sorted(names)}
    if "sequence_id" not in tables["journey_steps"].columns:  # up to 0.1.0 session_id held the user in user: dimensions
        tables["journey_steps"] = tables["journey_steps"].rename({"session_id": "sequence_id"})
    return tables


def differences(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame]) -> Iterator[str]:
    """A sentence per table or column that differs."""
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name], after[name]
        ignored = IGNORED - {"started_at"} if name in SESSION_TIMES else IGNORED
        columns = [column for column in old.columns if column in new.columns and column not in ignored]
        if name == "quality_checks":  # the names of checks may change; each run says whether they passed
            continue
        if old.height != new.height:
            yield f"{name}: {old.height:,} rows before, {new.height:,} after"
            continue
        old, new = old.select(columns), new.select(columns)
        if old.equals(new):
            continue
        order = [column for column in columns if not isinstance(old.schema[column], pl.List | pl.Struct)]
        old, new = old.sort(order, nulls_last=True), new.sort(order, nulls_last=True)
        for column in columns:
            changed = (old[column].ne_missing(new[column])).sum()
            if changed:
                at = old[column].ne_missing(new[column]).arg_true()[0]
                yield f"{name}.{column}: {changed:,} rows differ, first {old[column][at]!r} and {new[column][at]!r}"


def main() -> int:
    """Print what differs."""
    before, after = (read_tables(Path(folder)) for folder in sys.argv[1:3])
    for name in sorted(before.keys() ^ after.keys()):
        print(f"only {'before' if name in before else 'after'}: table {name}")
    for name in sorted(before.keys() & after.keys()):
        for column in sorted({*before[name].columns} ^ {*after[name].columns}):
            print(f"only {'before' if column in before[name].columns else 'after'}: column {name}.{column}")
    found = list(differences(before, after))
    compared = sum(frame.height for name, frame in before.items() if name in after)
    print("\n".join(found) or f"Equal: {len(before.keys() & after.keys())} tables, {compared:,} rows.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
