"""The signals of the page of a topic: shares, beside those of other topics and of the previous period."""

from dataclasses import replace

import polars as pl

from turret_pipeline.dashboard.formats import describe_interval, describe_share
from turret_pipeline.dashboard.page import Page
from turret_pipeline.dashboard.pages.topic_tables import is_filtered
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.topic_signals import (
    COMPARED,
    compare_signals,
    compare_with_other_topics,
    compare_with_time_before,
)
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS

_DECIDED = "exchanges in which it is decided"

_SIGNALS = """
select signal, exchange_count, signal_count, signal_share, share_low, share_high, base_share, difference,
    difference_low, difference_high, q_value
from marts.topic_signals where topic_id = ? and week_start_date is null and segment_field is null
"""


def tabulate_signals(page: Page, topic_id: str) -> TableView:
    """Signs that exchanges about the topic went wrong, beside those of other topics and of the previous period."""
    found = page.remember("topic signals", lambda: _read_signals(page, topic_id), topic_id, page.min_users)
    order = pl.col("signal").cast(pl.Enum(SIGNALS_OF_TOPICS))
    names = {name: name.replace("_", " ").capitalize() for name in SIGNALS_OF_TOPICS}
    frame = found.sort(order).with_columns(pl.col("signal").replace_strict(names).alias("name"))
    columns = [
        ColumnView("name", "Signal"),
        ColumnView("signal_count", "Exchanges", "count", lambda row: _link_to_signal(page, topic_id, row)),
        ColumnView("signal_share", "Share", "share", hint=_describe_signal),
        ColumnView("base_share", "Other topics", "share"),
        ColumnView("difference", "Difference", "difference", hint=_describe_difference),
        ColumnView("q_value", "q-value", "q_value"),
    ]
    before = page.state.previous_scope()
    if before is not None:
        frame = frame.join(_read_signals_before(page, before, topic_id), on="signal", how="left", maintain_order="left")
        columns += [
            ColumnView("before_share", "Before", "share", hint=_describe_signal_before),
            ColumnView("change", "Change", "difference", hint=_describe_change),
            ColumnView("change_q_value", "q-value of change", "q_value"),
        ]
    nothing = "No signal is decided in these exchanges."
    return TableView("signals", "Share with each signal", frame, tuple(columns), nothing)


def _read_signals(page: Page, topic_id: str) -> pl.DataFrame:
    """The published comparison with other topics, or that within the scope."""
    if not is_filtered(page):
        return page.published.query(_SIGNALS, topic_id)
    with open_scope(page.published, page.state.scope()) as connection:
        return compare_signals(connection, compare_with_other_topics(topic_id), page.min_users)


def _read_signals_before(page: Page, before: Scope, topic_id: str) -> pl.DataFrame:
    """The share of each signal in the previous period, and its change since."""

    def compute() -> pl.DataFrame:
        scope = page.state.scope()
        with open_scope(page.published, replace(scope, since=before.since)) as connection:
            return compare_signals(connection, compare_with_time_before(topic_id, scope), page.min_users)

    found = page.remember("topic signals before", compute, topic_id, page.min_users)
    changes = {name: name.replace("difference", "change") for name in COMPARED[1:-1]}
    names = {**{f"base_{name}": f"before_{name}" for name in ("count", "total", "share")}, **changes}
    return found.select("signal", *names, "q_value").rename({**names, "q_value": "change_q_value"})


def _link_to_signal(page: Page, topic_id: str, row: Row) -> str:
    return page.state.to_page("exchanges", topic=topic_id, signal=row["signal"])


def _describe_signal(row: Row) -> str:
    return describe_share(row["signal_count"], row["exchange_count"], _DECIDED, row["share_low"], row["share_high"])


def _describe_signal_before(row: Row) -> str:
    return describe_share(row["before_count"], row["before_total"], _DECIDED)


def _describe_difference(row: Row) -> str:
    return describe_interval(row["difference_low"], row["difference_high"])


def _describe_change(row: Row) -> str:
    return describe_interval(row["change_low"], row["change_high"])
