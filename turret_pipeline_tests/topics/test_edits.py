"""Edits of topics by a person."""

import itertools

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.topics.edits import NO_EDITS, Action, Edit, Edits


def edits(*rows: tuple[Action, str] | tuple[Action, str, str | int]) -> Edits:
    """Edits from (action, topic) or (action, topic, detail), numbered from 1."""
    names = {"rename": "label", "merge": "into_topic_id", "split": "parts", "role": "role"}
    found = []
    for number, (action, topic_id, *detail) in enumerate(rows, 1):
        details = {names[action]: detail[0]} if detail else {}
        found.append(Edit(f"edit-{number}", "", action, topic_id, **details))  # type: ignore[arg-type]
    return Edits(tuple(found))


def test_the_last_label_of_a_topic_counts() -> None:
    given = edits(("rename", "prompt-1", "A"), ("rename", "prompt-2", "B"), ("rename", "prompt-1", "C"))
    assert given.labels() == {"prompt-1": "C", "prompt-2": "B"}
    assert list(given.renames().items()) == [("prompt-2", given.all[1]), ("prompt-1", given.all[2])]


def test_a_lock_holds_until_it_is_removed() -> None:
    given = edits(("lock", "prompt-1"), ("lock", "prompt-2"), ("unlock", "prompt-1"), ("unlock", "prompt-9"))
    assert given.locked() == {"prompt-2"}
    assert edits(("lock", "prompt-1"), ("unlock", "prompt-1"), ("lock", "prompt-1")).locked() == {"prompt-1"}


def test_the_last_role_of_a_topic_counts() -> None:
    given = edits(
        ("role", "prompt-1", "subject"), ("role", "prompt-2", "subject"), ("role", "prompt-1", "continuation")
    )
    assert given.roles() == {"prompt-1": given.all[2], "prompt-2": given.all[1]}


def test_merges_are_followed_to_their_end() -> None:
    given = edits(("merge", "prompt-1", "prompt-2"), ("merge", "prompt-3", "prompt-1"), ("merge", "note-1", "note-2"))
    assert given.merge_targets() == {"prompt-1": "prompt-2", "prompt-3": "prompt-2", "note-1": "note-2"}
    later = edits(("merge", "prompt-1", "prompt-2"), ("merge", "prompt-1", "prompt-3"))
    assert later.merge_targets() == {"prompt-1": "prompt-3"}


@pytest.mark.parametrize("ids", [["prompt-1", "prompt-1"], ["prompt-1", "prompt-2", "prompt-3", "prompt-1"]])
def test_merges_in_a_circle_are_rejected(ids: list[str]) -> None:
    given = edits(*(("merge", one, into) for one, into in itertools.pairwise(ids)))
    with pytest.raises(TurretError, match="form a circle at prompt-1: undo one of them"):
        given.merge_targets()


def test_topics_that_an_edit_names_are_protected() -> None:
    given = edits(
        ("rename", "prompt-1", "A"), ("merge", "prompt-2", "prompt-3"), ("split", "prompt-4", 2), ("lock", "prompt-5"),
        ("lock", "prompt-6"), ("unlock", "prompt-6"), ("role", "prompt-7", "continuation"),
    )  # fmt: skip
    assert given.protected() == {"prompt-1", "prompt-2", "prompt-3", "prompt-4", "prompt-5", "prompt-7"}
    assert NO_EDITS.protected() == set()


def test_edits_of_unknown_topics_are_dropped() -> None:
    given = edits(("rename", "prompt-1", "A"), ("merge", "prompt-1", "prompt-9"), ("merge", "prompt-1", "prompt-2"))
    assert given.about({"prompt-1", "prompt-2"}).all == (given.all[0], given.all[2])
    assert given.about(set()) == NO_EDITS


def test_an_edit_is_described_in_words() -> None:
    given = edits(("rename", "prompt-1", "A"), ("merge", "prompt-2", "prompt-3"), ("split", "prompt-4", 3))
    assert [
        edit.describe() for edit in (*given.all, *edits(("lock", "prompt-5"), ("role", "prompt-6", "continuation")).all)
    ] == [
        'rename prompt-1 to "A"',
        "merge prompt-2 into prompt-3",
        "split prompt-4 into 3 parts",
        "lock prompt-5",
        "role prompt-6: continuation",
    ]


def test_lines_do_not_contain_the_time() -> None:
    one, later = (Edits((Edit("edit-1", when, "lock", "prompt-1"),)) for when in ("2024-05-01", "2024-05-02"))
    assert one.lines() == later.lines() == ["edit-1: lock prompt-1"]
    assert NO_EDITS.lines() == []


BIRTHS = {"prompt-1": "r1", "prompt-2": "r2"}


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Edit("edit-1", "", "lock", "prompt-1", born_run_id="r1"), None),
        (Edit("edit-1", "", "lock", "prompt-1"), None),
        (Edit("edit-1", "", "lock", "prompt-9"), None),
        (Edit("edit-1", "", "lock", "prompt-1", born_run_id="r0"), "prompt-1 is now a different topic"),
        (Edit("edit-1", "", "lock", "prompt-9", born_run_id="r1"), "prompt-9 no longer exists"),
        (Edit("edit-1", "", "merge", "prompt-1", None, "prompt-2", None, None, "r1", "r2"), None),
        (Edit("edit-1", "", "merge", "prompt-1", None, "prompt-2", None, None, "r1", None), None),
        (
            Edit("edit-1", "", "merge", "prompt-1", None, "prompt-2", None, None, "r1", "r1"),
            "prompt-2 is now a different topic",
        ),
        (
            Edit("edit-1", "", "merge", "prompt-1", None, "prompt-9", None, None, None, "r1"),
            "prompt-9 no longer exists",
        ),
    ],
)
def test_an_edit_is_skipped_if_its_topic_was_born_in_another_run(edit: Edit, reason: str | None) -> None:
    other = Edit("edit-2", "", "rename", "prompt-2", label="B", born_run_id="r2")
    both = Edits((edit, other))
    assert both.applicable(BIRTHS) == (Edits((other,)) if reason else both)
    assert both.describe_skipped(BIRTHS) == (
        [
            f"edit-1 ({edit.describe()}) was skipped: {reason}. Repeat it for the right topic, or undo it: "
            "turret topics undo edit-1."
        ]
        if reason
        else []
    )
