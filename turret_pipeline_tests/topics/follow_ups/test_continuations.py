"""Sessions and roles in; what each turn carries on out."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.tables import CONTINUATIONS, TOPIC_DEFINITIONS
from turret_pipeline.topics.follow_ups.continuations import find_continuations, subjects_of
from turret_pipeline_tests.topics.follow_ups.dialogues import Frames, dialogues, frames, topic_id, turns

CARRYING_ON = "xyz"


def roles(letters: str = CARRYING_ON, topics: str = "abcdefghxyz") -> pl.DataFrame:
    rows = {"topic_id": [topic_id(one) for one in topics]}
    is_carrying = [one in letters for one in topics]
    role = pl.Series(["continuation" if one else "subject" for one in is_carrying])
    return pl.DataFrame(rows, {"topic_id": pl.String}).with_columns(role.alias("role"))


def read(*sessions: str, letters: str = CARRYING_ON) -> list[str]:
    """The subject of each turn, a letter, "." where there is none."""
    given = turns(*sessions)
    names = [chr(96 + int(one.rpartition("-")[2])) for one in given.topic_ids]
    subject = subjects_of(given, np.array([one not in letters for one in names], dtype=np.bool_))
    whole = "".join("." if at < 0 else names[at] for at in subject.tolist())
    counts = np.bincount(given.session, minlength=len(sessions)).tolist()
    ends = np.cumsum(counts).tolist()
    return [whole[end - count : end] for end, count in zip(ends, counts, strict=True)]


def found(given: Frames, letters: str = CARRYING_ON) -> dict[str, str]:
    frame = find_continuations(*given, roles(letters))
    return dict(frame.select("event_id", "continues_topic_id").iter_rows())


def test_a_subject_lasts_until_another_is_stated() -> None:
    assert read("axybzz") == ["aaabbb"]
    assert found(frames("axybzz")) == {"e1": "prompt-1", "e2": "prompt-1", "e4": "prompt-2", "e5": "prompt-2"}


def test_texts_without_a_topic_carry_on_what_was_before() -> None:
    assert read("a.b.x", ".a", "..") == ["aabbb", ".a", ".."]


def test_what_carries_on_before_the_first_subject_leads_up_to_it() -> None:
    assert read("xa", "x.ab", "xy") == ["aa", "a.ab", ".."]


def test_nothing_is_carried_from_one_session_to_the_next() -> None:
    assert read("a", "x", "xb", ".") == ["a", ".", "bb", "."]


def test_where_all_are_subjects_nothing_is_a_continuation() -> None:
    sessions = ["abab", "ccb", "a", "bca", "aab"] * 20
    assert read(*sessions, letters="") == sessions
    assert found(frames(*sessions), letters="") == {}


def test_where_no_topic_is_a_subject_nothing_is_a_continuation() -> None:
    assert read("xyx", "zz") == ["...", ".."]
    assert found(frames("xyx", "zz")) == {}


def test_an_event_without_a_text_is_no_turn() -> None:
    assert found(frames("a_x")) == {"e2": "prompt-1"}


def test_a_lone_turn_gives_way_to_what_the_session_goes_on_about() -> None:
    sessions = [session for session in dialogues(300) if set(session) & set("ef")]
    (lone,) = read("aeebee", *sessions, letters="efghxyz")[:1]
    assert lone == "aaaaaa"
    (change,) = read("aeebff", *sessions, letters="efghxyz")[:1]
    assert change == "aaabbb"


def test_a_text_that_might_as_well_carry_on_begins_no_subject() -> None:
    near = frames("ab", "ba", "bx", lead=0.01, runner_up="prompt-24")
    assert found(near) == {"e1": "prompt-1", "e3": "prompt-2", "e5": "prompt-2"}
    far = frames("ab", "ba", "bx", lead=0.03, runner_up="prompt-24")
    assert found(far) == {"e5": "prompt-2"}
    other = frames("ab", "ba", "bx", lead=0.01, runner_up="prompt-2")
    assert found(other) == {"e5": "prompt-2"}


@pytest.mark.parametrize("count", [1, 2, 5000])
def test_many_sessions_are_read_as_few(count: int) -> None:
    sessions = ["axb", "xxb", "b" * 7, "a"] * count
    assert read(*sessions) == ["aab", "bbb", "b" * 7, "a"] * count


def test_a_very_long_session_is_read_to_its_end() -> None:
    assert read("a" + "x" * 100_000 + "b") == ["a" * 100_001 + "b"]


def test_fields_have_sequences_of_their_own_and_rows_may_come_in_any_order() -> None:
    events, texts, topics = frames("axb")
    both = [pl.concat([one, one.with_columns(pl.lit("note").alias("field"))]) for one in (texts, topics)]
    expected = pl.DataFrame(
        [("e1", "note", "prompt-1"), ("e1", "prompt", "prompt-1")], CONTINUATIONS.schema, orient="row"
    )
    for texts_of, topics_of in (both, [one.reverse() for one in both]):
        assert_frame_equal(find_continuations(events, texts_of, topics_of, roles()), expected)


def test_there_may_be_nothing() -> None:
    assert_frame_equal(find_continuations(*frames(), TOPIC_DEFINITIONS.empty()), CONTINUATIONS.empty())
    assert_frame_equal(find_continuations(*frames("..", "_"), TOPIC_DEFINITIONS.empty()), CONTINUATIONS.empty())
