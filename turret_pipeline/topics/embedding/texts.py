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
