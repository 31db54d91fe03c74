"""Metadata of calls of language models under the same names in every format.

The names are ``model``, ``input_tokens``, ``output_tokens``, ``cost_usd``, ``latency_seconds``, ``is_error`` and
``finish_reason``.
"""

from collections.abc import Mapping

from turret_pipeline.events.formats.format import Fields
from turret_pipeline.events.formats.row_values import Paths

MODEL: Paths = ("model", "model_name", "modelName", "model_id", "modelId", "modelVersion")
INPUT_TOKENS: Paths = (
    *(
        "usage.prompt_tokens",
        "usage.input_tokens",
        "usage.inputTokens",
        "usage.promptTokens",
        "usage.input_token_count",
        "usage.tokens.input_tokens",
    ),
    *("usage_metadata.input_tokens", "usageMetadata.promptTokenCount", "usage_metadata.prompt_token_count"),
    *("prompt_tokens", "input_tokens", "promptTokens", "inputTokens", "tokens_in", "tokens_prompt", "tokensPrompt"),
    *("prompt_eval_count", "prompt_token_count"),  # Ollama, Llama
)
OUTPUT_TOKENS: Paths = (
    *("usage.completion_tokens", "usage.output_tokens", "usage.outputTokens", "usage.completionTokens"),
    "usage.tokens.output_tokens",
    *("usage_metadata.output_tokens", "usageMetadata.candidatesTokenCount", "usage_metadata.candidates_token_count"),
    *("completion_tokens", "output_tokens", "completionTokens", "outputTokens", "tokens_out", "tokens_completion"),
    *("tokensCompletion", "eval_count", "generation_token_count"),
)
COST_USD: Paths = (
    *("cost_usd", "costUsd", "costUSD", "total_cost", "totalCost", "total_cost_usd", "response_cost", "cost"),
    *("usage.cost", "usage.total_cost", "spend"),
)
FINISH_REASON: Paths = (
    *("finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason", "incomplete_details.reason"),
    *("choices.0.finish_reason", "choices.0.finishReason", "candidates.0.finishReason", "candidates.0.finish_reason"),
)
_NAMED = {"model": MODEL, "input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS, "cost_usd": COST_USD}
PROMPT_NAMES = ("model", "input_tokens")
ANSWER_NAMES = ("model", "output_tokens", "cost_usd", "finish_reason")
_FAILED_WORDS = frozenset("error failed failure timeout cancelled exception status_code_error true".split())
_TRUE_WORDS = frozenset(("true", "1", "1.0", "success"))


def prompt_fields(*prefixes: str, **more: Paths) -> Fields:
    """Fields of a prompt, found below any of the prefixes, such as "response."; ``more`` are tried first."""
    return _fields(PROMPT_NAMES, prefixes, more)


def answer_fields(*prefixes: str, **more: Paths) -> Fields:
    """Fields of an answer, found below any of the prefixes; ``more`` are tried first."""
    return _fields(ANSWER_NAMES, prefixes, more)


def _fields(names: Paths, prefixes: Paths, more: Mapping[str, Paths]) -> Fields:
    paths = {**_NAMED, "finish_reason": FINISH_REASON}
    return {
        name: (*more.get(name, ()), *(prefix + path for prefix in prefixes for path in paths.get(name, ())))
        for name in dict.fromkeys((*names, *more))
    }


def read_failure(path: str, value: object) -> bool | None:
    """True if a status or an error says that a call failed, False if it says that it succeeded, else None."""
    if value is None or value == "":
        return None
    key = path.rpartition(".")[2].lower()
    if "success" in key:
        return str(value).lower() not in _TRUE_WORDS if isinstance(value, str | int | float) else None
    if isinstance(value, str):  # CSV has only texts
        value = _parse_scalar(value)
    if isinstance(value, bool):
        return value
    if "error" in key and not key.startswith(("is_", "level")):
        return bool(value)
    if isinstance(value, int | float):
        return value >= 400 if value >= 100 else value == 2 if "otel" in key else None
    return value.lower() in _FAILED_WORDS if isinstance(value, str) else None


def _parse_scalar(text: str) -> object:
    """The integer or boolean that a text of a CSV file stands for; any other text as it is."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return int(text) if text.isdecimal() and len(text) < 20 else text
