"""Traces of erased events outside the parts: in edits, marks, saved views, topic states, vectors and published tables.

Everything else that a run derives from events is removed whole, because the next run makes it again.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import duckdb
import polars as pl

from turret_pipeline.erasure.matching import Match, MentionTest
from turret_pipeline.storage.atomic_files import atomic_replace, lock_file, remove
from turret_pipeline.storage.checksums import changing
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.json_lines import read_objects, write_objects
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.topic_edits import FORGOTTEN_LABEL, UNDONE
from turret_pipeline.storage.topic_state import APPLIED_EDITS
from turret_pipeline.storage.vectors import remove_students, remove_vectors_of_other_texts
from turret_pipeline.tables import LAKE_TABLES
from turret_pipeline.topics.embedding.texts import normalize_text
from turret_pipeline.topics.lifecycle.topic_table import KEYWORDS

QUOTE_WORDS = 3
"""Words of a label from which on it quotes a text that contains it; fewer are words that anyone uses."""


@dataclass(frozen=True)
class ErasedTexts:
    """Texts that no other event has, by id, and the topics that have no other texts.

    ``remaining`` are the other texts, and ``kept_ids`` their ids; None if the tables are gone, because an erasure that
    was killed has come that far.
    """

    texts: dict[str, str]
    topic_ids: frozenset[str]
    remaining: frozenset[str]
    kept_ids: frozenset[str] | None
    is_mentioned: Callable[[str], bool]

    def is_quoted(self, value: str | None) -> bool:
        """True if a value names an erased id, contains an erased text, or quotes at least QUOTE_WORDS words of one.

        What remaining texts contain too is no quote.
        """
        if not value:
            return False
        if self.is_mentioned(value):
            return True
        folded = normalize_text(value).casefold()
        quotes = [text for text in self.texts.values() if f" {text} " in f" {folded} "]
        if len(folded.split()) >= QUOTE_WORDS and any(folded in text for text in self.texts.values()):
            quotes.append(folded)
        return any(not any(quote in text for text in self.remaining) for quote in quotes)


def find_erased_texts(lake: Lake, match: Match, is_mentioned: MentionTest | None) -> ErasedTexts:
    """The texts that only matched events have, by the tables of the last run; none before the first one."""
    said = is_mentioned or (lambda _: False)
    if not all(lake.path(table).exists() for table in ("texts", "event_texts")):
        return ErasedTexts({}, frozenset(), frozenset(), None, said)
    events, texts = lake.read("event_texts"), lake.read("texts")
    is_erased = pl.col("event_id").is_in(match.event_ids.implode())
    kept = events.filter(~is_erased)["text_id"].unique()
    gone = events.filter(is_erased & pl.col("text_id").is_not_null())["text_id"].unique()
    is_gone = pl.col("text_id").is_in(gone.implode()) & ~pl.col("text_id").is_in(kept.drop_nulls().implode())
    erased = texts.filter(is_gone)
    found = {row: text.casefold() for row, text in erased.select("text_id", "text").iter_rows()}
    remaining = frozenset(text.casefold() for text in texts.filter(~is_gone)["text"]) if found else frozenset()
    kept_ids = frozenset(texts.filter(~is_gone)["text_id"])
    return ErasedTexts(found, _list_topics_without_others(lake, found), remaining, kept_ids, said)


def _list_topics_without_others(lake: Lake, texts: Mapping[str, str]) -> frozenset[str]:
    """Topics all of whose texts are erased."""
    if not texts or not lake.path("text_topics").exists():
        return frozenset()
    known = lake.read("texts").select("text_id")
    topics = lake.read("text_topics").join(known, on="text_id", how="semi")
    by_topic = topics.group_by("topic_id").agg(pl.col("text_id").is_in(list(texts)).all().alias("is_erased"))
    return frozenset(by_topic.filter("is_erased")["topic_id"].drop_nulls())


def clean_traces(data: DataDir, erased: ErasedTexts, event_ids: Collection[str]) -> None:
    """Remove what quotes erased texts or ids. May be repeated."""
    ids = frozenset(event_ids)
    _clean_lines(data.root / "topic_edits.jsonl", "topic edits", lambda row: _clean_edit(row, erased))
    _clean_lines(
        data.root / "signal_marks.jsonl", "signal marks", lambda row: _keep(row, row.get("exchange_id") in ids)
    )
    _clean_lines(data.root / "dashboard_views.jsonl", "saved views", lambda row: _clean_view(row, erased, ids))
    _clean_lines(
        data.root / "field_types.jsonl", "field types", lambda row: _keep(row, erased.is_quoted(row.get("field")))
    )
    for folder in sorted((data.root / "state").glob("*")):
        if folder.is_dir():
            with changing(folder):
                _clean_state(folder, erased)
    _clean_published(data, erased)
    if erased.kept_ids is not None:
        remove_vectors_of_other_texts(data.lake.root / "embeddings", erased.kept_ids)
        remove_students(data.lake.root / "embeddings")


def remove_derived(data: DataDir) -> None:
    """Remove everything that the next run makes again, and copies that killed runs left."""
    for table in LAKE_TABLES:
        remove(data.lake.path(table))
    remove(data.lake.root / "topic_state.json")
    for folder in (
        data.llm_answers,
        data.figures,
        data.report.parent,
        data.quality,
        data.lake.root / "spill",
        data.pieces,
    ):
        remove(folder)
    for path in data.dbt.glob("*"):
        if not path.name.startswith("manifest-"):
            remove(path)


def _clean_lines(file: Path, content: str, clean: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Replace each object of a file by its cleaned form, None to leave it out."""
    if not file.exists():
        return
    with lock_file(file):
        rows = [row for _, row in read_objects(file, content)]
        cleaned = [new for row in rows if (new := clean(row)) is not None]
        if cleaned != rows:
            write_objects(file, cleaned)


