"""Known topics and groups found anew in; who joins, is born, splits or merges out."""

from collections.abc import Sequence

import numpy as np
import pytest
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.clustering.consensus import Grouping
from turret_pipeline.topics.clustering.neighbours import nearest_others, neighbour_graph
from turret_pipeline.topics.tracking.reconcile import MOST_MOVED, Change, Meeting, Options, assortativity
from turret_pipeline_tests.topics.blobs import blobs

NEXT = 50
NEW = NO_TOPIC
TRIANGLES = sp.csr_matrix(np.kron(np.eye(2), 1 - np.eye(3)))


def runs(*parts: tuple[int, int]) -> IntArray:
    """Numbers and how often each stands there."""
    return np.repeat([number for number, _ in parts], [count for _, count in parts])


def settled(
    known: IntArray,
    group: IntArray,
    vectors: FloatArray | None = None,
    links: Sequence[tuple[int, int, float]] = (),
    locked: Sequence[int] = (),
) -> tuple[list[int], list[Change]]:
    """Topics and changes where neighbours are together if they are in one group.

    ``links`` puts a neighbourship between two texts, and says how often they were together.
    """
    vectors = blobs(np.bincount(group).tolist()) if vectors is None else vectors
    graph = neighbour_graph(nearest_others(vectors, 4))
    rows = np.repeat(np.arange(len(group)), np.diff(graph.indptr))
    together = sp.lil_matrix(graph.shape)
    together[rows, graph.indices] = group[rows] == group[graph.indices]
    for one, other, share in links:
        together[one, other] = together[other, one] = share
    grouping = Grouping(group, together.tocsr())
    topic, changes = Meeting(vectors, graph, known, grouping, Options(), frozenset(locked)).settle(NEXT)
    return topic.tolist(), changes


def test_new_texts_join_the_topic_that_lives_in_their_group() -> None:
    topic, changes = settled(runs((7, 15), (NEW, 5), (3, 10), (NEW, 2)), runs((0, 20), (1, 12)))
    assert topic == runs((7, 20), (3, 12)).tolist()
    assert changes == []


def test_groups_of_new_texts_are_born_the_largest_first() -> None:
    topic, changes = settled(runs((7, 15), (NEW, 18)), runs((0, 15), (1, 8), (2, 10)))
    assert topic == runs((7, 15), (NEXT + 1, 8), (NEXT, 10)).tolist()
    assert changes == []


def test_a_few_known_texts_astray_do_not_keep_a_new_topic_from_being_born() -> None:
    known, group = runs((7, 12), (7, 3), (NEW, 9)), runs((0, 12), (1, 12))
    assert settled(known, group)[0] == runs((7, 15), (NEXT, 9)).tolist()


def test_a_group_of_which_most_is_new_is_born_if_that_is_no_chance() -> None:
    known, group = runs((7, 40), (7, 5), (NEW, 7)), runs((0, 40), (1, 12))
    assert settled(known, group) == (runs((7, 45), (NEXT, 7)).tolist(), [])


def test_a_group_of_which_less_is_new_is_not_born_but_joins_by_vote() -> None:
    known, group = runs((7, 40), (7, 7), (NEW, 5)), runs((0, 40), (1, 12))
    assert settled(known, group) == ([7] * 52, [])


def test_groups_of_too_few_new_texts_join_by_vote() -> None:
    vectors = np.concatenate([blobs([10, 10]), blobs([0, 4], seed=9)])
    topic, _ = settled(runs((7, 10), (3, 10), (NEW, 4)), runs((0, 10), (1, 10), (2, 4)), vectors)
    assert topic == runs((7, 10), (3, 14)).tolist()


def test_where_two_topics_share_a_group_new_texts_join_by_vote() -> None:
    vectors = np.concatenate([blobs([10, 10]), blobs([4, 5], seed=9)])
    topic, changes = settled(runs((7, 10), (3, 10), (NEW, 9)), runs((0, 29)), vectors)
    assert topic == runs((7, 10), (3, 10), (7, 4), (3, 5)).tolist()
    assert changes == []


