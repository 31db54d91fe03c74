"""Content of a message: its text, the tools that it calls, and the results of tools that it holds.

APIs of language models transfer content as a string, or as parts with a type of their own: OpenAI, Anthropic, Gemini,
Bedrock, LangChain, the Vercel AI SDK, pydantic-ai, Microsoft.Extensions.AI and the GenAI conventions of OpenTelemetry
are read here. Reasoning is dropped, and binary parts are named, so that a text is what a person wrote or read.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

IMAGE, FILE = "[image]", "[file]"

_REASONING = frozenset(
    "reasoning thinking redacted_thinking thought thoughts reasoning_recap reasoning_content summary_text "
    "reasoning_text model_editable_context user_editable_context".split()
)
_IMAGES = frozenset("image image_url input_image image_file image_asset_pointer".split())
_FILES = frozenset(
    "file input_file document document_url audio audio_url input_audio video video_url media blob uri binary file_id "
    "attachment audio_asset_pointer real_time_user_audio_video_asset_pointer data hosted_file container_upload".split()
)
_CALLS = frozenset(
    "tool_use server_tool_use mcp_tool_use tool_call builtin_tool_call function_call function tool_invocation "
    "dynamic_tool mcp_call web_search_call file_search_call code_interpreter_call computer_call image_generation_call "
    "local_shell_call custom_tool_call".split()
)
_RESULTS = frozenset(
    "tool_result tool_call_response tool_return builtin_tool_return function_call_output function_response "
    "function_result custom_tool_call_output computer_call_output local_shell_call_output retry_prompt".split()
)
_NO_TEXT = frozenset("step_start source source_url source_document system_prompt cache_point error".split())
"""Types of parts that hold neither a text of the conversation nor a tool."""

_TYPES_BY_KEY = {
    key: kind
    for kind, keys in {
        "tool_use": "toolUse functionCall function_call",
        "tool_result": "toolResult functionResponse function_response",
        "reasoning": "reasoningContent executableCode executable_code codeExecutionResult code_execution_result",
        "blob": "inlineData inline_data",
        "file": "fileData file_data document video audio",
        "image": "image image_url",
        "cache_point": "cachePoint",
    }.items()
    for key in keys.split()
}
"""Types of parts without one, by the only key that they have. Code that a model runs is a step of its reasoning."""

_TEXT_KEYS = ("text", "content", "refusal", "transcript", "value")
_NAME_KEYS = ("name", "toolName", "tool_name")
_ARGUMENT_KEYS = ("arguments", "args", "input", "parameters")
_ID_KEYS = ("toolCallId", "tool_call_id", "call_id", "callId", "toolUseId", "tool_use_id", "id")

_CALL_KEYS = ("toolUse", "functionCall", "function_call", "function", "toolInvocation", "tool_call")
_RESULT_KEYS = ("toolResult", "functionResponse", "function_response")
_GENERIC_CALLS = frozenset(("tool_call", "builtin_tool_call", "function_call", "mcp_call", "custom_tool_call"))
"""Types of calls that do not name their tool."""

_LEVELS = 6
TOOL_NAME_LIMIT = 200
"""Characters of the name of a tool; the name of its event has five more."""

_CLOSED_REASONING = re.compile(r"<(think|thinking|reasoning)>.*?</\1>\s*", re.DOTALL | re.IGNORECASE)
_OPEN_REASONING = re.compile(r"^\s*<(think|thinking|reasoning)>.*\Z|\A.*?</(?:think|thinking)>\s*", re.DOTALL | re.I)
_DATA_URL = re.compile(r"(?:!\[[^\]]*\]\()?data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,[A-Za-z0-9+/=_-]+\)?")
_BINARY_LENGTH = 400
"""Characters without a space from which a text in the alphabet of base64 is binary data."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool. ``is_error`` is None where the source does not say how it ended."""

    name: str
    call_id: str | None = None
    is_error: bool | None = None
    latency_seconds: float | None = None
    follows_text: bool = False
    arguments: Any = field(default=None, compare=False)


