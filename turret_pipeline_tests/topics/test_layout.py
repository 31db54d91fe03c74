"""Positions of topics on the map."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.layout import MIN_GAP, lay_out_topics
from turret_pipeline_tests.topics.blobs import blobs

NOWHERE = float("nan")


def unknown(count: int) -> FloatArray:
    return np.full((count, 2), NOWHERE)


def smallest_gap(positions: FloatArray) -> float:
    gaps = np.sqrt(((positions[:, None] - positions) ** 2).sum(axis=2))
    return float(gaps[np.triu_indices(len(positions), 1)].min())


def families(sizes: list[int]) -> FloatArray:
    """Centroids in families of similar ones."""
    return blobs(sizes, noise=0.05, seed=3)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 8, 9, 30])
def test_any_number_of_topics_has_distinct_positions_in_the_square(count: int) -> None:
    topic_centroids = families([count])
    positions = lay_out_topics(topic_centroids, unknown(count), seed=0)
    assert positions.shape == (count, 2)
    assert (np.abs(positions) <= 1).all()
    assert count < 2 or smallest_gap(positions) > 0
    assert positions.tolist() == lay_out_topics(topic_centroids, unknown(count), seed=0).tolist()


def test_equal_topics_have_positions() -> None:
    for count in (2, 5):
        positions = lay_out_topics(np.repeat(families([1]), count, axis=0), unknown(count), seed=0)
        assert np.isfinite(positions).all()


def test_similar_topics_are_near_each_other() -> None:
    positions = lay_out_topics(families([10, 10, 10]), unknown(30), seed=0)
    gaps = np.sqrt(((positions[:, None] - positions) ** 2).sum(axis=2))
    np.fill_diagonal(gaps, np.inf)
    family = np.repeat([0, 1, 2], 10)
    assert (family[gaps.argmin(axis=1)] == family).all()


def test_known_positions_are_kept() -> None:
    known = np.array([[0.25, -0.5], [-1, 1], [0.3, 0.3]])
    assert lay_out_topics(families([3]), known, seed=0).tolist() == known.tolist()
    more = lay_out_topics(families([4]), np.vstack([known, unknown(1)]), seed=0)
    assert more[:3].tolist() == known.tolist()


def test_a_new_topic_is_placed_near_similar_ones() -> None:
    topic_centroids = families([3, 3, 2])[[0, 1, 2, 3, 4, 5, 2, 5]]
    known = np.array([[-0.9, -0.9], [-0.8, -0.9], [-0.9, -0.8], [0.9, 0.9], [0.8, 0.9], [0.9, 0.8]])
    positions = lay_out_topics(topic_centroids, np.vstack([known, unknown(2)]), seed=0)
    assert np.linalg.norm(positions[6] - [-0.87, -0.87]) < 0.2
    assert np.linalg.norm(positions[7] - [0.87, 0.87]) < 0.2


@pytest.mark.parametrize("corner", [[0.0, 0.0], [1.0, 1.0], [-1.0, 0.0]])
def test_many_new_topics_near_one_do_not_overlap(corner: list[float]) -> None:
    positions = lay_out_topics(families([31]), np.vstack([[corner], unknown(30)]), seed=0)
    assert positions[0].tolist() == corner
    assert (np.abs(positions) <= 1).all()
    assert smallest_gap(positions) >= MIN_GAP * 0.999


def test_a_topic_that_is_unlike_all_others_has_a_position() -> None:
    topic_centroids = normalize_rows(np.array([[1.0, 0], [-1, 0], [-1, 0.1]]))
    positions = lay_out_topics(topic_centroids, np.array([[0.5, 0.5], [NOWHERE, NOWHERE], [0, 0.5]]), seed=0)
    assert np.isfinite(positions).all()
    assert smallest_gap(positions) > 0
