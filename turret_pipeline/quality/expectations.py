"""Great Expectations over the values of the built tables."""

import itertools
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.quality.extremes import Extremes, read_extremes
from turret_pipeline.quality.rules import Order, Range, Rule, Unique, build_rules
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
    rules = [build_rules(table) for table in tables]
    extremes = [read_extremes(connection, table, of_table) for table, of_table in zip(tables, rules, strict=True)]
    cases = [(rule, one.rows) for of_table, one in zip(rules, extremes, strict=True) for rule in of_table]
    passed = iter(Validator().validate(cases))
    for table, of_table, one in zip(tables, rules, extremes, strict=True):
        yield table, _collect_verdicts(of_table, list(itertools.islice(passed, len(of_table))), one)


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
            asset = context.data_sources.add_pandas("warehouse").add_dataframe_asset(name="table")
            self._built = asset.add_batch_definition_whole_dataframe("built")

    def validate(self, cases: Sequence[tuple[Rule, pl.DataFrame]]) -> list[bool]:
        """True per case, a rule and the rows that decide it, if the rule holds in the rows.

        All cases are rows of one frame, because Great Expectations takes 10 ms for each expectation: a number that must
        not be smaller than another, and values that must be unique.
        """
        from great_expectations import expectations as gxe

        numbered = list(enumerate(cases))
        compared = [_list_comparisons(one, rows, case) for case, (one, rows) in numbered if not isinstance(one, Unique)]
        together = [_list_values(one, rows, case) for case, (one, rows) in numbered if isinstance(one, Unique)]
        at_least = gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="larger", column_B="smaller", or_equal=True, ignore_row_if="either_value_is_missing"
        )
        broken = self._find_broken(pl.concat([_COMPARISONS.to_frame(), *compared]), at_least)
        unique = gxe.ExpectCompoundColumnsToBeUnique(column_list=["case", "values"])
        broken |= self._find_broken(pl.concat([_VALUES.to_frame(), *together]), unique)
        return [case not in broken for case, _ in numbered]

    def _find_broken(self, frame: pl.DataFrame, expectation: Any) -> set[int]:  # noqa: ANN401
        """The cases with rows that do not meet the expectation."""
        if frame.is_empty():
            return set()
        listed = {"result_format": "COMPLETE", "unexpected_index_column_names": ["case"]}
        with _silence_warnings():
            batch = self._built.get_batch(batch_parameters={"dataframe": frame.to_pandas()})
            outcome = batch.validate(expectation, result_format=listed)
        return set() if outcome.success else {row["case"] for row in outcome.result["unexpected_index_list"]}


def _silence_warnings() -> "warnings.catch_warnings[None]":
    """Ignore deprecation warnings inside Great Expectations."""
    return warnings.catch_warnings(action="ignore")


_COMPARISONS = pl.Schema({"case": pl.Int64(), "larger": pl.Float64(), "smaller": pl.Float64()})
_VALUES = pl.Schema({"case": pl.Int64(), "values": pl.String()})


def _list_comparisons(rule: Range | Order, rows: pl.DataFrame, case: int) -> pl.DataFrame:
    """Pairs of numbers that hold if the rule does: ``larger`` is at least ``smaller``. Times are microseconds."""
    if isinstance(rule, Order):
        sides = [(_number(rows[rule.larger]), _number(rows[rule.smaller]))]
    else:
        value = _number(rows[rule.column])
        low, high = (pl.repeat(limit, len(value), dtype=pl.Float64, eager=True) for limit in (rule.low, rule.high))
        sides = [(value, low), (high, value)]
    frames = [pl.DataFrame({"larger": larger, "smaller": smaller}) for larger, smaller in sides]
    return pl.concat(frames).select(pl.lit(case, pl.Int64).alias("case"), "larger", "smaller")


def _number(values: pl.Series) -> pl.Series:
    return (values.dt.epoch("us") if values.dtype.is_temporal() else values).cast(pl.Float64)


def _list_values(rule: Unique, rows: pl.DataFrame, case: int) -> pl.DataFrame:
    """The values that must be unique, as one text per row; rows without any of them do not count."""
    known = rows.select(rule.columns).filter(~pl.all_horizontal(pl.all().is_null()))
    return known.select(pl.lit(case, pl.Int64).alias("case"), pl.struct(pl.all()).struct.json_encode().alias("values"))
