"""Vectors of texts as they are, and of their prepared form."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.vectors import VectorStore, limit_vanished_vectors, remove_students
from turret_pipeline.topics.embedding.embedding import Chunk
from turret_pipeline.topics.embedding.preparation import PreparedChunk


def ids(*text_ids: str) -> pl.Series:
    return pl.Series("text_id", text_ids, pl.String)


def test_the_vector_of_the_prepared_form_replaces_that_of_the_text(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, "model")
    assert store.known_ids().is_empty()
    assert store.flags_of_prepared().is_empty()
    flags = pl.DataFrame({"is_copy_left_out": [True, False], "is_cut": [False, True]})
    one, two = np.array([[1, 0], [0, 1]], np.float32), np.array([[0, -1], [-1, 0]], np.float32)
    assert sum(store.add([Chunk(["a", "b"], one), PreparedChunk(["b", "c"], two, flags)])) == 4
    assert sorted(store.known_ids()) == ["a", "b", "c"]
    assert sorted(store.prepared_ids()) == ["b", "c"]
    np.testing.assert_array_equal(store.vectors_of(ids("c", "b", "a", "b")), [[-1, 0], [0, -1], [1, 0], [0, -1]])
    assert store.flags_of_prepared().sort("text_id").rows() == [("b", True, False), ("c", False, True)]
    with pytest.raises(TurretError, match="1 texts have no vector"):
        store.vectors_of(ids("a", "z"))


def test_a_text_in_two_files_has_one_vector(tmp_path: Path) -> None:
    # as if a run was killed between writing a shorter file and removing the longer one
    store, vectors = VectorStore(tmp_path, "model"), np.eye(3, dtype=np.float32)
    assert sum(store.add([Chunk(["a", "b", "c"], vectors), Chunk(["a", "b"], vectors[:2])])) == 5

    np.testing.assert_array_equal(store.vectors_of(ids("c", "a", "b")), vectors[[2, 0, 1]])
    read = [text for texts, _ in store.read_batches(ids("a", "b", "c")) for text in texts]
    assert sorted(read) == ["a", "b", "c"]


def test_words_are_neither_vanished_texts_nor_removed_with_them(tmp_path: Path) -> None:
    store, vectors = VectorStore(tmp_path, "model"), np.eye(4, dtype=np.float32)
    assert sum(store.add([Chunk(["a"], vectors[:1])])) == 1
    assert sum(store.words.add([Chunk(["w1", "w2", "w3"], vectors[1:])])) == 3

    limit_vanished_vectors(tmp_path, ["a"])
    limit_vanished_vectors(tmp_path, [])

    assert store.known_ids().is_empty()
    assert sorted(store.words.known_ids()) == ["w1", "w2", "w3"]
    remove_students(tmp_path)
    assert store.words.known_ids().is_empty()


def test_vectors_are_read_file_by_file_each_once(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, "model")
    assert list(store.read_batches(ids("a"))) == []
    flags = pl.DataFrame({"is_copy_left_out": [True], "is_cut": [False]})
    chunks = [
        Chunk(["a", "b"], np.array([[1, 0], [0, 1]], np.float32)),
        Chunk(["c", "d"], np.array([[1, 1], [2, 2]], np.float32)),
        PreparedChunk(["b"], np.array([[3, 3]], np.float32), flags),
    ]
    assert sum(store.add(chunks)) == 5
    read = [dict(zip(texts, vectors.tolist(), strict=True)) for texts, vectors in store.read_batches(ids("z", *"babd"))]
    assert read == [{"b": [3, 3]}, {"a": [1, 0]}, {"d": [2, 2]}]
    assert list(store.read_batches(ids("z"))) == []


def test_vectors_of_vanished_texts_are_removed_once_they_are_more_than_half(tmp_path: Path) -> None:
    store, vectors = VectorStore(tmp_path, "model"), np.eye(4, dtype=np.float32)
    limit_vanished_vectors(tmp_path, [])
    flags = pl.DataFrame({"is_copy_left_out": [True], "is_cut": [False]})
    assert sum(store.add([Chunk(["a", "b", "c"], vectors[:3]), PreparedChunk(["d"], vectors[3:], flags)])) == 4
    limit_vanished_vectors(tmp_path, ["a", "b", "new"])
    assert sorted(store.known_ids()) == ["a", "b", "c", "d"]
    limit_vanished_vectors(tmp_path, ["b", "new"])
    assert sorted(store.known_ids()) == ["b"]
    np.testing.assert_array_equal(store.vectors_of(ids("b")), vectors[[1]])
    limit_vanished_vectors(tmp_path, [])
    assert store.known_ids().is_empty()
