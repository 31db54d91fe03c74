"""The line of the summary about languages."""

from collections.abc import Sequence

import duckdb
import pytest

from turret_pipeline.reports.languages import describe_languages
from turret_pipeline.topics.embedding.model_names import ENGLISH

BOTH = f"{ENGLISH} + multilingual"
Row = tuple[str, float, str | None]


@pytest.mark.parametrize(
    ("rows", "models", "line"),
    [
        (
            [("de", 0.25, "multilingual"), ("en", 0.7, ENGLISH), ("fi", 0.04, None), ("it", 0.009, "multilingual")],
            BOTH,
            f"Languages: English 70.0%, German 25.0%, Finnish 4.0% (unreadable); read by {BOTH}",
        ),
        ([("qu", 1.0, None)], ENGLISH, f"Languages: qu 100.0% (unreadable); read by {ENGLISH}"),
        ([("en", 0.9, ENGLISH), ("unknown", 0.1, ENGLISH)], ENGLISH, ""),
        ([("en", 1.0, "multilingual")], "multilingual", "Languages: English 100.0%; read by multilingual"),
        ([], None, ""),
    ],
)
def test_the_languages_of_a_field(rows: Sequence[Row], models: str | None, line: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.field_languages (field text, language text, event_share double, embedding_model text)"
        )
        for language, share, model in [*rows, ("x", 1.0, None)]:
            field = "other" if language == "x" else "prompt"
            connection.execute("insert into marts.field_languages values (?, ?, ?, ?)", [field, language, share, model])
        assert describe_languages(connection, "prompt", models) == line
