"""The page about other SQL engines is that of the marts as they are, and what it explains is found."""

import pytest
import sqlglot

from turret_pipeline_tests.docs.sql_dialects import COMMAND, DIALECTS, PAGE, build_page, find_differences


@pytest.mark.slow
def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == build_page(), f"run {COMMAND}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_query_that_all_engines_have_differs_nowhere(dialect: str) -> None:
    query = "select field, count(*) as events from topics where label = 'x' group by field order by events desc"
    assert find_differences(sqlglot.parse_one(query, read="duckdb"), dialect) == set()


@pytest.mark.parametrize(
    ("query", "dialect", "difference"),
    [
        ("select getvariable('time_zone')", "snowflake", "function `getvariable`"),
        ("select sum(x order by x) from t", "bigquery", "ordered sum"),
        ("select * exclude (x) from t", "trino", "columns left out of `*`"),
        ("select x, count(*) from t group by all", "trino", "group by all"),
        ("select quantile_cont(x, 0.5) from t", "bigquery", "quantile"),
        ("select epoch(max(x) - min(x)) from t", "spark", "duration"),
        ("select arg_min(x, (y, z)) from t", "snowflake", "first by several columns"),
    ],
)
def test_a_construct_that_an_engine_lacks_is_found(query: str, dialect: str, difference: str) -> None:
    assert find_differences(sqlglot.parse_one(query, read="duckdb"), dialect) == {difference}
