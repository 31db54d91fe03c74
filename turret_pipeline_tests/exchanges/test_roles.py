"""Roles of events by the names of fields and events."""

import polars as pl
import pytest

from turret_pipeline.exchanges.fields import list_used_fields
from turret_pipeline.exchanges.roles import NamedEvents, assign_roles, list_candidates


def roles_of(
    events: dict[str, str], types: dict[str, str] | None = None, named: NamedEvents | None = None
) -> list[tuple[str, str, str]]:
    """Role, event name and field, of events by name with their fields, which are texts unless ``types`` differs."""
    fields = {field for of_name in events.values() for field in of_name.split()}
    all_types = {**dict.fromkeys(sorted(fields), "text"), **(types or {})}
    rows = [(name, field, 5) for name, of_name in events.items() for field in ("", *of_name.split())]
    counts = pl.DataFrame(rows, schema={"event_name": str, "field": str, "event_count": pl.Int64}, orient="row")
    return assign_roles(counts, all_types, named).select("role", "event_name", "field").rows()


def test_the_names_of_all_formats_are_recognized() -> None:
    events = {"User prompt": "prompt", "AI generation": "generation", "feedback": "comment", "tool:search": ""}
    assert roles_of(events) == [
        ("prompt", "User prompt", "prompt"),
        ("answer", "AI generation", ""),
        ("feedback", "feedback", ""),
    ]


def test_one_event_may_be_prompt_and_answer() -> None:
    expected = [("prompt", "message_sent", "prompt"), ("answer", "message_sent", "response")]
    assert roles_of({"message_sent": "prompt response"}) == expected


def test_an_answer_that_repeats_the_prompt_is_no_prompt() -> None:
    expected = [("prompt", "asked", "prompt"), ("answer", "answerGiven", "")]
    assert roles_of({"asked": "prompt", "answerGiven": "prompt"}) == expected
    assert roles_of({"answer_given": "prompt generation"}) == [
        ("prompt", "answer_given", "prompt"),
        ("answer", "answer_given", "generation"),
    ]


@pytest.mark.parametrize("field", ["userPrompt", "properties.question", "deep.below.query", "user-message"])
def test_a_field_of_prompts_may_be_nested_and_in_any_case(field: str) -> None:
    assert roles_of({"sent": field}) == [("prompt", "sent", field)]


@pytest.mark.parametrize("field", ["message", "message.content", "properties.text", "data.body"])
def test_a_common_name_holds_prompts_if_no_field_has_a_better_one(field: str) -> None:
    other = {"other": "title"}
    assert roles_of({"sent": field, **other}) == [("prompt", "sent", field)]
    assert roles_of({"sent": f"{field} prompt", **other}) == [("prompt", "sent", "prompt")]


@pytest.mark.parametrize("field", ["commit.message", "issue.body", "check_run.output.text", "error.message"])
def test_a_common_name_below_another_thing_holds_no_prompts(field: str) -> None:
    assert roles_of({"pushed": field, "other": "title"}) == []


def test_the_only_text_of_a_project_holds_its_prompts() -> None:
    assert roles_of({"asked": "wish", "opened": "page"}, {"page": "enum"}) == [("prompt", "asked", "wish")]
    assert roles_of({"asked": "wish", "noted": "remark"}) == []
    assert roles_of({"feedback": "comment"}) == [("feedback", "feedback", "")]


def test_events_of_the_program_have_no_role_by_their_texts() -> None:
    events = {"sent": "message", "error_shown": "message", "tool_call": "message output", "toolResult": "response"}
    assert roles_of(events) == [("prompt", "sent", "message")]


@pytest.mark.parametrize("name", ["answer_copied", "response_viewed", "reply_shared", "answer_regenerated"])
def test_use_of_an_answer_is_no_answer(name: str) -> None:
    assert roles_of({"sent": "prompt", name: "generation"}) == [("prompt", "sent", "prompt")]


@pytest.mark.parametrize(
    "name", ["feedback_requested", "survey_shown", "rating_page", "review_page", "ready_for_review"]
)
def test_feedback_that_is_only_asked_for_is_none(name: str) -> None:
    assert roles_of({"sent": "prompt", name: ""}) == [("prompt", "sent", "prompt")]


@pytest.mark.parametrize("field", ["rating", "stars", "properties.thumbs", "userRating"])
def test_a_rating_makes_an_event_feedback(field: str) -> None:
    roles = roles_of({"sent": "prompt", "closed": field}, {field: "number"})
    assert roles == [("prompt", "sent", "prompt"), ("feedback", "closed", field)]


def test_a_rating_on_an_answer_leaves_it_an_answer() -> None:
    events = {"sent": "prompt", "reply": "response rating"}
    assert roles_of(events, {"rating": "number"}) == [("prompt", "sent", "prompt"), ("answer", "reply", "")]


def test_a_short_prompt_need_not_be_a_text() -> None:
    assert roles_of({"User prompt": "prompt"}, {"prompt": "enum"}) == [("prompt", "User prompt", "prompt")]
    assert roles_of({"sent": "question"}, {"question": "enum"}) == []


def test_named_events_replace_only_the_role_that_they_name() -> None:
    events = {"sent": "prompt title", "ticket": "wish title", "reply": "response", "scored": "rating"}
    found = roles_of(events, {"rating": "number"}, NamedEvents(prompts=["ticket"], feedback=["unknown"]))
    assert found == [("prompt", "ticket", "title"), ("prompt", "ticket", "wish"), ("answer", "reply", "")]
    assert roles_of(events, named=NamedEvents(prompts=["sent"]))[0] == ("prompt", "sent", "prompt")


def test_roles_are_in_order_of_their_numbers_of_events_whatever_the_order_of_rows() -> None:
    rows = [("a", "", 2), ("b", "", 9), ("a", "prompt", 2), ("b", "prompt", 9), ("c", "", 1)]
    counts = pl.DataFrame(rows, schema={"event_name": str, "field": str, "event_count": pl.Int64}, orient="row")
    forward, backward = (assign_roles(frame, {"prompt": "text"}) for frame in (counts, counts.reverse()))
    assert forward["event_name"].to_list() == ["b", "a"]
    assert forward.equals(backward)
    assert assign_roles(counts.clear(), {}).is_empty()


def test_candidates_are_texts_and_ratings() -> None:
    types = {"prompt": "identifier", "note": "text", "stars": "number", "plan": "enum", "generation": "text"}
    assert list_candidates(types) == ["prompt", "note", "stars", "generation"]


def test_each_field_has_its_uses() -> None:
    types = {
        "model": "enum",
        "cost_usd": "number",
        "plan": "enum",
        "stars": "number",
        "request_id": "identifier",
        "traceId": "text",
        "user_id": "identifier",
        "prompt": "text",
    }
    used = list_used_fields(types)
    names = used.unique("field").sort("name_order")["field"]
    assert names.to_list() == ["cost_usd", "model", "plan", "request_id", "stars", "traceId"]
    assert used.drop("name_order").rows() == [
        ("plan", "enum", 0, "", 1.0),
        ("stars", "rating", 2, "", 1.0),
        ("stars", "number", 0, "", 1.0),
        ("request_id", "id", 0, "", 1.0),
        ("traceId", "id", 0, "", 1.0),
        ("model", "column", 0, "model", 1.0),
        ("cost_usd", "column", 0, "cost_usd", 1.0),
    ]
