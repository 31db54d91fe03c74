"""The tables of the page of a topic."""

import polars as pl

from turret_pipeline.dashboard.formats import FORMATS, Kind, describe_interval, describe_share
from turret_pipeline.dashboard.page import Page
from turret_pipeline.dashboard.pages.topic_before import has_previous, join_previous
from turret_pipeline.dashboard.pages.topic_links import link_to_list
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.reports.scope import Scope, format_segment, parse_segment
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.topic_details import list_neighbours, measure_topic, read_texts
from turret_pipeline.reports.topic_figures import TopicField
from turret_pipeline.reports.topic_segments import compare_segments
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.tables.journeys import END, START, STRUGGLE_OUTCOME

MEASURES: dict[str, tuple[str, Kind]] = {
    "cost_usd": ("Cost", "dollars"),
    "input_tokens": ("Input tokens", "number"),
    "output_tokens": ("Output tokens", "number"),
    "latency_seconds": ("Latency", "seconds"),
    "seconds_to_answer": ("Time to answer", "seconds"),
    "rating": ("Rating", "number"),
}
"""Name and format of each measure."""

SUMMED = {"cost_usd", "input_tokens", "output_tokens"}
"""Measures whose sum means something."""

_SEGMENTS = """
select segment_field, segment_value, event_count, share_in_segment, share_elsewhere, difference, difference_low,
    difference_high, q_value
from marts.topic_segments where topic_id = ? order by q_value, abs(difference) desc, segment_field, segment_value
"""
_OUTCOMES = """
select outcome_event_name, session_count, outcome_session_count, outcome_share, baseline_share, difference,
    difference_low, difference_high, q_value
from marts.topic_outcomes where topic_id = ? order by q_value, outcome_event_name
"""
_RETENTION = """
select weeks_since, sum(cohort_count)::bigint as cohort_count, sum(returned_count)::bigint as returned_count,
    sum(returned_to_topic_count)::bigint as returned_to_topic_count
from marts.topic_retention where topic_id = ? group by weeks_since order by weeks_since
"""


def is_filtered(page: Page) -> bool:
    """True if the page is about a part of the data."""
    return bool(page.state.since or page.state.until or page.state.segments)


def tabulate_measures(page: Page, topic_id: str) -> TableView:
    """Cost, tokens, times and rating of the exchanges about the topic."""

    def read(scope: Scope) -> pl.DataFrame:
        with open_scope(page.published, scope) as connection:
            return measure_topic(connection, topic_id, page.min_users)

    key = ("topic measures", topic_id)
    found = page.remember(key[0], lambda: read(page.state.scope()), topic_id, page.min_users)
    found = join_previous(page, found, ["measure"], {"value_mean": "before_mean"}, key, read)
    names = found["measure"].to_list()
    texts = {
        column: [
            FORMATS[MEASURES[name][1]](value) if value is not None and (column != "value_sum" or name in SUMMED) else ""
            for name, value in zip(names, found[column], strict=True)
        ]
        for column in ("value_mean", "before_mean", "value_p50", "value_p95", "value_sum")
        if column in found.columns
    }
    frame = found.with_columns(
        pl.Series("name", [MEASURES[name][0] for name in names], pl.String),
        *(pl.Series(f"{column}_text", values, pl.String) for column, values in texts.items()),
    )
    columns = (
        ColumnView("name", "Measure"),
        ColumnView("value_mean_text", "Mean"),
        *([ColumnView("before_mean_text", "Mean before")] if has_previous(page) else []),
        ColumnView("value_p50_text", "Median"),
        ColumnView("value_p95_text", "95th percentile"),
        ColumnView("value_sum_text", "Sum"),
        ColumnView("value_count", "Exchanges with a value", "count", lambda row: _link_to_values(page, topic_id, row)),
    )
    nothing = "No exchange about it has a cost, tokens, a time or a rating."
    return TableView("measures", "Numbers of its exchanges", frame, columns, nothing)


def _link_to_values(page: Page, topic_id: str, row: Row) -> str:
    """URL of the exchanges that have a measure: ratings may be negative, and nothing else is."""
    has_value = {"rating": "any"} if row["measure"] == "rating" else {"at_least": f"{row['measure']}:0"}
    return page.state.to_page("exchanges", topic=topic_id, **has_value)


