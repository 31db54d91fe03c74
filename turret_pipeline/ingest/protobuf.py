"""Batches of spans in files of OpenTelemetry's protobuf.

A file is one request (``ExportTraceServiceRequest`` or ``TracesData``), or messages one after the other, each with its
length before it: in four bytes, as the collector's file exporter writes them (``format: proto``), or as a varint, as
the specification "OpenTelemetry Protocol File Exporter" says. With ``compression: zstd`` each message is compressed.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, NamedTuple

import orjson
from backports import zstd

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import Record

ENDINGS = (".pb", ".binpb", ".otlp", ".protobuf")
MESSAGE_LIMIT = 32 << 20
"""Maximum bytes of a message, and of the spans of one resource."""

_SPANS_TAG, _ZSTD = 0x0A, b"\x28\xb5\x2f\xfd"
_SIZE_BYTES = 4


class _Damage(Exception):  # noqa: N818 - it becomes a rejection
    """A reason why nothing more can be read from a file."""


class _Message(NamedTuple):
    data: bytes
    is_request: bool
    """True for a whole request, false for the spans of one resource."""


def has_sizes(first_bytes: bytes) -> bool:
    """True if a file begins with the length of a message in four bytes, as no text does."""
    return len(first_bytes) > _SIZE_BYTES and first_bytes[0] == 0 and first_bytes[4] in {_SPANS_TAG, _ZSTD[0], ord("{")}


def protobuf_records(file: IO[bytes], first_bytes: bytes) -> Iterator[Record]:
    """Batches of spans, numbered by position. A damaged message costs itself; damaged lengths cost what follows."""
    number = 0
    messages = _read_sized(file) if has_sizes(first_bytes) else _read_delimited(file)
    try:
        for number, message in enumerate(messages, start=1):
            yield replace(_parse(message), line_number=number)
    except (_Damage, EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
        reason = f"The protobuf file cannot be read from here on: {error}."
        yield Record(number + 1, Rejection("damaged_file", reason), "")


def _read_sized(file: IO[bytes]) -> Iterator[_Message]:
    """Requests after their lengths in four bytes."""
    while head := _read(file, _SIZE_BYTES, is_end_allowed=True):
        yield _Message(_read(file, int.from_bytes(head, "big")), is_request=True)


def _read_delimited(file: IO[bytes]) -> Iterator[_Message]:
    """Requests after their lengths as varints; or the resources of one request, each of which is a field with a length.

    The tag of a resource cannot be a length: a request of ten bytes has no span.
    """
    while head := file.read(1):
        is_request = head[0] != _SPANS_TAG
        size = _read_varint(file, head[0] if is_request else _read_first(file))
        yield _Message(_read(file, size), is_request)


def _read_first(file: IO[bytes]) -> int:
    return _read(file, 1)[0]


def _read_varint(file: IO[bytes], first: int) -> int:
    size, shift, byte = first & 0x7F, 7, first
    while byte & 0x80:
        if shift > 28:
            raise _Damage("the length of a message is too large")
        byte = _read_first(file)
        size |= (byte & 0x7F) << shift
        shift += 7
    return size


def _read(file: IO[bytes], size: int, *, is_end_allowed: bool = False) -> bytes:
    if size > MESSAGE_LIMIT:
        raise _Damage(f"a message has {size:,} bytes, and may have {MESSAGE_LIMIT:,}")
    data = file.read(size)
    if len(data) < size and not (is_end_allowed and not data):
        raise _Damage(f"it ends within a message of {size:,} bytes")
    return data


def _parse(message: _Message) -> Record:
    """The batch in a message as JSON has it, or a rejection."""
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, TracesData

    data = message.data
    try:
        if data[:4] == _ZSTD:
            data = zstd.ZstdDecompressor().decompress(data, MESSAGE_LIMIT)
        if data[:1] == b"{":
            return Record(0, orjson.loads(data))
        if message.is_request:
            return Record(0, MessageToDict(TracesData.FromString(data)))
        return Record(0, {"resourceSpans": [MessageToDict(ResourceSpans.FromString(data))]})
    except (DecodeError, zstd.ZstdError, orjson.JSONDecodeError, ValueError, RecursionError) as error:
        rejection = Rejection("invalid_protobuf", f"This message cannot be read as a batch of spans: {error}.")
        return Record(0, rejection, "")
