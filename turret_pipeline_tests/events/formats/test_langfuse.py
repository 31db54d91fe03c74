"""Traces and observations of Langfuse."""

import datetime as dt
from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, Event, parse_record, split_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)

TRACE: dict[str, Any] = {
    "id": "t1",
    "projectId": "p1",
    "timestamp": "2024-05-01T12:00:00.000Z",
    "name": "support",
    "sessionId": "s1",
    "userId": "u1",
    "input": "Hi?",
    "output": "Hello.",
    "metadata": {"plan": "pro", "coupon": None},
    "tags": ["beta"],
    "release": None,
    "latency": 2,
    "totalCost": 0.5,
    "htmlPath": "/project/p1/traces/t1",
    "observations": ["o1"],
    "scores": [],
}
GENERATION: dict[str, Any] = {
    "id": "o1",
    "type": "GENERATION",
    "traceId": "t1",
    "name": "answer",
    "startTime": "2024-05-01T12:00:00.500Z",
    "endTime": "2024-05-01T12:00:02.000Z",
    "model": "small-1",
    "modelParameters": {"temperature": 0},
    "input": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi?"}],
    "output": {"role": "assistant", "content": "Hello."},
    "usageDetails": {"input": 4, "output": 2, "total": 6},
    "costDetails": {"total": 0.25},
    "level": "DEFAULT",
    "metadata": {"plan": "pro"},
}
SNAKE: dict[str, Any] = {
    "id": "o1",
    "trace_id": "t1",
    "project_id": "p1",
    "type": "GENERATION",
    "name": "answer",
    "user_id": "u1",
    "session_id": "s1",
    "start_time": "2024-05-01 12:00:00.500000",
    "end_time": "2024-05-01 12:00:02.000000",
    "provided_model_name": "small-1",
    "input": '[{"role":"user","content":"Hi?"}]',
    "output": '{"role":"assistant","content":"Hello."}',
    "usage_details": '{"input":4,"output":2}',
    "time_to_first_token": 0.5,
    "input_price": "0.0001",
    "total_cost": 0.25,
    "metadata": '{"plan":"pro"}',
    "level": "DEFAULT",
}
PROMPT, ANSWER = "User prompt", "AI generation"
PROMPT_ID, GENERATION_ID = "t1-prompt-13f4b16c120e82e6", "t1-generation-eb0ae350711d5cb7"


def texts(**changes: object) -> list[tuple[str, str | None]]:
    """Names and texts of the events of a generation with these changes."""
    events = parse_record(GENERATION | changes)
    return [(event.event_name, event.metadata.get("prompt", event.metadata.get("generation"))) for event in events]


def test_a_trace_becomes_a_prompt_and_a_generation() -> None:
    shared = {"name": "support", "tags": ["beta"], "plan": "pro"}
    first = Event(
        event_id=PROMPT_ID,
        event_name="User prompt",
        session_id="s1",
        user_id="u1",
        event_at=NOON,
        received_at=None,
        source_format="langfuse_trace",
        metadata=shared | {"prompt": "Hi?"},
        trace_id="t1",
    )
    second = Event(
        event_id=GENERATION_ID,
        event_name="AI generation",
        session_id="s1",
        user_id="u1",
        event_at=NOON + dt.timedelta(seconds=2),
        received_at=None,
        source_format="langfuse_trace",
        metadata=shared | {"cost_usd": 0.5, "generation": "Hello.", "latency_seconds": 2},
        trace_id="t1",
    )
    assert parse_record(TRACE) == [first, second]


def test_a_generation_becomes_a_prompt_and_a_generation() -> None:
    shared = {"traceId": "t1", "name": "answer", "level": "DEFAULT", "plan": "pro", "model": "small-1"}
    begin, end = NOON + dt.timedelta(seconds=0.5), NOON + dt.timedelta(seconds=2)
    own = {"output_tokens": 2, "cost_usd": 0.25, "generation": "Hello.", "latency_seconds": 1.5, "is_error": False}
    prompt, answer = parse_record(GENERATION)
    assert (prompt.event_id, prompt.event_name, prompt.session_id, prompt.user_id) == (PROMPT_ID, PROMPT, "t1", None)
    assert (answer.event_id, answer.event_name, answer.session_id, answer.user_id) == (
        GENERATION_ID,
        ANSWER,
        "t1",
        None,
    )
    assert [(event.event_at, event.trace_id) for event in (prompt, answer)] == [(begin, "t1"), (end, "t1")]
    assert prompt.metadata == shared | {"input_tokens": 4, "prompt": "Hi?"}
    assert answer.metadata == shared | own


