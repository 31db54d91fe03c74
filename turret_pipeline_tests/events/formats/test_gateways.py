"""Logs of gateways: Portkey, OpenRouter and Cloudflare."""

import datetime as dt
from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, parse_record
from turret_pipeline_tests.events.formats.calls import texts_of

ASKED = {"messages": [{"role": "user", "content": "How do I reset my password?"}]}
ANSWER = {"choices": [{"message": {"role": "assistant", "content": "In Settings."}}]}
EXCHANGE = [("User prompt", "How do I reset my password?"), ("AI generation", "In Settings.")]
PORTKEY: dict[str, Any] = dict(FORMATS["portkey"].example)
OPENROUTER: dict[str, Any] = dict(FORMATS["openrouter"].example)
CLOUDFLARE: dict[str, Any] = dict(FORMATS["cloudflare_ai_gateway"].example)
START = dt.datetime(2026, 3, 2, 9, 15, tzinfo=dt.UTC)


def test_a_log_of_portkey_is_an_exchange_whose_cost_is_in_dollars() -> None:
    prompt, answer = parse_record(PORTKEY)
    assert parse_record(PORTKEY | {"cost": "0.02"}) == [prompt, answer]
    assert texts_of(PORTKEY) == EXCHANGE
    assert (prompt.event_id, prompt.user_id, prompt.session_id, prompt.event_at) == (
        "log-1-prompt",
        "u-1",
        "s-1",
        START,
    )
    assert answer.event_at == START + dt.timedelta(seconds=1.5)
    found = {key: answer.metadata[key] for key in ("cost_usd", "output_tokens", "is_error", "model")}
    assert found == {"cost_usd": 0.0002, "output_tokens": 4, "is_error": False, "model": "small-1"}


def test_the_bodies_of_portkey_may_be_columns_and_texts() -> None:
    flat = {key: value for key, value in PORTKEY.items() if key not in ("request", "response")}
    texts = {"request.body": orjson.dumps(ASKED).decode(), "response.body": orjson.dumps(ANSWER).decode()}
    assert texts_of(flat | texts) == texts_of(flat | {"request": ASKED, "response": ANSWER}) == EXCHANGE


def test_a_generation_of_openrouter_is_one_event() -> None:
    (event,) = parse_record(OPENROUTER)
    assert parse_record({"data": OPENROUTER}) == [event]
    assert (event.event_id, event.user_id, event.event_at, event.is_textless) == ("gen-1", "u-1", START, True)
    assert event.metadata == {
        "model": "small-1",
        "input_tokens": 31,
        "output_tokens": 4,
        "cost_usd": 0.0015,
        "finish_reason": "stop",
        "latency_seconds": 1.2,
    }


def test_a_row_of_the_activity_of_openrouter_is_one_event() -> None:
    row = {
        "generation_id": "gen-1",
        "created_at": "2026-03-02 09:15:00",
        "cost_total": "0.0015",
        "user": "owner",
        "tokens_prompt": "31",
        "tokens_completion": "4",
        "model_permaslug": "small-1",
        "generation_time_ms": "1200",
    }
    (event,) = parse_record(row)
    assert (event.event_id, event.user_id, event.event_at) == ("gen-1", None, START)
    assert event.metadata | {"model": "small-1", "cost_usd": "0.0015", "latency_seconds": 1.2} == event.metadata


def test_a_log_of_cloudflare_is_an_exchange() -> None:
    prompt, answer = parse_record(CLOUDFLARE)
    assert texts_of(CLOUDFLARE) == EXCHANGE
    assert (prompt.user_id, prompt.session_id, prompt.metadata["input_tokens"]) == ("u-1", "s-1", 31)
    assert (answer.metadata["output_tokens"], answer.metadata["is_error"]) == (4, False)


@pytest.mark.parametrize("body", [{"type": "encrypted", "data": "eA=="}, '{"messages":[{"role":"us'])
def test_a_body_that_cannot_be_read_is_no_text(body: object) -> None:
    (event,) = parse_record(CLOUDFLARE | {"request": body, "response": body})
    assert (event.event_name, event.is_textless) == ("LLM call", True)


def test_a_log_that_cloudflare_pushed_has_capital_letters() -> None:
    row = {
        "Gateway": "g",
        "Cached": False,
        "Timestamp": "2026-03-02T09:15:00Z",
        "Model": "small-1",
        "StatusCode": 200,
        "Metadata": {"user_id": "u-1", "session_id": "s-1"},
        "Metrics": {"cost": 0.5, "durationMs": 1500},
        "RequestBody": ASKED,
        "ResponseBody": ANSWER,
    }
    _, answer = parse_record(row)
    assert texts_of(row) == EXCHANGE
    assert (answer.user_id, answer.session_id, answer.event_at) == ("u-1", "s-1", START + dt.timedelta(seconds=1.5))
    assert answer.metadata["cost_usd"] == 0.5
