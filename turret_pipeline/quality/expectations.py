"""Great Expectations over the values of the built tables."""

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.quality.extremes import Extremes, read_extremes
from turret_pipeline.quality.rules import Order, Range, Rule, build_rules
from turret_pipeline.tables import Table


@dataclass(frozen=True)
class Verdict:
    """The outcome of one rule of a table."""

    rule: str
    is_passed: bool
    violation_count: int
    row_count: int
    found: str

    @property
    def violations(self) -> str:
        """Number of rows that violate the rule, and the values of all rows, in words."""
        values = f" (values: {self.found})" * bool(self.found)
        return f"violated in {self.violation_count:,} of {self.row_count:,} rows{values}"

    def __str__(self) -> str:
        return f"{self.rule}: {self.violations}"


def check_values(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]
) -> Iterator[tuple[Table, list[Verdict]]]:
    """The verdict of each rule, table by table.

    Only the rows that decide the rules are loaded. Where there are none, all rules hold.
    """
    validator = Validator()
    for table in tables:
        rules = build_rules(table)
        extremes = read_extremes(connection, table, rules)
        is_empty = extremes.rows.is_empty()
        passed = [True] * len(rules) if is_empty else validator.validate(table, rules, extremes.rows)
        yield table, _collect_verdicts(rules, passed, extremes)


def _collect_verdicts(rules: Sequence[Rule], passed: Sequence[bool], extremes: Extremes) -> list[Verdict]:
    facts = zip(rules, passed, extremes.violation_counts, extremes.found, strict=True)
    return [Verdict(str(rule), ok, count, extremes.row_count, found) for rule, ok, count, found in facts]


class Validator:
    """Great Expectations without files and telemetry."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"  # telemetry
        with _silence_warnings():
            import great_expectations as gx

            context: Any = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = {"globally": False}
            # one asset for all tables: the context writes its whole configuration whenever an asset is added
            asset = context.data_sources.add_pandas("warehouse").add_dataframe_asset(name="table")
            self._built = asset.add_batch_definition_whole_dataframe("built")

    def validate(self, table: Table, rules: Sequence[Rule], frame: pl.DataFrame) -> list[bool]:
        """True per rule that holds in the frame, which has the columns of the rules."""
        import great_expectations as gx

        expectations = [_make_expectation(rule, number) for number, rule in enumerate(rules)]
        with _silence_warnings():
            batch = self._built.get_batch(batch_parameters={"dataframe": frame.to_pandas()})
            suite = gx.ExpectationSuite(name=table.name, expectations=expectations)
            # DuckDB counts and finds the values; to collect them here too takes most of the time of a small table
            outcome = batch.validate(suite, result_format="BOOLEAN_ONLY")
        passed = {result.expectation_config.meta["rule"]: bool(result.success) for result in outcome.results}
        return [passed[number] for number in range(len(rules))]


def _silence_warnings() -> "warnings.catch_warnings[None]":
    """Ignore deprecation warnings inside Great Expectations."""
    return warnings.catch_warnings(action="ignore")


def _make_expectation(rule: Rule, number: int) -> Any:  # noqa: ANN401
    from great_expectations import expectations as gxe

    meta = {"rule": number}
    if isinstance(rule, Range):
        return gxe.ExpectColumnValuesToBeBetween(column=rule.column, min_value=rule.low, max_value=rule.high, meta=meta)
    if isinstance(rule, Order):
        return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=rule.larger,
            column_B=rule.smaller,
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            meta=meta,
        )
    return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(rule.columns), meta=meta)
