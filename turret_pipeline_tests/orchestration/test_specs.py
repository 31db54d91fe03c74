"""Metadata of assets: escaped, and small whatever the data is."""

import dagster as dg
import polars as pl

from turret_pipeline.orchestration.specs import result, to_markdown, to_markdown_list


def test_a_table_has_numbers_and_escaped_names() -> None:
    frame = pl.DataFrame({"event_name": ["a|<b>", "c"], "rows": [1234, 5], "share": [0.5, 0.25]})
    assert to_markdown(frame).split("\n") == [
        r"| event\_name | rows | share |",
        "| --- | --- | --- |",
        r"| a\|&lt;b&gt; | 1,234 | 0.500 |",
        "| c | 5 | 0.250 |",
    ]


def test_a_table_shows_fifty_rows_and_the_number_of_the_others() -> None:
    lines = to_markdown(pl.DataFrame({"field": [f"f{number}" for number in range(400_000)]})).split("\n")
    assert lines[2:4] == ["| f0 |", "| f1 |"]
    assert lines[-3:] == ["| f49 |", "", "and 399,950 more rows"]
    assert to_markdown(pl.DataFrame({"field": ["f"] * 50})).split("\n")[-1] == "| f |"


def test_a_cell_and_a_text_are_cut() -> None:
    assert to_markdown(pl.DataFrame({"n": ["x" * 201]})).endswith(f"| {'x' * 199}… |")
    assert to_markdown(pl.DataFrame({"n": ["x" * 200]})).endswith(f"| {'x' * 200} |")
    metadata = result("texts", 3, text_fields="a\x1b, " * 400_000).metadata
    assert metadata
    assert metadata["text_fields"] == dg.MetadataValue.text("a␛, " * 499 + "a␛,…")


def test_a_list_has_a_title_and_at_most_fifty_lines() -> None:
    assert to_markdown_list("Journeys of _x_", ["a*b"]) == "Journeys of \\_x\\_:\n\n- a\\*b"
    assert to_markdown_list("Many", ["x"] * 52).endswith("- x\n\nand 2 more lines")
