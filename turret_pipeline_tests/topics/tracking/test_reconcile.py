"""Known topics and new clusters: which texts join, and which topics are born, split or merge."""

from collections.abc import Sequence

import numpy as np
import pytest
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.clustering.consensus import Clustering
from turret_pipeline.topics.clustering.neighbours import find_nearest_others, neighbour_graph
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.reconcile import MAX_MOVED_SHARE, Change, assortativity, reconcile_topics
from turret_pipeline_tests.topics.blobs import blobs

NEXT = 50
NEW = NO_TOPIC
TRIANGLES = sp.csr_matrix(np.kron(np.eye(2), 1 - np.eye(3)))


def runs(*parts: tuple[int, int]) -> IntArray:
    """Each number repeated as often as its count."""
    return np.repeat([number for number, _ in parts], [count for _, count in parts])


def reconciled(
    known: IntArray,
    cluster: IntArray,
    vectors: FloatArray | None = None,
    links: Sequence[tuple[int, int, float]] = (),
    protected: Sequence[int] = (),
) -> tuple[list[int], list[Change]]:
    """Topics and changes, with co-association 1 for neighbours in one cluster and 0 for others.

    ``links`` adds pairs of neighbours with their co-association.
    """
    vectors = blobs(np.bincount(cluster).tolist()) if vectors is None else vectors
    graph = neighbour_graph(find_nearest_others(vectors, 4))
    rows = np.repeat(np.arange(len(cluster)), np.diff(graph.indptr))
    co_association = sp.lil_matrix(graph.shape)
    co_association[rows, graph.indices] = cluster[rows] == cluster[graph.indices]
    for one, other, share in links:
        co_association[one, other] = co_association[other, one] = share
    clustering = Clustering(cluster, co_association.tocsr())
    topic, changes = reconcile_topics(vectors, graph, known, clustering, TopicOptions(), frozenset(protected), NEXT)
    return topic.tolist(), changes


def test_new_texts_join_the_topic_of_their_cluster() -> None:
    topic, changes = reconciled(runs((7, 15), (NEW, 5), (3, 10), (NEW, 2)), runs((0, 20), (1, 12)))
    assert topic == runs((7, 20), (3, 12)).tolist()
    assert changes == []


def test_new_clusters_become_topics_the_largest_first() -> None:
    topic, changes = reconciled(runs((7, 15), (NEW, 18)), runs((0, 15), (1, 8), (2, 10)))
    assert topic == runs((7, 15), (NEXT + 1, 8), (NEXT, 10)).tolist()
    assert changes == []


def test_a_few_misplaced_known_texts_do_not_prevent_a_new_topic() -> None:
    known, cluster = runs((7, 12), (7, 3), (NEW, 9)), runs((0, 12), (1, 12))
    assert reconciled(known, cluster)[0] == runs((7, 15), (NEXT, 9)).tolist()


def test_a_cluster_with_a_new_majority_is_born_if_chance_does_not_explain_it() -> None:
    known, cluster = runs((7, 40), (7, 5), (NEW, 7)), runs((0, 40), (1, 12))
    assert reconciled(known, cluster) == (runs((7, 45), (NEXT, 7)).tolist(), [])


def test_new_texts_of_a_cluster_without_a_new_majority_join_by_vote() -> None:
    known, cluster = runs((7, 40), (7, 7), (NEW, 5)), runs((0, 40), (1, 12))
    assert reconciled(known, cluster) == ([7] * 52, [])


def test_clusters_of_too_few_new_texts_join_by_vote() -> None:
    vectors = np.concatenate([blobs([10, 10]), blobs([0, 4], seed=9)])
    topic, _ = reconciled(runs((7, 10), (3, 10), (NEW, 4)), runs((0, 10), (1, 10), (2, 4)), vectors)
    assert topic == runs((7, 10), (3, 14)).tolist()


def test_new_texts_of_a_cluster_of_two_topics_join_by_vote() -> None:
    vectors = np.concatenate([blobs([10, 10]), blobs([4, 5], seed=9)])
    topic, changes = reconciled(runs((7, 10), (3, 10), (NEW, 9)), runs((0, 29)), vectors)
    assert topic == runs((7, 10), (3, 10), (7, 4), (3, 5)).tolist()
    assert changes == []


