"""Distinct texts of the text fields, and the text of each event."""

import hashlib
import unicodedata
from collections.abc import Sequence

import polars as pl

from turret_pipeline.tables import EVENT_TEXTS


def normalize_text(text: str) -> str:
    """The text in Unicode form C with single spaces. Texts that are equal in this form are one text."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def text_id(text: str) -> str:
    """Hash of a normalized text, 24 hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def collect_texts(values: pl.LazyFrame, fields: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables ``event_texts`` and ``texts``, without language, of the text ``fields``, from table ``event_values``."""
    present = values.filter(pl.col("field").is_in(list(fields))).select("event_id", "field", "value").collect()
    distinct = present.select("value").unique().sort("value")
    clean = [normalize_text(value) for value in distinct["value"]]
    keyed = distinct.with_columns(
        pl.Series("text", clean, pl.String),
        pl.Series("text_id", [text_id(text) if text else None for text in clean], pl.String),
    )
    found = present.join(keyed, on="value", how="left", validate="m:1")
    event_texts = found.select(EVENT_TEXTS.schema.names()).sort("field", "event_id")
    texts = (
        found.filter(pl.col("text_id").is_not_null())
        .group_by("field", "text_id")
        .agg(pl.col("text").first(), pl.len().cast(pl.Int64).alias("event_count"))
        .select("field", "text_id", "text", "event_count")
        .sort("field", "text_id")
    )
    return event_texts, texts


def restore_line_breaks(texts: pl.DataFrame, values: pl.LazyFrame, event_texts: pl.LazyFrame) -> pl.DataFrame:
    """Columns field, text_id and text of table ``texts``, where the text has the line breaks that people typed.

    Of values that are one text, the first in the order of their characters counts. ``values`` and ``event_texts`` are
    the tables ``event_values`` and ``event_texts``.
    """
    with_breaks = values.filter(pl.col("value").str.contains("[\r\n]")).select("event_id", "field", "value")
    first = event_texts.join(with_breaks, on=["event_id", "field"]).group_by("field", "text_id").agg(pl.min("value"))
    joined = texts.lazy().join(first, on=["field", "text_id"], how="left", maintain_order="left").collect()
    restored = [
        text if value is None else unicodedata.normalize("NFC", value).strip()
        for text, value in joined.select("text", "value").iter_rows()
    ]
    return joined.select("field", "text_id", pl.Series("text", restored, pl.String))
