"""Formats of Langfuse's traces, observations and scores, exported from its UI, its API (camel case) or to blob storage
(snake case). They follow its pages "Blob storage export field reference" and "Public API".

A trace repeats the texts of its generations, and the steps of an agent repeat each other. To count each exchange once,
the id of a prompt or generation consists of its trace and a hash of its text: a repetition has the same id and is a
duplicate, whichever row comes first. So is the root of a trace, which has the texts of the trace: an export of the
observations only has no rows of traces. Inputs and outputs of other observations are steps of the program and are
dropped.
A call of a tool in an answer and the observation of its execution are one event too: the observation has no id of the
call, so the arguments identify it.
"""

from turret_pipeline.events.formats.format import Columns, Exchange, Execution, Format, Part, Shape, is_among
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.messages import find_answers, find_new_message, read_messages
from turret_pipeline.events.formats.row_values import Row, first_value

TYPES = frozenset(
    "GENERATION SPAN EVENT AGENT TOOL CHAIN RETRIEVER EVALUATOR EMBEDDING GUARDRAIL".split()  # as its API lists them
)
_ROOTS = frozenset(("SPAN", "AGENT", "CHAIN"))
"""Types of the first step of a trace, which has the input and output of the trace."""
_PARENTS = ("parentObservationId", "parent_observation_id")
_SCORE_TYPES = frozenset("NUMERIC CATEGORICAL BOOLEAN TEXT CORRECTION".split())
_SCORE_SOURCES = frozenset("API EVAL ANNOTATION FEEDBACK".split())
_INPUT_TOKENS = ("usageDetails.input", "usage_details.input", "usage.input", "inputUsage", "promptTokens")
_OUTPUT_TOKENS = ("usageDetails.output", "usage_details.output", "usage.output", "outputUsage", "completionTokens")
_COST = ("totalCost", "total_cost", "calculatedTotalCost", "costDetails.total", "cost_details.total")
_JSON = ("metadata", "usage", "usageDetails", "usage_details", "costDetails", "cost_details", "tags")
_DROP = (
    *(
        "projectId",
        "project_id",
        "htmlPath",
        "createdAt",
        "created_at",
        "updatedAt",
        "updated_at",
        "bookmarked",
        "public",
    ),
    *(
        "usage",
        "usageDetails",
        "usage_details",
        "costDetails",
        "cost_details",
        "totalTokens",
        "totalUsage",
        "total_tokens",
    ),
    *(*_INPUT_TOKENS, *_OUTPUT_TOKENS, *_COST, "observations", "scores", "latency"),
)
_PROMPT_FIELDS = {"input_tokens": _INPUT_TOKENS}
_GENERATION_FIELDS = {
    "output_tokens": _OUTPUT_TOKENS,
    "cost_usd": _COST,
    "time_to_first_token": ("timeToFirstToken", "time_to_first_token"),
}


def _mark_failure(row: Row) -> Row:
    """The row with ``is_error``, which its level tells."""
    level = row.get("level")
    return {**row, "is_error": level.upper() == "ERROR"} if isinstance(level, str) else row


def _normalize(row: Row) -> Row:
    """The row with ``is_error``; a root with a prompt and its answer is read as the generation that it repeats."""
    row = _mark_failure(row)
    return {**row, "type": "GENERATION"} if _is_exchange(row) else row


def _is_exchange(row: Row) -> bool:
    """True for the first step of a trace whose input has a text of the user, and whose output an answer."""
    is_root = any(key in row for key in _PARENTS) and not first_value(row, _PARENTS)[1]
    if not is_root or not is_among(row.get("type"), _ROOTS):
        return False
    asked = find_new_message(read_messages(row.get("input"), USER))
    answers = find_answers(read_messages(row.get("output"), ASSISTANT))
    return asked is not None and bool(asked.content.texts) and any(answer.content.texts for answer in answers)


def _is_score(row: Row) -> bool:
    """True if the source or the type of data is one of Langfuse's."""
    kind, source = (first_value(row, keys)[1] for keys in (("dataType", "data_type"), ("source",)))
    return is_among(kind, _SCORE_TYPES) or is_among(source, _SCORE_SOURCES)


LANGFUSE_TRACE = Format(
    name="langfuse_trace",
    title="Langfuse trace",
    shape=Shape(
        "`id`, `timestamp`, `input` or `output`, and one of Langfuse's keys (`sessionId`, `userId`, `projectId`, "
        "`project_id`, `bookmarked`, `htmlPath`, `observations`)",
        required=(
            *(("id",), ("timestamp",), ("input", "output")),
            ("sessionId", "userId", "projectId", "project_id", "bookmarked", "htmlPath", "observations"),
        ),
        forbidden=("event_id", "event_name", "event"),
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("name", "=Trace"),
        session_id=("sessionId", "session_id"),
        user_id=("userId", "user_id"),
        event_at=("timestamp",),
        lone_session_id=("id",),
        trace_id=("id",),
    ),
    becomes="a prompt and a generation; one event if it has no text",
    exchange=Exchange(
        prompt=("input",),
        generation=("output",),
        is_prompt_time=True,
        latency=("latency",),
        trace_id=("id",),
        matches_tools_by_arguments=True,
        generation_fields={"cost_usd": _COST},
    ),
    parts=(Part("metadata", allows_any_type=True),),
    json_columns=(*_JSON, "input", "output"),
    drop=_DROP,
    is_utc=True,
    example={
        "id": "trace-1",
        "timestamp": "2026-03-02T09:15:00.000Z",
        "name": "support-chat",
        "sessionId": "s-1",
        "userId": "u-1",
        "input": "How do I reset my password?",
        "output": "Open Settings and choose Reset.",
        "latency": 1.5,
        "metadata": {"plan": "team"},
    },
)

