"""Roles in the topic state: classified, kept, set by a person, and their lineage."""

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from turret_pipeline.tables import TOPIC_DEFINITIONS, TOPIC_LINEAGE, TOPIC_RUNS
from turret_pipeline.topics.edits import NO_EDITS, Edit, Edits
from turret_pipeline.topics.follow_ups.role_decisions import with_roles
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState
from turret_pipeline_tests.topics.follow_ups.dialogues import Frames, frames

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
DIALOGUES = ["axx", "bx", "abx"] * 30
X, A = "prompt-24", "prompt-1"


def state(given: Frames, **roles: str | None) -> TopicState:
    """A state with the topics of the texts and their roles by letter; the default is subject."""
    ids = given[2]["topic_id"].drop_nulls().unique().sort()
    by_id = {f"prompt-{ord(letter) - 96}": role for letter, role in roles.items()}
    rows = [{"topic_id": one, "field": "prompt", "role": by_id.get(one, "subject"), "role_reason": "?"} for one in ids]
    return TopicState(pl.DataFrame(rows, TOPIC_DEFINITIONS.schema), given[2], TOPIC_LINEAGE.empty(), TOPIC_RUNS.empty())


def classified(given: Frames, previous: TopicState, edits: Edits = NO_EDITS) -> TopicState:
    return with_roles(state(given), previous, given[0], given[1], edits, Run("r2", NOON))


def roles(found: TopicState) -> dict[str, str]:
    return dict(found.topic_definitions.select("topic_id", "role").iter_rows())


def changes(found: TopicState) -> list[tuple[str, str]]:
    return found.topic_lineage.select("topic_id", "change").rows()


def test_new_topics_get_their_roles_and_no_lineage_for_it() -> None:
    found = classified(frames(*DIALOGUES), TopicState.empty())
    assert roles(found) == {A: "subject", "prompt-2": "subject", X: "continuation"}
    assert changes(found) == []
    reasons = dict(found.topic_definitions.select("topic_id", "role_reason").iter_rows())
    assert reasons[X].startswith("Starts 0 sessions; 45 would be usual for how often it comes later: ")


def test_a_role_that_changes_is_a_row_of_lineage() -> None:
    given = frames(*DIALOGUES)
    found = classified(given, state(given, x="subject"))
    assert found.topic_lineage.rows() == [("r2", NOON, "prompt", X, "continuation", None, None)]
    assert changes(classified(given, found)) == []


def test_a_state_from_a_version_without_roles_gets_roles_without_lineage() -> None:
    given = frames(*DIALOGUES)
    found = classified(given, state(given, a=None, b=None, x=None))
    assert roles(found)[X] == "continuation"
    assert changes(found) == []


def test_a_role_set_by_a_person_holds_and_is_in_the_lineage() -> None:
    given = frames(*DIALOGUES)
    edits = Edits(
        (Edit("edit-1", "", "role", X, role="subject"), Edit("edit-2", "", "role", A, role="continuation"),
         Edit("edit-3", "", "role", A, role="subject"), Edit("edit-4", "", "role", A, role="continuation"))
    )  # fmt: skip
    found = classified(given, classified(given, TopicState.empty()), edits)
    assert roles(found) == {A: "continuation", "prompt-2": "subject", X: "subject"}
    assert found.topic_definitions["role_reason"].to_list()[0] == "Set by a person (edit-4)."
    assert changes(found) == [(A, "continuation"), (X, "subject")]
    undone = classified(given, found)
    assert roles(undone)[X] == "continuation"


def test_a_topic_that_no_longer_occurs_keeps_its_role() -> None:
    given = frames(*DIALOGUES)
    before = classified(given, TopicState.empty())
    events, texts, topics = frames("ab", "ab")
    later = replace(before, text_topics=topics)
    assert roles(with_roles(later, before, events, texts, NO_EDITS, Run("r2", NOON)))[X] == "continuation"


@pytest.mark.parametrize("sessions", [(), ("..",), ("_",)])
def test_no_topics_have_no_roles(sessions: tuple[str, ...]) -> None:
    given = frames(*sessions)
    assert roles(classified(given, TopicState.empty())) == {}