def test_new_texts_that_keep_among_themselves_in_a_known_group_are_born() -> None:
    topic, changes = settled(runs((7, 20), (NEW, 12)), runs((0, 32)), blobs([20, 12]))
    assert topic == runs((7, 20), (NEXT, 12)).tolist()
    assert changes == []


def test_of_new_texts_in_a_known_group_those_near_the_known_ones_still_join() -> None:
    vectors = np.concatenate([blobs([20, 12]), blobs([3], seed=9)])
    topic, _ = settled(runs((7, 20), (NEW, 15)), runs((0, 35)), vectors)
    assert topic == runs((7, 20), (NEXT, 12), (7, 3)).tolist()


@pytest.mark.parametrize("new", [12, 60])
def test_new_texts_of_the_same_kind_as_the_known_ones_join(new: int) -> None:
    known, group = runs((7, 30), (NEW, new)), runs((0, 30 + new))
    assert settled(known, group)[0] == [7] * (30 + new)


def test_few_new_texts_that_keep_among_themselves_in_a_known_group_join() -> None:
    topic, _ = settled(runs((7, 20), (NEW, 9)), runs((0, 29)), blobs([20, 9]))
    assert topic == [7] * 29


def test_a_part_that_is_clearly_apart_splits_off_and_the_larger_keeps_the_number() -> None:
    known, group = runs((7, 20), (7, 8), (NEW, 3), (3, 12)), runs((0, 20), (1, 11), (2, 12))
    topic, changes = settled(known, group, links=[(0, 20, 0.1)])
    assert topic == runs((7, 20), (NEXT, 11), (3, 12)).tolist()
    assert changes == [Change("split", NEXT, 7, 8 / 28)]


def test_what_splits_off_is_numbered_after_what_is_born() -> None:
    topic, changes = settled(runs((7, 20), (7, 8), (NEW, 9)), runs((0, 20), (1, 8), (2, 9)))
    assert topic == runs((7, 20), (NEXT + 1, 8), (NEXT, 9)).tolist()
    assert changes == [Change("split", NEXT + 1, 7, 8 / 28)]


@pytest.mark.parametrize(
    ("home", "part", "links", "locked"),
    [
        pytest.param(20, 8, [(0, 20, 0.3)], [], id="often together"),
        pytest.param(40, 8, [], [], id="less than a fifth"),
        pytest.param(12, 4, [], [], id="too few texts"),
        pytest.param(20, 11, [], [], id="too many texts for one run"),
        pytest.param(20, 8, [], [7], id="locked"),
    ],
)
def test_no_other_part_splits_off(home: int, part: int, links: list[tuple[int, int, float]], locked: list[int]) -> None:
    known, group = runs((7, home + part), (NEW, 2)), runs((0, home), (1, part + 2))
    assert settled(known, group, links=links, locked=locked) == ([7] * (home + part + 2), [])


def test_of_two_topics_in_one_group_the_smaller_merges_into_the_larger_and_takes_new_ones_along() -> None:
    known, group = runs((3, 8), (7, 20), (NEW, 4), (5, 12)), runs((0, 32), (1, 12))
    topic, changes = settled(known, group)
    assert topic == runs((7, 32), (5, 12)).tolist()
    assert changes == [Change("merged", 3, 7, 8 / 20)]


def test_of_topics_of_one_size_the_one_with_the_lower_number_stays() -> None:
    topic, changes = settled(runs((7, 10), (3, 10)), runs((0, 20)))
    assert topic == [3] * 20
    assert changes == [Change("merged", 7, 3, 1.0)]


def test_a_merged_topic_takes_its_texts_in_other_groups_along() -> None:
    known, group = runs((3, 7), (7, 20), (3, 1), (5, 12)), runs((0, 27), (1, 13))
    assert settled(known, group)[0] == runs((7, 28), (5, 12)).tolist()


