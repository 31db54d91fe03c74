"""Subjects of turns, and the follow-ups that continue them."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.tables import CONTINUATIONS, TOPIC_DEFINITIONS
from turret_pipeline.topics.follow_ups.continuations import CERTAIN_LEAD, find_continuations, find_subjects
from turret_pipeline_tests.topics.follow_ups.dialogues import Frames, dialogues, frames, topic_id, turns

FOLLOW_UPS = "xyz"


def roles(follow_ups: str = FOLLOW_UPS, topics: str = "abcdefghxyz") -> pl.DataFrame:
    rows = {"topic_id": [topic_id(one) for one in topics]}
    is_follow_up = [one in follow_ups for one in topics]
    role = pl.Series(["continuation" if one else "subject" for one in is_follow_up])
    return pl.DataFrame(rows, {"topic_id": pl.String}).with_columns(role.alias("role"))


def subjects(*sessions: str, follow_ups: str = FOLLOW_UPS) -> list[str]:
    """The letter of the subject of each turn, "." for none."""
    given = turns(*sessions)
    names = [chr(96 + int(one.rpartition("-")[2])) for one in given.topic_ids]
    subject = find_subjects(given, np.array([one not in follow_ups for one in names], dtype=np.bool_))
    whole = "".join("." if at < 0 else names[at] for at in subject.tolist())
    counts = np.bincount(given.session, minlength=len(sessions)).tolist()
    ends = np.cumsum(counts).tolist()
    return [whole[end - count : end] for end, count in zip(ends, counts, strict=True)]


def continuations(given: Frames, follow_ups: str = FOLLOW_UPS) -> dict[str, str]:
    frame = find_continuations(*given, roles(follow_ups))
    return dict(frame.select("event_id", "continues_topic_id").iter_rows())


def test_a_subject_lasts_until_another_is_stated() -> None:
    assert subjects("axybzz") == ["aaabbb"]
    assert continuations(frames("axybzz")) == {"e1": "prompt-1", "e2": "prompt-1", "e4": "prompt-2", "e5": "prompt-2"}


def test_texts_without_a_topic_continue_the_last_subject() -> None:
    assert subjects("a.b.x", ".a", "..") == ["aabbb", ".a", ".."]


def test_follow_ups_before_the_first_subject_belong_to_it() -> None:
    assert subjects("xa", "x.ab", "xy") == ["aa", "a.ab", ".."]


def test_a_subject_does_not_continue_in_the_next_session() -> None:
    assert subjects("a", "x", "xb", ".") == ["a", ".", "bb", "."]


def test_if_all_topics_are_subjects_there_are_no_continuations() -> None:
    sessions = ["abab", "ccb", "a", "bca", "aab"] * 20
    assert subjects(*sessions, follow_ups="") == sessions
    assert continuations(frames(*sessions), follow_ups="") == {}


def test_if_no_topic_is_a_subject_there_are_no_continuations() -> None:
    assert subjects("xyx", "zz") == ["...", ".."]
    assert continuations(frames("xyx", "zz")) == {}


def test_an_event_without_a_text_is_left_out() -> None:
    assert continuations(frames("a_x")) == {"e2": "prompt-1"}


def test_a_single_turn_of_another_subject_is_overruled_by_its_neighbours() -> None:
    sessions = [session for session in dialogues(300) if set(session) & set("ef")]
    (lone,) = subjects("aeebee", *sessions, follow_ups="efghxyz")[:1]
    assert lone == "aaaaaa"
    (change,) = subjects("aeebff", *sessions, follow_ups="efghxyz")[:1]
    assert change == "aaabbb"


def test_a_text_that_is_nearly_a_follow_up_begins_no_subject() -> None:
    near = frames("ab", "ba", "bx", lead=0.01, runner_up="prompt-24")
    assert continuations(near) == {"e1": "prompt-1", "e3": "prompt-2", "e5": "prompt-2"}
    far = frames("ab", "ba", "bx", lead=0.03, runner_up="prompt-24")
    assert continuations(far) == {"e5": "prompt-2"}
    other = frames("ab", "ba", "bx", lead=0.01, runner_up="prompt-2")
    assert continuations(other) == {"e5": "prompt-2"}


def test_a_text_that_states_its_topic_for_certain_changes_the_subject_however_rare_changes_are() -> None:
    sessions = ["abxxxx", "baxxxx", "axxxx", "bxxxx"] * 20
    certain = continuations(frames(*sessions, lead=CERTAIN_LEAD, runner_up="prompt-3"))
    assert "e1" not in certain
    assert certain["e2"] == "prompt-2"
    doubtful = continuations(frames(*sessions, lead=CERTAIN_LEAD / 2, runner_up="prompt-3"))
    assert doubtful["e1"] == doubtful["e2"] == "prompt-1"


@pytest.mark.parametrize("count", [1, 2, 5000])
def test_the_number_of_sessions_does_not_matter(count: int) -> None:
    sessions = ["axb", "xxb", "b" * 7, "a"] * count
    assert subjects(*sessions) == ["aab", "bbb", "b" * 7, "a"] * count


@pytest.mark.slow
def test_a_very_long_session_has_subjects_to_its_end() -> None:
    assert subjects("a" + "x" * 100_000 + "b") == ["a" * 100_001 + "b"]


def test_fields_are_independent_and_rows_may_be_in_any_order() -> None:
    events, texts, topics = frames("axb")
    both = [pl.concat([one, one.with_columns(pl.lit("note").alias("field"))]) for one in (texts, topics)]
    expected = pl.DataFrame(
        [("e1", "note", "prompt-1"), ("e1", "prompt", "prompt-1")], CONTINUATIONS.schema, orient="row"
    )
    for texts_of, topics_of in (both, [one.reverse() for one in both]):
        assert_frame_equal(find_continuations(events, texts_of, topics_of, roles()), expected)


def test_no_turns_have_no_continuations() -> None:
    assert_frame_equal(find_continuations(*frames(), TOPIC_DEFINITIONS.empty()), CONTINUATIONS.empty())
    assert_frame_equal(find_continuations(*frames("..", "_"), TOPIC_DEFINITIONS.empty()), CONTINUATIONS.empty())
