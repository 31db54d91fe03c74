"""Metadata values: all leaves of the JSON of events, with path, type and number."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import orjson
import polars as pl

from turret_pipeline.fields.folding import EVENT_FIELD_LIMIT, choose_folds
from turret_pipeline.fields.id_keys import are_ids
from turret_pipeline.fields.numbers import parse_numbers
from turret_pipeline.tables import OTHER

VALUE_SCHEMA = pl.Schema(
    {
        "row": pl.UInt32(),
        "field": pl.String(),
        "json_type": pl.String(),
        "value": pl.String(),
        "number": pl.Float64(),
        "is_flat": pl.Boolean(),
    }
)
"""A value, with the position of its document, counted from 0; ``is_flat`` if the path has keys that contain dots."""

Columns = dict[tuple[str, bool], tuple[list[int], list[Any]]]
"""Positions of documents and values, by field and ``is_flat``."""


class _Fold(dict[str, Any]):
    """Fields of a document with too many of them, which are one value."""


FOLD = "fold"
"""JSON type of the objects that are one value because their document has more fields than EVENT_FIELD_LIMIT."""
JSON_TYPES = {_Fold: FOLD, str: "string", bool: "boolean", int: "number", float: "number", list: "list", dict: "object"}
NUMBER_LIMIT = 1e300
"""Values of this size and more keep their text and have no number, because sums of them could be infinite."""


def metadata_values(documents: Iterable[str]) -> pl.DataFrame:
    """VALUE_SCHEMA of JSON objects given as text, in any order. Nested keys are joined by dots, nulls are left out.

    A nested object whose keys are ids is one value: its keys are not the names of fields. So are the widest objects of
    a document with more than EVENT_FIELD_LIMIT fields; they have the type FOLD.
    If two keys make one path, as in {"a.b": 1, "a": {"b": 2}}, the keys with dots are quoted: a.b is 2, and "a.b" is 1.
    """
    frames = [_frame(kind, columns) for kind, columns in _collect_columns(documents).items()]
    return pl.concat(frames) if frames else pl.DataFrame(schema=VALUE_SCHEMA)


def _collect_columns(documents: Iterable[str]) -> Mapping[type, Columns]:
    """Columns by Python type of their values."""
    columns: defaultdict[type, Columns] = defaultdict(lambda: defaultdict(lambda: ([], [])))
    for row, text in enumerate(documents):
        document, flat = _parse(text), set[str]()
        if any(type(value) is dict for value in document.values()):
            document, flat = _flatten(document)
        else:
            flat = {key for key in document if "." in key}
        if len(document) > EVENT_FIELD_LIMIT:
            document = _fold(document)
        for path, value in document.items():
            if value is not None:
                rows, values = columns[type(value)][path, path in flat]
                rows.append(row)
                values.append(value)
    return columns


def _parse(text: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:  # a number beyond 64 bits, for example 1e999
        document = json.loads(text, parse_int=float)
    return document


def _flatten(document: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Leaves that are not null by path, and the paths with keys that contain dots, which are quoted if they must be."""
    found: dict[str, Any] = {}
    exact_paths: dict[str, str] = {}
    for path, exact, value in _leaves(document):
        if value is None:
            continue
        if path not in found:
            found[path], exact_paths[path] = value, exact
        elif exact != path:
            found[exact] = value
        else:  # the earlier one has keys with dots
            found[exact_paths[path]], found[path] = found[path], value
            exact_paths[path] = path
    return found, {path for path in found if exact_paths.get(path) != path}


def _leaves(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Paths of all leaves, paths in which keys with dots are quoted, and values, in order, without recursion."""
    stack = [iter([(key, _quote(key), value) for key, value in document.items()])]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            continue
        path, exact, value = item
        if isinstance(value, Mapping) and not are_ids(value):
            inner = [(f"{path}.{key}", f"{exact}.{_quote(key)}", one) for key, one in value.items()]
            stack.append(iter(inner))
        else:
            yield item


def _quote(key: str) -> str:
    return f'"{key}"' if "." in key else key


def _fold(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves of a document, at most EVENT_FIELD_LIMIT: the widest objects, and then the others, become one."""
    values = {path: value for path, value in leaves.items() if value is not None}
    folds = choose_folds(dict.fromkeys(values, 1), EVENT_FIELD_LIMIT)
    folded: dict[str, Any] = {}
    for path, value in values.items():
        ends = (at for at, sign in enumerate(path) if sign == ".")
        into = OTHER if path in folds.others else next((path[:at] for at in ends if path[:at] in folds.prefixes), None)
        if into is None:
            folded.setdefault(path, value)
        elif isinstance(fold := folded.setdefault(into, _Fold()), _Fold):
            fold[path.removeprefix(f"{into}.")] = value
    return folded


def _frame(kind: type, columns: Columns) -> pl.DataFrame:
    """VALUE_SCHEMA of all values with one Python type. A frame for each field would be slow with very many fields."""
    rows = list(chain.from_iterable(rows for rows, _ in columns.values()))
    values = list(chain.from_iterable(values for _, values in columns.values()))
    counts = pl.Series([len(rows) for rows, _ in columns.values()])
    texts = pl.Series(values if kind is str else [_text(value) for value in values], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "row": pl.Series(rows, dtype=pl.UInt32),
            "field": _repeat([field for field, _ in columns], counts),
            "value": texts,
            "is_flat": _repeat([is_flat for _, is_flat in columns], counts),
        }
    ).with_columns(parse_numbers(texts).alias("number"), json_type=pl.lit(JSON_TYPES[kind]))
    if kind is float:  # infinite ones have the text null
        frame = frame.filter(pl.col("number").is_not_null())
    limited = pl.when(pl.col("number").abs() < NUMBER_LIMIT).then("number")
    return frame.with_columns(limited).select(VALUE_SCHEMA.names())


def _repeat(values: list[Any], counts: pl.Series) -> pl.Series:
    return pl.select(pl.Series(values).repeat_by(counts).explode()).to_series()


def _text(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # integers beyond 64 bits, which JSON allows
        return json.dumps(value, ensure_ascii=False)
