"""What a person decided, and what follows from it."""

import itertools

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.topics.edits import NO_EDITS, Action, Edit, Edits


def edits(*decided: tuple[Action, str] | tuple[Action, str, str | int]) -> Edits:
    """Decisions as (action, topic) or (action, topic, what), numbered from 1."""
    names = {"rename": "label", "merge": "into_topic_id", "split": "parts", "role": "role"}
    rows = []
    for number, (action, topic_id, *what) in enumerate(decided, 1):
        details = {names[action]: what[0]} if what else {}
        rows.append(Edit(f"edit-{number}", "", action, topic_id, **details))  # type: ignore[arg-type]
    return Edits(tuple(rows))


def test_the_last_label_of_a_topic_counts() -> None:
    decided = edits(("rename", "prompt-1", "A"), ("rename", "prompt-2", "B"), ("rename", "prompt-1", "C"))
    assert decided.labels() == {"prompt-1": "C", "prompt-2": "B"}
    assert list(decided.renames().items()) == [("prompt-2", decided.all[1]), ("prompt-1", decided.all[2])]


def test_a_lock_holds_until_it_is_taken_away() -> None:
    decided = edits(("lock", "prompt-1"), ("lock", "prompt-2"), ("unlock", "prompt-1"), ("unlock", "prompt-9"))
    assert decided.locked() == {"prompt-2"}
    assert edits(("lock", "prompt-1"), ("unlock", "prompt-1"), ("lock", "prompt-1")).locked() == {"prompt-1"}


def test_the_last_role_of_a_topic_counts() -> None:
    decided = edits(
        ("role", "prompt-1", "subject"), ("role", "prompt-2", "subject"), ("role", "prompt-1", "continuation")
    )
    assert decided.roles() == {"prompt-1": decided.all[2], "prompt-2": decided.all[1]}


def test_merges_are_followed_to_their_end() -> None:
    decided = edits(("merge", "prompt-1", "prompt-2"), ("merge", "prompt-3", "prompt-1"), ("merge", "note-1", "note-2"))
    assert decided.shown_as() == {"prompt-1": "prompt-2", "prompt-3": "prompt-2", "note-1": "note-2"}
    again = edits(("merge", "prompt-1", "prompt-2"), ("merge", "prompt-1", "prompt-3"))
    assert again.shown_as() == {"prompt-1": "prompt-3"}


@pytest.mark.parametrize("ids", [["prompt-1", "prompt-1"], ["prompt-1", "prompt-2", "prompt-3", "prompt-1"]])
def test_merges_in_a_circle_are_refused(ids: list[str]) -> None:
    decided = edits(*(("merge", one, into) for one, into in itertools.pairwise(ids)))
    with pytest.raises(TurretError, match="go round in a circle at prompt-1: undo one of them"):
        decided.shown_as()


def test_topics_that_a_decision_names_are_touched() -> None:
    decided = edits(
        ("rename", "prompt-1", "A"), ("merge", "prompt-2", "prompt-3"), ("split", "prompt-4", 2), ("lock", "prompt-5"),
        ("lock", "prompt-6"), ("unlock", "prompt-6"), ("role", "prompt-7", "continuation"),
    )  # fmt: skip
    assert decided.touched() == {"prompt-1", "prompt-2", "prompt-3", "prompt-4", "prompt-5", "prompt-7"}
    assert NO_EDITS.touched() == set()


def test_decisions_about_topics_that_are_not_known_are_left_aside() -> None:
    decided = edits(("rename", "prompt-1", "A"), ("merge", "prompt-1", "prompt-9"), ("merge", "prompt-1", "prompt-2"))
    assert decided.about({"prompt-1", "prompt-2"}).all == (decided.all[0], decided.all[2])
    assert decided.about(set()) == NO_EDITS


def test_a_decision_is_told_in_words() -> None:
    decided = edits(("rename", "prompt-1", "A"), ("merge", "prompt-2", "prompt-3"), ("split", "prompt-4", 3))
    assert [
        edit.sentence()
        for edit in (*decided.all, *edits(("lock", "prompt-5"), ("role", "prompt-6", "continuation")).all)
    ] == [
        'rename prompt-1 to "A"',
        "merge prompt-2 into prompt-3",
        "split prompt-4 into 3 parts",
        "lock prompt-5",
        "role prompt-6: continuation",
    ]


def test_the_lines_are_of_what_is_decided_and_not_of_when() -> None:
    one, later = (Edits((Edit("edit-1", when, "lock", "prompt-1"),)) for when in ("2024-05-01", "2024-05-02"))
    assert one.lines() == later.lines() == ["edit-1: lock prompt-1"]
    assert NO_EDITS.lines() == []


BIRTHS = {"prompt-1": "r1", "prompt-2": "r2"}


@pytest.mark.parametrize(
    ("decided", "reason"),
    [
        (Edit("edit-1", "", "lock", "prompt-1", born_run_id="r1"), None),
        (Edit("edit-1", "", "lock", "prompt-1"), None),
        (Edit("edit-1", "", "lock", "prompt-9"), None),
        (Edit("edit-1", "", "lock", "prompt-1", born_run_id="r0"), "prompt-1 is another topic now"),
        (Edit("edit-1", "", "lock", "prompt-9", born_run_id="r1"), "there is no prompt-9 now"),
        (Edit("edit-1", "", "merge", "prompt-1", None, "prompt-2", None, None, "r1", "r2"), None),
        (Edit("edit-1", "", "merge", "prompt-1", None, "prompt-2", None, None, "r1", None), None),
        (
            Edit("edit-1", "", "merge", "prompt-1", None, "prompt-2", None, None, "r1", "r1"),
            "prompt-2 is another topic now",
        ),
        (Edit("edit-1", "", "merge", "prompt-1", None, "prompt-9", None, None, None, "r1"), "there is no prompt-9 now"),
    ],
)
def test_an_edit_is_left_out_where_its_topic_was_born_in_another_run(decided: Edit, reason: str | None) -> None:
    other = Edit("edit-2", "", "rename", "prompt-2", label="B", born_run_id="r2")
    both = Edits((decided, other))
    assert both.made_for(BIRTHS) == (Edits((other,)) if reason else both)
    assert both.left_out(BIRTHS) == (
        [
            f"edit-1 ({decided.sentence()}) is left out: the topic that it was made for is gone, {reason}. Make it "
            "again for the topic that is meant, or take it back: turret topics undo edit-1."
        ]
        if reason
        else []
    )