LANGFUSE_OBSERVATION = Format(
    name="langfuse_observation",
    title="Langfuse observation",
    shape=Shape(
        "`type` (`GENERATION`, `SPAN`, `EVENT` or another type of Langfuse), and `startTime` or `start_time`",
        one_of={"type": TYPES},
        required=(("id",), ("startTime", "start_time")),
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("name", "type"),
        session_id=("sessionId", "session_id"),
        user_id=("userId", "user_id"),
        event_at=("startTime", "start_time"),
        lone_session_id=("traceId", "trace_id", "id"),
        trace_id=("traceId", "trace_id"),
    ),
    becomes="one event; for a `GENERATION` and for the root of a trace with a text of the user and an answer, a prompt "
    "and a generation; for a `TOOL`, a call of a tool",
    exchange=Exchange(
        only_if={"type": frozenset({"GENERATION"})},
        prompt=("input",),
        generation=("output",),
        is_prompt_time=True,
        latency=("latency",),
        ended_at=("endTime", "end_time"),
        trace_id=("traceId", "trace_id"),
        matches_tools_by_arguments=True,
        failure=("is_error",),
        prompt_fields=_PROMPT_FIELDS,
        generation_fields=_GENERATION_FIELDS,
    ),
    execution=Execution(only_if={"type": frozenset({"TOOL"})}, name=("name", "=unnamed"), arguments=("input",)),
    normalize=_normalize,
    parts=(Part("metadata", allows_any_type=True),),
    fields={"model": ("model", "providedModelName", "provided_model_name")},
    json_columns=(*_JSON, "input", "output"),
    drop=(
        *_DROP,
        *("type", "input", "output", "endTime", "end_time", "modelParameters", "model_parameters"),
        *("completionStartTime", "completion_start_time", "modelId", "model_id", "internalModelId"),
        *("inputPrice", "input_price", "outputPrice", "output_price", "totalPrice", "total_price"),
    ),
    is_utc=True,
    example={
        "id": "obs-1",
        "type": "GENERATION",
        "traceId": "trace-1",
        "name": "answer",
        "startTime": "2026-03-02T09:15:00.000Z",
        "endTime": "2026-03-02T09:15:01.500Z",
        "model": "small-1",
        "input": [{"role": "user", "content": "How do I reset my password?"}],
        "output": {"role": "assistant", "content": "Open Settings and choose Reset."},
        "usageDetails": {"input": 12, "output": 9, "total": 21},
    },
)

LANGFUSE_SCORE = Format(
    name="langfuse_score",
    title="Langfuse score",
    shape=Shape(
        "`id`, `name`, `value` or `stringValue`, `traceId` or `sessionId`, and a `dataType` or `source` of Langfuse's "
        "(`NUMERIC`, `API` ...); also in snake case",
        required=(
            *(("id",), ("name",), ("value", "stringValue", "string_value")),
            ("traceId", "trace_id", "sessionId", "session_id"),
        ),
        forbidden=("type", "input", "output", "event_name", "event"),
        test=_is_score,
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("=feedback",),
        session_id=("sessionId", "session_id", "trace.sessionId", "trace.session_id"),
        user_id=("userId", "user_id", "trace.userId", "trace.user_id"),
        event_at=("timestamp", "createdAt", "created_at"),
        lone_session_id=("traceId", "trace_id"),
        trace_id=("traceId", "trace_id"),
    ),
    becomes="an event `feedback` in the session of the trace",
    parts=(Part("metadata", allows_any_type=True),),
    fields={
        "score_name": ("name",),
        "string_value": ("stringValue", "string_value"),
        "data_type": ("dataType", "data_type"),
        "trace_id": ("traceId", "trace_id"),
        "observation_id": ("observationId", "observation_id"),
    },
    json_columns=("metadata", "trace"),
    drop=(
        *("projectId", "project_id", "createdAt", "created_at", "updatedAt", "updated_at", "trace", "isDeleted"),
        *("is_deleted", "authorUserId", "author_user_id", "configId", "config_id", "queueId", "queue_id", "eventTs"),
        *("datasetRunId", "dataset_run_id", "executionTraceId", "execution_trace_id", "event_ts", "config"),
        *("longStringValue", "long_string_value", "evaluator_id", "evaluation_rule_id"),
    ),
    is_utc=True,
    example={
        "id": "score-1",
        "timestamp": "2026-03-02T09:16:00.000Z",
        "traceId": "trace-1",
        "observationId": "obs-1",
        "name": "thumbs",
        "value": 1,
        "dataType": "BOOLEAN",
        "stringValue": "True",
        "source": "API",
        "comment": "Just what I needed",
    },
)
