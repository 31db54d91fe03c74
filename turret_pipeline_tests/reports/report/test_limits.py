"""Limits: the printed number splits the values as the sentence says."""

import polars as pl
import pytest

from turret_pipeline.reports.report.data import halve_numbers
from turret_pipeline.reports.report.limits import format_limit, round_limit


@pytest.mark.parametrize(
    ("limit", "values", "expected"),
    [
        (0.0312, [0.0312, 0.01], 0.031),
        (3.08, [1.0, 3.08, 3.09, 3.2], 3.08),
        (2024.0, [2023.0, 2024.0], 2024.0),
        (1.0000001, [1.0, 1.0000001], 1.0000001),
        (123456.0, [100000.0, 123456.0], 120000.0),
        (5.0, [5.0], 5.0),
    ],
)
def test_a_limit_is_as_short_as_the_values_allow(limit: float, values: list[float], expected: float) -> None:
    assert round_limit(limit, pl.Series(values), is_inclusive=True) == expected


def test_many_values_allow_a_limit_that_moves_few_of_them() -> None:
    values = pl.Series([float(number) for number in range(1000, 11000)])

    assert round_limit(6123.0, values, is_inclusive=True) == 6100.0
    assert round_limit(6123.0, values.sample(fraction=1, shuffle=True, seed=1), is_inclusive=True) == 6100.0


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(90.0, "90"), (5400.0, "5,400"), (0.03, "0.03"), (1230000.0, "1,230,000"), (1e-5, "0.00001"), (-0.5, "-0.5")],
)
def test_a_limit_is_printed_without_an_exponent(limit: float, expected: str) -> None:
    assert format_limit(limit) == expected


def test_numbers_are_halved_at_the_limit_that_is_printed() -> None:
    values = [1_234_560.0, 1_234_567.0, 1_234_568.0, 9e9, 9e9]
    numbers = pl.DataFrame(
        {"exchange_id": range(6), "segment_field": [*["chars"] * 5, "year"], "number_value": [*values, 2024.0]},
        schema_overrides={"exchange_id": pl.UInt32()},
    )

    halves = halve_numbers(numbers)["segment_value"].to_list()

    assert halves == [*["up to 1,235,000"] * 3, *["over 1,235,000"] * 2, "up to 2,024"]


def test_without_numbers_there_are_no_halves() -> None:
    schema = {"exchange_id": pl.UInt32(), "segment_field": pl.String(), "number_value": pl.Float64()}

    assert halve_numbers(pl.DataFrame(schema=schema)).is_empty()
