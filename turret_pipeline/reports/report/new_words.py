"""Words that the recent texts of a growing topic have, and its earlier ones lacked: what in the topic has grown."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report.model import CHANGED, Answer, Finding, Report
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.stats.groups import MIN_CLUSTERS
from turret_pipeline.topics.insights.periods import PeriodPair

MAX_WORDS, MIN_RATIO = 2, 2

_TEXTS = """
select coalesce(json_extract_string(metadata, ?), json_extract_string(metadata, ?)) as text,
    coalesce('user ' || user_id, 'session ' || session_id) as person,
    timezone(?, event_at)::date >= ? as is_recent
from marts.event_topics join scoped_events using (event_id)
where topic_id = ? and timezone(?, event_at)::date between ? and ?
"""


def name_new_words(
    report: Report,
    pairs: Mapping[str, PeriodPair],
    published: PublishedTables,
    scope: Scope,
    time_zone: str,
) -> Report:
    """The report with the new words of growing topics in the sentences about weeks and months.

    ``pairs`` are the compared periods by their names, and ``scope`` is that of the report.
    """
    by_kind = {f"growing_{name}": pair for name, pair in pairs.items()}

    def extend(finding: Finding) -> Finding:
        if finding.kind not in by_kind or finding.topic_id is None or finding.field is None:
            return finding
        pair = by_kind[finding.kind]
        with open_scope(published, scope) as connection:
            days = [time_zone, pair.recent.first, finding.topic_id, time_zone, pair.before.first, pair.recent.last]
            texts: pl.DataFrame = connection.sql(_TEXTS, params=[*_json_pointers(finding.field), *days]).pl()
        words = find_new_words(texts, published.min_users)
        if not words:
            return finding
        return replace(finding, sentence=f"{finding.sentence} More often in its texts: {', '.join(words)}.")

    def extend_all(answer: Answer) -> Answer:
        return replace(answer, findings=tuple(map(extend, answer.findings))) if answer.key == CHANGED else answer

    return replace(report, answers=tuple(map(extend_all, report.answers)))


def find_new_words(texts: pl.DataFrame, min_users: int) -> list[str]:
    """At most MAX_WORDS words with their counts: those whose share of the texts grew most, to MIN_RATIO times at least.

    ``texts`` has text, person and is_recent. At least MIN_CLUSTERS persons, or ``min_users`` if there are more, must
    have used a word recently. The counts are evidence for a growth that was tested; the words are not tested.
    """
    texts = texts.drop_nulls("text")
    words = (
        texts.with_columns(pl.col("text").str.to_lowercase().str.extract_all(r"\p{L}[\p{L}'-]+").list.unique())
        .explode("text")
        .drop_nulls("text")
    )
    recent = int(texts["is_recent"].sum())
    before = texts.height - recent
    counts = words.group_by(word="text").agg(
        recent=pl.col("is_recent").sum(),
        before=pl.len() - pl.col("is_recent").sum(),
        persons=pl.col("person").filter("is_recent").n_unique(),
    )
    used = counts.filter(
        (pl.col("persons") >= max(MIN_CLUSTERS, min_users))
        & (pl.col("recent") * before >= MIN_RATIO * pl.col("before") * recent)
    )
    growth = pl.col("recent") / max(recent, 1) - pl.col("before") / max(before, 1)
    best = used.sort(growth, "word", descending=[True, False]).head(MAX_WORDS if before else 0)
    return [
        f'"{word}" ({many:,} of {recent:,} texts, after {few:,} of {before:,})'
        for word, many, few in best.select("word", "recent", "before").iter_rows()
    ]


def _json_pointers(field: str) -> list[str]:
    """JSON pointers to a field with this name, and to a nested field with this path."""
    escaped = field.replace("~", "~0").replace("/", "~1")
    return [f"/{escaped}", f"/{escaped.replace('.', '/')}"]
