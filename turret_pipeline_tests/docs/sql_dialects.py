"""The page docs/reference/sql-dialects.md: the marts that other engines understand, and what differs, by sqlglot.

`python -m turret_pipeline_tests.docs.sql_dialects` writes it; a test fails if it is out of date.
"""

import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError

from turret_pipeline.orchestration.dbt import prepare_manifest, run_dbt
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.commands import copy_parsed_dbt
from turret_pipeline_tests.docs.reference import FOLDER

PAGE = FOLDER / "sql-dialects.md"
COMMAND = "python -m turret_pipeline_tests.docs.sql_dialects"
DIALECTS = {"snowflake": "Snowflake", "bigquery": "BigQuery", "spark": "Spark", "trino": "Trino"}
VARIABLES = {"DBT_TIME_ZONE": "UTC", "DBT_FIRST_WEEKDAY": "0"}

REMEDIES = {
    "function `getvariable`": "time zone and first weekday are variables of DuckDB, set in `profiles.yml`: make them "
    "`var()`s of dbt",
    "function `timezone`": "the local time of a moment: `convert_timezone`, `datetime(..., zone)`, "
    "`from_utc_timestamp` or `at_timezone`",
    "function `isfinite`": "leaves out infinite numbers and NaN: `is_inf` and `is_nan`, or comparison with them",
    "function `parse_path`": "the folder of a part, which is the hash of its file, only in the metadata of `events`: "
    "load the parts into a table with this column",
    "ordered sum": "sums of floating-point numbers in a fixed order, so that two runs give the same bits: without "
    "the order, the last digits differ",
    "pivot": "columns to rows: a `union all` of one query per column",
    "duration": "`epoch(ended_at - started_at)`, seconds between two moments: `timestamp_diff` or `date_diff`",
    "first by several columns": "`arg_min(value, (event_at, ...))`: `row_number() over (order by event_at, ...)`",
    "quantile": "`quantile_cont` as an aggregation: `approx_percentile`, or `percentile_cont` as a window function",
    "columns left out of `*`": "`select * exclude (...)`: name the columns",
    "group by all": "name the columns",
    "any value": "`any_value` skips nulls: `max`, as all values of a group are equal",
}
"""What to write instead, by difference."""

MESSAGES = {"PIVOT": "pivot", "NULLS LAST": "ordered sum"}
"""Words in sqlglot's messages about what it cannot translate, by difference."""

LACKING: dict[str, set[str]] = {
    "snowflake": {"duration", "ordered sum", "first by several columns"},
    "bigquery": {"duration", "ordered sum", "first by several columns", "quantile"},
    "spark": {"duration", "ordered sum", "columns left out of `*`"},
    "trino": {"duration", "ordered sum", "columns left out of `*`", "quantile", "group by all", "any value"},
}
"""What sqlglot writes for an engine although the engine does not have it, by the documentation of the engines."""


def find_constructs(query: exp.Expr) -> set[str]:
    """The constructs of a query that not all engines have, although sqlglot writes them for all."""
    is_present = {
        "duration": any(isinstance(one.this, exp.Sub) for one in query.find_all(exp.TimeToUnix)),
        "ordered sum": any(isinstance(one.this, exp.Order) for one in query.find_all(exp.Sum)),
        "first by several columns": any(isinstance(one.expression, exp.Tuple) for one in query.find_all(exp.ArgMin)),
        "quantile": query.find(exp.PercentileCont) is not None,
        "columns left out of `*`": any(one.args.get("except_") for one in query.find_all(exp.Star)),
        "group by all": any(one.args.get("all") for one in query.find_all(exp.Group)),
        "any value": query.find(exp.AnyValue) is not None,
    }
    return {name for name, present in is_present.items() if present}


TEXT = """# The marts in other engines

The dbt project builds the marts in DuckDB. Whoever wants them in a warehouse can point the sources in
`models/staging/lake/sources.yml` at tables with the columns of the lake ([tables](tables.md)), and translate the
queries by `sqlglot.transpile(query, read="duckdb", write=...)`. This page lists what sqlglot {version} does not
translate, and what it writes although the engine lacks it. The translations were parsed again, but not run: the
tests have no such engine, so a translation may still fail there.

| engine | marts that translate as a whole | what differs in the others |
|---|---|---|
{rows}

| difference | instead | marts |
|---|---|---|
{differences}
"""


def compile_marts() -> dict[str, exp.Expression]:
    """Parsed query of each mart by name. The files of the lake that it reads are tables."""
    with tempfile.TemporaryDirectory() as folder:
        data, target = DataDir(Path(folder) / "data"), Path(folder) / "target"
        copy_parsed_dbt(data.root)
        data.warehouse.unfinished_build.parent.mkdir(parents=True)
        done = run_dbt(data, ["compile", "--select", "path:models/marts"], target, prepare_manifest(data), VARIABLES)
        assert not done.failures, done.failures
        files = sorted(target.glob("compiled/turret/models/marts/*.sql"))
        return {file.stem: sqlglot.parse_one(file.read_text(), read="duckdb").transform(_name_table) for file in files}


def _name_table(node: exp.Expression) -> exp.Expression:
    """A table instead of a read of Parquet files; any other node as it is."""
    if isinstance(node, exp.Table) and isinstance(node.this, exp.ReadParquet):
        return exp.to_table("lake_table", alias=node.alias or None)
    return node


def find_differences(query: exp.Expr, dialect: str) -> set[str]:
    """What sqlglot cannot translate into the dialect, or what the dialect does not parse: keys of REMEDIES."""
    generator = sqlglot.Dialect.get_or_raise(dialect).generator(unsupported_level=ErrorLevel.IGNORE)
    written = generator.generate(query.copy())
    found = {_name_difference(message) for message in generator.unsupported_messages}
    found |= find_constructs(query) & LACKING[dialect]
    try:
        again = sqlglot.parse_one(written, read=dialect)
    except ParseError as error:
        return found | {_name_difference(str(error))}
    return found | {f"function `{one.name.lower()}`" for one in again.find_all(exp.Anonymous)}


def _name_difference(message: str) -> str:
    return next((name for words, name in MESSAGES.items() if words in message), message)


def build_page() -> str:
    """Content of the page. Raises KeyError for a difference that REMEDIES does not explain."""
    queries = compile_marts()
    found = {
        dialect: {mart: find_differences(query, dialect) for mart, query in queries.items()} for dialect in DIALECTS
    }
    rows, differences = "\n".join(_list_engines(found)), "\n".join(_list_differences(found))
    return f"<!-- Generated by `{COMMAND}`. Do not edit. -->\n\n" + TEXT.format(
        version=version("sqlglot"), rows=rows, differences=differences
    )


Found = Mapping[str, Mapping[str, set[str]]]


def _list_engines(found: Found) -> Iterator[str]:
    for dialect, marts in found.items():
        whole = sum(not differences for differences in marts.values())
        named = sorted({one for differences in marts.values() for one in differences})
        yield f"| {DIALECTS[dialect]} | {whole} of {len(marts)} | {', '.join(named)} |"


def _list_differences(found: Found) -> Iterator[str]:
    marts_of: dict[str, set[str]] = {}
    for marts in found.values():
        for mart, differences in marts.items():
            for one in differences:
                marts_of.setdefault(one, set()).add(mart)
    for one in sorted(marts_of):
        yield f"| {one} | {REMEDIES[one]} | {', '.join(f'`{mart}`' for mart in sorted(marts_of[one]))} |"


if __name__ == "__main__":
    PAGE.write_text(build_page(), encoding="utf-8")
