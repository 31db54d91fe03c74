"""Turns of sessions, and lifts of pairs of topics."""

import numpy as np
import polars as pl
import pytest

from turret_pipeline.topics.follow_ups.turns import collect_turns, pair_lifts, shift_topics
from turret_pipeline_tests.topics.follow_ups.dialogues import frames, turns


def test_turns_are_ordered_by_session_and_event() -> None:
    events = pl.DataFrame({"event_id": ["e3", "e1", "e2", "e4"], "session_id": ["s2", "s1", "s2", "s1"]})
    _, texts, topics = frames("ab_.a")
    texts = texts.filter(pl.col("event_id") != "e0")
    expected = [("e1", 0, "prompt-2"), ("e4", 0, "prompt-1"), ("e3", 1, None)]
    for event_texts in (texts, texts.reverse()):
        found = collect_turns("prompt", events, event_texts, topics)
        assert found.topic_ids == ("prompt-1", "prompt-2")
        names = [None if at < 0 else found.topic_ids[at] for at in found.topic.tolist()]
        assert list(zip(found.event_id, found.session.tolist(), names, strict=True)) == expected


def test_new_sessions_do_not_change_the_half_of_a_session() -> None:
    few, more = turns("ab", "ba"), turns("ab", "ba", "aa", "bb")
    assert more.half[:4].tolist() == few.half.tolist()
    assert set(turns(*["a"] * 40).half.tolist()) == {0, 1}


def test_the_lead_is_the_difference_to_the_runner_up() -> None:
    near = collect_turns("prompt", *frames("ab", lead=0.01, runner_up="prompt-2"))
    assert near.lead == pytest.approx([0.01, 0.01])
    assert near.runner_up.tolist() == [1, 1]
    without = frames("ab")[2].with_columns(pl.lit(None, pl.Float64).alias("runner_up_similarity"))
    assert collect_turns("prompt", *frames("ab")[:2], without).lead.tolist() == [np.inf, np.inf]


def test_turns_are_shifted_within_their_session_only() -> None:
    given = turns("abc", "ca")
    assert shift_topics(given, 1).tolist() == [-1, 0, 1, -1, 2]
    assert shift_topics(given, 2).tolist() == [-1, -1, 0, -1, -1]
    assert shift_topics(given, -1).tolist() == [1, 2, -1, 0, -1]


def test_topics_next_to_each_other_have_a_lift() -> None:
    lift = pair_lifts(turns(*["ab"] * 20, *["cd"] * 20))
    assert (lift == lift.T).all()
    # 20 pairs each way of 80; expected 20 * 20 / 80 = 5: log((20 + 1) / (5 + 1))
    assert lift[0] == pytest.approx(np.log([1 / 6, 21 / 6, 1 / 6, 1 / 6]))


def test_only_adjacent_turns_are_pairs() -> None:
    assert pair_lifts(turns("abc"))[0, 2] < 0 < pair_lifts(turns("abc", "d", "d"))[0, 1]


def test_no_texts_are_no_turns() -> None:
    empty = turns()
    assert (len(empty.topic), empty.topic_ids, pair_lifts(empty).shape) == (0, (), (0, 0))
    assert len(turns("_").topic) == 0
    assert not empty.is_first().any()
