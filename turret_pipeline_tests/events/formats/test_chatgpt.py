"""Conversations of a data export of ChatGPT."""

from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, Event, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

START = 1772442900.0


def node(name: str, parent: str | None, role: str, content: object, **more: object) -> dict[str, Any]:
    """A node of a tree with a message that was written as many seconds after the start as its name says."""
    kind = content if isinstance(content, dict) else {"content_type": "text", "parts": [content]}
    author = {"role": role, "name": more.pop("tool", None)}
    at = START + float(name[1:])
    message = {"id": name, "author": author, "create_time": at, "content": kind, "recipient": "all", **more}
    return {"id": name, "parent": parent, "message": message}


def chat_of(*nodes: dict[str, Any], **more: object) -> dict[str, Any]:
    root = {"id": "root", "parent": None, "message": None}
    mapping = {item["id"]: item for item in (root, *nodes)}
    return {"conversation_id": "c1", "title": "T", "create_time": START, "mapping": mapping, **more}


def events_of(*nodes: dict[str, Any], **more: object) -> list[Event]:
    return parse_record(chat_of(*nodes, **more))


def texts_of(*nodes: dict[str, Any], **more: object) -> list[str | None]:
    """Texts of the events, or their names if they have none."""
    events = events_of(*nodes, **more)
    return [event.metadata.get("prompt") or event.metadata.get("generation") or event.event_name for event in events]


ASKED = node("n1", "root", "user", "Hi?")


def test_a_conversation_has_the_messages_of_the_branch_of_current_node() -> None:
    nodes = (ASKED, node("n2", "n1", "assistant", "Old."), node("n3", "n1", "assistant", "New."))
    facts = [(event.event_id, event.session_id, event.user_id) for event in events_of(*nodes, current_node="n3")]
    assert facts == [("c1-n1", "c1", None), ("c1-n3", "c1", None)]
    assert texts_of(*nodes, current_node="n2") == ["Hi?", "Old."]


@pytest.mark.parametrize("current", [None, "gone", 7])
def test_without_current_node_the_branch_of_the_latest_message_counts(current: object) -> None:
    nodes = (ASKED, node("n9", "n1", "assistant", "Late."), node("n3", "n1", "assistant", "Early."))
    assert texts_of(*nodes, current_node=current) == ["Hi?", "Late."]


def test_a_message_has_its_own_time_or_that_of_the_previous_one() -> None:
    answer = node("n4", "n1", "assistant", "Yes.", create_time=None)
    assert [event.event_at.timestamp() - START for event in events_of(ASKED, answer) if event.event_at] == [1, 1]


def test_an_answer_has_the_model_and_a_prompt_has_not() -> None:
    metadata = {"model_slug": "small-1", "finish_details": {"type": "stop"}, "attachments": []}
    asked, answered = events_of(ASKED, node("n2", "n1", "assistant", "Yes.", metadata=metadata))
    assert asked.metadata == {"title": "T", "prompt": "Hi?"}
    assert answered.metadata == {"title": "T", "model": "small-1", "finish_reason": "stop", "generation": "Yes."}


HIDDEN = {"metadata": {"is_visually_hidden_from_conversation": True}}


@pytest.mark.parametrize(
    "hidden",
    [
        node("n2", "n1", "system", ""),
        node("n2", "n1", "system", "Be kind.", **HIDDEN),
        node("n2", "n1", "user", "Secret", **HIDDEN),
        node("n2", "n1", "assistant", "Draft", weight=0.0),
        node("n2", "n1", "assistant", "", weight=1.0),
        node("n2", "n1", "assistant", "Plan", channel="analysis"),
        node(
            "n2", "n1", "user", {"content_type": "user_editable_context", "user_profile": "A", "user_instructions": "B"}
        ),
        node("n2", "n1", "assistant", {"content_type": "model_editable_context", "model_set_context": "A"}),
        node("n2", "n1", "assistant", {"content_type": "thoughts", "thoughts": [{"summary": "A", "content": "B"}]}),
        node("n2", "n1", "assistant", {"content_type": "reasoning_recap", "content": "Thought for 5s"}),
        node("n2", "n1", "tool", {"content_type": "execution_output", "text": "4"}, tool="python"),
        node("n2", "n1", "tool", {"content_type": "tether_quote", "text": "A page"}, tool="browser"),
    ],
)
def test_instructions_reasoning_and_results_of_tools_are_no_events(hidden: dict[str, Any]) -> None:
    assert texts_of(ASKED, hidden, node("n3", "n2", "assistant", "Yes.")) == ["Hi?", "Yes."]


