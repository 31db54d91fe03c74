"""Chats, messages and feedback of Open WebUI."""

from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

WRAPPED: dict[str, Any] = dict(FORMATS["open_webui_chat"].example)
ROW: dict[str, Any] = dict(FORMATS["open_webui_message"].example)
FEEDBACK: dict[str, Any] = dict(FORMATS["open_webui_feedback"].example)


def message(name: str, parent: str | None, role: str, content: object, **more: object) -> dict[str, Any]:
    at = 1772442900 + int(name[1:])
    return {"id": name, "parentId": parent, "role": role, "content": content, "timestamp": at, **more}


ASKED = message("m1", None, "user", "Hi?", models=["small-1"])


def chat_of(*messages: dict[str, Any], current: object = None) -> dict[str, Any]:
    history = {"messages": {item["id"]: item for item in messages}, "currentId": current}
    return WRAPPED | {"chat": {"title": "Password", "history": history, "messages": []}}


def facts_of(*messages: dict[str, Any], current: object = None) -> list[tuple[str, dict[str, Any]]]:
    """Names of events, and their metadata without the title."""
    events = parse_record(chat_of(*messages, current=current))
    return [(event.event_name, {k: v for k, v in event.metadata.items() if k != "title"}) for event in events]


def test_a_chat_becomes_a_session_of_its_user() -> None:
    asked, answered = parse_record(WRAPPED)
    assert (asked.event_id, asked.session_id, asked.user_id) == ("c-1-m-1", "c-1", "u-1")
    assert answered.metadata == {
        "title": "Password",
        "model": "small-1",
        "generation": "Open Settings and choose Reset.",
    }


def test_a_chat_may_be_json_text_as_in_the_database() -> None:
    assert parse_record(WRAPPED | {"chat": orjson.dumps(WRAPPED["chat"]).decode()}) == parse_record(WRAPPED)


def test_a_chat_that_was_taken_out_of_its_row_has_no_user() -> None:
    inner = WRAPPED["chat"] | {"id": ""}
    events = parse_record(inner)
    assert {(event.user_id, event.source_format) for event in events} == {(None, "open_webui_chat")}
    assert {str(event.session_id)[:5] for event in events} == {"chat-"}


def test_an_old_chat_has_only_messages() -> None:
    old = WRAPPED | {"chat": {"messages": [ASKED, message("m2", "m1", "assistant", "Yes.")]}}
    assert [event.event_name for event in parse_record(old)] == ["User prompt", "AI generation"]


def test_only_the_branch_of_current_id_counts() -> None:
    messages = (ASKED, message("m2", "m1", "assistant", "Old."), message("m3", "m1", "assistant", "New."))
    texts = [facts_of(*messages, current=current)[1][1]["generation"] for current in ("m2", "m3", None)]
    assert texts == ["Old.", "New.", "New."]


def test_an_answer_has_tokens_and_feedback() -> None:
    annotation = {"rating": -1, "reason": "wrong", "comment": "No", "tags": ["a"]}
    answer = {"model": "small-1", "usage": {"prompt_tokens": 9, "completion_tokens": 3}, "annotation": annotation}
    assert facts_of(ASKED, message("m2", "m1", "assistant", "Yes.", **answer))[1][1] == {
        "model": "small-1",
        "input_tokens": 9,
        "output_tokens": 3,
        "rating": -1,
        "feedback_reason": "wrong",
        "feedback_comment": "No",
        "generation": "Yes.",
    }
    old = message("m2", "m1", "assistant", "Yes.", info={"prompt_eval_count": 8, "eval_count": 2})
    assert facts_of(ASKED, old)[1][1] == {"input_tokens": 8, "output_tokens": 2, "generation": "Yes."}


