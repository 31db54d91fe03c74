"""Files of OpenTelemetry's protobuf, and the events of their spans."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from turret_pipeline.events.parsing import ParseOptions, parse_records
from turret_pipeline_tests.events.files import read_outcomes, read_records, write_file

BEGIN = 1_714_564_800_000_000_000


def batch(number: int, text: str, resource_count: int = 1) -> TracesData:
    """A batch of one span of a chat for each resource, in the traces of this number."""
    data = TracesData()
    for place in range(resource_count):
        span = data.resource_spans.add().scope_spans.add().spans.add()
        span.trace_id, span.span_id = bytes([number] * 15 + [place]), bytes([number] * 8)
        span.name, span.start_time_unix_nano, span.end_time_unix_nano = "chat", BEGIN, BEGIN + 10**9
        values = {"gen_ai.operation.name": "chat", "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": text}
        for key, value in values.items():
            attribute = span.attributes.add()
            attribute.key, attribute.value.string_value = key, value
    return data


def sized(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


def delimited(message: bytes) -> bytes:
    size, head = len(message), b""
    while size > 0x7F:
        head, size = head + bytes([size & 0x7F | 0x80]), size >> 7
    return head + bytes([size]) + message


def prompts(path: Path) -> list[tuple[Any, ...]]:
    """Ids of traces and numbers of rows of the events in a file."""
    return parse_records(read_records(path), ParseOptions()).events.select("line_number", "trace_id").rows()


ONE, TWO = batch(1, "Hi?").SerializeToString(), batch(2, "And now?").SerializeToString()
FIRST, SECOND = "01" * 15 + "00", "02" * 15 + "00"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pb", sized(ONE, TWO)),
        ("a.json", sized(ONE, TWO)),
        ("a.pb", sized(zstd.compress(ONE), zstd.compress(TWO))),
        ("a.binpb", delimited(ONE) + delimited(TWO)),
    ],
)
def test_messages_after_their_lengths_are_batches(tmp_path: Path, name: str, content: bytes, pack: Any) -> None:  # noqa: ANN401 - compress has options
    assert prompts(write_file(tmp_path, name, pack(content))) == [(1, FIRST), (2, SECOND)]


def test_a_file_may_be_one_request_of_several_resources(tmp_path: Path) -> None:
    path = write_file(tmp_path, "traces.otlp.pb", batch(1, "Hi?", resource_count=2).SerializeToString())
    assert prompts(path) == [(1, FIRST), (2, "01" * 16)]


def test_messages_in_json_have_lengths_too_if_they_are_compressed(tmp_path: Path) -> None:
    messages = (zstd.compress(b'{"resourceSpans": []}'), zstd.compress(b'{"resourceSpans"'))
    outcomes = read_outcomes(write_file(tmp_path, "traces.json", sized(*messages)))
    assert outcomes == [(1, {"resourceSpans": []}), (2, "invalid_protobuf")]


def test_a_text_with_the_ending_of_protobuf_is_read_as_json(tmp_path: Path) -> None:
    assert read_outcomes(write_file(tmp_path, "a.pb", b'{"name":"a"}\n')) == [(1, {"name": "a"})]


def test_a_damaged_message_costs_only_itself(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.pb", sized(ONE, b"\x0a\x7fbroken", TWO))
    assert [code for _, code in read_outcomes(path)][1] == "invalid_protobuf"
    assert prompts(path) == [(1, FIRST), (3, SECOND)]


@pytest.mark.parametrize(
    "content",
    [sized(ONE, TWO)[:-5], sized(ONE) + b"\xff\xff\xff\xff" + TWO, sized(ONE) + b"\x00\x00", delimited(ONE) + b"\x8a"],
)
def test_a_damaged_length_costs_only_what_follows(tmp_path: Path, content: bytes) -> None:
    path = write_file(tmp_path, "a.pb", content)
    assert [code for _, code in read_outcomes(path)][1:] == ["damaged_file"]
    assert prompts(path) == [(1, FIRST)]


def test_damaged_compression_costs_only_what_follows(tmp_path: Path) -> None:
    many = sized(*(batch(1, str(number) * 50).SerializeToString() for number in range(5000)))
    path = write_file(tmp_path, "a.pb.gz", gzip.compress(many)[:-4000])
    outcomes = read_outcomes(path)
    assert len(outcomes) > 100
    assert outcomes[-1][1] == "damaged_file"


def test_a_file_without_bytes_has_no_rows(tmp_path: Path) -> None:
    assert read_outcomes(write_file(tmp_path, "a.pb", b"")) == []