def test_an_enriched_row_of_the_blob_export_gives_the_same_events() -> None:
    shared = {"trace_id": "t1", "name": "answer", "level": "DEFAULT", "plan": "pro", "model": "small-1"}
    begin, end = NOON + dt.timedelta(seconds=0.5), NOON + dt.timedelta(seconds=2)
    own = {
        "output_tokens": 2,
        "cost_usd": 0.25,
        "time_to_first_token": 0.5,
        "generation": "Hello.",
        "latency_seconds": 1.5,
        "is_error": False,
    }
    prompt, answer = parse_record(SNAKE)
    assert [(event.session_id, event.user_id) for event in (prompt, answer)] == [("s1", "u1")] * 2
    assert [(event.event_id, event.event_at) for event in (prompt, answer)] == [
        (PROMPT_ID, begin),
        (GENERATION_ID, end),
    ]
    assert prompt.metadata == shared | {"input_tokens": 4, "prompt": "Hi?"}
    assert answer.metadata == shared | own


def test_an_exchange_in_a_trace_and_in_its_generation_has_the_same_ids() -> None:
    ids = [[event.event_id for event in parse_record(row)] for row in (TRACE, GENERATION, SNAKE)]
    assert ids == [[PROMPT_ID, GENERATION_ID]] * 3
    other = [event.event_id for event in parse_record(GENERATION | {"id": "o2", "output": "Good day."})]
    assert other[0] == PROMPT_ID
    assert other[1] != GENERATION_ID


@pytest.mark.parametrize(
    "value",
    [
        "Hi?",
        [{"role": "user", "content": "Hi?"}],
        [{"type": "human", "content": "Hi?"}],
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi?"}]}]},
        {"role": "user", "parts": [{"text": "Hi?"}]},
        {"prompt": "Hi?", "temperature": 0},
        {"question": "Hi?"},
        '{"query": "Hi?"}',
        ["Hi?"],
    ],
)
def test_an_input_may_be_text_messages_or_an_object(value: object) -> None:
    assert texts(input=value)[0] == ("User prompt", "Hi?")


@pytest.mark.parametrize(
    "value",
    [
        "Hello.",
        {"role": "assistant", "content": "Hello."},
        [{"role": "assistant", "content": "Hello."}],
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}}]},
        {"answer": "Hello.", "sources": []},
        {"role": "model", "parts": [{"text": "Hello."}]},
    ],
)
def test_an_output_may_be_text_messages_or_an_object(value: object) -> None:
    assert texts(output=value)[-1] == ("AI generation", "Hello.")


def test_a_step_of_an_agent_repeats_no_prompt() -> None:
    turns = [
        {"role": "user", "content": "Hi?"},
        {"role": "assistant", "content": None},
        {"role": "tool", "content": "4"},
    ]
    assert texts(input=turns) == [("AI generation", "Hello.")]


@pytest.mark.parametrize("nothing", [None, "", " ", [], {}, {"a": 1}, [[]], 3, True, [{"role": "user"}]])
def test_a_generation_without_texts_is_one_event(nothing: object) -> None:
    (event,) = parse_record(GENERATION | {"input": nothing, "output": None})
    shared = {"traceId": "t1", "level": "DEFAULT", "plan": "pro", "model": "small-1"}
    counts = {"input_tokens": 4, "output_tokens": 2, "cost_usd": 0.25, "latency_seconds": 1.5, "is_error": False}
    assert (event.event_name, event.event_id, event.metadata) == ("answer", "o1", shared | counts)
    assert event.is_textless


def test_other_observations_are_one_event_without_their_inputs() -> None:
    (event,) = parse_record(GENERATION | {"type": "SPAN", "name": None, "model": None})
    at = NOON + dt.timedelta(seconds=0.5)
    metadata = {"traceId": "t1", "level": "DEFAULT", "plan": "pro", "is_error": False}
    source = "langfuse_observation"
    assert event == Event("o1", "SPAN", "t1", None, at, None, source, metadata, is_session_lone=True, trace_id="t1")


def test_a_trace_without_text_is_one_event_with_its_input() -> None:
    (event,) = parse_record(TRACE | {"input": {"rows": 3}, "output": None, "name": None, "tags": None})
    assert (event.event_id, event.event_name, event.session_id, event.user_id) == ("t1", "Trace", "s1", "u1")
    assert event.metadata == {"input": {"rows": 3}, "plan": "pro", "cost_usd": 0.5, "latency_seconds": 2}
    assert (event.event_at, event.is_textless) == (NOON, True)


CALL = {
    "id": "call-1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Paris", "days": 2}'},
}
TOOL = {
    "id": "o2",
    "type": "TOOL",
    "traceId": "t1",
    "name": "weather",
    "startTime": "2024-05-01T12:00:02Z",
    "endTime": "2024-05-01T12:00:02.250Z",
    "level": "DEFAULT",
}


