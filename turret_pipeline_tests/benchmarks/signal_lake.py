"""A lake of generated exchanges, of any size, for measuring the time and memory of their signals.

A session has five exchanges, and a user four sessions. Nine of ten prompts have an answer. The texts are those of
``signal_examples``, each followed by words that make it another text; of the answers every twelfth refuses or has
nothing, as in ordinary logs, and of the prompts every thirtieth objects. One of thirty prompts is the one before again,
and one of fifteen differs from it in a word. The first six digits of a text's id are the number of its example, from
which ``read_vectors`` makes a vector: that of the example, turned a little.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.signals.classifier import ANSWER, NEITHER, PROMPT
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import open_scratch_database
from turret_pipeline.topics.embedding.embedding import CHUNK_TEXTS, normalize_rows
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline_tests.benchmarks.exchange_lake import copy_rows
from turret_pipeline_tests.benchmarks.signal_training import read_examples

EXCHANGES_PER_SESSION, SESSIONS_PER_USER, TOPICS = 5, 4, 60
FIELDS = {PROMPT: "prompt", ANSWER: "generation"}
OTHERS_PER_CLASS = {PROMPT: 30, ANSWER: 12}
"""One of so many examples is of a class, the others of none."""

MORE_WORDS = {PROMPT: 2, ANSWER: 30}
"""Words that are added to an example, besides three that make it another text."""

NOISE_ROWS, NOISE = 4096, 0.3
DIGITS = 6

_SESSION = f"n // {EXCHANGES_PER_SESSION}"
_DRAWN = f"""
create table drawn as
select n, 'session_' || hash({_SESSION}, 1)::varchar as session_id,
    'user_' || hash(n // {EXCHANGES_PER_SESSION * SESSIONS_PER_USER}, 2)::varchar as user_id,
    'prompt_' || hash(n, 3)::varchar as prompt_event_id,
    case when hash(n, 4) % 10 > 0 then 'answer_' || hash(n, 4)::varchar end as answer_event_id,
    timestamptz '2026-01-05 00:00:00Z' + to_microseconds(
        ((hash({_SESSION}, 5) % 5184000) * 1000000 + n % {EXCHANGES_PER_SESSION} * 40000000)::bigint
    ) as prompt_at,
    (n % {EXCHANGES_PER_SESSION} + 1)::bigint as exchange_number,
    case when $prompts >= $exchanges then n else hash(n, 6) % $prompts end::bigint as own_prompt,
    case
        when n % {EXCHANGES_PER_SESSION} = 0 or hash(n, 7) % 30 > 2 then own_prompt
        when hash(n, 7) % 30 = 0 then lag(own_prompt) over (order by n)
        else (lag(own_prompt) over (order by n) + $examples) % greatest($prompts, 1)
    end::bigint as prompt,
    (hash(n, 8) % $answers)::bigint as answer,
    case when hash(n, 9) % 5 > 0 then 'prompt-' || (hash(n // 3, 10) % {TOPICS} + 1) end as topic_id
from range($exchanges) as numbers (n)
"""


@dataclass(frozen=True)
class Examples:
    """Texts of a kind of which others are made, and their unit vectors, shape (texts, dimensions)."""

    texts: list[str]
    vectors: FloatArray


def load_examples(kind: str, count: int) -> Examples:
    """English examples of a kind, with the shares of the classes in ordinary logs."""
    of_kind = read_examples(is_held_back=False).filter(language="en", kind=kind)
    is_plain = pl.col("class") == NEITHER
    plain = of_kind.filter(is_plain)["text"].to_list()
    others = of_kind.filter(~is_plain)["text"].to_list()
    step = OTHERS_PER_CLASS[kind]
    texts = [others[at // step % len(others)] if at % step == 0 else plain[at % len(plain)] for at in range(count)]
    distinct = list(dict.fromkeys(texts))
    return Examples(distinct, normalize_rows(np.asarray(load_embedder(ENGLISH, "cpu")(distinct), dtype=np.float32)))


def write_lake(lake: Lake, exchanges: int, prompts: int, answers: int, examples: dict[str, Examples]) -> None:
    """Write the tables from which signals are built, with at most so many distinct prompts and answers."""
    lake.root.mkdir(parents=True, exist_ok=True)
    with open_scratch_database(lake, "6GB") as connection:
        connection.execute("set enable_progress_bar = false")
        counts = {"exchanges": exchanges, "prompts": prompts, "answers": answers}
        connection.execute(_DRAWN, counts | {"examples": len(examples[PROMPT].texts)})
        _write_texts(connection, lake, examples)
        _write_events(connection, lake)
        rows = ", ".join(f"('{field}', 'text')" for field in FIELDS.values())
        copy_rows(connection, lake, "fields", f"select * from (values {rows}) as types (field, type)")
        roles = ", ".join(f"('{kind}', '{kind}', '{field}', {exchanges}::bigint)" for kind, field in FIELDS.items())
        names = "(role, event_name, field, event_count)"
        copy_rows(connection, lake, "exchange_roles", f"select * from (values {roles}) as roles {names}")


def _write_events(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    copy_rows(
        connection,
        lake,
        "exchanges",
        f"""select prompt_event_id as exchange_id, *, 'prompt' as field, topic_id as subject_topic_id,
            case when answer_event_id is not null then 8.0::double end as seconds_to_answer,
            case when hash(n, 11) % 100 = 0 then true when hash(n, 11) % 2 = 0 then false end as is_error,
            case when hash(n, 12) % 20 = 0 then (hash(n, 12) // 20 % 5 + 1)::double end as rating,
            case when exchange_number < {EXCHANGES_PER_SESSION} then 'continued' else 'ended' end as ending
        from drawn order by hash(session_id) % 4, prompt_at, n""",
    )
    answered = "from drawn where answer_event_id is not null"
    copy_rows(
        connection,
        lake,
        "events",
        f"""select *, false as is_time_ahead from (
            select prompt_event_id as event_id, 'prompt' as event_name, session_id, user_id, prompt_at as event_at
            from drawn union all
            select answer_event_id, 'answer', session_id, user_id, prompt_at + interval 8 seconds {answered}
        ) order by event_at""",
    )
    follow_ups = "from drawn where hash(n, 13) % 10 = 0 and exchange_number > 1"
    continued = f"select prompt_event_id as event_id, 'prompt' as field, 'prompt-1' as continues_topic_id {follow_ups}"
    copy_rows(connection, lake, "continuations", f"{continued} order by event_id")


def _write_texts(connection: duckdb.DuckDBPyConnection, lake: Lake, examples: dict[str, Examples]) -> None:
    """Tables ``texts`` and ``event_texts``, in the order of real ones. Only ids are sorted: texts would not fit."""
    words = sorted({word for text in examples[PROMPT].texts for word in text.split() if word.isalpha()})[:1000]
    texts, events = [], []
    for kind, field in FIELDS.items():
        count = len(examples[kind].texts)
        first = 0 if kind == PROMPT else len(examples[PROMPT].texts)
        id_ = f"printf('%0{DIGITS}x', {kind} % {count} + {first}) || substr(md5('{kind}' || {kind}), 1, {24 - DIGITS})"
        draws = [f"{kind} // {count * len(words) ** power}" for power in range(3)]
        draws += [f"hash({kind}, {at})" for at in range(MORE_WORDS[kind])]
        extra = ", ".join(f"{_list(words)}[({draw} % {len(words)})::bigint + 1]" for draw in draws)
        distinct = f"select distinct {kind}, {id_} as text_id from drawn where {kind}_event_id is not null"
        texts.append(
            f"""(select '{field}' as field, text_id, 'en' as language,
                concat_ws(' ', {_list(examples[kind].texts)}[({kind} % {count})::bigint + 1], {extra}) as text
            from ({distinct} order by text_id))"""
        )
        events.append(
            f"""(select {kind}_event_id as event_id, '{field}' as field, {id_} as text_id
            from drawn where {kind}_event_id is not null order by event_id)"""
        )
    copy_rows(connection, lake, "texts", " union all ".join(reversed(texts)))
    copy_rows(connection, lake, "event_texts", " union all ".join(reversed(events)))


def _list(strings: list[str]) -> str:
    """A list of strings in SQL."""
    return "[" + ", ".join("'" + one.replace("'", "''") + "'" for one in strings) + "]"


@dataclass
class VectorReader:
    """Vectors of the texts of such a lake, in chunks as a store has them.

    ``seconds`` is what making them took: the time of the reader, not that of the signals.
    """

    examples: dict[str, Examples]
    seconds: float = 0.0

    def read(self, text_ids: pl.Series) -> Iterator[tuple[pl.Series, FloatArray]]:
        """Ids and vectors of the texts."""
        started = time.perf_counter()
        vectors = np.vstack([self.examples[kind].vectors for kind in FIELDS])
        noise = NOISE * normalize_rows(np.random.default_rng(1).normal(size=(NOISE_ROWS, vectors.shape[1])))
        for at in range(0, len(text_ids), CHUNK_TEXTS):
            ids = text_ids.slice(at, CHUNK_TEXTS)
            numbers = ids.str.slice(0, DIGITS).str.to_integer(base=16).to_numpy()
            drawn = ids.str.slice(DIGITS, 3).str.to_integer(base=16).to_numpy()
            made = vectors[numbers] + noise[drawn]
            self.seconds += time.perf_counter() - started
            yield ids, made.astype(np.float32, copy=False)
            started = time.perf_counter()
        self.seconds += time.perf_counter() - started


def save_examples(examples: dict[str, Examples], folder: Path) -> None:
    """Write the examples to a folder."""
    for kind, made in examples.items():
        np.savez(folder / f"{kind}.npz", texts=np.array(made.texts), vectors=made.vectors)


def read_saved(folder: Path) -> dict[str, Examples]:
    """Examples that were saved."""
    saved = {kind: np.load(folder / f"{kind}.npz") for kind in FIELDS}
    return {kind: Examples(of_kind["texts"].tolist(), of_kind["vectors"]) for kind, of_kind in saved.items()}
