"""Home: how much people use the product, and the answers of the report with links to their evidence."""

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
from markupsafe import Markup

from turret_pipeline.dashboard.answers import find_answers
from turret_pipeline.dashboard.charts.lines import Line, draw_lines
from turret_pipeline.dashboard.evidence import link_evidence, link_figures
from turret_pipeline.dashboard.formats import format_share
from turret_pipeline.dashboard.page import Content, Page, previous_label
from turret_pipeline.dashboard.pages.topics import read_figures
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.reports.activity import Activity, read_activity, read_trend
from turret_pipeline.reports.report.charts import Bar, draw_bars
from turret_pipeline.reports.report.html import COMPARED
from turret_pipeline.reports.report.model import CHANGED, TALK, Answer, Finding
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.reports.topic_figures import choose_topic_field, suppress_few_users
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD

NAMES = {"unit_count": "", "session_count": "sessions", "user_count": "users"}
LISTS = {"unit_count": "exchanges", "session_count": "sessions", "user_count": "users"}
"""Pages that list what is counted."""

CHANGES_NAMED = 3
"""Topics that a sentence about changes names; the page of topics has all."""


def show_home(page: Page) -> Content:
    """The page of a project."""
    now, before = _count(page, page.state.scope()), _count(page, page.state.previous_scope())
    assert now is not None  # only the previous scope may be missing
    if _is_of_few(page, now):
        return Content("few.html", "Home", {})
    before = None if before and _is_of_few(page, before) else before
    table = _tabulate_trend(page, now)
    totals = [
        (getattr(now, name), getattr(before, name) if before else None, noun, _link_list(page, now, name))
        for name, noun in _name_units(now).items()
    ]
    is_whole = page.state.scope() == Scope()
    values = {
        "activity": now,
        "answers": list(_describe_answers(page, now)) if is_whole else None,
        "totals": totals,
        "before_label": previous_label(page.state),
        "charts": [_draw(table.frame, name, title) for name, title in _name_units(now).items()],
    }
    return Content("home.html", "Home", values, (table,))


def show_answers(page: Page) -> Content:
    """The answers alone: under a filter they take longer than the rest of Home, which loads them when it is shown."""
    now = _count(page, page.state.scope())
    assert now is not None
    if _is_of_few(page, now):
        return Content("few.html", "Answers", {})
    is_part = page.request.headers.get("hx-request") == "true"
    values = {"answers": list(_describe_answers(page, now))}
    return Content("answers_part.html" if is_part else "answers.html", "Answers", values)


def _describe_answers(page: Page, activity: Activity) -> Iterator[dict[str, Any]]:
    """The answers with the link and the chart of each finding."""
    for answer in find_answers(page, activity).values():
        findings = [
            {"sentence": one.sentence, "link": link_evidence(one, page.state), "chart": _draw_finding(answer, one)}
            for one in answer.findings
        ]
        nothing = answer.nothing
        if answer.key == CHANGED and page.state.previous_scope() is not None:  # its findings are weeks within the range
            nothing = _describe_changes(page) or nothing
        links = link_figures(answer.key, page.state)
        yield {"answer": answer, "nothing": nothing, "findings": findings, "links": links}


def _describe_changes(page: Page) -> str:
    """The topics whose share has changed since the previous period, in a sentence; empty without topics."""
    field = choose_topic_field(page.published, None)
    if field is None:
        return ""
    figures = suppress_few_users(read_figures(page, field), page.min_users).filter(pl.col("topic_id").is_not_null())
    tested, before = figures.drop_nulls("q_value"), previous_label(page.state)
    if tested.is_empty():
        return f"Too few {field.unit}s or users to compare topics with {before}."
    changed = tested.filter(pl.col("q_value") <= Q_VALUE_THRESHOLD).sort(pl.col("difference").abs(), descending=True)
    if changed.is_empty():
        return f"No topic changed beyond chance since {before} ({tested.height} topics compared)."
    names = ", ".join(
        f"{row['label']} ({format_share(row['before_share'])} to {format_share(row['share'])})"
        for row in changed.head(CHANGES_NAMED).iter_rows(named=True)
    )
    return f"{changed.height} of {tested.height} topics changed beyond chance since {before}, most of all {names}."


def _draw_finding(answer: Answer, finding: Finding) -> Markup:
    """The share of a finding as a bar, beside the one that it is compared with."""
    names = COMPARED.get(answer.key, ("", ""))
    other, interval = finding.other_share, finding.interval
    low, high = (None, None) if other is None or interval is None else (other + end for end in interval)
    own = Bar(finding.label or "" if answer.key == TALK else names[0], finding.share, low, high)
    bars = [own, *([] if other is None else [Bar(names[1], other, is_muted=True)])]
    largest = max(one.share for one in answer.findings) if answer.key == TALK else None
    return Markup(draw_bars(finding.sentence, bars, largest))


def _is_of_few(page: Page, activity: Activity) -> bool:
    """True if the figures are of fewer users than this person may see."""
    return activity.unit_count > 0 and activity.user_count < page.min_users > 1


def _count(page: Page, scope: Scope | None) -> Activity | None:
    if scope is None:
        return None

    def compute() -> Activity:
        with open_scope(page.published, scope) as connection:
            return read_activity(connection)

    return page.published.remember(("activity", scope), compute)


def _tabulate_trend(page: Page, activity: Activity) -> TableView:
    settings = page.project.settings

    def compute() -> tuple[str, pl.DataFrame]:
        with open_scope(page.published, page.state.scope()) as connection:
            return read_trend(connection, settings.time_zone, settings.week_start)

    bucket, frame = page.remember("trend", compute)
    if page.min_users > 1:
        is_shown = (pl.col("user_count") >= page.min_users) | (pl.col("unit_count") == 0)
        frame = frame.with_columns(pl.when(is_shown).then(name).alias(name) for name in NAMES)
    columns = [ColumnView("bucket_date", "Day" if bucket == "day" else "Week from", "day")]
    for name, title in _name_units(activity).items():
        columns.append(ColumnView(name, title.capitalize(), "count", _link_lists(page, activity, name, bucket)))
    return TableView("trend", f"Activity by {bucket}", frame, tuple(columns), rows_shown=1000)


def _link_list(page: Page, activity: Activity, name: str, **parameters: str) -> str | None:
    """URL of the list of what is counted; events that are no exchanges have none."""
    has_list = activity.unit == "exchange" or (name != "unit_count" and not parameters)
    return page.state.to_page(LISTS[name], **parameters) if has_list else None


def _link_lists(page: Page, activity: Activity, name: str, bucket: str) -> Callable[[Row], str | None]:
    return lambda row: _link_list(page, activity, name, **{bucket: row["bucket_date"].isoformat()})


def _name_units(activity: Activity) -> dict[str, str]:
    return {**NAMES, "unit_count": f"{activity.unit}s"}


def _draw(frame: pl.DataFrame, column: str, title: str) -> dict[str, object]:
    days = [f"{day:%Y-%m-%d}" for day in frame["bucket_date"]]
    values = frame[column].to_list()
    notes = [
        f"{day}: too few users" if value is None else f"{day}: {value:,} {title}"
        for day, value in zip(days, values, strict=True)
    ]
    return {"title": title, "svg": draw_lines(f"{title.capitalize()} over time", days, [Line(title, values, notes)])}