@dataclass
class Content:
    """Content of a message. ``results`` has, by the id of a call, whether it failed (None: not said)."""

    is_answer: bool = False
    """True for a message of a model, whose text may contain its reasoning."""
    texts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    results: dict[str, bool | None] = field(default_factory=dict)

    @property
    def text(self) -> str | None:
        """Texts of all parts, one below the other, or None if there is none."""
        return "\n".join(self.texts) or None

    def add(self, part: object, levels: int = _LEVELS) -> None:
        """Add a part of any shape, with at most this many levels of parts in it."""
        if isinstance(part, str):
            self._add_text(part)
        elif isinstance(part, Mapping) and levels:
            self._add_part(part, _part_type(part), levels - 1)
        elif isinstance(part, list | tuple) and levels:
            for inner in part:
                self.add(inner, levels - 1)

    def add_call(self, call: Mapping[str, Any], default_name: str | None = None) -> None:
        """Add a call of a tool, in any of the shapes in which messages hold calls."""
        inner: Mapping[str, Any] = next((call[key] for key in _CALL_KEYS if isinstance(call.get(key), Mapping)), {})
        name = _first_text(inner, _NAME_KEYS) or _first_text(call, _NAME_KEYS) or default_name
        if name is not None:
            call_id = _first_text(inner, _ID_KEYS) or _first_text(call, _ID_KEYS)
            state = inner if "state" in inner else call
            is_error, follows_text = find_failure(state), bool(self.texts)
            given = (holder.get(key) for holder in (inner, call) for key in _ARGUMENT_KEYS)
            arguments = next((value for value in given if value is not None), None)
            found = ToolCall(name.strip()[:TOOL_NAME_LIMIT], call_id, is_error, _find_latency(call), follows_text)
            self.calls.append(replace(found, arguments=arguments))

    def add_result(self, result: Mapping[str, Any]) -> None:
        """Add the result of a call."""
        inner = next((result[key] for key in _RESULT_KEYS if isinstance(result.get(key), Mapping)), result)
        call_id = _first_text(inner, _ID_KEYS)
        if call_id is not None or not self.results:
            self.results[call_id or ""] = find_failure(inner)

    def _add_text(self, text: str) -> None:
        cleaned = clean_text(text, is_answer=self.is_answer)
        if cleaned is not None:
            self.texts.append(cleaned)

    def _add_part(self, part: Mapping[str, Any], kind: str, levels: int) -> None:
        if kind in _REASONING or part.get("thought") is True:
            return
        if kind in _IMAGES | _FILES:
            self.texts.append(_name_binary(part, kind))
        elif kind in _RESULTS or kind.endswith("_tool_result"):
            self.add_result(part)
        elif kind in _CALLS:
            default = kind.removesuffix("_call") if kind.endswith("_call") and kind not in _GENERIC_CALLS else None
            self.add_call(part, default)
        elif kind.startswith("tool_"):
            self.add_call(part, str(part.get("type", kind))[len("tool-") :])
        elif kind not in _NO_TEXT and not kind.startswith("data_"):
            self.add(next((part[key] for key in _TEXT_KEYS if part.get(key) is not None), part.get("parts")), levels)


def read_content(value: object, *, is_answer: bool = False) -> Content:
    """Content of a message: a string, a part, or an array of either."""
    content = Content(is_answer)
    content.add(value)
    return content


def clean_text(text: str, *, is_answer: bool = False) -> str | None:
    """The text with names in place of binary data, and an answer without reasoning; None if nothing is left."""
    if is_answer and ("think" in text.lower() or "<reasoning>" in text):
        text = _OPEN_REASONING.sub("", _CLOSED_REASONING.sub("", text), count=1)
    if ";base64," in text:
        text = _DATA_URL.sub(lambda found: _name_media(found[1]), text)
    if len(text) >= _BINARY_LENGTH and " " not in text[:_BINARY_LENGTH] and _BASE64.fullmatch(text.strip()):
        text = FILE
    return text if text.strip() else None


_FAILED = frozenset("error failed failure output-error output_error denied output-denied timeout cancelled".split())
_SUCCEEDED = frozenset("ok success succeeded completed output-available output_available result done".split())


def find_failure(values: Mapping[str, Any]) -> bool | None:
    """True if an object says that it failed, False if it says that it succeeded, else None."""
    for key in ("is_error", "isError"):
        if isinstance(values.get(key), bool):
            return bool(values[key])
    if any(values.get(key) for key in ("error", "errorText", "error_message")):
        return True
    output = values.get("output")
    if isinstance(output, Mapping) and isinstance(kind := output.get("type"), str) and kind.startswith("error-"):
        return True
    for key in ("status", "state", "outcome"):
        if isinstance(word := values.get(key), str) and word.lower() in _FAILED | _SUCCEEDED:
            return word.lower() in _FAILED
    return None


def _find_latency(call: Mapping[str, Any]) -> float | None:
    """Seconds that a call took, if a format found them; 0 and less is the precision of a clock."""
    seconds = call.get("latency_seconds")
    return seconds if isinstance(seconds, float) and 0 < seconds < math.inf else None


def _part_type(part: Mapping[str, Any]) -> str:
    """Type of a part in snake case, or "" for a part that only has a text."""
    for key in ("type", "part_kind", "$type", "kind", "content_type"):
        if isinstance(kind := part.get(key), str):
            return _to_snake_case(kind)
    if isinstance(part.get("text"), str):
        return ""
    return next((kind for key, kind in _TYPES_BY_KEY.items() if part.get(key) is not None), "")


def _to_snake_case(kind: str) -> str:
    """The kind with underscores, as ``tool-call`` and ``toolCall`` are the same as ``tool_call``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower().replace("-", "_")


def _name_binary(part: Mapping[str, Any], kind: str) -> str:
    if kind in _IMAGES:
        return IMAGE
    holders = (part.get(key) for key in ("inlineData", "inline_data", "fileData", "file_data", "source", "file"))
    inner = next((holder for holder in holders if isinstance(holder, Mapping)), part)
    keys = ("mediaType", "media_type", "mimeType", "mime_type", "modality", "mime")
    media = next((value for key in keys for value in (inner.get(key), part.get(key)) if isinstance(value, str)), None)
    return _name_media(media)


def _name_media(media: str | None) -> str:
    return IMAGE if media is not None and media.lower().startswith("image") else FILE


def _first_text(values: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((values[key] for key in keys if isinstance(values.get(key), str) and values[key].strip()), None)
