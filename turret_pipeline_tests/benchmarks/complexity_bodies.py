"""Worst-case files, and bodies of requests to the collector."""

import functools
import gzip
import io
from collections.abc import Callable, Iterator, Mapping

from backports import zstd

from turret_pipeline.collector.endpoints import TRUBRICS_PARSERS
from turret_pipeline.collector.examples import find_example
from turret_pipeline.collector.gzip_bodies import decompress_gzip
from turret_pipeline.collector.paths import TRACK, V1_EVENTS
from turret_pipeline.collector.wire.batch_items import parse_items, recover_items
from turret_pipeline.collector.wire.events import parse_any_event
from turret_pipeline.collector.wire.turret import parse_track_event
from turret_pipeline.collector.wire.validation import MetadataLimits
from turret_pipeline.events.parsing import parse_block
from turret_pipeline.ingest.reading import read_blocks
from turret_pipeline_tests.benchmarks.complexity_inputs import LIMITS, OPTIONS, PUMPS, Case, pump, repeat_bytes
from turret_pipeline_tests.benchmarks.complexity_rows import SHAPES
from turret_pipeline_tests.benchmarks.fuzz import NAMES


def list_file_cases() -> Iterator[Case]:
    """Files of every kind of name, with repeated texts; and compressed files of many parts."""
    for name in NAMES:
        for text in PUMPS:
            yield Case(f"file {name}: {text!r}", _make_file(name, text), functools.partial(_read_file, name))
    for part, empty in (("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstd.compress(b""))):
        yield Case(f"{part} members", functools.partial(repeat_bytes, empty), functools.partial(_read_file, "a.jsonl"))


def _make_file(name: str, text: str) -> Callable[[int], bytes]:
    def make(size: int) -> bytes:
        content = pump(text, size).encode("utf-8", "surrogatepass")
        if name.endswith(".gz"):
            return gzip.compress(content, 1)
        return zstd.compress(content) if name.endswith(".zst") else content

    return make


def _read_file(name: str, content: bytes) -> None:
    for block in read_blocks(io.BytesIO(content), name):
        parse_block(block, OPTIONS)


def list_http_cases() -> Iterator[Case]:
    """Bodies of the collector: its decoders, and the parser of each endpoint."""
    yield Case("gzip body", functools.partial(repeat_bytes, gzip.compress(b"", mtime=0)), _decompress)
    for text in PUMPS:
        make = functools.partial(_make_array, text)
        yield Case(f"array body: {text!r}", make, _recover_array)
        yield Case(f"lines body: {text!r}", make, _parse_lines)
    for path, parse in PARSERS.items():
        example = find_example(path)
        event = example[0] if isinstance(example, list) else example
        for shape, grow in SHAPES.items():
            yield Case(
                f"{path}: {shape}",
                functools.partial(grow, {**event, "more": [[{}]]}),
                functools.partial(_validate, parse),
            )


PARSERS: Mapping[str, Callable[[object, MetadataLimits], object]] = {
    **TRUBRICS_PARSERS,
    V1_EVENTS: parse_any_event,
    TRACK: functools.partial(parse_track_event, received_at="2026-05-01T10:00:00Z"),
}


def _make_array(text: str, size: int) -> bytes:
    return f"[{pump(text, size)}]".encode("utf-8", "replace")


def _recover_array(body: bytes) -> object:
    return list(recover_items(body, 1 << 30))


def _parse_lines(body: bytes) -> object:
    return list(parse_items(body.splitlines()))


def _decompress(body: bytes) -> object:
    return list(decompress_gzip(bytearray(body), 1 << 30))


def _validate(parse: Callable[[object, MetadataLimits], object], value: object) -> object:
    return parse(value, LIMITS)
