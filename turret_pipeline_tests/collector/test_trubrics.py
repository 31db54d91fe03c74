"""Trubrics' and Segment's paths: batches, their errors, and their landing records."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from turret_pipeline.events.formats import parse_record
from turret_pipeline_tests.collector.servers import Server, make_event, make_llm_event, run_server, start_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("trubrics")) as started:
        yield started


def post_batch(server: Server, path: str, items: Sequence[object]) -> list[dict[str, Any]]:
    """Post a batch and return the records that it adds."""
    before = server.read_records()
    answer = server.post(path, items)
    assert (answer.status_code, answer.json()) == (200, {"status": "success"}), answer.text
    return server.read_records()[len(before) :]


@pytest.mark.parametrize("prefix", ["", "/api/ingestion"])
@pytest.mark.parametrize(
    "path", ["/publish_events", "/publish_llm_events", "/publish_segment_events", "/identify_segment_users"]
)
def test_every_path_accepts_an_empty_array(server: Server, prefix: str, path: str) -> None:
    assert post_batch(server, prefix + path, []) == []


def test_an_event_is_stored_unchanged_with_an_id_and_its_time_of_receipt(server: Server) -> None:
    item = make_event(properties={"$thread_id": "t1", "$text": "Hello", "plan": "free", "deep": {"a": [1]}})
    (record,) = post_batch(server, "/publish_events", [item])
    assert record.pop("event_id").startswith("evt_")
    assert record.pop("received_at").endswith("+00:00")
    assert record == item
    (parsed,) = parse_record({**record, "event_id": "e"})
    assert (parsed.session_id, parsed.metadata) == ("t1", {"text": "Hello", "plan": "free", "deep": {"a": [1]}})


def test_an_llm_event_becomes_its_prompt_and_its_generation_in_one_session(server: Server) -> None:
    item = make_llm_event(latency=1.5, thread_id="wins", assistant_id="gpt", properties={"$thread_id": "loses", "a": 1})
    (record,) = post_batch(server, "/publish_llm_events", [item])
    prompt, generation = parse_record(record)
    assert [part.event_id for part in (prompt, generation)] == [
        f"{record['event_id']}-prompt",
        f"{record['event_id']}-generation",
    ]
    assert prompt.session_id == generation.session_id == "wins"
    assert [part.event_name for part in (prompt, generation)] == ["User prompt", "AI generation"]
    assert generation.event_at is not None
    assert prompt.event_at is not None
    assert (generation.event_at - prompt.event_at).total_seconds() == 1.5
    assert prompt.metadata == {"prompt": "Hello?", "assistant_id": "gpt", "a": 1}


def test_null_fields_count_as_missing(server: Server) -> None:
    unset = dict.fromkeys(
        [
            "assistant_id",
            "timestamp",
            "latency",
            "thread_id",
            "properties",
            "prompt_event_name",
            "generation_event_name",
        ]
    )
    (record,) = post_batch(server, "/publish_llm_events", [make_llm_event(prompt="no time", **unset)])
    assert set(record) == {"event_id", "timestamp", "received_at", "user_id", "prompt", "generation"}
    prompt, _ = parse_record(record)
    assert prompt.received_at == prompt.event_at


def test_a_time_without_a_zone_is_utc_and_counted(server: Server) -> None:
    def count() -> str:
        lines = server.get("/metrics").text.splitlines()
        return next((line.split()[-1] for line in lines if line.startswith("turret_collector_naive_")), "0")

    before = float(count())
    (record,) = post_batch(server, "/publish_events", [make_event(timestamp="2026-05-01T10:00:00.123456")])
    assert str(parse_record(record)[0].event_at) == "2026-05-01 10:00:00.123456+00:00"
    assert float(count()) == before + 1
    post_batch(
        server,
        "/publish_events",
        [make_event(timestamp=at) for at in ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00+02:00")],
    )
    assert float(count()) == before + 1


def test_fields_of_other_formats_move_into_the_properties(server: Server) -> None:
    item = make_event(name="not a Turret event", event_id="mine", prompt="p")
    (record,) = post_batch(server, "/publish_events", [item])
    (parsed,) = parse_record(record)
    assert (parsed.event_name, parsed.source_format) == ("page_seen", "trubrics_event")
    assert parsed.metadata == {"name": "not a Turret event", "event_id": "mine", "prompt": "p"}
    assert record["event_id"].startswith("evt_")


@pytest.mark.parametrize(
    ("path", "item", "message"),
    [
        ("/publish_events", {}, "Missing required field: user_id"),
        ("/publish_events", make_event(user_id=5), "user_id is a number"),
        ("/publish_events", make_event(user_id=""), "user_id has 0 characters"),
        ("/publish_events", make_event(event=None), "Missing required field: event"),
        ("/publish_events", make_event(event="  "), "only white space"),
        ("/publish_events", make_event(timestamp=None), "Missing required field: timestamp"),
        ("/publish_events", make_event(timestamp="yesterday"), "timestamp is not an ISO 8601 time"),
        ("/publish_events", make_event(timestamp="2026-02-30T00:00:00Z"), "timestamp is not an ISO 8601 time"),
        ("/publish_events", make_event(timestamp="1899-12-31T00:00:00Z"), "timestamp is not an ISO 8601 time"),
        ("/publish_events", make_event(timestamp=1_700_000_000), "timestamp is a number"),
        ("/publish_events", make_event(properties=[]), "properties is an array"),
        ("/publish_events", make_event(properties={"$thread_id": {}}), "$thread_id is an object"),
        ("/publish_events", "text", "The item is a string"),
        ("/publish_llm_events", make_llm_event(prompt=None), "Missing required field: prompt"),
        ("/publish_llm_events", make_llm_event(generation=1), "generation is a number"),
        ("/publish_llm_events", make_llm_event(latency=-1), "latency is out of range"),
        ("/publish_llm_events", make_llm_event(latency="1"), "latency is a string"),
        ("/publish_llm_events", make_llm_event(assistant_id=1), "assistant_id is a number"),
        ("/publish_llm_events", make_llm_event(prompt="x" * 200_001), "prompt has 200001 characters"),
        ("/publish_segment_events", {"event": "e"}, "user_id (or anonymous_id)"),
        ("/identify_segment_users", {"traits": {}}, "user_id (or anonymous_id)"),
        ("/publish_segment_events", make_event(llm_properties={"latency": -1}), "latency is out of range"),
        ("/publish_segment_events", make_event(llm_properties={"prompt": 5}), "prompt is a number"),
    ],
)
def test_an_invalid_item_is_reported_and_nothing_of_its_batch_is_stored(
    server: Server, path: str, item: object, message: str
) -> None:
    before = len(server.read_records())
    good = {**make_event(), **make_llm_event()}
    answer = server.post(path, [good, item, good, item])
    error = answer.json()
    assert (answer.status_code, error["code"]) == (422, "INVALID_BATCH")
    assert [problem["index"] for problem in error["detail"]] == [1, 3]
    assert message in error["detail"][0]["error"]
    assert len(server.read_records()) == before


@pytest.mark.parametrize("body", [b"{", b"{}", b"null", b'"x"', [make_event()] * 101])
def test_an_invalid_payload_gets_422_with_detail(server: Server, body: object) -> None:
    answer = server.post("/publish_events", body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


def test_a_fixed_batch_is_stored(server: Server) -> None:
    assert server.post("/publish_events", [make_event(user_id="fixed"), {}]).status_code == 422
    assert len(post_batch(server, "/publish_events", [make_event(user_id="fixed")])) == 1


def test_equal_items_of_a_batch_are_separate_events(server: Server) -> None:
    records = post_batch(server, "/publish_events", [make_event(user_id="hundred")] * 100)
    assert len({record["event_id"] for record in records}) == 100


def test_segment_items_become_events_llm_events_and_users(server: Server) -> None:
    track = {"event": "Bought", "timestamp": "2026-05-01T10:00:00.000Z", "user_id": None, "anonymous_id": "a1"}
    context = {"page": {"url": "https://example.com"}}
    llm = {"prompt": "p", "generation": "g", "thread_id": "t", "assistant_id": "gpt", "latency": 2, "tool": "web"}
    items = [
        {**track, "context": context, "properties": {"price": 5}},
        {**track, "user_id": "u", "llm_properties": llm},
    ]
    bought, asked = post_batch(server, "/publish_segment_events", items)
    (event,) = parse_record(bought)
    assert (event.event_name, event.user_id) == ("Bought", "a1")
    assert event.metadata == {"price": 5, "context": context}
    prompt, generation = parse_record(asked)
    assert (prompt.session_id, prompt.user_id, prompt.metadata["tool"]) == ("t", "u", "web")
    assert (generation.metadata["generation"], generation.metadata["segment_event"]) == ("g", "Bought")
    (user,) = post_batch(
        server, "/identify_segment_users", [{"user_id": "u", "traits": {"plan": "pro"}, "anonymous_id": "a"}]
    )
    (identified,) = parse_record(user)
    assert (identified.event_name, identified.user_id, identified.metadata) == ("identify", "u", {"plan": "pro"})
    assert [record.get("anonymous_id") for record in (bought, asked, user)] == [None, "a1", "a"]


def test_the_same_batch_is_stored_once_and_another_path_is_another_batch(server: Server) -> None:
    batch = [make_llm_event(user_id="once", timestamp=None), make_event(user_id="once", prompt="p", generation="g")]
    assert len(post_batch(server, "/publish_llm_events", batch)) == 2
    assert post_batch(server, "/publish_llm_events", batch) == []
    assert post_batch(server, "/api/ingestion/publish_llm_events", batch) == []
    assert len(post_batch(server, "/publish_llm_events", [*batch, make_llm_event(user_id="more")])) == 3


@pytest.mark.slow
def test_a_resent_batch_gets_the_same_ids_even_without_the_ledger(tmp_path: Path) -> None:
    batch = [make_event(user_id="crash"), make_event(user_id="crash")]
    first = start_server(tmp_path)
    assert first.post("/publish_events", batch).status_code == 200
    first.stop()
    for file in tmp_path.glob("collector/ledger.sqlite*"):  # as after a crash before the ledger was updated
        file.unlink()
    second = start_server(tmp_path, key=first.key)
    assert second.post("/publish_events", batch).status_code == 200
    second.stop()
    ids = [record["event_id"] for record in second.read_records()]
    assert (len(ids), len(set(ids))) == (4, 2)


@pytest.mark.slow
def test_the_same_batch_is_stored_once_across_workers(tmp_path: Path) -> None:
    with run_server(tmp_path, {"workers": 2}) as server:
        for _ in range(20):
            server.session.close()  # so that a new connection may reach the other worker
            assert server.post("/publish_events", [make_event()]).status_code == 200
        assert len(server.read_records()) == 1