@pytest.mark.parametrize(
    "given",
    [
        {"city": "Paris", "days": 2},
        {"args": [], "kwargs": {"days": 2, "city": "Paris"}},
        "{'city': 'Paris', 'days': 2}",
    ],
)
def test_the_execution_of_a_tool_has_the_id_of_its_call_and_tells_how_it_ended(given: object) -> None:
    (call,) = parse_record(GENERATION | {"input": None, "output": {"role": "assistant", "tool_calls": [CALL]}})
    (run,) = parse_record(TOOL | {"input": given, "output": "18 degrees"})
    assert (call.event_id, call.event_name, call.is_tool_call) == (run.event_id, run.event_name, run.is_tool_call)
    assert (run.event_name, run.event_at) == ("tool:weather", NOON + dt.timedelta(seconds=2))
    assert run.metadata == {
        "traceId": "t1",
        "level": "DEFAULT",
        "status": "success",
        "is_error": False,
        "latency_seconds": 0.25,
    }


def test_executions_with_other_arguments_are_other_events_and_those_without_have_their_own_id() -> None:
    inputs = ({"city": "Paris"}, {"city": "Rome"}, None, None)
    events = [parse_record(TOOL | {"id": f"o{place}", "input": given})[0] for place, given in enumerate(inputs)]
    assert len({event.event_id for event in events}) == 4


def test_a_failed_observation_is_an_error() -> None:
    failed = {"level": "ERROR", "statusMessage": "timed out"}
    (run,) = parse_record(TOOL | failed)
    assert (run.metadata["status"], run.metadata["is_error"], run.metadata["statusMessage"]) == (
        "error",
        True,
        "timed out",
    )
    prompt, answer = parse_record(GENERATION | failed)
    assert "is_error" not in prompt.metadata
    assert answer.metadata["is_error"] is True


SCORE: dict[str, Any] = {
    "id": "sc1",
    "timestamp": "2024-05-01T12:05:00Z",
    "traceId": "t1",
    "observationId": "o1",
    "name": "thumbs",
    "value": 0,
    "stringValue": "False",
    "dataType": "BOOLEAN",
    "source": "API",
    "comment": "Wrong city",
    "authorUserId": "reviewer",
    "metadata": {"plan": "pro"},
}


def test_a_score_is_feedback_in_the_trace_that_it_scores() -> None:
    (event,) = parse_record(SCORE)
    assert (event.event_id, event.event_name, event.source_format) == ("sc1", "feedback", "langfuse_score")
    assert (event.session_id, event.user_id, event.trace_id) == ("t1", None, "t1")
    assert event.metadata == {
        "value": 0,
        "source": "API",
        "comment": "Wrong city",
        "plan": "pro",
        "score_name": "thumbs",
        "string_value": "False",
        "data_type": "BOOLEAN",
        "trace_id": "t1",
        "observation_id": "o1",
    }


def test_a_score_of_the_blob_export_or_of_a_session_is_feedback_too() -> None:
    snake = {
        "trace_id": "t1",
        "data_type": "CATEGORICAL",
        "string_value": "good",
        "source": "ANNOTATION",
        "value": "0.0",
    }
    base = {"id": "sc2", "timestamp": "2024-05-01 12:05:00.000000", "name": "quality", "project_id": "p1"}
    (of_trace,) = parse_record(base | snake)
    assert (of_trace.session_id, of_trace.metadata["string_value"], of_trace.is_zone_assumed) == ("t1", "good", False)
    (of_session,) = parse_record(base | snake | {"trace_id": None, "session_id": "s1"})
    assert (of_session.session_id, of_session.trace_id) == ("s1", None)
    (with_trace,) = parse_record(base | snake | {"trace": {"userId": "u1", "sessionId": "s1"}})
    assert (with_trace.session_id, with_trace.user_id) == ("s1", "u1")


def test_a_trace_with_its_observations_and_scores_is_several_rows() -> None:
    whole = TRACE | {"observations": [GENERATION, TOOL], "scores": [SCORE]}
    names = [event.event_name for row in split_record(whole) for event in parse_record(row)]
    assert names == [PROMPT, ANSWER, PROMPT, ANSWER, "tool:weather", "feedback"]
    assert [event.event_name for row in split_record(TRACE) for event in parse_record(row)] == [PROMPT, ANSWER]


def test_a_turret_event_with_a_value_and_a_trace_is_no_score() -> None:
    record = {
        "id": "1",
        "name": "rated",
        "value": 1,
        "trace_id": "t1",
        "source": "app",
        "timestamp": 1714564800,
        "metadata": {},
    }
    assert parse_record(record)[0].source_format == "turret"


def test_without_a_session_that_of_a_user_is_derived_later_and_otherwise_it_is_the_trace() -> None:
    alone = TRACE | {"sessionId": None}
    assert {event.session_id for event in parse_record(alone)} == {None}
    assert {event.session_id for event in parse_record(alone | {"userId": None})} == {"t1"}


