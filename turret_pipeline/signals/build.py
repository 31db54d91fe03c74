"""Writing table ``exchange_signals`` from the exchanges, the texts and their vectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.exchanges.roles import ANSWER_FIELDS, FEEDBACK_FIELDS
from turret_pipeline.signals import queries
from turret_pipeline.signals.classifier import ANSWER, PROMPT
from turret_pipeline.signals.forms import MAX_CHARACTERS
from turret_pipeline.signals.rephrases import ReadVectors, find_similar, weigh_words
from turret_pipeline.signals.resolution import RESOLUTIONS
from turret_pipeline.signals.text_classes import find_classes
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import (
    JOIN_AS_WRITTEN,
    create_lake_views,
    open_scratch_database,
    read_parquet_sql,
)
from turret_pipeline.tables import EXCHANGE_SIGNALS
from turret_pipeline.tables.exchanges import PROMPT as PROMPT_ROLE

MEMORY_LIMIT, MEMORY_LIMIT_BESIDE_POLARS = "3GB", "1GB"
"""Together with what Python holds meanwhile, less than 4 GB."""

BATCH_ROWS, BATCH_PAIRS = 100_000, 100_000
READ = ("events", "exchanges", "event_texts", "texts", "continuations")
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
    with open_scratch_database(lake, MEMORY_LIMIT) as connection:
        connection.execute(JOIN_AS_WRITTEN)
        create_lake_views(connection, lake, READ)
        exchanges = read_parquet_sql([str(lake.path("exchanges"))], "file_row_number")
        connection.execute(f"create view numbered_exchanges as from {exchanges}")
        connection.register("wrong_marks", wrong.to_arrow())
        _write_inputs(connection, _find_fields(lake), readers)
        columns = ", ".join(EXCHANGE_SIGNALS.schema.names())
        query = f"select {columns} from {_join_resolutions(connection, options.resolving_events)}"
        lake.copy(connection, EXCHANGE_SIGNALS.name, query, {"abandoned_seconds": options.abandoned_seconds})


def _write_inputs(
    connection: duckdb.DuckDBPyConnection, fields: Mapping[str, pl.DataFrame], readers: Mapping[str, ReadVectors]
) -> None:
    """Create the tables and views of ``queries.EXCHANGE_SIGNALS``."""
    for name, frame in fields.items():
        connection.register(name, frame.to_arrow())
    _limit_memory(connection, MEMORY_LIMIT_BESIDE_POLARS)
    for name, kind, names in (("prompt_classes", PROMPT, "prompt_fields"), ("answer_classes", ANSWER, "answer_fields")):
        _create_table(connection, name, find_classes(kind, _read_texts(connection, names), readers))
    _limit_memory(connection, MEMORY_LIMIT)
    connection.execute(queries.PROJECT)
    _create_turns(connection, has_many_answer_fields=fields["answer_fields"].height > 1)
    has_many_fields = fields["prompt_fields"].height > 1
    connection.execute(queries.PROMPT_TEXTS if has_many_fields else queries.PROMPT_TEXTS_OF_ONE_FIELD)
    _create_table(connection, "similar_pairs", _find_similar(connection, readers))
    connection.execute(queries.REPEATS)
    connection.execute(queries.ENDS)


def _find_fields(lake: Lake) -> dict[str, pl.DataFrame]:
    types = dict(lake.read("fields").select("field", "type").iter_rows())
    prompt_fields = set(lake.read("exchange_roles").filter(role=PROMPT_ROLE)["field"])
    prompts = pl.DataFrame({"field": sorted(prompt_fields)}, {"field": pl.String()})
    return {"prompt_fields": prompts, "answer_fields": list_answer_fields(types, prompt_fields)}


def _join_resolutions(connection: duckdb.DuckDBPyConnection, events: Sequence[str]) -> str:
    """SQL of the signals with the columns of declared outcomes."""
    signals = f"({queries.EXCHANGE_SIGNALS})"
    if not events:
        return f"(select *, null::boolean as is_resolved, null::varchar as resolved_reason from {signals})"
    connection.register("resolving_events", pl.DataFrame({"event_name": events}).unique().to_arrow())
    return f"{signals} left join ({RESOLUTIONS}) using (exchange_id)"


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


def _limit_memory(connection: duckdb.DuckDBPyConnection, limit: str) -> None:
    connection.execute(f"set memory_limit = '{limit}'")


def _create_table(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Create a table of a frame, with keys instead of the ids of texts."""
    ids = [column for column in frame.columns if column.endswith("text_id")]
    keys = ", ".join(f"hash({column}) as {column.removesuffix('id')}key" for column in ids)
    connection.register("registered", frame.to_arrow())
    connection.execute(f"create table {name} as select {keys}, * exclude ({', '.join(ids)}) from registered")
    connection.unregister("registered")


def _read_batches(connection: duckdb.DuckDBPyConnection, query: str, rows: int) -> Iterator[pl.DataFrame]:
    """The result of a query, a batch at a time."""
    for batch in connection.sql(query).to_arrow_reader(rows):
        yield pl.DataFrame(batch)


def _read_texts(connection: duckdb.DuckDBPyConnection, fields: str) -> Iterator[pl.DataFrame]:
    """Texts of some fields, as far as forms are read in them: columns text_id, text, characters, and language."""
    query = (
        f"select text_id, left(text, {MAX_CHARACTERS}) as text, length(text) as characters, language from lake_texts"
    )
    return _read_batches(connection, f"{query} where field in (select field from {fields})", BATCH_ROWS)


def _create_turns(connection: duckdb.DuckDBPyConnection, *, has_many_answer_fields: bool) -> None:
    answers = queries.ANSWERS_OF_SEVERAL_FIELDS if has_many_answer_fields else queries.ANSWERS_OF_ONE_FIELD
    connection.execute(queries.create_turns(answers))


def _find_similar(connection: duckdb.DuckDBPyConnection, readers: Mapping[str, ReadVectors]) -> pl.DataFrame:
    connection.execute(f"create table pairs as {queries.PAIRS}")
    _limit_memory(connection, MEMORY_LIMIT_BESIDE_POLARS)
    weights = weigh_words(_read_batches(connection, "select text from prompt_texts", BATCH_ROWS))
    pairs = _read_batches(connection, queries.PAIRS_WITH_TEXTS, BATCH_PAIRS)
    found = find_similar(pairs, weights, list(readers.values()))
    connection.execute("drop table pairs")
    _limit_memory(connection, MEMORY_LIMIT)
    return found
