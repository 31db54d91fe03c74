"""Building a report from the rows of a scope: the four answers, with false claims controlled over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report.changes import choose_comparisons, count_born, describe_run, find_changes
from turret_pipeline.reports.report.data import ReportData, read_report_data
from turret_pipeline.reports.report.differences import compare_segments
from turret_pipeline.reports.report.failures import find_failures
from turret_pipeline.reports.report.family import Family, answer_questions
from turret_pipeline.reports.report.model import CHANGED, DIFFERS, FAILS, TALK, Answer, Report
from turret_pipeline.reports.report.subjects import describe_themes, list_fields
from turret_pipeline.reports.scope import Scope
from turret_pipeline.topics.insights.periods import Period, PeriodPair, WeekStart
from turret_pipeline.topics.insights.trends import last_day

if TYPE_CHECKING:
    from turret_pipeline.config.pipeline import Settings


@dataclass(frozen=True)
class ReportOptions:
    """Settings of a report: see the settings of these names. ``min_users`` is privacy_min_users."""

    week_start: WeekStart = "monday"
    trend_days: int = 7
    min_users: int = 1


def report_of(published: PublishedTables, scope: Scope, settings: "Settings") -> Report:
    """The report on the published rows of a scope. Raises TurretError as ``read_report_data`` does."""
    data = read_report_data(published, scope, settings.time_zone)
    return build_report(data, ReportOptions(settings.week_start, settings.trend_days, settings.privacy_min_users))


def build_report(data: ReportData, options: ReportOptions) -> Report:
    """The report on the rows.

    False claims are controlled over all comparisons of the report: if nothing differs at all, the chance of any claim
    is at most 5 %.
    """
    period = _find_period(data, options.trend_days)
    labels = dict(data.topics.select("topic_id", "label").iter_rows())
    pairs = choose_comparisons(period, options.week_start)
    families = _compare(data, labels, pairs, period, options)
    fields = list_fields(data)
    talk = Answer(TALK, tuple(describe_themes(data, fields, period)))
    notes = {CHANGED: _note_changes(data, labels, pairs)}
    return Report(
        period=period,
        scope=str(data.scope),
        exchange_count=data.exchanges.height,
        session_count=data.session_count,
        user_count=data.user_count,
        fields=tuple(fields),
        answers=(talk, *answer_questions(families, notes, (CHANGED, FAILS, DIFFERS))),
    )


def _find_period(data: ReportData, trend_days: int) -> Period | None:
    """The days of the rows, without days of wrong clocks; None without rows."""
    days = pl.concat(
        [rows.filter(~pl.col("is_time_ahead"))["event_date"] for rows in (data.occurrences, data.exchanges)]
    )
    last = last_day(days, trend_days)
    return None if last is None else Period(min(days), last)


def _compare(
    data: ReportData,
    labels: Mapping[str, str],
    pairs: Mapping[str, PeriodPair],
    period: Period | None,
    options: ReportOptions,
) -> list[Family]:
    families = [*find_changes(data, labels, pairs), *describe_run(data, labels, options.min_users)]
    if data.exchanges.height:
        families += find_failures(data.exchanges, labels, period, options.min_users)
        families += compare_segments(data, labels, period, options.min_users)
    return families


def _note_changes(data: ReportData, labels: Mapping[str, str], pairs: Mapping[str, PeriodPair]) -> Sequence[str]:
    """Sentences about what was compared, and about the topics of the last run."""
    compared = [f"{pair.recent} with {pair.before}" for pair in pairs.values()]
    notes = [f"Compared: {', and '.join(compared)}."] if compared else []
    if not compared:
        notes.append("Nothing can be compared yet: two complete weeks are needed.")
    born = count_born(data, labels) if data.is_later_run else None
    return [*notes, *([born] if born else [])]