def _keep(row: dict[str, Any], is_erased: bool) -> dict[str, Any] | None:
    return None if is_erased else row


def _clean_edit(row: dict[str, Any], erased: ErasedTexts) -> dict[str, Any]:
    """The edit, without its label and undone if the label quotes: its line stays, so that no other gets its id."""
    if erased.is_quoted(row.get("label")):
        return {**row, "label": FORGOTTEN_LABEL, UNDONE: True}
    return row


def _clean_view(row: dict[str, Any], erased: ErasedTexts, event_ids: frozenset[str]) -> dict[str, Any] | None:
    address = unquote_plus(f"{row.get('path', '')} {row.get('query', '')}")
    parts = [part for piece in address.replace("/", " ").split("&") for part in (piece, piece.partition("=")[2])]
    is_erased = any(map(erased.is_quoted, [row.get("name"), *parts])) or any(one in address for one in event_ids)
    return _keep(row, is_erased)


def _clean_state(folder: Path, erased: ErasedTexts) -> None:
    """Remove erased texts from a topic state. Topics keep their ids; a label that quotes becomes the topic's id."""
    for name, clean in (("text_topics", _clean_text_topics), ("topic_definitions", _clean_definitions)):
        file = folder / f"{name}.parquet"
        if file.exists():
            before = pl.read_parquet(file, glob=False)
            after = clean(before, erased)
            if not after.equals(before):
                with atomic_replace(file) as temp:
                    after.write_parquet(temp)
    edits = folder / APPLIED_EDITS
    if edits.exists():
        lines = json.loads(edits.read_text(encoding="utf-8"))
        kept = [line for line in lines if not _quotes_in_line(line, erased)]
        if kept != lines:
            with atomic_replace(edits) as temp:
                temp.write_text(json.dumps(kept), encoding="utf-8")


def _quotes_in_line(line: str, erased: ErasedTexts) -> bool:
    """True if an edit in words quotes in its label."""
    _, quote, label = line.partition(' to "')
    return bool(quote) and erased.is_quoted(label.removesuffix('"'))


def _clean_text_topics(frame: pl.DataFrame, erased: ErasedTexts) -> pl.DataFrame:
    """The rows of texts that are left. Of a text that was gone before, nobody knows whose it was."""
    return frame if erased.kept_ids is None else frame.filter(pl.col("text_id").is_in(list(erased.kept_ids)))


def _clean_definitions(frame: pl.DataFrame, erased: ErasedTexts) -> pl.DataFrame:
    rows = [_clean_definition(row, erased) for row in frame.iter_rows(named=True)]
    return pl.DataFrame(rows, frame.schema)


def _clean_definition(row: dict[str, Any], erased: ErasedTexts) -> dict[str, Any]:
    is_own = row["topic_id"] in erased.topic_ids

    def clean(name: str, substitute: str) -> str:
        is_quoted = is_own or erased.is_quoted(row.get(name))
        return substitute if is_quoted else row[name]

    found = clean("found_label", row["topic_id"])
    cleaned = {
        "found_label": found,
        "label": clean("label", found),
        "description": clean("description", ""),
        "theme_label": clean("theme_label", row["theme_id"]),
        "keywords": [word for word in row["keywords"] if not is_own and not erased.is_quoted(word)],
        "example_texts": [text for text in row["example_texts"] if not is_own and not erased.is_quoted(text)],
    }
    sources = {name: KEYWORDS for name in ("label_source", "found_label_source") if found == row["topic_id"]}
    return {**row, **{name: value for name, value in (cleaned | sources).items() if name in row}}


def _clean_published(data: DataDir, erased: ErasedTexts) -> None:
    """Remove quotes from the tables that the next run continues: edits of earlier runs, and changes of types."""
    warehouse = data.warehouse
    runs = warehouse.runs()
    if runs is None or "edits" not in runs.columns:
        return
    edits = {line for lines in runs["edits"].drop_nulls() for line in lines if _quotes_in_line(line, erased)}
    with warehouse.open() as connection:
        fields = [row[0] for row in connection.execute(_FIELDS).fetchall() if erased.is_quoted(row[0])]
        reasons = [row[0] for row in connection.execute(_REASONS).fetchall() if erased.is_quoted(row[0])]
    if edits or fields or reasons:
        number = int(runs["run_number"][-1])
        warehouse.change(lambda connection: _change(connection, sorted(edits), fields, reasons), number)


def _change(connection: duckdb.DuckDBPyConnection, edits: list[str], fields: list[str], reasons: list[str]) -> None:
    connection.execute(
        "update marts.pipeline_runs set edits = list_filter(edits, lambda line: not list_contains($1, line))", [edits]
    )
    connection.execute("delete from marts.field_type_changes where list_contains($1, field)", [fields])
    connection.execute("update marts.field_type_changes set reason = '' where list_contains($1, reason)", [reasons])


_FIELDS = "select distinct field from marts.field_type_changes"
_REASONS = "select distinct reason from marts.field_type_changes"