def tabulate_segments(page: Page, field: TopicField, topic_id: str) -> TableView:
    """Share of the topic in each segment and elsewhere: published figures of all data, or those of the scope."""

    def read(scope: Scope) -> pl.DataFrame:
        if scope == Scope():
            return page.published.query(_SEGMENTS, topic_id)
        with open_scope(page.published, scope) as connection:
            found = compare_segments(connection, field, topic_id, page.min_users)
        size = pl.col("difference").abs()
        return found.sort("q_value", size, descending=[False, True], nulls_last=True, maintain_order=True)

    key = ("topic segments", field, topic_id)
    frame = page.remember(key[0], lambda: read(page.state.scope()), field, topic_id, page.min_users)
    by = ["segment_field", "segment_value"]
    frame = join_previous(page, frame, by, {"share_in_segment": "before_share"}, key, read)
    noun = f"{field.unit}s" if is_filtered(page) else "own texts"
    columns = (
        ColumnView("segment_field", "Field"),
        ColumnView("segment_value", "Value", link=lambda row: _link_to_segment(page, row)),
        ColumnView(
            "event_count",
            noun.capitalize(),
            "count",
            lambda row: _link_to_list_of_segment(page, field, topic_id, row),
        ),
        ColumnView("share_in_segment", "Share in it", "share"),
        *([ColumnView("before_share", "Share in it before", "share")] if has_previous(page) else []),
        ColumnView("share_elsewhere", "Share elsewhere", "share"),
        ColumnView("difference", "Difference", "difference", hint=_describe_interval),
        ColumnView("q_value", "q-value", "q_value"),
    )
    return TableView("segments", "Share in each segment", frame, columns, "No segment is large enough to compare.")


def _with_segment(page: Page, row: Row) -> list[str]:
    segment = format_segment(row["segment_field"], row["segment_value"])
    others = [one for one in page.state.segments if parse_segment(one)[0] != row["segment_field"]]
    return [*others, segment]


def _link_to_segment(page: Page, row: Row) -> str:
    return page.state.change(segment=_with_segment(page, row))


def _link_to_list_of_segment(page: Page, field: TopicField, topic_id: str, row: Row) -> str | None:
    """URL of the exchanges of sessions in the segment; in all data, of own prompts that have the value themselves."""
    if is_filtered(page):
        return link_to_list(page, field, topic_id, segment=_with_segment(page, row))
    segment = format_segment(row["segment_field"], row["segment_value"])
    return link_to_list(page, field, topic_id, own="1", value=segment) if field.unit == "exchange" else None


def _describe_interval(row: Row) -> str:
    return describe_interval(row["difference_low"], row["difference_high"])


def tabulate_neighbours(page: Page, field: TopicField, topic_id: str, *, is_next: bool) -> TableView:
    """The topics directly after it, or before it, in the sessions that start in the range."""

    def read(scope: Scope) -> tuple[pl.DataFrame, pl.DataFrame]:
        with open_scope(page.published, scope) as connection:
            return list_neighbours(connection, field.name, topic_id, page.min_users)

    def read_side(scope: Scope) -> pl.DataFrame:
        key = ("topic neighbours", scope, field, topic_id, page.min_users)
        return page.published.remember(key, lambda: read(scope))[is_next]

    ends = {END: "The session ends", START: "The session starts"}
    frame = read_side(page.state.scope()).with_columns(pl.col("label").replace(ends))
    side = ("topic neighbours", is_next, field, topic_id)
    frame = join_previous(page, frame, ["node_id"], {"share": "before_share"}, side, read_side)
    columns = (
        ColumnView("label", "Topic", link=lambda row: _link_to_node(page, row)),
        ColumnView("transition_count", "Times", "count"),
        ColumnView("share", "Share", "share", hint=_describe_neighbour),
        *([ColumnView("before_share", "Before", "share")] if has_previous(page) else []),
        ColumnView(
            "session_count",
            "Sessions",
            "count",
            lambda row: _link_to_moves(page, field, topic_id, row, is_next=is_next),
        ),
    )
    name, title = ("next", "After it") if is_next else ("previous", "Before it")
    return TableView(name, title, frame, columns, "No session that starts in this range is about it.", rows_shown=10)


def _link_to_node(page: Page, row: Row) -> str | None:
    return None if row["node_id"] in {START, END} else page.state.to_page(f"topics/{row['node_id']}")


