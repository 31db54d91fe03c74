"""Prompts and answers in the shapes in which APIs of language models transfer them."""

from typing import Any

import pytest

from turret_pipeline.events.formats.content import Content, clean_text, read_content
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.messages import find_answers, find_new_message, read_messages


def prompt_of(value: object) -> str | None:
    """The new text of the user in the input of a call."""
    message = find_new_message(read_messages(value, USER))
    return None if message is None else message.content.text


def answer_of(value: object) -> tuple[list[str | None], list[str]]:
    """Texts and names of the called tools in the output of a call."""
    answers = find_answers(read_messages(value, ASSISTANT))
    return [answer.content.text for answer in answers], [call.name for item in answers for call in item.content.calls]


def constructor(name: str, **kwargs: object) -> dict[str, Any]:
    """A message as LangChain dumps it."""
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": kwargs}


HUMAN = constructor("HumanMessage", content="Hi?", type="human")
ASKED_PART = {"part_kind": "user-prompt", "content": "Hi?"}
BASE64 = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="


@pytest.mark.parametrize(
    "given",
    [
        "Hi?",
        [{"role": "user", "content": "Hi?"}],
        {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi?"}]},
        '{"messages": [{"role": "user", "content": "Hi?"}]}',
        [{"role": "user", "content": [{"type": "text", "text": "Hi?"}]}],
        [{"role": "user", "parts": [{"type": "text", "content": "Hi?"}]}],
        [{"role": "user", "parts": [{"type": "text", "text": "Hi?"}]}],
        [{"role": "user", "contents": [{"$type": "text", "text": "Hi?"}]}],
        [{"kind": "request", "parts": [{"part_kind": "system-prompt", "content": "Be kind."}, ASKED_PART]}],
        {
            "contents": [{"role": "user", "parts": [{"text": "Hi?"}]}],
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
        },
        {"contents": [{"parts": [{"text": "Hi?"}]}]},
        {"messages": [{"role": "user", "content": [{"text": "Hi?"}]}], "system": [{"text": "Be kind."}]},
        {"anthropic_version": "x", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi?"}]}]},
        {"inputText": "Hi?", "textGenerationConfig": {"maxTokenCount": 9}},
        {"prompt": "Hi?", "max_gen_len": 9},
        {"message": "Hi?", "chat_history": [{"role": "USER", "message": "Hello"}]},
        {"messages": [[HUMAN]]},
        {"messages": [["system", "Be kind."], ["human", "Hi?"]]},
        {"messages": ["user", "Hi?"]},
        {"messages": [HUMAN]},
        [{"type": "human", "data": {"content": "Hi?"}}],
        [{"type": "human", "content": "Hi?"}],
        {"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi?"}]}]},
        {"input": "Hi?", "chat_history": []},
        {"args": ["Hi?"], "kwargs": {}},
        {"args": [], "kwargs": {"question": "Hi?", "context": "A long page of text about many things."}},
        {"args": [7, "Hi?"], "kwargs": {"temperature": 0.2}},
        {"args": [[{"role": "user", "content": "Hi?"}], "a few words of another argument"], "kwargs": {}},
        {"kwargs": {"user_text": "Hi?"}},
    ],
)
def test_an_input_of_any_api_has_one_new_text(given: object) -> None:
    assert prompt_of(given) == "Hi?"


TOOL_USE = {"type": "tool_use", "id": "t1", "name": "search", "input": {}}


