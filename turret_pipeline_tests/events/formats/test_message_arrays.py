"""Arrays of messages of libraries other than OpenAI's: the Vercel AI SDK, pydantic-ai and Microsoft.Extensions.AI."""

from typing import Any

from turret_pipeline.events.formats import parse_record


def events_of(*messages: object) -> list[tuple[str, dict[str, Any]]]:
    """Names and metadata of the events of a chat of these messages."""
    return [(event.event_name, event.metadata) for event in parse_record({"id": "c1", "messages": messages})]


def test_results_of_model_messages_belong_to_their_calls() -> None:
    calls = [{"type": "tool-call", "toolCallId": name, "toolName": "search", "input": {}} for name in ("t1", "t2")]
    results = [
        {
            "type": "tool-result",
            "toolCallId": "t1",
            "toolName": "search",
            "output": {"type": "error-text", "value": "x"},
        },
        {"type": "tool-result", "toolCallId": "t2", "toolName": "search", "output": {"type": "text", "value": "x"}},
    ]
    messages = ({"role": "assistant", "content": calls}, {"role": "tool", "content": results})
    found = events_of(*messages)
    assert [metadata.get("is_error") for _, metadata in found] == [True, None]


def test_messages_of_pydantic_ai_become_a_conversation() -> None:
    asked = {"content": "Hi?", "timestamp": "2026-03-02T09:15:00Z", "part_kind": "user-prompt"}
    called = {"tool_name": "search", "args": "{}", "tool_call_id": "t1", "part_kind": "tool-call"}
    found = {"tool_name": "search", "content": "Long", "tool_call_id": "t1", "part_kind": "tool-return"}
    answered = {"timestamp": "2026-03-02T09:15:04Z", "kind": "response", "model_name": "small-1"}
    thought = {"content": "Hm.", "part_kind": "thinking"}
    events = parse_record(
        {
            "id": "c1",
            "messages": [
                {"parts": [asked | {"content": "Be kind.", "part_kind": "system-prompt"}, asked], "kind": "request"},
                {"parts": [called], "kind": "response", "timestamp": "2026-03-02T09:15:02Z"},
                {"parts": [found], "kind": "request"},
                {"parts": [thought, {"content": "Yes.", "part_kind": "text"}], **answered},
            ],
        }
    )
    assert [event.event_name for event in events] == ["User prompt", "tool:search", "AI generation"]
    assert events[0].metadata["prompt"] == "Hi?"
    assert (events[2].metadata["generation"], events[2].metadata["model"]) == ("Yes.", "small-1")
    assert [str(event.event_at)[11:19] for event in events] == ["09:15:00", "09:15:02", "09:15:04"]


def test_messages_of_microsoft_extensions_ai_become_a_conversation() -> None:
    assert events_of(
        {
            "role": "user",
            "contents": [{"$type": "text", "text": "Hi?"}, {"$type": "data", "uri": "x", "mediaType": "image/png"}],
        },
        {
            "role": "assistant",
            "contents": [{"$type": "functionCall", "callId": "t1", "name": "search", "arguments": {}}],
        },
        {"role": "tool", "contents": [{"$type": "functionResult", "callId": "t1", "result": "Long"}]},
        {"role": "assistant", "contents": [{"$type": "reasoning", "text": "Hm."}, {"$type": "text", "text": "Yes."}]},
    ) == [
        ("User prompt", {"prompt": "Hi?\n[image]"}),
        ("tool:search", {}),
        ("AI generation", {"generation": "Yes."}),
    ]
