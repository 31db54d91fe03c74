"""What quotes erased texts: labels, edits, topic states and vectors."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from turret_pipeline.erasure.matching import Match
from turret_pipeline.erasure.traces import ErasedTexts, clean_traces, find_erased_texts
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.tables import EVENT_TEXTS, TEXT_TOPICS, TEXTS, TOPIC_DEFINITIONS, Table
from turret_pipeline_tests.commands import write_events

SECRET = "my aunt Zarquon lost her ring"
TEXT_IDS = {"t1": SECRET, "t2": "refund please", "t3": "I want a refund please", "t4": "lost again"}
EVENTS = {"e1": "t1", "e2": "t2", "e3": "t3", "e4": "t2", "e5": "t4"}
"""Events e1, e2 and e5 are erased; e4 has a text of e2 too."""


def fill(table: Table, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Rows of a table; what they lack is null."""
    return pl.DataFrame([{**dict.fromkeys(table.schema), **row} for row in rows], table.schema)


def definition(number: int, label: str, examples: list[str]) -> dict[str, object]:
    names = {"label": label, "found_label": label, "description": label, "theme_label": "Things"}
    lists = {"keywords": ["lost", "ring"], "example_texts": examples}
    sources = {"label_source": "llm", "found_label_source": "llm", "theme_id": "prompt-theme-1"}
    return {"topic_id": f"prompt-{number}", "field": "prompt", "is_locked": False, **names, **lists, **sources}


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """A folder with the tables of a last run, a topic state and two edits."""
    data = DataDir(tmp_path)
    texts = [{"field": "prompt", "text_id": one, "text": text, "event_count": 1} for one, text in TEXT_IDS.items()]
    data.lake.write("texts", fill(TEXTS, texts))
    events = [{"event_id": one, "field": "prompt", "text_id": text_id} for one, text_id in EVENTS.items()]
    data.lake.write("event_texts", fill(EVENT_TEXTS, events))
    topics = [{"field": "prompt", "text_id": f"t{n}", "topic_id": f"prompt-{1 if n == 4 else 2}"} for n in range(1, 6)]
    text_topics = fill(TEXT_TOPICS, topics)
    data.lake.write("text_topics", text_topics)
    state = tmp_path / "state" / "s1"
    state.mkdir(parents=True)
    text_topics.write_parquet(state / "text_topics.parquet")
    rows = [
        definition(1, "Lost", ["lost again"]),
        definition(2, "Refund", [SECRET, "I want a refund please"]),
        definition(3, "Aunt Zarquon lost", []),
    ]
    fill(TOPIC_DEFINITIONS, rows).write_parquet(state / "topic_definitions.parquet")
    (state / "edits.json").write_text(json.dumps(['edit-1: rename prompt-2 to "Aunt Zarquon lost"', "edit-2: lock x"]))
    edits = [("edit-1", "Aunt Zarquon lost"), ("edit-2", "Refund please")]
    write_events(
        tmp_path / "topic_edits.jsonl",
        [{"edit_id": one, "action": "rename", "topic_id": "prompt-2", "label": label} for one, label in edits],
    )
    vectors = pl.DataFrame({"text_id": [*TEXT_IDS, "gone"], "vector": [[float(number)] for number in range(5)]})
    (data.lake.root / "embeddings" / "model").mkdir(parents=True)
    vectors.write_parquet(data.lake.root / "embeddings" / "model" / "t1-5.parquet")
    return data


def erase_texts(data: DataDir) -> ErasedTexts:
    match = Match.of_rejected("", [])
    match = Match(match.rows, match.rejected, match.links, frozenset(), pl.Series(["e1", "e2", "e5"]), frozenset())
    return find_erased_texts(data.lake, match, None)


def test_texts_that_others_have_stay(data: DataDir) -> None:
    erased = erase_texts(data)
    assert set(erased.texts) == {"t1", "t4"}
    assert erased.topic_ids == {"prompt-1"}


@pytest.mark.parametrize(
    ("value", "is_quoted"),
    [
        (SECRET.upper(), True),
        ("Aunt Zarquon lost", True),
        (f"About: {SECRET}", True),
        ("Lost ring", False),
        ("I want a refund", False),
        ("", False),
        (None, False),
    ],
)
def test_a_quote_is_a_text_or_three_words_of_one_that_no_other_text_has(
    data: DataDir, value: str | None, is_quoted: bool
) -> None:
    assert erase_texts(data).is_quoted(value) is is_quoted


def test_edits_states_and_vectors_lose_quotes_and_nothing_else(data: DataDir) -> None:
    for _ in range(2):  # the second time changes nothing
        clean_traces(data, erase_texts(data), ["e1", "e2", "e5"])
    assert [edit.label for edit in data.topic_edits.read().all] == ["Refund please"]
    assert data.topic_edits.add("lock", "prompt-2", "").edit_id == "edit-3"
    state = data.root / "state" / "s1"
    assert json.loads((state / "edits.json").read_text()) == ["edit-2: lock x"]
    assert pl.read_parquet(state / "text_topics.parquet")["text_id"].to_list() == ["t2", "t3"]
    topics = pl.read_parquet(state / "topic_definitions.parquet")
    assert topics.select("topic_id", "label", "description", "example_texts").rows() == [
        ("prompt-1", "prompt-1", "", []),
        ("prompt-2", "Refund", "Refund", ["I want a refund please"]),
        ("prompt-3", "prompt-3", "", []),
    ]
    (file,) = (data.lake.root / "embeddings" / "model").iterdir()
    assert file.name.startswith("t2-2-")
    assert pl.read_parquet(file)["text_id"].to_list() == ["t2", "t3"]