def test_new_texts_that_form_a_cohesive_subgroup_of_a_known_cluster_are_born() -> None:
    topic, changes = reconciled(runs((7, 20), (NEW, 12)), runs((0, 32)), blobs([20, 12]))
    assert topic == runs((7, 20), (NEXT, 12)).tolist()
    assert changes == []


def test_new_texts_outside_the_cohesive_subgroup_join() -> None:
    vectors = np.concatenate([blobs([20, 12]), blobs([3], seed=9)])
    topic, _ = reconciled(runs((7, 20), (NEW, 15)), runs((0, 35)), vectors)
    assert topic == runs((7, 20), (NEXT, 12), (7, 3)).tolist()


@pytest.mark.parametrize("new", [12, 60])
def test_new_texts_of_the_same_kind_as_the_known_ones_join(new: int) -> None:
    known, cluster = runs((7, 30), (NEW, new)), runs((0, 30 + new))
    assert reconciled(known, cluster)[0] == [7] * (30 + new)


def test_a_small_cohesive_subgroup_joins() -> None:
    topic, _ = reconciled(runs((7, 20), (NEW, 9)), runs((0, 29)), blobs([20, 9]))
    assert topic == [7] * 29


def test_a_separate_part_splits_off_and_the_larger_part_keeps_the_number() -> None:
    known, cluster = runs((7, 20), (7, 8), (NEW, 3), (3, 12)), runs((0, 20), (1, 11), (2, 12))
    topic, changes = reconciled(known, cluster, links=[(0, 20, 0.1)])
    assert topic == runs((7, 20), (NEXT, 11), (3, 12)).tolist()
    assert changes == [Change("split", NEXT, 7, 8 / 28)]


def test_parts_that_split_off_are_numbered_after_new_topics() -> None:
    topic, changes = reconciled(runs((7, 20), (7, 8), (NEW, 9)), runs((0, 20), (1, 8), (2, 9)))
    assert topic == runs((7, 20), (NEXT + 1, 8), (NEXT, 9)).tolist()
    assert changes == [Change("split", NEXT + 1, 7, 8 / 28)]


@pytest.mark.parametrize(
    ("home", "part", "links", "protected"),
    [
        pytest.param(20, 8, [(0, 20, 0.3)], [], id="high co-association"),
        pytest.param(40, 8, [], [], id="less than a fifth"),
        pytest.param(12, 4, [], [], id="too few texts"),
        pytest.param(20, 11, [], [], id="too many texts for one run"),
        pytest.param(20, 8, [], [7], id="protected"),
    ],
)
def test_other_parts_do_not_split_off(
    home: int, part: int, links: list[tuple[int, int, float]], protected: list[int]
) -> None:
    known, cluster = runs((7, home + part), (NEW, 2)), runs((0, home), (1, part + 2))
    assert reconciled(known, cluster, links=links, protected=protected) == ([7] * (home + part + 2), [])


def test_the_smaller_of_two_topics_in_one_cluster_merges_into_the_larger_with_new_texts() -> None:
    known, cluster = runs((3, 8), (7, 20), (NEW, 4), (5, 12)), runs((0, 32), (1, 12))
    topic, changes = reconciled(known, cluster)
    assert topic == runs((7, 32), (5, 12)).tolist()
    assert changes == [Change("merged", 3, 7, 8 / 20)]


def test_of_topics_of_equal_size_the_lower_number_stays() -> None:
    topic, changes = reconciled(runs((7, 10), (3, 10)), runs((0, 20)))
    assert topic == [3] * 20
    assert changes == [Change("merged", 7, 3, 1.0)]


def test_a_merge_includes_texts_in_other_clusters() -> None:
    known, cluster = runs((3, 7), (7, 20), (3, 1), (5, 12)), runs((0, 27), (1, 13))
    assert reconciled(known, cluster)[0] == runs((7, 28), (5, 12)).tolist()


@pytest.mark.parametrize(
    ("small", "share", "protected"),
    [
        pytest.param(8, 0.8, [], id="co-association below the minimum"),
        pytest.param(11, 1.0, [], id="too many texts for one run"),
        pytest.param(8, 1.0, [3], id="the smaller is protected"),
        pytest.param(8, 1.0, [7], id="the larger is protected"),
    ],
)
def test_other_topics_do_not_merge(small: int, share: float, protected: list[int]) -> None:
    known = runs((3, small), (7, 20))
    links = [(0, small, share)]
    topic, changes = reconciled(known, runs((0, small + 20)), blobs([small, 20]), links, protected)
    assert topic == known.tolist()
    assert changes == []