def test_times_without_a_zone_are_utc_as_its_documentation_says() -> None:
    assert {event.is_zone_assumed for event in parse_record(SNAKE)} == {False}


def test_an_end_before_the_start_gives_a_latency_of_zero() -> None:
    prompt, generation = parse_record(GENERATION | {"endTime": "2024-05-01T11:00:00Z"})
    assert (generation.event_at, generation.metadata["latency_seconds"]) == (prompt.event_at, 0)


def test_metadata_may_be_anything() -> None:
    (event,) = parse_record(GENERATION | {"type": "EVENT", "metadata": "note"})
    assert event.metadata["metadata"] == "note"
    assert parse_record(GENERATION | {"metadata": orjson.dumps({"plan": "pro"}).decode()}) == parse_record(GENERATION)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (GENERATION | {"startTime": "soon"}, "invalid_timestamp"),
        (GENERATION | {"endTime": []}, "invalid_timestamp"),
        (GENERATION | {"traceId": {}}, "invalid_session_id"),
        (TRACE | {"id": True}, "invalid_event_id"),
        (TRACE | {"userId": []}, "invalid_user_id"),
        (TRACE | {"latency": -1}, "invalid_latency"),
        (TRACE | {"name": 3, "input": None, "output": None}, "invalid_name"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_code(record: dict[str, object], code: str) -> None:
    assert rejection_of(record)[0] == code


def test_a_turret_event_with_input_and_output_is_not_a_langfuse_trace() -> None:
    record = {
        "name": "asked",
        "timestamp": 1714564800,
        "id": "1",
        "session_id": "s1",
        "input": "Hi?",
        "output": "Hello.",
    }
    (event,) = parse_record(record)
    assert (event.source_format, event.metadata) == ("turret", {"id": "1", "input": "Hi?", "output": "Hello."})


def test_a_row_of_another_shape_is_rejected_if_the_format_is_selected() -> None:
    assert rejection_of({"id": "1"}, FORMATS["langfuse_observation"])[1] == (
        "The row does not match format langfuse_observation: missing startTime or start_time and type "
        "(AGENT, CHAIN, EMBEDDING, EVALUATOR, EVENT, GENERATION, GUARDRAIL, RETRIEVER, SPAN, TOOL); keys: id."
    )


def test_texts_of_a_csv_export_that_are_json_strings_are_decoded() -> None:
    texts = {key: value for key, value in SNAKE.items() if isinstance(value, str)}
    encoded = {key: orjson.dumps(value).decode() for key, value in texts.items()}
    assert split_record({**SNAKE, **encoded, "parent_id": '""', "latency": "1.5"}) == [
        {**SNAKE, "parent_id": "", "latency": "1.5"}
    ]


@pytest.mark.parametrize(
    "record", [{**TRACE, "input": '"Hi?"', "observations": None}, {"id": '"t1"', "input": '"Hi" "'}]
)
def test_quoted_texts_of_other_rows_stay(record: dict[str, Any]) -> None:
    assert split_record({**record, "scores": None}) == [{**record, "scores": None}]


ROOT: dict[str, Any] = {
    "id": "o0",
    "type": "SPAN",
    "traceId": "t1",
    "parentObservationId": None,
    "name": "support",
    "startTime": "2024-05-01T12:00:00.000Z",
    "input": "Hi?",
    "output": "Hello.",
}


@pytest.mark.parametrize("kind", ["SPAN", "AGENT", "CHAIN"])
def test_the_root_of_a_trace_repeats_its_generation(kind: str) -> None:
    root = parse_record(ROOT | {"type": kind})
    generation = parse_record(GENERATION)
    assert [(event.event_name, event.event_id) for event in root] == [
        (event.event_name, event.event_id) for event in generation
    ]
    snake = {key: value for key, value in ROOT.items() if key != "parentObservationId"} | {"parent_observation_id": ""}
    assert [event.event_id for event in parse_record(snake)] == [PROMPT_ID, GENERATION_ID]


@pytest.mark.parametrize(
    "change",
    [
        {"parentObservationId": "o9"},
        {"input": None},
        {"output": None},
        {"input": [1, 2]},
        {"type": "EVENT"},
        {"type": "RETRIEVER"},
    ],
)
def test_a_step_without_prompt_and_answer_is_one_event_without_texts(change: dict[str, Any]) -> None:
    (event,) = parse_record(ROOT | change)
    assert (event.event_name, event.metadata.keys() & {"prompt", "generation"}) == ("support", set())


def test_a_step_that_does_not_say_whether_it_is_the_root_is_one_event() -> None:
    assert len(parse_record({key: value for key, value in ROOT.items() if key != "parentObservationId"})) == 1