def test_elements_in_an_answer_are_reasoning_code_and_calls_of_tools() -> None:
    content = (
        '<details type="reasoning" done="true" duration="2">\n<summary>Thought</summary>\n&gt; Hm.\n</details>\n'
        '<details type="tool_calls" done="true" id="t1" name="get_weather" arguments="&quot;{}&quot;" result="">\n'
        "<summary>Tool Executed</summary>\n</details>\n"
        '<details type="tool_calls" done="true" id="t2" name="search" arguments=\'{"a": "b > c"}\'>\n</details>\n'
        '<details type="code_interpreter" done="true">\n```python\n1\n```\n</details>\n'
        "Sunny, see <details><summary>more</summary>x</details>"
    )
    assert facts_of(ASKED, message("m2", "m1", "assistant", content))[1:] == [
        ("tool:get_weather", {}),
        ("tool:search", {}),
        (
            "AI generation",
            {
                "generation": "Sunny, see <details><summary>more</summary>x</details>",
                "tools": ["get_weather", "search"],
            },
        ),
    ]


def test_items_of_an_output_call_tools_too() -> None:
    output = [
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "t1", "name": "search", "arguments": "{}", "status": "completed"},
        {"type": "function_call_output", "call_id": "t1", "output": [{"type": "input_text", "text": "Long"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]},
    ]
    found = facts_of(ASKED, message("m2", "m1", "assistant", "Yes.", output=output))[1:]
    assert [(name, metadata.get("generation")) for name, metadata in found] == [
        ("tool:search", None),
        ("AI generation", "Yes."),
    ]


def test_a_failed_answer_is_an_event_without_a_text() -> None:
    failed = message("m2", "m1", "assistant", "", error={"content": "Overloaded"})
    assert facts_of(ASKED, failed)[1] == ("AI generation", {"is_error": True})
    assert parse_record(chat_of(ASKED, failed))[1].is_textless


def test_files_are_named_and_unfinished_answers_are_no_events() -> None:
    files = [
        {"type": "image", "url": "data:image/png;base64,AA=="},
        {"type": "file", "name": "a.pdf"},
        {"type": "text"},
    ]
    asked = ASKED | {"files": files}
    assert facts_of(asked, message("m2", "m1", "assistant", "")) == [
        ("User prompt", {"prompt": "[image]\n[file]\nHi?"})
    ]


def test_a_chat_without_messages_is_rejected() -> None:
    assert rejection_of(chat_of())[0] == "no_messages"


def test_a_row_of_the_table_of_messages_has_the_same_id_as_in_its_chat() -> None:
    (event,) = parse_record(ROW)
    assert (event.event_id, event.session_id, event.user_id) == ("c-1-m-1", "c-1", "u-1")
    assert event.metadata == {"prompt": "How do I reset my password?"}


@pytest.mark.parametrize("content", ['"Hi?"', '[{"type": "text", "text": "Hi?"}]', "Hi?"])
def test_the_content_of_a_row_may_be_json_text(content: str) -> None:
    (event,) = parse_record(ROW | {"content": content})
    assert event.metadata["prompt"] == "Hi?"


def test_an_answer_row_has_its_model() -> None:
    answer = {"role": "assistant", "content": "Yes.", "model_id": "small-1", "usage": '{"output_tokens": 3}'}
    (event,) = parse_record(ROW | answer)
    assert event.metadata == {"model": "small-1", "output_tokens": 3, "generation": "Yes."}


@pytest.mark.parametrize("change", [{"role": "system"}, {"content": ""}, {"content": None}])
def test_a_row_that_says_nothing_is_no_event(change: dict[str, Any]) -> None:
    assert rejection_of(ROW | change)[0] == "not_an_event"


def test_feedback_is_an_event_of_the_session_of_its_chat() -> None:
    (event,) = parse_record(FEEDBACK | {"data": orjson.dumps(FEEDBACK["data"]).decode(), "snapshot": {"chat": WRAPPED}})
    assert (event.event_name, event.session_id, event.user_id) == ("feedback_given", "c-1", "u-1")
    assert event.metadata == {
        "rating": -1,
        "feedback_reason": "not_helpful",
        "tags": ["Account"],
        "model": "small-1",
        "message_id": "m-2",
        "feedback_comment": "",
    }