def test_a_message_to_another_recipient_calls_a_tool() -> None:
    code = {"content_type": "code", "language": "python", "text": "2 + 2"}
    failed = {"aggregate_result": {"status": "failed_with_in_kernel_exception"}}
    events = events_of(
        ASKED,
        node("n2", "n1", "assistant", code, recipient="python"),
        node("n5", "n2", "tool", {"content_type": "execution_output", "text": "4"}, tool="python", metadata=failed),
        node("n6", "n5", "assistant", {"queries": []}, recipient="web.run"),
        node("n7", "n6", "assistant", "Four."),
    )
    assert [event.event_name for event in events] == ["User prompt", "tool:python", "tool:web.run", "AI generation"]
    assert events[1].metadata == {"title": "T", "status": "error", "is_error": True, "latency_seconds": 3.0}


def test_code_for_the_user_is_an_answer() -> None:
    code = {"content_type": "code", "language": "python", "text": "print(4)"}
    assert texts_of(ASKED, node("n2", "n1", "assistant", code)) == ["Hi?", "print(4)"]


@pytest.mark.parametrize(
    ("parts", "metadata", "text"),
    [
        ([{"content_type": "image_asset_pointer", "asset_pointer": "x"}, "Look"], {}, "[image]\nLook"),
        (["Look"], {"attachments": [{"name": "a.pdf", "mime_type": "application/pdf"}]}, "[file]\nLook"),
        (
            [{"content_type": "image_asset_pointer"}, "Look"],
            {"attachments": [{"name": "a.png", "mime_type": "image/png"}]},
            "[image]\nLook",
        ),
        (
            [
                {"content_type": "audio_transcription", "text": "Hello", "direction": "in"},
                {"content_type": "real_time_user_audio_video_asset_pointer", "audio_asset_pointer": {}},
            ],
            {},
            "Hello",
        ),
        ([{"content_type": "audio_asset_pointer"}], {}, "[file]"),
    ],
)
def test_files_are_named_and_speech_is_its_transcription(parts: object, metadata: object, text: str) -> None:
    content = {"content_type": "multimodal_text", "parts": parts}
    assert texts_of(node("n1", "root", "user", content, metadata=metadata)) == [text]


def test_marks_of_citations_are_no_text() -> None:
    answer = node("n2", "n1", "assistant", "Yes\ue200cite\ue202turn0search1\ue201, see【12†source】.")
    assert texts_of(ASKED, answer) == ["Hi?", "Yes, see."]


def test_the_tree_may_be_json_text_as_in_parquet() -> None:
    chat = chat_of(ASKED, current_node="n1")
    assert parse_record(chat | {"mapping": orjson.dumps(chat["mapping"]).decode()}) == parse_record(chat)


def test_a_conversation_that_grows_keeps_the_ids_of_its_messages() -> None:
    before = [event.event_id for event in events_of(ASKED)]
    assert [event.event_id for event in events_of(ASKED, node("n2", "n1", "assistant", "Yes."))][:1] == before


@pytest.mark.parametrize(
    "mapping", [{}, {"root": {"parent": None, "message": None}}, {"a": 3}, {"a": node("n1", "a", "user", "Hi?")}]
)
def test_broken_trees_lose_only_what_is_broken(mapping: dict[str, Any]) -> None:
    chat = chat_of() | {"mapping": mapping, "current_node": "a"}
    if "a" in mapping and isinstance(mapping["a"], dict):  # a node that is its own parent
        assert [event.metadata["prompt"] for event in parse_record(chat)] == ["Hi?"]
    else:
        assert rejection_of(chat, FORMATS["chatgpt"])[0] == "no_messages"
