"""Formats of LangSmith's runs and feedback, from its SDK, its API or its bulk export to Parquet.

They follow its pages "Run (span) data format", "Feedback data format" and "Bulk export trace data". A run's
``session_id`` is its project; the conversation is the thread in its metadata. A chain repeats the texts of its calls,
so the id of a text consists of its trace and a hash of the text. Runs of chains below the root, prompts, parsers and
retrievers are steps of the program.
"""

from collections.abc import Mapping

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import Columns, Exchange, Execution, Format, Part, Shape
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.messages import read_messages
from turret_pipeline.events.formats.row_values import Row, from_json, in_both_cases, lookup

_RUN_TYPES = frozenset("llm chain tool retriever embedding prompt parser".split())
_LIBRARY_KEYS = ("ls_", "lc_", "langgraph_", "LANGSMITH_", "LANGCHAIN_", "__", "checkpoint_", "revision_id")
_METADATA = "extra.metadata."
_THREADS = in_both_cases("session_id", "thread_id", "conversation_id")
_USERS = (*in_both_cases("user_id", "end_user_id", "end_user"), "langgraph_auth_user_id")
_JSON = ("inputs", "outputs", "extra", "tags", "feedback_stats", "events", "serialized")


def _normalize_run(row: Row) -> Row:
    """The run with ``kind``: a call of a model, or a root that repeats one, or a tool. Raises Rejection for a step."""
    kind = row.get("run_type")
    if kind == "chain" and row.get("parent_run_id") is None:
        has_text = read_messages(row.get("inputs"), USER) or read_messages(row.get("outputs"), ASSISTANT)
        kind = "llm" if has_text else kind
    if kind not in {"llm", "tool"}:
        raise Rejection("not_an_event", f"The run is a step of the program ({kind}): its texts are those of its calls.")
    metadata = {**_own_metadata(row.get("metadata")), **_own_metadata(lookup(row, "extra.metadata"))}
    found = {key: lookup(row, f"metadata.{key}") for key in (*_THREADS, *_USERS)}
    feedback = _read_feedback(from_json(row.get("feedback_stats")))
    return {**row, "kind": kind, "given": found, "metadata": metadata, **feedback}


def _own_metadata(metadata: object) -> dict[str, object]:
    """Metadata that the application adds, without what the libraries add."""
    if not isinstance(metadata, Mapping):
        return {}
    ids = (*_THREADS, *_USERS)
    return {
        str(key): value for key, value in metadata.items() if key not in ids and not str(key).startswith(_LIBRARY_KEYS)
    }


def _read_feedback(stats: object) -> dict[str, object]:
    """Average scores of a run by their names, as the field ``feedback``."""
    if not isinstance(stats, Mapping):
        return {}
    scores = {str(key): value.get("avg") for key, value in stats.items() if isinstance(value, Mapping)}
    found = {key: score for key, score in scores.items() if score is not None}
    return {"feedback": found} if found else {}


LANGSMITH_RUN = Format(
    name="langsmith_run",
    title="LangSmith run",
    shape=Shape(
        "`run_type` (`llm`, `chain`, `tool` or another type of LangSmith), `start_time`, and `inputs` or `outputs`",
        one_of={"run_type": _RUN_TYPES},
        required=(("id",), ("start_time",), ("inputs", "outputs", "extra", "trace_id")),
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("name", "=LLM call"),
        session_id=(*(_METADATA + key for key in _THREADS), *(f"given.{key}" for key in _THREADS), "thread_id"),
        user_id=tuple(prefix + key for prefix in (_METADATA, "given.") for key in _USERS),
        event_at=("start_time",),
        lone_session_id=("trace_id", "id"),
        trace_id=("trace_id", "id"),
    ),
    becomes="a prompt, an answer and its tool calls; or the call of a tool; steps are rejected (`not_an_event`)",
    exchange=Exchange(
        only_if={"kind": frozenset({"llm"})},
        prompt=("inputs",),
        generation=("outputs",),
        is_prompt_time=True,
        latency=("latency",),
        ended_at=("end_time",),
        failure=("error", "status"),
        trace_id=("trace_id", "id"),
        matches_tools_by_arguments=True,
        prompt_fields={"input_tokens": ("prompt_tokens",)},
        generation_fields={
            "output_tokens": ("completion_tokens",),
            "cost_usd": ("total_cost",),
            "finish_reason": (
                *("outputs.choices.0.finish_reason", "outputs.generations.0.0.generation_info.finish_reason"),
                *("outputs.generations.0.0.message.kwargs.response_metadata.finish_reason", "outputs.finish_reason"),
                *("outputs.generations.0.0.message.kwargs.response_metadata.stop_reason", "outputs.stop_reason"),
            ),
            "feedback": ("feedback",),
        },
    ),
    execution=Execution(
        only_if={"kind": frozenset({"tool"})},
        name=("name", "=unnamed"),
        call_id=("outputs.output.tool_call_id", "outputs.tool_call_id", "outputs.output.kwargs.tool_call_id"),
        arguments=("inputs",),
    ),
    normalize=_normalize_run,
    parts=(Part("metadata"),),
    fields={
        "model": (
            *(f"{_METADATA}ls_model_name", "extra.invocation_params.model", "extra.invocation_params.model_name"),
            *("outputs.model", "outputs.llm_output.model_name"),
        ),
        "name": ("name",),
        "trace_id": ("trace_id",),
        "project": ("session_name",),
        "tags": ("tags",),
        "error": ("error",),
    },
    keeps_rest=False,
    json_columns=_JSON,
    is_utc=True,
    example={
        "id": "run-1",
        "trace_id": "run-1",
        "parent_run_id": None,
        "session_id": "project-1",
        "name": "ChatOpenAI",
        "run_type": "llm",
        "status": "success",
        "start_time": "2026-03-02T09:15:00.000000",
        "end_time": "2026-03-02T09:15:01.500000",
        "inputs": {"messages": [{"role": "user", "content": "How do I reset my password?"}]},
        "outputs": {"choices": [{"message": {"role": "assistant", "content": "Open Settings and choose Reset."}}]},
        "extra": {"metadata": {"thread_id": "s-1", "user_id": "u-1", "ls_model_name": "small-1"}},
    },
)

LANGSMITH_FEEDBACK = Format(
    name="langsmith_feedback",
    title="LangSmith feedback",
    shape=Shape(
        "`run_id`, `key`, `created_at`, and `score` or `value`",
        required=(("run_id",), ("key",), ("created_at",), ("score", "value")),
        forbidden=("name", "event_name", "event", "run_type"),
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("=feedback",),
        event_at=("created_at",),
        session_id=tuple(f"extra.metadata.{key}" for key in _THREADS),
        user_id=tuple(f"extra.metadata.{key}" for key in _USERS),
        lone_session_id=("trace_id", "run_id"),
        trace_id=("trace_id", "run_id"),
    ),
    becomes="an event `feedback` in the session of the trace",
    fields={
        "score_name": ("key",),
        "value": ("score",),
        "string_value": ("value",),
        "comment": ("comment",),
        "source": ("feedback_source.type",),
        "trace_id": ("trace_id",),
        "run_id": ("run_id",),
    },
    keeps_rest=False,
    json_columns=("feedback_source", "extra"),
    is_utc=True,
    example={
        "id": "feedback-1",
        "created_at": "2026-03-02T09:16:00.000000",
        "run_id": "run-1",
        "trace_id": "run-1",
        "key": "thumbs",
        "score": 1,
        "value": None,
        "comment": "Just what I needed",
        "feedback_source": {"type": "api"},
    },
)
