"""Classes of texts, found without reading every form."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

from turret_pipeline.signals import text_classes
from turret_pipeline.signals.classifier import ANSWER, CLASSES, FORMS_ONLY, NEITHER, PROMPT, load_classifier
from turret_pipeline.signals.rephrases import ReadVectors
from turret_pipeline.signals.text_classes import find_classes
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.model_names import ENGLISH, MULTILINGUAL
from turret_pipeline_tests.benchmarks.signal_training import read_examples

DIMENSIONS = {ENGLISH: 384, MULTILINGUAL: 512}


def draw_texts(kind: str) -> pl.DataFrame:
    """Examples of a kind."""
    texts = read_examples(is_held_back=False).filter(kind=kind)["text"]
    frame = pl.DataFrame({"text_id": [f"t{at}" for at in range(len(texts))], "text": texts, "language": "en"})
    return frame.with_columns(pl.col("text").str.len_chars().alias("characters"))


def reader(vectors: dict[str, FloatArray]) -> ReadVectors:
    """The vectors, in batches of seven."""

    def read(ids: pl.Series) -> Iterator[tuple[pl.Series, FloatArray]]:
        known = [one for one in ids if one in vectors]
        for at in range(0, len(known), 7):
            yield pl.Series("text_id", known[at : at + 7]), np.stack([vectors[one] for one in known[at : at + 7]])

    return read


@pytest.mark.parametrize("kind", [ANSWER, PROMPT])
@pytest.mark.parametrize("model", [ENGLISH, MULTILINGUAL, FORMS_ONLY])
def test_the_classes_are_those_of_all_forms(kind: str, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_classes, "BLOCK_TEXTS", 500)
    monkeypatch.setattr(text_classes, "SECTION_BYTES", 50_000)
    texts, vectors = draw_texts(kind), None
    readers = {}
    if model != FORMS_ONLY:
        drawn = np.random.default_rng(1).normal(size=(texts.height, DIMENSIONS[model])).astype(np.float32)
        vectors = normalize_rows(drawn)
        readers = {model: reader(dict(zip(texts["text_id"], 3 * vectors, strict=True)))}
    every = load_classifier(kind, model).classify(texts["text"], vectors)
    names = [name for name in CLASSES[kind] if name != NEITHER]
    columns = [pl.Series(name, every[:, CLASSES[kind].index(name)]) for name in names]
    all_texts = texts.select("text_id").with_columns(columns)
    expected = all_texts.filter(pl.max_horizontal(names) >= 0.5).sort("text_id")
    found = find_classes(kind, texts.iter_slices(300), readers).sort("text_id")
    assert found["text_id"].to_list() == expected["text_id"].to_list()
    assert 0 < found.height < texts.height
    assert np.allclose(found.select(names), expected.select(names), atol=1e-5)


def test_texts_in_other_languages_have_no_class_and_may_be_in_several_fields() -> None:
    refusal = "I'm sorry, but I can't help with that request."
    rows = [("a", refusal, "en"), ("b", "Plain", "en"), ("c", refusal, "fi")]
    texts = pl.DataFrame(rows, ["text_id", "text", "language"], orient="row").with_columns(
        pl.col("text").str.len_chars().alias("characters")
    )
    found = find_classes(ANSWER, [texts, pl.concat([texts, texts])], {})
    assert found["text_id"].to_list() == ["a", "c"]
    assert found["declined"].is_null().to_list() == [False, True]


def test_no_texts_have_no_classes() -> None:
    for batches in ([], [draw_texts(PROMPT).clear()]):
        assert find_classes(PROMPT, batches, {}).schema == {"text_id": pl.String(), "corrected": pl.Float64()}
