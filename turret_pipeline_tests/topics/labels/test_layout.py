"""Centroids in, places on the map out."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.labels.layout import GAP, lay_out
from turret_pipeline_tests.topics.blobs import blobs

NOWHERE = float("nan")


def unknown(count: int) -> FloatArray:
    return np.full((count, 2), NOWHERE)


def smallest_gap(places: FloatArray) -> float:
    gaps = np.sqrt(((places[:, None] - places) ** 2).sum(axis=2))
    return float(gaps[np.triu_indices(len(places), 1)].min())


def families(sizes: list[int]) -> FloatArray:
    """Centroids in families of like ones."""
    return blobs(sizes, noise=0.05, seed=3)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 8, 9, 30])
def test_any_number_of_topics_has_places_of_their_own_in_the_square(count: int) -> None:
    centres = families([count])
    places = lay_out(centres, unknown(count), seed=0)
    assert places.shape == (count, 2)
    assert (np.abs(places) <= 1).all()
    assert count < 2 or smallest_gap(places) > 0
    assert places.tolist() == lay_out(centres, unknown(count), seed=0).tolist()


def test_topics_that_say_the_same_have_places_too() -> None:
    for count in (2, 5):
        places = lay_out(np.repeat(families([1]), count, axis=0), unknown(count), seed=0)
        assert np.isfinite(places).all()


def test_like_topics_are_near_each_other() -> None:
    places = lay_out(families([10, 10, 10]), unknown(30), seed=0)
    gaps = np.sqrt(((places[:, None] - places) ** 2).sum(axis=2))
    np.fill_diagonal(gaps, np.inf)
    family = np.repeat([0, 1, 2], 10)
    assert (family[gaps.argmin(axis=1)] == family).all()


def test_places_are_kept() -> None:
    known = np.array([[0.25, -0.5], [-1, 1], [0.3, 0.3]])
    assert lay_out(families([3]), known, seed=0).tolist() == known.tolist()
    more = lay_out(families([4]), np.vstack([known, unknown(1)]), seed=0)
    assert more[:3].tolist() == known.tolist()


def test_a_new_topic_is_put_near_its_likes() -> None:
    centres = families([3, 3, 2])[[0, 1, 2, 3, 4, 5, 2, 5]]
    known = np.array([[-0.9, -0.9], [-0.8, -0.9], [-0.9, -0.8], [0.9, 0.9], [0.8, 0.9], [0.9, 0.8]])
    places = lay_out(centres, np.vstack([known, unknown(2)]), seed=0)
    assert np.linalg.norm(places[6] - [-0.87, -0.87]) < 0.2
    assert np.linalg.norm(places[7] - [0.87, 0.87]) < 0.2


@pytest.mark.parametrize("corner", [[0.0, 0.0], [1.0, 1.0], [-1.0, 0.0]])
def test_many_new_topics_beside_one_are_not_on_top_of_each_other(corner: list[float]) -> None:
    places = lay_out(families([31]), np.vstack([[corner], unknown(30)]), seed=0)
    assert places[0].tolist() == corner
    assert (np.abs(places) <= 1).all()
    assert smallest_gap(places) >= GAP * 0.999


def test_an_unlike_topic_is_put_somewhere() -> None:
    centres = normalize_rows(np.array([[1.0, 0], [-1, 0], [-1, 0.1]]))
    places = lay_out(centres, np.array([[0.5, 0.5], [NOWHERE, NOWHERE], [0, 0.5]]), seed=0)
    assert np.isfinite(places).all()
    assert smallest_gap(places) > 0