@pytest.mark.parametrize(
    ("given", "texts", "tools"),
    [
        ("Hello.", ["Hello."], []),
        ({"role": "assistant", "content": "Hello.", "reasoning_content": "Think."}, ["Hello."], []),
        ({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}}]}, ["Hello."], []),
        ({"choices": [{"message": {"content": "Hello."}}, {"message": {"content": "Hi."}}]}, ["Hello."], []),
        ({"choices": [{"text": "Hello.", "index": 0}]}, ["Hello."], []),
        (
            [{"role": "assistant", "parts": [{"type": "text", "content": "Hello."}], "finish_reason": "stop"}],
            ["Hello."],
            [],
        ),
        ({"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello."}]}, ["Hello."], []),
        ({"role": "assistant", "content": [{"type": "text", "text": "Hello."}, TOOL_USE]}, ["Hello."], ["search"]),
        ({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello."}]}}]}, ["Hello."], []),
        (
            {"candidates": [{"content": {"parts": [{"text": "Hm.", "thought": True}, {"text": "Hello."}]}}]},
            ["Hello."],
            [],
        ),
        ({"candidates": [{"content": {"parts": [{"functionCall": {"name": "search"}}]}}]}, [None], ["search"]),
        ({"generations": [[{"text": "Hello.", "type": "ChatGeneration"}]]}, ["Hello."], []),
        ({"generations": [[{"message": constructor("AIMessage", content="Hello.", type="ai")}]]}, ["Hello."], []),
        (constructor("AIMessageChunk", content="", tool_calls=[{"name": "search", "id": "t"}]), [None], ["search"]),
        (
            {"output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}}, "stopReason": "x"},
            ["Hello."],
            [],
        ),
        (
            {"output": {"message": {"role": "assistant", "content": [{"toolUse": {"name": "search"}}]}}},
            [None],
            ["search"],
        ),
        ({"results": [{"outputText": "Hello."}]}, ["Hello."], []),
        ({"generation": "Hello."}, ["Hello."], []),
        ({"outputs": [{"text": "Hello."}]}, ["Hello."], []),
        (
            {
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
                    {"type": "function_call", "name": "search", "call_id": "t1"},
                    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]},
                ]
            },
            [None, "Hello."],
            ["search"],
        ),
        ([{"type": "reasoning", "text": "Hm."}, {"type": "text", "text": "Hello."}], ["Hello."], []),
        (
            {
                "kind": "response",
                "parts": [{"part_kind": "thinking", "content": "Hm."}, {"part_kind": "text", "content": "Hello."}],
            },
            ["Hello."],
            [],
        ),
        ({"kind": "response", "parts": [{"part_kind": "tool-call", "tool_name": "search"}]}, [None], ["search"]),
        (
            {"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]},
            ["Hello."],
            [],
        ),
        ({"answer": "Hello.", "sources": ["a", "b"]}, ["Hello."], []),
        ("<think>\nHm.\n</think>\n\nHello.", ["Hello."], []),
        ("Hm.</think>Hello.", ["Hello."], []),
        ({}, [], []),
        (None, [], []),
        (3, [], []),
    ],
)
def test_an_output_of_any_api_has_a_text_and_tools_and_no_reasoning(
    given: object, texts: list[str | None], tools: list[str]
) -> None:
    assert answer_of(given) == (texts, tools)


@pytest.mark.parametrize(
    "last",
    [
        {"role": "tool", "content": "42", "tool_call_id": "t1"},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "42"}]},
        {"role": "assistant", "content": "Hello."},
    ],
)
def test_a_step_of_an_agent_has_no_new_prompt(last: dict[str, Any]) -> None:
    asked = {"role": "user", "content": "Hi?"}
    called = {"role": "assistant", "tool_calls": [{"id": "t1", "function": {"name": "search"}}]}
    assert prompt_of([asked, called, last]) is None


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ({"type": "image_url", "image_url": {"url": BASE64}}, "[image]"),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}, "[image]"),
        ({"type": "file", "mediaType": "image/png", "url": BASE64}, "[image]"),
        ({"type": "file", "mediaType": "application/pdf", "url": "data:application/pdf;base64,JVBE"}, "[file]"),
        ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf"}}, "[file]"),
        ({"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}, "[file]"),
        ({"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBO"}, "[image]"),
        ({"inlineData": {"mimeType": "image/png", "data": "iVBO"}}, "[image]"),
        ({"fileData": {"mimeType": "video/mp4", "fileUri": "x"}}, "[file]"),
        ({"image": {"format": "png", "source": {"bytes": "iVBO"}}}, "[image]"),
        ({"content_type": "image_asset_pointer", "asset_pointer": "sediment://x"}, "[image]"),
    ],
)
def test_binary_parts_are_named(part: dict[str, Any], name: str) -> None:
    assert read_content([part, {"type": "text", "text": "Look."}]).text == f"{name}\nLook."


def test_binary_data_in_a_text_is_named() -> None:
    assert clean_text(f"See ![x]({BASE64}) here") == "See [image] here"
    assert clean_text("A" * 500) == "[file]"
    assert clean_text("word " * 100) == "word " * 100


@pytest.mark.parametrize("text", ["What does <think> do?", "a</think>b"])
def test_only_answers_lose_their_reasoning(text: str) -> None:
    assert prompt_of(text) == text


@pytest.mark.parametrize(
    ("part", "is_error"),
    [
        ({"type": "tool-search", "toolCallId": "t1", "state": "output-available"}, False),
        ({"type": "tool-search", "toolCallId": "t1", "state": "output-error", "errorText": "Gone."}, True),
        ({"type": "tool-search", "toolCallId": "t1", "state": "input-available"}, None),
        ({"type": "dynamic-tool", "toolName": "search", "state": "output-available"}, False),
        ({"type": "tool-invocation", "toolInvocation": {"toolName": "search", "state": "result"}}, False),
        ({"type": "mcp_call", "name": "search", "error": {"code": 1}}, True),
        ({"type": "web_search_call", "status": "completed", "name": "search"}, False),
    ],
)
def test_a_tool_call_tells_how_it_ended(part: dict[str, Any], is_error: bool | None) -> None:
    (call,) = read_content([part]).calls
    assert (call.name, call.is_error) == ("search", is_error)


def test_a_result_tells_how_its_call_ended() -> None:
    parts = [
        {"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": "No."},
        {"toolResult": {"toolUseId": "t2", "status": "success", "content": [{"text": "42"}]}},
        {"type": "tool_call_response", "id": "t3", "result": "42"},
    ]
    assert read_content(parts) == Content(results={"t1": True, "t2": False, "t3": None})
