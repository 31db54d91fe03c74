"""Worst-case inputs of each decoder and parser, found from the registries of the code."""

import functools
import gzip
import importlib
import inspect
import io
import json
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backports import zstd

from turret_pipeline.collector.endpoints import TRUBRICS_PARSERS
from turret_pipeline.collector.examples import find_example
from turret_pipeline.collector.gzip_bodies import decompress_gzip
from turret_pipeline.collector.paths import TRACK, V1_EVENTS
from turret_pipeline.collector.wire.batch_items import parse_items, recover_items
from turret_pipeline.collector.wire.events import parse_any_event
from turret_pipeline.collector.wire.turret import parse_track_event
from turret_pipeline.collector.wire.validation import MetadataLimits
from turret_pipeline.events.formats import FORMATS
from turret_pipeline.events.parsing import ParseOptions, parse_block, parse_records
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.events.rows import Record
from turret_pipeline.ingest.reading import read_blocks
from turret_pipeline.scrubbing import KINDS, scrub_text
from turret_pipeline_tests.benchmarks.fuzz import NAMES
from turret_pipeline_tests.ingest.imports import FILE_TIME

PURE_PACKAGES = (
    *("escaping", "json_repair", "scrubbing", "events", "fields", "ingest", "collector.wire", "collector.projects"),
    *("topics.embedding", "topics.labels", "journeys", "reports", "signals", "config.addresses"),
)
"""Packages and modules whose functions work on texts of events, files and addresses."""

EXEMPT: Mapping[str, str] = {
    "signals.literals.list_needed": "takes patterns of this package",
    "signals.literals._read_escape": "takes patterns of this package",
}
"""Functions that take a text and are not measured, with the reason."""

PUMPS = (
    *(
        "a",
        "0",
        " ",
        "\n",
        "\t ",
        "-",
        ".",
        ",",
        ";",
        ":",
        "/",
        "\\",
        '"',
        "'",
        "`",
        "_",
        "@",
        "=",
        "<",
        ">",
        "&",
        "#",
        "|",
    ),
    *(
        "(",
        "[",
        "{",
        "[{",
        '{"a":',
        '["',
        "<a ",
        "<a>",
        "<!--",
        "&amp;",
        "a@",
        "a.",
        "a-",
        "a:",
        "a=",
        "a ",
        "A. ",
        "Aa ",
        "0-",
    ),
    *(
        "0.",
        "0 ",
        "1,",
        "+1 ",
        "0x",
        "1e",
        "\\u",
        "\\ud83d",
        "\\\\",
        '\\"',
        '"\\',
        "NaN",
        "Infinity",
        "é",
        "\u0301",
        "漢",
        "😀",
    ),
    *(
        "\x1b[",
        "\x00",
        "\ud83d",
        "\u200b",
        "www.",
        "http://",
        "sk-",
        "AKIA",
        "key=",
        "password: ",
        "http://a:",
        "-----BEGIN ",
    ),
    *(
        "> ",
        "- ",
        "* ",
        "```\n",
        "On a wrote:\n",
        "at a.b(c:1)\n",
        "2026-05-01T10:00:00Z ",
        "user: ",
        "1. ",
        "eyJ",
        "eyJ.",
    ),
)
"""Texts that are repeated. Each begins what some pattern looks for, and none ends it."""

OPTIONS = ParseOptions(FILE_TIME, privacy=Privacy(frozenset(KINDS)))
LIMITS = MetadataLimits(max_text_length=1 << 30, max_depth=200, max_keys=1 << 30)
MAX_DEPTH = 90


Grow = Callable[[Any, int], Any]
"""A function that makes a row about as large as given."""


@dataclass(frozen=True)
class Case:
    """Work on an input of about a given number of bytes."""

    name: str
    make_input: Callable[[int], Any]
    work: Callable[[Any], object]


def list_cases() -> list[Case]:
    """All cases, in a fixed order."""
    return [
        *_list_text_cases(),
        *_list_scrubbing_cases(),
        *_list_format_cases(),
        *_list_file_cases(),
        *_list_http_cases(),
    ]