def _link_to_moves(page: Page, field: TopicField, topic_id: str, row: Row, *, is_next: bool) -> str:
    if row["node_id"] in {START, END}:
        return page.state.to_page("sessions", dimension=field.name, **{"end" if is_next else "start": topic_id})
    one, other = (topic_id, row["node_id"]) if is_next else (row["node_id"], topic_id)
    return page.state.to_page("sessions", dimension=field.name, **{"from": one, "to": other})


def _describe_neighbour(row: Row) -> str:
    return describe_share(row["transition_count"], row["total_count"], "visits", row["share_low"], row["share_high"])


def tabulate_outcomes(page: Page, topic_id: str) -> TableView:
    """Events that follow the topic more or less often than other topics, in all data."""
    found = page.published.query(_OUTCOMES, topic_id)
    name = pl.col("outcome_event_name").replace({STRUGGLE_OUTCOME: "an exchange that went wrong"})
    columns = (
        ColumnView("name", "Event"),
        ColumnView("outcome_session_count", "Sessions", "count", lambda row: _link_to_outcome(page, topic_id, row)),
        ColumnView("outcome_share", "Share", "share", hint=_describe_outcome),
        ColumnView("baseline_share", "Other topics", "share"),
        ColumnView("difference", "Difference", "difference", hint=_describe_interval),
        ColumnView("q_value", "q-value", "q_value"),
    )
    nothing = "Too few sessions visit it to compare what follows."
    return TableView("outcomes", "Outcomes", found.with_columns(name.alias("name")), columns, nothing)


def _describe_outcome(row: Row) -> str:
    return describe_share(row["outcome_session_count"], row["session_count"], "sessions")


def _link_to_outcome(page: Page, topic_id: str, row: Row) -> str:
    """The sessions of all data, as the figures are."""
    everything = {"since": None, "until": None, "segment": None}
    return page.state.to_page("sessions", topic=topic_id, outcome=row["outcome_event_name"], **everything)


def tabulate_retention(page: Page, topic_id: str) -> TableView:
    """Users who are there again some weeks after their first exchange about the topic, in all data."""
    found = page.published.query(_RETENTION, topic_id)
    counts = [found[name].to_numpy() for name in ("returned_count", "cohort_count")]
    low, high = share_interval(*counts) if found.height else (counts[0], counts[0])
    frame = found.with_columns(
        (pl.col("returned_count") / pl.col("cohort_count")).alias("returned_share"),
        pl.Series("share_low", low, pl.Float64),
        pl.Series("share_high", high, pl.Float64),
    )
    columns = (
        ColumnView("weeks_since", "Weeks since", "count"),
        ColumnView("cohort_count", "Users", "count"),
        ColumnView("returned_share", "There again", "share", hint=_describe_return),
        ColumnView("returned_to_topic_count", "About the topic again", "count"),
    )
    return TableView("retention", "Retention", frame, columns, "The data have too few complete weeks.")


def _describe_return(row: Row) -> str:
    return describe_share(row["returned_count"], row["cohort_count"], "users", row["share_low"], row["share_high"])


def list_texts(page: Page, field: TopicField, topic_id: str) -> TableView:
    """Texts in the middle of the topic and at its border, with their similarities."""

    def compute() -> pl.DataFrame:
        with page.published.open() as connection:
            return read_texts(connection, field, topic_id)

    frame = page.published.remember(("topic texts", topic_id), compute)
    columns = (
        ColumnView("place", "Place"),
        ColumnView("text", "Text", "prose", link=lambda row: _link_to_session(page, row)),
        ColumnView("similarity", "Similarity", "similarity"),
        ColumnView(
            "runner_up_label", "Next topic", link=lambda row: page.state.to_page(f"topics/{row['runner_up_topic_id']}")
        ),
        ColumnView("runner_up_similarity", "Similarity to it", "similarity", hint=_describe_margin),
    )
    return TableView("texts", "Central and borderline texts", frame, columns, "No text of it has a similarity.")


def _link_to_session(page: Page, row: Row) -> str:
    anchor = "" if row["exchange_number"] is None else f"#e{row['exchange_number']}"
    return page.state.to_page(f"sessions/{row['session_id']}") + anchor


def _describe_margin(row: Row) -> str:
    return f"margin {row['margin']:.3f}"
