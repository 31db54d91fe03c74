"""Writing table ``exchange_signals`` from the exchanges, the texts and their vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.exchanges.roles import ANSWER_FIELDS, FEEDBACK_FIELDS
from turret_pipeline.signals import queries
from turret_pipeline.signals.classifier import ANSWER, PROMPT
from turret_pipeline.signals.rephrases import ReadVectors, find_similar
from turret_pipeline.signals.resolution import NO_RESOLUTIONS, RESOLUTIONS
from turret_pipeline.signals.text_classes import classify_texts
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import create_lake_views, open_scratch_database
from turret_pipeline.tables import EXCHANGE_SIGNALS
from turret_pipeline.tables.exchanges import PROMPT as PROMPT_ROLE

MEMORY_LIMIT = "2GB"
READ = ("events", "exchanges", "event_texts", "continuations")
MARKS = pl.Schema({"exchange_id": pl.String(), "signal": pl.String()})


@dataclass(frozen=True)
class SignalOptions:
    """Settings of these names; ``resolving_events`` are outcomes.resolved."""

    abandoned_seconds: float = 60
    resolving_events: Sequence[str] = ()


def write_exchange_signals(
    lake: Lake, readers: Mapping[str, ReadVectors], options: SignalOptions, marks: pl.DataFrame | None = None
) -> None:
    """Write ``exchange_signals``. ``readers`` give the vectors of texts, by the name of their model.

    ``marks`` has exchange_id, signal and is_right: a signal that a person marked as wrong is false.
    """
    wrong = MARKS.to_frame() if marks is None else marks.filter(~pl.col("is_right")).select(MARKS.names())
    types = dict(lake.read("fields").select("field", "type").iter_rows())
    prompt_fields = set(lake.read("exchange_roles").filter(role=PROMPT_ROLE)["field"])
    answer_fields = list_answer_fields(types, prompt_fields)
    with open_scratch_database(lake, MEMORY_LIMIT) as connection:
        create_lake_views(connection, lake, READ)
        connection.register("answer_fields", answer_fields.to_arrow())
        connection.register("wrong_marks", wrong.to_arrow())
        prompts, answers = (_read_texts(lake, fields) for fields in (prompt_fields, set(answer_fields["field"])))
        for name, kind, texts in (("prompt_classes", PROMPT, prompts), ("answer_classes", ANSWER, answers)):
            connection.register(name, classify_texts(kind, texts, readers).to_arrow())
        connection.execute(queries.PROJECT)
        connection.execute(queries.TURNS)
        connection.register("similar_pairs", _find_similar(connection, prompts, readers).to_arrow())
        columns = ", ".join(EXCHANGE_SIGNALS.schema.names())
        connection.execute(_create_resolutions(connection, options.resolving_events))
        query = f"select {columns} from ({queries.EXCHANGE_SIGNALS}) left join resolutions using (exchange_id)"
        lake.copy(connection, EXCHANGE_SIGNALS.name, query, {"abandoned_seconds": options.abandoned_seconds})


def _create_resolutions(connection: duckdb.DuckDBPyConnection, events: Sequence[str]) -> str:
    if not events:
        return NO_RESOLUTIONS
    connection.register("resolving_events", pl.DataFrame({"event_name": events}).unique().to_arrow())
    return RESOLUTIONS


def list_answer_fields(types: Mapping[str, str], prompt_fields: set[str]) -> pl.DataFrame:
    """Columns field and rank of the text fields that may hold an answer: those named like one come first."""
    texts = [field for field, kind in types.items() if kind == "text" and field not in prompt_fields]
    keys = {field: field.rpartition(".")[2].lower() for field in texts}
    rows = [
        (field, 0 if keys[field] in ANSWER_FIELDS else 1)
        for field in sorted(texts)
        if keys[field] not in FEEDBACK_FIELDS | {"comment"}
    ]
    return pl.DataFrame(rows, {"field": pl.String(), "rank": pl.Int64()}, orient="row")


def _read_texts(lake: Lake, fields: set[str]) -> pl.DataFrame:
    """Columns text_id, text and language of the texts of the fields, once each."""
    texts = lake.scan("texts").filter(pl.col("field").is_in(sorted(fields))).select("text_id", "text", "language")
    return texts.unique("text_id").collect()


def _find_similar(
    connection: duckdb.DuckDBPyConnection, prompts: pl.DataFrame, readers: Mapping[str, ReadVectors]
) -> pl.DataFrame:
    pairs: pl.DataFrame = connection.sql(queries.PAIRS).pl()
    return find_similar(pairs, prompts, list(readers.values()))
