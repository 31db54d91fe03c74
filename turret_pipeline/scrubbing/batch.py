"""Scrubbing of many texts before storage: Rust searches all of them for hints, Python scrubs those with a hint.

A hint finds at least the texts that the precise patterns find, which a test checks. A text without a hint stays
byte-identical.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import polars as pl

from turret_pipeline.scrubbing.boundary import NO_DIGITS, STARTS
from turret_pipeline.scrubbing.normalization import EXOTIC_HINT, PERCENT_HINT
from turret_pipeline.scrubbing.single_text import (
    FIELD_HINTS,
    HINTS,
    KINDS,
    NARROW_HINTS,
    SINGLE_HINTS,
    WIDE_HINTS,
    WORD_HINTS,
    field_context,
    scrub_hinted,
)

SCRUBBED_COUNTS = pl.Schema({"field": pl.String(), "kind": pl.String(), "value_count": pl.Int64()})

_MIN_CHARACTERS = 6
"""Length of the shortest text that a pattern matches, except for texts with a colon, such as "::1" and "://a@"."""


@dataclass(frozen=True)
class Scrubbed:
    """Documents with marks, and the number of values in which a kind was found, by field and kind (SCRUBBED_COUNTS)."""

    documents: pl.Series
    counts: pl.DataFrame


class _Leaf(NamedTuple):
    document: int
    container: Any
    key: Any
    field: str
    prefix: str


def scrub_documents(documents: pl.Series, kinds: Collection[str]) -> Scrubbed:
    """JSON objects as text, with marks in their string values at any depth; keys stay.

    A document without marks stays byte-identical; one with marks is serialized again (compact; of equal keys, the last
    one stays). A value counts once for each kind found in it, under its field; a list is one value, as in event_values.
    The name of a field matters: the same digits are more likely a phone number in "phone" than in "order_id". Raises
    ValueError if a kind is unknown.
    """
    _reject_unknown_kinds(kinds)
    candidates = _find_candidates(documents, kinds, _document_hint(frozenset(kinds)))
    parsed = _parse_documents(candidates["text"])
    leaves = [leaf for number, document in enumerate(parsed) for leaf in _find_leaves(number, document)]
    texts = pl.Series([leaf.prefix + leaf.container[leaf.key] for leaf in leaves], dtype=pl.String)
    changed, counted = set[int](), set[tuple[int, str, str]]()
    for index, text, hinted in _find_hinted(texts, kinds):
        leaf = leaves[index]
        clean, found = scrub_hinted(text, len(leaf.prefix), kinds, hinted)
        if found:
            leaf.container[leaf.key] = clean
            changed.add(leaf.document)
            counted.update((leaf.document, leaf.field, kind) for kind in found)
    numbers = sorted(changed)
    clean_documents = pl.Series([_serialize(parsed[number]) for number in numbers], dtype=pl.String)
    return Scrubbed(_replace_at(documents, candidates["index"].gather(numbers), clean_documents), _count_marks(counted))


def scrub_texts(texts: pl.Series, kinds: Collection[str]) -> pl.Series:
    """Texts with marks for these kinds; null stays null. Raises ValueError if a kind is unknown."""
    _reject_unknown_kinds(kinds)
    pairs = [(index, *scrub_hinted(text, 0, kinds, hinted)) for index, text, hinted in _find_hinted(texts, kinds)]
    indices = pl.Series([index for index, _, found in pairs if found], dtype=pl.UInt32)
    return _replace_at(texts, indices, pl.Series([clean for _, clean, found in pairs if found], dtype=pl.String))


def _reject_unknown_kinds(kinds: Collection[str]) -> None:
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise ValueError(f"Unknown kind {unknown[0]!r}: use {', '.join(KINDS)}.")


def _find_candidates(texts: pl.Series, kinds: Collection[str], pattern: str) -> pl.DataFrame:
    """Texts with a hint of these kinds, of which the pattern is one, with their index: columns index and text."""
    frame = pl.LazyFrame({"text": texts}).with_row_index()
    if not kinds:
        return frame.limit(0).collect()
    wide = _filter(frame, _is_wide).lazy()
    found = [
        *(_filter(frame, _matches(hint)) for hint in [pattern, *_plain_hints(kinds)]),
        *(_filter(wide, _matches(hint)) for hint in _wide_hints(kinds)),
    ]
    return pl.concat(found).unique("index").sort("index")


def _filter(frame: pl.LazyFrame, condition: pl.Expr) -> pl.DataFrame:
    return frame.filter(condition).collect(engine="streaming")


_is_wide = pl.col("text").str.len_bytes() != pl.col("text").str.len_chars()
"""True for a text that is not ASCII."""


def _matches(pattern: str) -> pl.Expr:
    return pl.col("text").str.contains(f"(?s){pattern}")


def _plain_hints(kinds: Collection[str]) -> list[str]:
    """Hints for any text, beside those of `_text_hint` and `_document_hint`."""
    words = "|".join(hint for kind in sorted(kinds) for hint in WORD_HINTS.get(kind, ()))
    return [PERCENT_HINT, *_list_hints(kinds, SINGLE_HINTS), *([words] if words else [])]


def _wide_hints(kinds: Collection[str]) -> list[str]:
    """Hints for texts that are not ASCII."""
    return [EXOTIC_HINT, *(WIDE_HINTS[kind] for kind in sorted(kinds) if kind in WIDE_HINTS)]


def _list_hints(kinds: Collection[str], hints: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [hint for kind in sorted(kinds) for hint in hints.get(kind, ())]


def _has_hint(kind: str) -> pl.Expr:
    """True for texts with a hint of a kind, or with spellings of which any kind may consist."""
    hints = [_text_hint(frozenset([kind])), *_list_hints([kind], SINGLE_HINTS), *_list_hints([kind], NARROW_HINTS)]
    wide = _is_wide & _matches(WIDE_HINTS[kind]) if kind in WIDE_HINTS else pl.lit(False)
    return pl.any_horizontal(pl.col("is_odd"), *map(_matches, hints), wide)


def _find_hinted(texts: pl.Series, kinds: Collection[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Index, text and hinted kinds of each text with a hint."""
    names = sorted(kinds)
    candidates = _find_candidates(texts, names, _text_hint(frozenset(names)))
    candidates = candidates.with_columns(is_odd=_matches(f"{EXOTIC_HINT}|{PERCENT_HINT}"))
    has = candidates.select(_has_hint(name).alias(name) for name in names)
    for index, text, flags in zip(candidates["index"], candidates["text"], has.iter_rows(), strict=True):
        if any(flags):
            yield index, text, [name for name, flag in zip(names, flags, strict=True) if flag]