@pytest.mark.parametrize(
    ("small", "share", "locked"),
    [
        pytest.param(8, 0.8, [], id="not always together"),
        pytest.param(11, 1.0, [], id="too many texts for one run"),
        pytest.param(8, 1.0, [3], id="the smaller is locked"),
        pytest.param(8, 1.0, [7], id="the larger is locked"),
    ],
)
def test_no_other_topics_merge(small: int, share: float, locked: list[int]) -> None:
    known = runs((3, small), (7, 20))
    links = [(0, small, share)]
    topic, changes = settled(known, runs((0, small + 20)), blobs([small, 20]), links, locked)
    assert topic == known.tolist()
    assert changes == []


def test_the_strongest_evidence_goes_first_and_the_rest_waits() -> None:
    known = runs((1, 26), (2, 26), (3, 26))
    group = runs((0, 20), (1, 6), (2, 20), (3, 6), (4, 20), (5, 6))
    topic, changes = settled(known, group, links=[(0, 20, 0.15), (26, 46, 0.05), (52, 72, 0.1)])
    assert topic == runs((1, 26), (2, 20), (NEXT, 6), (3, 26)).tolist()
    assert changes == [Change("split", NEXT, 2, 6 / 26)]


def test_among_many_known_texts_more_may_move() -> None:
    sizes = [(1, 20), (1, 6), (2, 20), (2, 6), (3, 600)]
    known, group = runs(*sizes), runs(*((at, count) for at, (_, count) in enumerate(sizes)))
    topic, changes = settled(known, group, links=[(0, 20, 0.1)])
    assert topic == runs((1, 20), (NEXT + 1, 6), (2, 20), (NEXT, 6), (3, 600)).tolist()
    assert changes == [Change("split", NEXT, 2, 6 / 26), Change("split", NEXT + 1, 1, 6 / 26)]
    assert (np.array(topic) != known).sum() <= MOST_MOVED * len(known) < 18


@pytest.mark.parametrize("apart", [0.0, 0.15])
def test_a_split_and_a_merge_never_touch_the_same_topic(apart: float) -> None:
    known, group = runs((1, 20), (2, 5), (1, 5)), runs((0, 25), (1, 5))
    vectors = blobs([20, 5, 5])
    links = [(0, 25, apart), (0, 20, 0.95)]
    split = (runs((1, 20), (2, 5), (NEXT, 5)).tolist(), [Change("split", NEXT, 1, 5 / 25)])
    merged = (runs((1, 30)).tolist(), [Change("merged", 2, 1, 5 / 25)])
    assert settled(known, group, vectors, links) == (split if apart == 0 else merged)


def test_what_was_known_is_not_modified() -> None:
    known = runs((3, 8), (7, 20), (NEW, 4), (7, 6))
    given = known.copy()
    topic, changes = settled(given, runs((0, 32), (1, 6)))
    assert changes
    assert (np.array(topic) != known).any()
    assert given.tolist() == known.tolist()


def test_where_nothing_is_known_all_groups_of_enough_texts_are_born() -> None:
    vectors = np.concatenate([blobs([9, 12]), blobs([3], seed=9)])
    topic, changes = settled(np.full(24, NEW), runs((0, 9), (1, 12), (2, 3)), vectors)
    assert topic == runs((NEXT + 1, 9), (NEXT, 12), (NEXT + 1, 3)).tolist()
    assert changes == []


def test_where_nothing_is_known_and_all_groups_are_small_there_is_no_topic() -> None:
    topic, changes = settled(np.full(12, NEW), runs((0, 4), (1, 4), (2, 4)))
    assert topic == [NO_TOPIC] * 12
    assert changes == []


def test_where_all_is_known_and_groups_agree_nothing_changes() -> None:
    known = runs((7, 20), (3, 12))
    assert settled(known, runs((0, 20), (1, 12))) == (known.tolist(), [])


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
    graph = neighbour_graph(nearest_others(blobs([400]), 8))
    assert abs(assortativity(graph, np.random.default_rng(0).random(400) < 0.3)) < 0.05
    assert assortativity(sp.csr_matrix((2, 2)), np.array([True, False])) == 0
    assert assortativity(sp.csr_matrix((0, 0)), np.array([], dtype=bool)) == 0
