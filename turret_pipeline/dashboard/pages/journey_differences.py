"""Two groups of sessions on a page of journeys, of two segments or of a period and the previous one: what differs."""

from collections.abc import Callable, Sequence

import polars as pl

from turret_pipeline.dashboard.formats import describe_interval, describe_share, format_difference, format_share
from turret_pipeline.dashboard.pages.journey_parts import Journeys, Side
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD

DIFFERENCES_SHOWN = 25
NOTHING = "Nothing to compare: one of the two has no sessions here."


def compare_columns(count: str, noun: str) -> tuple[ColumnView, ...]:
    """The columns of a comparison: both counts and shares, their difference and its q-value."""
    return (
        ColumnView("share", "First", "share", hint=lambda row: describe_share(row[count], row["total"], noun)),
        ColumnView(
            "other_share",
            "Second",
            "share",
            hint=lambda row: describe_share(row[f"other_{count}"], row["other_total"], noun),
        ),
        ColumnView("difference", "Difference", "difference", hint=describe_difference(noun)),
        ColumnView("q_value", "q", "q_value"),
    )


def index_changes(journeys: Journeys, differences: pl.DataFrame, by: Sequence[str]) -> dict[tuple[object, ...], Row]:
    """The rows of a comparison of the page's period with the previous one by their key; none of two segments."""
    if journeys.page.state.get_all("compare_segment"):
        return {}
    return {tuple(row[name] for name in by): row for row in differences.iter_rows(named=True)}


def tabulate_differences(
    sides: tuple[Side, Side], differences: pl.DataFrame, columns: Sequence[ColumnView]
) -> TableView:
    """The table of what differs between both sides."""
    title = f"Differences between {sides[0].label} and {sides[1].label}"
    return TableView("differences", title, differences, tuple(columns), NOTHING, 0, DIFFERENCES_SHOWN, is_paged=False)


def describe_before(row: Row, noun: str) -> str:
    """The figure of the period before, and the change since, for a tooltip."""
    shares = f"before: {describe_share(row['other_session_count'], row['other_total'], noun)}"
    change = f"change {format_difference(row['difference'])}, {describe_difference(noun)(row)}"
    return f"{shares}, {format_share(row['other_share'])}; {change}{', beyond chance' if is_beyond_chance(row) else ''}"


def is_beyond_chance(row: Row) -> bool:
    """True if the difference of a comparison is more than chance."""
    return row["q_value"] is not None and row["q_value"] <= Q_VALUE_THRESHOLD


def describe_difference(noun: str) -> Callable[[Row], str]:
    """The interval of a difference, or that there are too few to tell."""
    return lambda row: describe_interval(row["difference_low"], row["difference_high"], noun)
