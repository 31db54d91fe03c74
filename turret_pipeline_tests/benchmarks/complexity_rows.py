"""Worst-case rows of every format: more rows, longer texts, longer lists, wider and deeper objects."""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from turret_pipeline.events.formats import FORMATS
from turret_pipeline.events.parsing import parse_records
from turret_pipeline.events.rows import Record
from turret_pipeline_tests.benchmarks.complexity_inputs import OPTIONS, Case, pump

MAX_DEPTH = 90


Grow = Callable[[Any, int], Any]
"""A function that makes a row about as large as given."""


def list_row_cases() -> Iterator[Case]:
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
