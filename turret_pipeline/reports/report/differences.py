"""Differences: topics, failures, moves and outcomes whose share in a segment is another than elsewhere."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from turret_pipeline.journeys.visits import NAME
from turret_pipeline.reports.report.comparisons import FIGURES, compare_items, rank_by_difference
from turret_pipeline.reports.report.data import NUMBER, ReportData
from turret_pipeline.reports.report.failures import NOUNS, Measure, compare_failing, list_measures, list_signs
from turret_pipeline.reports.report.family import Comparisons, Family
from turret_pipeline.reports.report.model import DIFFERS, Finding
from turret_pipeline.reports.report.moves import compare_moves, compare_outcomes
from turret_pipeline.reports.report.words import certainty, share_of
from turret_pipeline.reports.scope import format_segment
from turret_pipeline.stats.groups import MIN_EVENTS
from turret_pipeline.tables.exchanges import PROMPT

VALUE = "segment_value"
COLUMNS = ("topic_id", "session_id", "cluster_id", "user_id")


def compare_segments(data: ReportData, labels: Mapping[str, str], period: object, min_users: int) -> Iterator[Family]:
    """Families of differences between segments, and of what follows topics.

    The topics of each enum field are a family: each field is a question of its own, and most fields have nothing to do
    with topics.
    """
    known_when_asked = data.segments.filter(pl.col("side") == PROMPT)
    asked = data.exchanges.select("exchange_id", *COLUMNS)
    for field, rows in _join_values(asked, known_when_asked):
        yield Family(DIFFERS, (_compare_topics(field, rows, labels, period, min_users),))
    failures = tuple(_compare_failures(data, period, min_users))
    if failures:
        yield Family(DIFFERS, failures)
    yield from compare_moves(data, labels, period)
    yield from compare_outcomes(data, labels, period)


def _compare_topics(
    field: str, rows: pl.DataFrame, labels: Mapping[str, str], period: object, min_users: int
) -> Comparisons:
    """Topics that a segment asks about more, or less, than others."""
    compared = rank_by_difference(compare_items(rows, "topic_id", VALUE, min_users))
    tested = compared.filter(pl.col("count") + pl.col("other_count") >= MIN_EVENTS)
    is_enough = pl.max_horizontal("count", "other_count") >= MIN_EVENTS
    tested = tested.with_columns(pl.lit(field).alias("segment_field"), pl.col("is_relevant") & is_enough)

    def describe(row: Mapping[str, Any], q_value: float) -> Finding:
        label = labels[row["topic_id"]]
        share, other = share_of(row["count"], row["total"], "prompt"), share_of(row["other_count"], row["other_total"])
        return Finding(
            kind="topic",
            sentence=f"{_name(row)}: {share} are about {label}, elsewhere {other} {certainty(q_value, period)}.",
            period=str(period),
            field=field,
            topic_id=row["topic_id"],
            label=label,
            evidence={"topic": row["topic_id"], "own": "1", **_select_value(row, is_number=False)},
            **{name: row[name] for name in FIGURES},
        )

    return Comparisons("shares of topics in segments", tested, describe, ("topic_id",))


def _compare_failures(data: ReportData, period: object, min_users: int) -> Iterator[Comparisons]:
    """Segments whose exchanges are slow, expensive, badly rated, unanswered or wrong more often than elsewhere.

    All of a field are told: only more than elsewhere is tested, so that none is the reverse of another.
    """
    models = data.exchanges.filter(pl.col("model").is_not_null())
    names = (pl.lit("model").cast(NAME).alias("segment_field"), pl.col("model").cast(NAME).alias("segment_value"))
    segments = pl.concat([data.segments.drop("side"), models.select("exchange_id", *names)])
    numbers = data.segments.filter(pl.col("side") == NUMBER)["segment_field"].unique().to_list()
    for field, rows in _join_values(data.exchanges, segments):
        for measure, units in list_measures(rows, VALUE):
            if measure.key != "ends":
                signs = list_signs(measure, units, VALUE)
                yield Comparisons(
                    f"{NOUNS[measure.key]} in segments",
                    compare_failing(units, VALUE, min_users).with_columns(pl.lit(field).alias("segment_field")),
                    functools.partial(_describe_failure, measure, signs, period, field in numbers),
                )


def _describe_failure(
    measure: Measure,
    signs: Mapping[str, str],
    period: object,
    is_number: bool,
    row: Mapping[str, Any],
    q_value: float,
) -> Finding:
    share = share_of(row["count"], row["total"], measure.noun)
    other = share_of(row["other_count"], row["other_total"])
    certain = certainty(q_value, period)
    name = _name(row, " " if is_number else " = ")
    return Finding(
        kind=measure.key,
        sentence=f"{name}: {share} {measure.verdict}{signs.get(row[VALUE], '')}, elsewhere {other} {certain}.",
        period=str(period),
        field=row["segment_field"],
        evidence={**measure.evidence, **_select_value(row, is_number=is_number)},
        **{name: row[name] for name in FIGURES},
    )


def _join_values(rows: pl.DataFrame, segments: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each enum field with the rows and their segment_value, null without one. The rows are not copied."""
    for name, values in segments.group_by("segment_field", maintain_order=True):
        of_field = values.select("exchange_id", VALUE)
        of_rows = rows.select("exchange_id").join(of_field, on="exchange_id", how="left", maintain_order="left")
        yield str(name[0]), rows.with_columns(of_rows[VALUE])


def _select_value(row: Mapping[str, Any], *, is_number: bool) -> dict[str, str]:
    """Filter of the exchanges that have the value themselves, which may differ from that of their session."""
    if is_number:
        words, _, limit = row["segment_value"].rpartition(" ")
        return {words.replace(" ", "_"): f"{row['segment_field']}:{limit.replace(',', '')}"}
    if row["segment_field"] == "model":  # a column of exchanges
        return {"model": row["segment_value"]}
    return {"value": format_segment(row["segment_field"], row["segment_value"])}


def _name(row: Mapping[str, Any], relation: str = " = ") -> str:
    return f"With {row['segment_field']}{relation}{row['segment_value']}"
