"""Answers that were streamed: many chunks, each with a piece of the text, become one message.

Read here are the chunks of OpenAI's chat completions and responses, Anthropic's messages and completions, Bedrock's
Converse, Gemini, Ollama, and the models of Titan, Llama, Mistral and Cohere, as a list or as the text of server-sent
events.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from turret_pipeline.events.formats.row_values import from_json, lookup

Chunk = Mapping[str, Any]

_CHUNK_KEYS = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "candidates",
)
_CHUNK_TYPES = ("response.", "content_block_", "message_start", "message_delta", "message_stop", "ping")
_OWN_KEYS = frozenset(("done", "is_finished", "event_type", "completionReason", "generation_token_count", "completion"))
"""Keys that only the chunks of a stream have, not messages or parts."""

_TEXT_PATHS = (
    *("choices.0.delta.content", "choices.0.text", "delta.text", "contentBlockDelta.delta.text", "delta"),
    *("outputText", "generation", "outputs.0.text", "completion", "response", "message.content", "text"),
)
_CALL_PATHS = (
    *("choices.0.delta.tool_calls", "content_block", "contentBlockStart.start.toolUse", "message.tool_calls"),
    "choices.0.delta.function_call",
)
_END_PATHS = (
    *("choices.0.finish_reason", "delta.stop_reason", "messageStop.stopReason", "candidates.0.finishReason"),
    *("completionReason", "stop_reason", "finish_reason", "done_reason", "outputs.0.stop_reason"),
)
_USAGE_PATHS = ("message.usage", "metadata.usage", "usageMetadata", "amazon-bedrock-invocationMetrics", "usage")


def is_stream(values: Sequence[Any]) -> bool:
    """True if the values are chunks of one answer."""
    return bool(values) and all(isinstance(value, Mapping) and _is_chunk(value) for value in values[:3])


def join_chunks(chunks: Sequence[Any]) -> dict[str, Any]:
    """The message of an answer that was streamed, with its usage, its metrics and the reason of its end."""
    read = [chunk for chunk in chunks if isinstance(chunk, Mapping)]
    if (whole := _find_whole(read)) is not None:
        return whole
    usage: dict[str, Any] = {}
    for found in (lookup(chunk, path) for chunk in read for path in _USAGE_PATHS):
        usage |= found if isinstance(found, Mapping) else {}
    reasons = [found for chunk in read for path in _END_PATHS if isinstance(found := lookup(chunk, path), str)]
    latencies = [found for chunk in read if (found := lookup(chunk, "metadata.metrics.latencyMs")) is not None]
    text = "".join(text for chunk in read for text in _texts_of(chunk))
    return {
        "role": "assistant",
        "content": [{"type": "text", "text": text}, *_join_parts(read)],
        "tool_calls": [call for chunk in read for call in _calls_of(chunk)],
        "usage": usage,
        "finish_reason": reasons[-1] if reasons else None,
        "metrics": {"latencyMs": latencies[-1] if latencies else usage.get("invocationLatency")},
    }


def read_server_events(text: str) -> object:
    """The chunks in a text of server-sent events; any other text unchanged."""
    if not text.startswith(("data:", "event:")):
        return text
    lines = (line[len("data:") :].strip() for line in text.splitlines() if line.startswith("data:"))
    return [chunk for line in lines if isinstance(chunk := from_json(line), Mapping)] or text


def _is_chunk(value: Chunk) -> bool:
    choice = lookup(value, "choices.0")
    if isinstance(choice, Mapping):
        return isinstance(choice.get("delta"), Mapping) or value.get("object") == "text_completion"
    kind = value.get("type")
    if isinstance(kind, str) and kind.startswith(_CHUNK_TYPES):
        return True
    if any(key in value for key in _CHUNK_KEYS) or value.get("object") == "chat.completion.chunk":
        return True
    return not _OWN_KEYS.isdisjoint(value) or lookup(value, "outputs.0.text") is not None


def _find_whole(chunks: Sequence[Chunk]) -> dict[str, Any] | None:
    """The answer that the last event of a stream repeats as a whole, as OpenAI's responses do."""
    whole = chunks[-1].get("response") if chunks else None
    return dict(whole) if isinstance(whole, Mapping) and (whole.get("output") or whole.get("text")) else None


def _texts_of(chunk: Chunk) -> Iterator[str]:
    kind = chunk.get("type")
    if isinstance(kind, str) and "." in kind and kind != "response.output_text.delta":
        return  # reasoning, arguments of tools, and texts that are complete and were streamed before
    text = next((found for path in _TEXT_PATHS if isinstance(found := lookup(chunk, path), str)), None)
    if text is not None:
        yield text


def _calls_of(chunk: Chunk) -> Iterator[Any]:
    """Calls that begin in a chunk. Those that follow only continue the arguments, so they have no name."""
    for path in _CALL_PATHS:
        found = lookup(chunk, path)
        for call in found if isinstance(found, list) else [found]:
            if isinstance(call, Mapping) and (path != "content_block" or "tool" in str(call.get("type"))):
                yield call


def _join_parts(chunks: Sequence[Chunk]) -> list[Any]:
    """Parts of the chunks of Gemini, in which texts that follow each other are one: streams cut them anywhere."""
    joined: list[Any] = []
    for chunk in chunks:
        parts = lookup(chunk, "candidates.0.content.parts")
        for part in parts if isinstance(parts, list) else ():
            text = part.get("text") if isinstance(part, Mapping) and not part.get("thought") else None
            if isinstance(text, str) and joined and joined[-1].keys() == {"text"}:
                joined[-1] = {"text": joined[-1]["text"] + text}
            elif isinstance(part, Mapping):
                joined.append({"text": text} if isinstance(text, str) else part)
    return joined