def test_the_most_certain_move_goes_first_and_the_rest_waits() -> None:
    known = runs((1, 26), (2, 26), (3, 26))
    cluster = runs((0, 20), (1, 6), (2, 20), (3, 6), (4, 20), (5, 6))
    topic, changes = reconciled(known, cluster, links=[(0, 20, 0.15), (26, 46, 0.05), (52, 72, 0.1)])
    assert topic == runs((1, 26), (2, 20), (NEXT, 6), (3, 26)).tolist()
    assert changes == [Change("split", NEXT, 2, 6 / 26)]


def test_among_many_known_texts_more_may_move() -> None:
    sizes = [(1, 20), (1, 6), (2, 20), (2, 6), (3, 600)]
    known, cluster = runs(*sizes), runs(*((at, count) for at, (_, count) in enumerate(sizes)))
    topic, changes = reconciled(known, cluster, links=[(0, 20, 0.1)])
    assert topic == runs((1, 20), (NEXT + 1, 6), (2, 20), (NEXT, 6), (3, 600)).tolist()
    assert changes == [Change("split", NEXT, 2, 6 / 26), Change("split", NEXT + 1, 1, 6 / 26)]
    assert (np.array(topic) != known).sum() <= MAX_MOVED_SHARE * len(known) < 18


@pytest.mark.parametrize("apart", [0.0, 0.15])
def test_a_split_and_a_merge_never_touch_the_same_topic(apart: float) -> None:
    known, cluster = runs((1, 20), (2, 5), (1, 5)), runs((0, 25), (1, 5))
    vectors = blobs([20, 5, 5])
    links = [(0, 25, apart), (0, 20, 0.95)]
    split = (runs((1, 20), (2, 5), (NEXT, 5)).tolist(), [Change("split", NEXT, 1, 5 / 25)])
    merged = (runs((1, 30)).tolist(), [Change("merged", 2, 1, 5 / 25)])
    assert reconciled(known, cluster, vectors, links) == (split if apart == 0 else merged)


def test_the_known_topics_are_not_modified() -> None:
    known = runs((3, 8), (7, 20), (NEW, 4), (7, 6))
    given = known.copy()
    topic, changes = reconciled(given, runs((0, 32), (1, 6)))
    assert changes
    assert (np.array(topic) != known).any()
    assert given.tolist() == known.tolist()


def test_without_known_topics_all_large_clusters_are_born() -> None:
    vectors = np.concatenate([blobs([9, 12]), blobs([3], seed=9)])
    topic, changes = reconciled(np.full(24, NEW), runs((0, 9), (1, 12), (2, 3)), vectors)
    assert topic == runs((NEXT + 1, 9), (NEXT, 12), (NEXT + 1, 3)).tolist()
    assert changes == []


def test_without_known_topics_small_clusters_are_not_born() -> None:
    topic, changes = reconciled(np.full(12, NEW), runs((0, 4), (1, 4), (2, 4)))
    assert topic == [NO_TOPIC] * 12
    assert changes == []


def test_nothing_changes_if_the_clusters_are_the_known_topics() -> None:
    known = runs((7, 20), (3, 12))
    assert reconciled(known, runs((0, 20), (1, 12))) == (known.tolist(), [])


@pytest.mark.parametrize(
    ("is_new", "expected"),
    [
        ([1, 1, 1, 0, 0, 0], 1.0),
        ([1, 0, 0, 1, 0, 0], -0.5),
        ([1, 0, 0, 0, 0, 0], -0.2),
        ([1] * 6, 0.0),
        ([0] * 6, 0.0),
    ],
)
def test_assortativity_is_newmans(is_new: list[int], expected: float) -> None:
    assert assortativity(TRIANGLES, np.array(is_new, dtype=bool)) == pytest.approx(expected)


def test_assortativity_is_about_zero_by_chance_and_zero_without_neighbours() -> None:
    graph = neighbour_graph(find_nearest_others(blobs([400]), 8))
    assert abs(assortativity(graph, np.random.default_rng(0).random(400) < 0.3)) < 0.05
    assert assortativity(sp.csr_matrix((2, 2)), np.array([True, False])) == 0
    assert assortativity(sp.csr_matrix((0, 0)), np.array([], dtype=bool)) == 0
