"""Failures: topics whose exchanges are slow, expensive, badly rated, unanswered or wrong, or end the session."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from turret_pipeline.journeys.facts import percent
from turret_pipeline.reports.report.comparisons import FIGURES, compare_counted, rank_by_difference
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.family import Comparisons, Family
from turret_pipeline.reports.report.limits import format_limit, round_limit
from turret_pipeline.reports.report.model import FAILS, Finding
from turret_pipeline.reports.report.subjects import CONTINUATION
from turret_pipeline.reports.report.words import certainty, share_of
from turret_pipeline.stats.groups import MIN_EVENTS
from turret_pipeline.tables.exchanges import ENDED, OPEN
from turret_pipeline.tables.rating_scales import BAD_SHARE, SCALES
from turret_pipeline.tables.signals import RESOLVED, SIGNALS_OF_STRUGGLE, STRUGGLE

SLOWEST = 0.9
"""Answers are called slow, or expensive, from this quantile of all answers: the project itself says what is usual."""

NOUNS = {
    "ends": "ends of sessions",
    "slow": "shares of slow answers",
    "expensive": "shares of expensive exchanges",
    "badly_rated": "shares of bad ratings",
    "error": "shares of errors",
    "unanswered": "shares of unanswered prompts",
    "declined": "shares of refusals",
    "corrected": "shares of objections",
    "struggle": "signs of struggle",
    "unresolved": "shares without a declared outcome",
}
"""Nouns for the comparisons, by key of the measure."""

FLAGS = {
    "unanswered": (
        pl.col("is_unanswered") & ~pl.col("is_error").fill_null(value=False),  # errors are a measure of their own
        "prompt",
        "get no answer, or one that finds or knows nothing",
    ),
    "declined": (pl.col("is_declined"), "answer", "refuse"),
    "corrected": (pl.col("is_corrected"), "prompt", "are followed by an objection"),
    STRUGGLE: (pl.col("is_struggle"), "exchange", "show signs of struggle"),
    "unresolved": (~pl.col("is_resolved"), "exchange", "are not resolved"),
}
"""Measures of signals, with noun and verdict. Others are left out: is_rephrased and is_abandoned are right too rarely
to be told alone, and the rest are measured as they were recorded."""

GROUP = "subject_topic_id"

UNIT = ("session_id", "cluster_id", "user_id", *(f"is_{signal}" for signal in SIGNALS_OF_STRUGGLE))
"""Columns of what is counted."""

VALUES = (
    *("ending", "latency_seconds", "seconds_to_answer", "output_tokens", "cost_usd", "is_error", "rating"),
    *(f"is_{signal}" for signal in (STRUGGLE, RESOLVED)),
)
"""Further columns of exchanges that the measures read. Others would take half of the memory of a large report."""

SIGNS_SHOWN = 3
"""Signals that a sentence about struggle names."""


@dataclass(frozen=True)
class Measure:
    """A way to fail: of units named ``noun``, some count, and ``verdict`` says what these do.

    ``evidence`` are the filters of exchanges that select them.
    """

    key: str
    noun: str
    verdict: str
    evidence: Mapping[str, str]


def list_measures(exchanges: pl.DataFrame, group: str) -> Iterator[tuple[Measure, pl.DataFrame]]:
    """The measures that these exchanges have values for, with their units: is_counted, ``group`` and UNIT."""
    for measure, rows in _list_measures(exchanges.select(*UNIT, *VALUES, group)):
        yield measure, rows.select(*UNIT, group, "is_counted")


def _list_measures(exchanges: pl.DataFrame) -> Iterator[tuple[Measure, pl.DataFrame]]:
    settled = exchanges.filter(pl.col("ending") != OPEN)
    is_last = (pl.col("ending") == ENDED).alias("is_counted")
    yield Measure("ends", "prompt", "are the last of their session", {"ending": ENDED}), settled.with_columns(is_last)
    seconds = "latency_seconds" if exchanges["latency_seconds"].count() else "seconds_to_answer"
    yield from _measure_highest("slow", exchanges, seconds, "answer", "take {} s or more")
    name, words = "output_tokens", "have {} output tokens or more"
    if (exchanges["cost_usd"] > 0).any():  # sources that know no prices say 0
        name, words = "cost_usd", "cost ${} or more"
    yield from _measure_highest("expensive", exchanges, name, "exchange", words)
    yield from _measure_ratings(exchanges)
    if exchanges["is_error"].any():
        # some sources deny errors, others are silent about exchanges without one
        known = exchanges if exchanges["is_error"].drop_nulls().all() else exchanges.drop_nulls("is_error")
        failed = known.with_columns(pl.col("is_error").alias("is_counted"))
        yield Measure("error", "exchange", "fail with an error", {"error": "1"}), failed
    for key, (flag, noun, verdict) in FLAGS.items():
        flagged = exchanges.with_columns(flag.alias("is_counted")).drop_nulls("is_counted")
        evidence = {"unresolved": {"resolved": "0"}, "unanswered": {"signal": key, "error": "0"}}
        yield Measure(key, noun, verdict, evidence.get(key, {"signal": key})), flagged


def find_failures(data: ReportData, labels: Mapping[str, str], period: object, min_users: int) -> Family:
    """The topics at which a larger share fails than at the others, by all measures.

    Topics of follow-ups are left out: a prompt is about one only if it continues no subject.
    """
    subjects = data.topics.filter(pl.col("role") != CONTINUATION)["topic_id"].implode()
    parts = []
    for measure, units in list_measures(data.exchanges, GROUP):
        compared = compare_failing(units, GROUP, min_users).filter(pl.col(GROUP).is_in(subjects))
        signs = list_signs(measure, units, GROUP)
        describe = functools.partial(_describe, measure, signs, labels, period)
        parts.append(Comparisons(NOUNS[measure.key], compared, describe))
    return Family(FAILS, tuple(parts))


def compare_failing(units: pl.DataFrame, group: str, min_users: int) -> pl.DataFrame:
    """Share of each group that fails, compared with all others: only more is tested, and worth telling.

    What fails fewer than MIN_EVENTS times in all is left out, as it can be no claim: nothing is told of a handful.
    """
    compared = rank_by_difference(compare_counted(units, group, min_users))
    is_worse = pl.col("count") * pl.col("other_total") > pl.col("other_count") * pl.col("total")
    is_enough = pl.col("count") >= MIN_EVENTS
    return compared.filter(pl.col("count") + pl.col("other_count") >= MIN_EVENTS).with_columns(
        pl.col("p_greater").alias("p_value"), (pl.col("is_relevant") & is_worse & is_enough).alias("is_relevant")
    )


def list_signs(measure: Measure, units: pl.DataFrame, group: str) -> dict[str, str]:
    """The most common signals of the exchanges of each group that show struggle, in brackets; none for others."""
    if measure.key != STRUGGLE:
        return {}
    flags = [pl.col(f"is_{signal}").sum().alias(signal) for signal in SIGNALS_OF_STRUGGLE]
    counted = units.filter("is_counted", pl.col(group).is_not_null()).group_by(group).agg(flags)
    return {row[group]: _name_signs(row) for row in counted.iter_rows(named=True)}


def _name_signs(counts: Mapping[str, Any]) -> str:
    most = sorted((signal for signal in SIGNALS_OF_STRUGGLE if counts[signal]), key=lambda signal: -counts[signal])
    names = [f"{counts[signal]} {signal.replace('_', ' ')}" for signal in most[:SIGNS_SHOWN]]
    return f" ({', '.join(names)})" if names else ""


def _describe(
    measure: Measure,
    signs: Mapping[str, str],
    labels: Mapping[str, str],
    period: object,
    row: Mapping[str, Any],
    q_value: float,
) -> Finding:
    label, other = labels[row[GROUP]], percent(row["other_count"] / row["other_total"])
    units = share_of(row["count"], row["total"], measure.noun)
    elsewhere = f"at other topics {other} {certainty(q_value, period)}."
    return Finding(
        kind=measure.key,
        sentence=f"{label}: {units} {measure.verdict}{signs.get(row[GROUP], '')}, {elsewhere}",
        period=str(period),
        topic_id=row[GROUP],
        label=label,
        evidence={"topic": row[GROUP], **measure.evidence},
        **{name: row[name] for name in FIGURES},
    )


def _measure_highest(
    key: str, exchanges: pl.DataFrame, name: str, noun: str, words: str
) -> Iterator[tuple[Measure, pl.DataFrame]]:
    """The highest values of a column, if they are few: none is high if most are."""
    known = exchanges.filter(pl.col(name).is_finite())
    exact = _find_limit(known[name])
    if exact is not None:
        limit = round_limit(exact, known[name], is_inclusive=True)
        is_high = known[name] >= limit
        verdict = f"{words.format(format_limit(limit))}, as {percent(int(is_high.sum()) / len(is_high))} of all do"
        evidence = {"at_least": f"{name}:{limit!r}"}
        yield Measure(key, noun, verdict, evidence), known.with_columns(is_high.alias("is_counted"))


def _find_limit(values: pl.Series) -> float | None:
    """The quantile SLOWEST, or if most values are at least as high, the next higher value; None without any."""
    if values.is_empty():
        return None
    limit = float(np.quantile(values.to_numpy(), SLOWEST, method="higher"))
    if 2 * (values >= limit).sum() <= len(values):
        return limit
    higher = values.filter(values > limit)
    return float(higher.min()) if len(higher) else None  # type: ignore[arg-type]


def _measure_ratings(exchanges: pl.DataFrame) -> Iterator[tuple[Measure, pl.DataFrame]]:
    """Ratings in the lowest two fifths of the smallest usual scale that holds all of them; none if no scale does."""
    rated = exchanges.drop_nulls("rating")
    scale = next((one for one in SCALES if rated["rating"].is_between(*one).all()), None)
    if rated.is_empty() or scale is None:
        return
    low, high = scale
    limit = low + BAD_SHARE * (high - low)
    counted = rated.with_columns((pl.col("rating") <= limit).alias("is_counted"))
    verdict = f"are {limit:g} or less on the scale from {low} to {high}"
    yield Measure("badly_rated", "rating", verdict, {"at_most": f"rating:{limit!r}"}), counted