@lru_cache
def _text_hint(kinds: frozenset[str]) -> str:
    """Pattern for plain texts that may need marks of these kinds; without kinds, it matches nothing."""
    hints = [hint.replace(NO_DIGITS, "[^0-9]*") for kind in sorted(kinds) for hint in HINTS[kind]]
    return "|".join(hints) or r"[^\s\S]"


@lru_cache
def _document_hint(kinds: frozenset[str]) -> str:
    """Pattern for JSON documents with a string that may need marks of these kinds.

    Numbers outside of strings do not match. Escapes could hide anything, so they match, except for those of quotes,
    backslashes and white space.
    """
    hints = [hint for kind in sorted(kinds) for hint in (*HINTS[kind], *FIELD_HINTS.get(kind, ()))]
    anywhere = "|".join([*hints, r"\\[u/bf]"] if hints else [r"[^\s\S]"])
    at_start = "|".join(
        [*dict.fromkeys(_without_start(hint) for hint in hints), r"\\[u/bf]"] if hints else [r"[^\s\S]"]
    )
    return rf'\A(?:[^"]|"(?:[^"\\]|\\.)*")*"(?:(?:[^"\\]|\\.)*(?:{anywhere})|(?:{at_start}))'


def _without_start(hint: str) -> str:
    for start in STARTS:
        hint = hint.removeprefix(start)
    return hint


def _parse_documents(documents: pl.Series) -> list[Any]:
    """The parsed documents.

    The standard library parses those that may hold integers beyond 64 bits or half of a surrogate pair.
    """
    has_long_number = documents.str.contains("[0-9]{18}")
    return [
        _parse_any(document) if is_long else _parse(document)
        for document, is_long in zip(documents, has_long_number, strict=True)
    ]


def _parse(document: str) -> object:
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return _parse_any(document)


def _parse_any(document: str) -> object:
    """The parsed document with integers of any length; those too long for Python become floats."""
    try:
        return json.loads(document)
    except ValueError:
        return json.loads(document, parse_int=float)


def _serialize(document: object) -> str:
    try:
        return orjson.dumps(document).decode()
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(document, separators=(",", ":"))


def _find_leaves(number: int, document: object) -> Iterator[_Leaf]:
    """All strings of the document that are long enough to match a pattern."""
    waiting: list[tuple[Any, str, str, bool]] = [(document, "", "", False)]
    while waiting:
        node, field, prefix, in_list = waiting.pop()
        is_object = isinstance(node, dict)
        for key, value in list(node.items() if is_object else enumerate(node)):
            own_prefix = field_context(key) if is_object else prefix
            path = field if in_list else f"{field}{key}"
            if isinstance(value, str):
                if len(value) >= _MIN_CHARACTERS or ":" in value:
                    yield _Leaf(number, node, key, path, own_prefix)
            elif isinstance(value, list):
                waiting.append((value, path, own_prefix, True))
            elif isinstance(value, dict):
                waiting.append((value, path if in_list else f"{path}.", own_prefix, in_list))


def _replace_at(values: pl.Series, indices: pl.Series, new: pl.Series) -> pl.Series:
    return values.clone().scatter(indices, new) if len(indices) else values


def _count_marks(counted: Collection[tuple[int, str, str]]) -> pl.DataFrame:
    rows = pl.DataFrame([(field, kind) for _, field, kind in counted], ["field", "kind"], orient="row")
    if rows.is_empty():
        return SCRUBBED_COUNTS.to_frame()
    return rows.group_by("field", "kind").agg(pl.len().cast(pl.Int64).alias("value_count")).sort("field", "kind")
