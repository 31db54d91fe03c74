"""The dimension that is shown first."""

import polars as pl
import pytest

from turret_pipeline.journeys.dimensions import list_follow_ups, main_dimension

NODES = [("generation", 9), ("generation", 8), ("prompt", 5), ("prompt", 4), ("event_name", 90), ("user:prompt", 50)]
ROLES = [
    ("answer", "generation"),
    ("answer", ""),
    ("prompt", "prompt"),
    ("prompt", "prompt"),
    ("feedback", "event_name"),
]


def choose(nodes: list[tuple[str, int]], roles: list[tuple[str, str]]) -> str:
    return main_dimension(
        pl.DataFrame(nodes, {"dimension": pl.String, "event_count": pl.Int64}, orient="row"),
        pl.DataFrame(roles, {"role": pl.String, "field": pl.String}, orient="row"),
    )


@pytest.mark.parametrize(
    ("nodes", "roles", "chosen"),
    [
        (NODES, ROLES, "prompt"),
        (NODES[::-1], ROLES[::-1], "prompt"),
        (NODES, [], "generation"),  # without prompts, the most events
        (NODES, [("prompt", "question")], "generation"),  # no topics in the field of prompts
        ([*NODES, ("question", 10)], [*ROLES, ("prompt", "question")], "question"),  # of two fields of prompts
        ([("b", 1), ("a", 1)], [], "a"),
        (NODES[4:], ROLES, "event_name"),
        ([], [], "event_name"),
    ],
)
def test_the_field_of_prompts_comes_first(
    nodes: list[tuple[str, int]], roles: list[tuple[str, str]], chosen: str
) -> None:
    assert choose(nodes, roles) == chosen


def test_topics_of_follow_ups_are_listed() -> None:
    topics = pl.DataFrame({"topic_id": ["t-3", "t-1", "t-2"], "role": ["continuation", "subject", "continuation"]})
    assert list_follow_ups(topics) == ["t-2", "t-3"]
    assert list_follow_ups(topics.clear()) == []
