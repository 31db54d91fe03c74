"""Languages of the texts of each field, and what the models read of them."""

import polars as pl

from turret_pipeline.tables import FIELD_LANGUAGES
from turret_pipeline.topics.embedding.model_names import name_teacher
from turret_pipeline.topics.embedding.readers import measure_reading

UNKNOWN = "unknown"
"""Language of texts without letters."""


def summarize_languages(texts: pl.DataFrame, text_topics: pl.DataFrame) -> pl.DataFrame:
    """Table ``field_languages``, from the tables ``texts`` and ``text_topics``; the commonest language first."""
    named = text_topics["embedding_model"].drop_nulls().unique()
    teacher = pl.col("embedding_model").replace({name: name_teacher(name) for name in named})
    joined = texts.join(
        text_topics.select("field", "text_id", "topic_id", teacher), on=["field", "text_id"], how="left"
    ).with_columns(pl.col("language").fill_null(UNKNOWN))
    events = pl.col("event_count")
    languages = (
        joined.group_by("field", "language")
        .agg(
            pl.len().cast(pl.Int64).alias("text_count"),
            events.sum(),
            pl.col("embedding_model").drop_nulls().mode().sort().first(),
            (events.filter(pl.col("topic_id").is_not_null()).sum() / events.sum()).round(6).alias("assigned_share"),
        )
        .with_columns((events / events.sum().over("field")).round(6).alias("event_share"))
        .sort("field", "event_count", "language", descending=[False, True, False])
    )
    models = languages.select("embedding_model", "language").iter_rows()
    reading = [
        None if model is None else measure_reading(model, language if language != UNKNOWN else None)
        for model, language in models
    ]
    return languages.with_columns(pl.Series("reading", reading, pl.Float64)).select(FIELD_LANGUAGES.schema.names())
