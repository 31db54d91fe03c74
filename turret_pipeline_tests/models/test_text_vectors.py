"""Vectors of texts by the model, or by its student."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from turret_pipeline.models.text_vectors import TextEmbedding
from turret_pipeline.progress import SilentProgress
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.damage import find_damage
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.vectors import VectorStore, remove_students, remove_vectors_of_other_texts
from turret_pipeline.topics.cascade import cascade
from turret_pipeline.topics.embedding.embedding import one_by_one
from turret_pipeline.topics.embedding.preparation import PREPARED_SCHEMA
from turret_pipeline.topics.embedding.texts import text_id
from turret_pipeline_tests.topics.cascade.simple_model import embed, write_texts

PREPARED = PREPARED_SCHEMA.to_frame()


@pytest.fixture(autouse=True)
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cascade, "TRAINING_TEXTS", 200)


class CountingModel:
    """The model, with the texts that it was given; after ``limit`` texts it fails, as if killed."""

    def __init__(self, limit: float = float("inf")) -> None:
        self.given: list[str] = []
        self.limit = limit

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        if len(self.given) + len(texts) > self.limit:
            raise KeyboardInterrupt
        self.given += texts
        return embed(texts)


def table(texts: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"text_id": [text_id(text) for text in texts], "text": list(texts)})


TEXTS = table([*write_texts(400), *(f"{text} now" for text in write_texts(200)), "zebra xylophone", "?!"])


def run(folder: Path, method: str, texts: pl.DataFrame, model: CountingModel) -> VectorStore:
    store = VectorStore(folder, "model", method)
    TextEmbedding(store, one_by_one(model), SilentProgress()).embed(texts, PREPARED)
    return store


def read(store: VectorStore, texts: pl.DataFrame = TEXTS) -> FloatArray:
    return store.vectors_of(texts["text_id"])


def test_full_embeds_every_text_by_the_model(tmp_path: Path) -> None:
    model = CountingModel()
    store = run(tmp_path, "full", TEXTS, model)
    assert sorted(model.given) == sorted(TEXTS["text"])
    assert store.predicted_models().is_empty()


def test_the_cascade_gives_every_text_a_vector_and_the_model_reads_few(tmp_path: Path) -> None:
    model = CountingModel()
    store = run(tmp_path, "cascade", TEXTS, model)
    cosines = (read(store) * read(run(tmp_path / "full", "full", TEXTS, CountingModel()))).sum(axis=1)
    assert np.quantile(cosines, 0.05) > 0.9
    names = store.predicted_models()
    assert names.height + len(store.known_ids()) == TEXTS.height
    assert set(names["model"]) == {"model student"}
    assert 200 <= len(store.known_ids()) < 450


def test_static_asks_the_model_for_the_sample_only(tmp_path: Path) -> None:
    store = run(tmp_path, "static", TEXTS, CountingModel())
    assert sorted(store.known_ids()) == sorted(TEXTS["text_id"])[:200]
    assert read(store).shape == (TEXTS.height, 16)


def test_near_duplicates_are_embedded_once_and_have_the_vector_of_the_first(tmp_path: Path) -> None:
    copies = table([f"{text.upper()}  {number}!" for number, text in enumerate(TEXTS["text"][:300])])
    first, model = run(tmp_path, "cascade", TEXTS, CountingModel()), CountingModel()
    run(tmp_path, "cascade", pl.concat([TEXTS, copies]), model)
    assert model.given == []
    assert np.array_equal(read(first, copies), read(first, TEXTS[:300]))
    assert set(first.predicted_models()["model"]) == {"model", "model student"}, "a copy has the model of the original"


def test_the_order_of_the_texts_does_not_matter(tmp_path: Path) -> None:
    one = read(run(tmp_path / "one", "cascade", TEXTS, CountingModel()))
    other = read(run(tmp_path / "other", "cascade", TEXTS.reverse(), CountingModel()))
    assert np.array_equal(one, other)


def test_later_runs_keep_the_student_and_all_vectors(tmp_path: Path) -> None:
    store = run(tmp_path, "cascade", TEXTS[:500], CountingModel())
    before, students = read(store, TEXTS[:500]), sorted(store.folder.glob("*.npz"))
    model = CountingModel()
    run(tmp_path, "cascade", TEXTS, model)
    assert np.array_equal(read(store, TEXTS[:500]), before)
    assert sorted(store.folder.glob("*.npz")) == students
    assert set(model.given) <= set(TEXTS["text"][500:])


@pytest.mark.parametrize("method", ["cascade", "static"])
@pytest.mark.parametrize("count", [1, 2, 5, 400])
def test_the_model_reads_all_if_a_student_would_save_nothing(tmp_path: Path, method: str, count: int) -> None:
    model = CountingModel()
    store = run(tmp_path, method, TEXTS[:count], model)
    assert sorted(model.given) == sorted(TEXTS["text"][:count])
    assert list(store.folder.glob("*.npz")) == []


def test_a_few_texts_more_need_no_student(tmp_path: Path) -> None:
    run(tmp_path, "full", TEXTS[:550], CountingModel())
    model = CountingModel()
    run(tmp_path, "cascade", TEXTS, model)
    assert sorted(model.given) == sorted(TEXTS["text"][550:])


def test_an_erasure_removes_the_student_and_keeps_the_vectors_of_other_texts(tmp_path: Path) -> None:
    store = run(tmp_path, "cascade", TEXTS, CountingModel())
    kept = TEXTS[:300]
    before = read(store, kept)

    remove_vectors_of_other_texts(tmp_path, kept["text_id"])
    remove_students(tmp_path)

    assert np.array_equal(read(store, kept), before)
    assert list(store.folder.rglob("*.npz")) == []
    run(tmp_path, "cascade", TEXTS, CountingModel())
    assert np.array_equal(read(store, kept), before)


def test_a_damaged_student_is_found_and_trained_again_and_vectors_stay(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    folder = data.lake.root / "embeddings"
    store = run(folder, "cascade", TEXTS[:500], CountingModel())
    before, [student] = read(store, TEXTS[:500]), store.folder.glob("*.npz")
    student.write_bytes(student.read_bytes()[:1000])
    assert [finding.path for finding in find_damage(data)] == [student]
    run(folder, "cascade", TEXTS, CountingModel())
    assert np.array_equal(read(store, TEXTS[:500]), before)
    assert read(store).shape == (TEXTS.height, 16)


def test_a_run_after_a_kill_asks_the_model_for_the_rest_only(tmp_path: Path) -> None:
    whole = CountingModel()
    expected = read(run(tmp_path / "whole", "cascade", TEXTS, whole))
    for limit in (100, 210, len(whole.given) - 201):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "killed", "cascade", TEXTS, CountingModel(limit))
    rest = CountingModel()
    np.testing.assert_allclose(read(run(tmp_path / "killed", "cascade", TEXTS, rest)), expected, atol=1e-6)
    assert len(rest.given) < len(whole.given)


def test_full_replaces_vectors_by_a_student(tmp_path: Path) -> None:
    run(tmp_path, "cascade", TEXTS, CountingModel())
    model = CountingModel()
    store = run(tmp_path, "full", TEXTS, model)
    assert model.given
    np.testing.assert_allclose(read(store), embed(TEXTS["text"].to_list()), atol=1e-6)
    assert VectorStore(tmp_path, "model").predicted_models().is_empty()


def test_vectors_are_read_in_batches_each_once(tmp_path: Path) -> None:
    store = run(tmp_path, "cascade", TEXTS, CountingModel())
    found = [text for ids, _ in store.read_batches(TEXTS["text_id"]) for text in ids]
    assert sorted(found) == sorted(TEXTS["text_id"])


def test_without_texts_nothing_is_loaded(tmp_path: Path) -> None:
    for method in ("full", "cascade", "static"):
        store = VectorStore(tmp_path, "model", method)
        TextEmbedding(store, lambda _: pytest.fail("embedded"), SilentProgress()).embed(TEXTS.clear(), PREPARED)
    assert not list(tmp_path.rglob("*"))