def pump(text: str, size: int) -> str:
    """The text repeated to about this size, with an end that matches nothing."""
    return text * (size // len(text)) + "\x01!"


def list_modules() -> Iterator[types.ModuleType]:
    """All modules of PURE_PACKAGES."""
    for name in PURE_PACKAGES:
        module = importlib.import_module(f"turret_pipeline.{name}")
        yield module
        for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{module.__name__}."):
            yield importlib.import_module(found.name)


def list_text_functions() -> dict[str, tuple[Callable[[Any], object], type]]:
    """Functions that take one text or bytes and need nothing else, with the type that they take, by name."""
    functions: dict[str, tuple[Callable[[Any], object], type]] = {}
    for module in list_modules():
        for name, function in vars(module).items():
            if not inspect.isfunction(function) or function.__module__ != module.__name__:
                continue
            required = [each for each in inspect.signature(function).parameters.values() if each.default is each.empty]
            kind = _find_kind(function, required)
            if kind is not None:
                functions[f"{module.__name__.removeprefix('turret_pipeline.')}.{name}"] = (function, kind)
    return functions


def _find_kind(function: Callable[..., object], required: list[inspect.Parameter]) -> type | None:
    if len(required) != 1 or required[0].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        return None
    try:
        annotation = typing.get_type_hints(function).get(required[0].name)
    except (NameError, TypeError):  # imported for the type checker only
        annotation = {"str": str, "bytes": bytes}.get(str(required[0].annotation))
    is_union = typing.get_origin(annotation) in {types.UnionType, typing.Union}
    choices = typing.get_args(annotation) if is_union else (annotation,)
    return next((kind for kind in (str, bytes) if kind in choices), None)


def _list_text_cases() -> Iterator[Case]:
    for name, (function, kind) in list_text_functions().items():
        for text in () if name in EXEMPT else PUMPS:
            yield Case(f"{name}: {text!r}", _make_pump(text, kind), functools.partial(_call, function))


def _make_pump(text: str, kind: type) -> Callable[[int], Any]:
    if kind is bytes:
        return lambda size: pump(text, size).encode("utf-8", "surrogatepass")
    return lambda size: pump(text, size)


def _call(function: Callable[[Any], object], given: object) -> object:
    """The result of the function, with all steps of a generator."""
    result = function(given)
    return list(result) if inspect.isgenerator(result) else result


def _list_scrubbing_cases() -> Iterator[Case]:
    for kind in sorted(KINDS):
        for text in PUMPS:
            yield Case(f"scrub_text {kind}: {text!r}", _make_pump(text, str), functools.partial(_scrub, kind))


def _scrub(kind: str, text: str) -> object:
    return scrub_text(text, [kind])


def _list_format_cases() -> Iterator[Case]:
    """Rows of every format: more rows, longer texts, longer lists, wider and deeper objects."""
    for name, spec in FORMATS.items():
        for shape, grow in {**SHAPES, "rows": _repeat_row}.items():
            yield Case(f"format {name}: {shape}", functools.partial(_make_rows, grow, spec.example), _parse_rows)
        for text in ("a", " ", "1 ", '{"a":', "a@", "\n", "2026-05-01T10:00:00Z "):
            make = functools.partial(_make_rows, functools.partial(_grow_texts, text), spec.example)
            yield Case(f"format {name}: texts {text!r}", make, _parse_rows)


def _make_rows(grow: Grow, row: Any, size: int) -> list[Any]:  # noqa: ANN401
    grown = grow(row, size)
    return grown if isinstance(grown, list) else [grown]


def _repeat_row(row: Any, size: int) -> Any:  # noqa: ANN401
    return [row] * max(1, size // _size(row))


def _grow_lists(row: Any, size: int) -> Any:  # noqa: ANN401
    return _repeat_lists(row, max(1, size // _size(row)))


def _grow_keys(row: Any, size: int) -> Any:  # noqa: ANN401
    return _add_everywhere(row, {f"k{number}": number for number in range(size // 16)})


def _grow_depth(row: Any, size: int) -> Any:  # noqa: ANN401
    return _add_everywhere(row, {f"d{number}": _nest(MAX_DEPTH) for number in range(max(1, size // (8 * MAX_DEPTH)))})


def _grow_texts(text: str, row: Any, size: int) -> Any:  # noqa: ANN401
    return _lengthen_texts(row, pump(text, size // 8))


SHAPES: Mapping[str, Grow] = {"lists": _grow_lists, "keys": _grow_keys, "depth": _grow_depth}
"""Ways to make a row larger."""


def _size(row: object) -> int:
    return len(json.dumps(row, default=str))


def _parse_rows(rows: list[Any]) -> object:
    return parse_records([Record(number, row, "") for number, row in enumerate(rows, start=1)], OPTIONS)


def _nest(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def _repeat_lists(value: Any, times: int) -> Any:  # noqa: ANN401
    """The value with the outermost lists repeated."""
    if isinstance(value, list):
        return value * times
    return {key: _repeat_lists(inner, times) for key, inner in value.items()} if isinstance(value, dict) else value


def _add_everywhere(value: Any, more: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The value with more keys in the outermost object and in its objects."""
    return {**{key: {**inner, **more} if isinstance(inner, dict) else inner for key, inner in value.items()}, **more}


def _lengthen_texts(value: Any, text: str) -> Any:  # noqa: ANN401
    """The value with a long text after each of its texts with a space."""
    if isinstance(value, str):
        return value + text if " " in value else value
    if isinstance(value, list):
        return [_lengthen_texts(inner, text) for inner in value]
    return {key: _lengthen_texts(inner, text) for key, inner in value.items()} if isinstance(value, dict) else value


def _list_file_cases() -> Iterator[Case]:
    """Files of every kind of name, with repeated texts; and compressed files of many parts."""
    for name in NAMES:
        for text in PUMPS:
            yield Case(f"file {name}: {text!r}", _make_file(name, text), functools.partial(_read_file, name))
    for part, empty in (("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstd.compress(b""))):
        yield Case(f"{part} members", functools.partial(_repeat_bytes, empty), functools.partial(_read_file, "a.jsonl"))


def _repeat_bytes(part: bytes, size: int) -> bytes:
    return part * (size // len(part))


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


def _list_http_cases() -> Iterator[Case]:
    """Bodies of the collector: its decoders, and the parser of each endpoint."""
    yield Case("gzip body", functools.partial(_repeat_bytes, gzip.compress(b"", mtime=0)), _decompress)
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
