"""Building a report from the rows of a scope: the four answers, with false claims controlled over all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report.changes import choose_comparisons, compare_topics_over_time, list_shifts
from turret_pipeline.reports.report.data import ReportData, read_report_data
from turret_pipeline.reports.report.differences import compare_segments
from turret_pipeline.reports.report.failures import find_failures
from turret_pipeline.reports.report.family import Family, answer_questions
from turret_pipeline.reports.report.model import CHANGED, DIFFERS, FAILS, TALK, Answer, Report
from turret_pipeline.reports.report.new_words import name_new_words
from turret_pipeline.reports.report.notes import collect_notes, explain_nothing
from turret_pipeline.reports.report.privacy import suppress_rare_topics
from turret_pipeline.reports.report.subjects import describe_themes, list_fields
from turret_pipeline.reports.scope import Scope
from turret_pipeline.topics.insights.data_days import find_period
from turret_pipeline.topics.insights.periods import Period, PeriodPair, WeekStart

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
    options = ReportOptions(settings.week_start, settings.trend_days, settings.privacy_min_users)
    report = build_report(data, options)
    pairs = choose_comparisons(report.period, options.week_start)
    return name_new_words(report, pairs, published, scope, settings.time_zone)


def build_report(data: ReportData, options: ReportOptions) -> Report:
    """The report on the rows.

    False claims are controlled over all comparisons of the report: if nothing differs at all, the chance of any claim
    is at most 5 %.
    """
    period = _find_period(data, options.trend_days)
    data = suppress_rare_topics(data, options.min_users)
    labels = dict(data.topics.select("topic_id", "label").iter_rows())
    pairs = choose_comparisons(period, options.week_start)
    families = _compare(data, labels, pairs, period, options)
    fields = list_fields(data)
    nothing = explain_nothing(data, pairs)
    themes = tuple(describe_themes(data, fields, period))
    talk = Answer(TALK, themes, nothing="" if themes else nothing[TALK])
    notes = collect_notes(data, labels, pairs, families[0])
    return Report(
        period=period,
        scope=str(data.scope),
        exchange_count=data.exchanges.height,
        session_count=data.session_count,
        user_count=data.user_count,
        fields=tuple(fields),
        answers=(talk, *answer_questions(families, notes, {key: nothing[key] for key in (CHANGED, FAILS, DIFFERS)})),
        shifts=tuple(list_shifts(data, labels, pairs, options.min_users)),
    )


def _find_period(data: ReportData, trend_days: int) -> Period | None:
    """The days of the rows, without days of wrong clocks; None without rows."""
    days = pl.concat(
        [rows.filter(~pl.col("is_time_ahead"))["event_date"] for rows in (data.occurrences, data.exchanges)]
    )
    return find_period(days, trend_days)


def _compare(
    data: ReportData,
    labels: Mapping[str, str],
    pairs: Mapping[str, PeriodPair],
    period: Period | None,
    options: ReportOptions,
) -> list[Family]:
    families = [compare_topics_over_time(data, labels, pairs, options.min_users)]
    if data.exchanges.height:
        families.append(find_failures(data, labels, period, options.min_users))
        families += compare_segments(data, labels, period, options.min_users)
    return families
