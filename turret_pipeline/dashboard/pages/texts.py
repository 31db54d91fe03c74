"""Texts: the list behind every count of texts that are no prompts."""

import duckdb
import polars as pl

from turret_pipeline.dashboard.list_conditions import Condition, describe_topic, find_label, query_names, read_days
from turret_pipeline.dashboard.listings import Listing, make_table, row_range, session_url, topic_url
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.exchanges import count_of, describe_text
from turret_pipeline.dashboard.tables import ColumnView
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.reports.exchange_lists import Counts, RowRange
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.text_lists import OUTCOMES, TextFilter, list_texts

OUTCOME_WORDS = {
    "assigned": "with a topic of their own",
    "continuation": "that follow up an earlier subject",
    "outlier": "unlike other texts",
    "unreadable": "in a language that is not read",
    "empty": "without any character",
}
OUTCOME_NAMES = {"assigned": "own topic", "continuation": "follow-up"}
"""Outcomes of texts that are not named as they are stored."""


def show_texts(page: Page) -> Content:
    """The list of the texts that fulfil the conditions in the URL."""
    conditions, rows = _read_filter(page), row_range(page)

    def compute() -> tuple[Counts, pl.DataFrame]:
        with open_scope(page.published, page.state.scope()) as connection:
            return list_texts(connection, conditions, rows, page.min_users)

    counts, frame = page.remember("texts", compute, conditions, rows, page.min_users)

    def read(connection: duckdb.DuckDBPyConnection, rows: RowRange) -> pl.DataFrame:
        return list_texts(connection, conditions, rows, page.min_users)[1]

    is_hidden = counts.is_of_fewer_users(page.min_users)
    nothing = "No text fulfils all conditions. Choose other days or segments above, or remove a condition."
    listing = Listing("texts", "Texts", _list_columns(page), nothing)
    sentence = (
        f"{count_of(counts.row_count, 'text')} of the field {conditions.field} in "
        f"{count_of(counts.session_count, 'session')} of {count_of(counts.user_count, 'user')}"
    )
    values = {
        "is_hidden": is_hidden,
        "sentence": [(sentence, None)],
        "conditions": _describe_conditions(page, conditions),
        "notes": [],
        "has_search": False,
    }
    tables = () if is_hidden else (make_table(listing, page, counts.row_count, frame, read),)
    return Content("list.html", "Texts", values, tables)


def _read_filter(page: Page) -> TextFilter:
    """The conditions of texts in the URL. Raises TurretError if one is invalid."""
    field, topic, outcome = page.state.get("field"), page.state.get("topic"), page.state.get("outcome")
    sql = "select field from marts.fields where type = 'text' order by event_count desc, field"
    fields = query_names(page, sql)
    if not fields:
        raise TurretError("This project has no text field: its texts cannot be listed.")
    if field and field not in fields:
        raise TurretError(f"Unknown text field {field!r}. Available: {list_names(fields)}.")
    if topic:
        find_label(page, topic)
    if outcome and outcome not in OUTCOMES:
        raise TurretError(f"Invalid outcome {outcome!r}: use {list_names(OUTCOMES)}.")
    return TextFilter(field or fields[0], topic or None, outcome or None, *read_days(page))


def _describe_conditions(page: Page, conditions: TextFilter) -> list[Condition]:
    found = []
    if conditions.topic_id:
        found.append(Condition(describe_topic(page, conditions.topic_id), page.state.change(topic=None)))
    if conditions.outcome:
        found.append(Condition(OUTCOME_WORDS[conditions.outcome], page.state.change(outcome=None)))
    for name, words in (("day", "on"), ("week", "in the week from")):
        if page.state.get(name):
            found.append(Condition(f"{words} {page.state.get(name)}", page.state.change(**{name: None})))
    return found


def _list_columns(page: Page) -> tuple[ColumnView, ...]:
    return (
        ColumnView("event_at", "Time", "time", lambda row: session_url(page, row["session_id"])),
        ColumnView("text", "Text", "prose", words=lambda row: describe_text(page, row["text"])),
        ColumnView("topic", "Topic", link=lambda row: topic_url(page, row)),
        ColumnView("outcome", "Outcome", words=lambda row: OUTCOME_NAMES.get(row["outcome"], f"{row['outcome']}")),
        ColumnView("similarity", "Similarity", "similarity"),
        ColumnView("event_name", "Event"),
    )
