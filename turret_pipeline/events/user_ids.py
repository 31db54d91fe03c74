"""User ids within the metadata of events, which formats repeat there and people write in texts."""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache

import orjson
import polars as pl

from turret_pipeline.scrubbing.identifiers import hash_id

_PERSON = r"(?:user|end_?user|person|customer|member|profile|identity|traits|author|sender|account_?holder)"
_ID_KEY = re.compile(
    r"(?i)[$_]*(?:(?:end_?)?user|distinct|device|anonymous|anon|visitor|person|profile|member|external_?user|user_?pseudo"
    r"|identity|amplitude|insert_?user|initial_?distinct|previous|alias|identified)[_-]?ids?|[$_]*(?:user|uid|alias)"
)
"""Names of fields that hold an id of a person or a device, whatever the id of the event's user is."""
_ID_OF_PERSON = re.compile(rf"(?i)[$_]*{_PERSON}s?")
_HINT = (
    r"(?i)(?:user|distinct|device|anon|visitor|person|profile|member|identi|alias|uid|traits|customer|author|sender)"
    r'[a-z_$-]*"[ \t\r\n]*:|"name"|\\"'
)
_SHORTEST_WORD, _SHORTEST_NUMBER = 3, 5


def hash_own_ids(events: pl.DataFrame, identities: pl.DataFrame, salt: str) -> pl.DataFrame:
    """Events with hashes in place of the ids of their users in metadata, and in ids of sessions, traces and events.

    An id is found in fields that hold ids of persons, as any value that equals an id of the row, and as a word of a
    text. ``identities`` is the evidence in the same rows, with ids as sent.
    """
    others = _ids_by_line(identities)
    own = [
        {name for name in (user, *others.get(line, ())) if name}
        for line, user in events.select("line_number", "user_id").iter_rows()
    ]
    has_hint = events.select(
        pl.col("metadata").str.contains(_HINT)
        | pl.col("metadata").str.contains(pl.col("user_id"), literal=True).fill_null(value=False)
        | pl.col("metadata").str.contains(r"\\[u/bf]")
        | pl.col("line_number").is_in(list(others))
    ).to_series()
    metadata = [
        _hash_in_document(document, ids, salt) if hinted else document
        for document, ids, hinted in zip(events["metadata"], own, has_hint, strict=True)
    ]
    columns = [_hash_in_column(events[name], own, salt) for name in ("session_id", "trace_id", "event_id")]
    return events.with_columns(pl.Series("metadata", metadata, pl.String), *columns)


def _hash_in_column(values: pl.Series, own: Sequence[Collection[str]], salt: str) -> pl.Series:
    hashed = [_hash_in_text(value, ids, salt) for value, ids in zip(values, own, strict=True)]
    return pl.Series(values.name, hashed, pl.String)


def _ids_by_line(identities: pl.DataFrame) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for line, *ids in identities.select("line_number", "sent_id", "linked_id").iter_rows():
        found.setdefault(line, set()).update(name for name in ids if name)
    return found


def _hash_in_document(document: str, own: Collection[str], salt: str) -> str:
    """The JSON object with hashes; byte-identical if it has no id."""
    parsed = _parse(document)
    clean = _hash_in_value(parsed, "", "", own, salt)
    return document if clean == parsed else _serialize(clean)


def _hash_in_value(value: object, key: str, parent: str, own: Collection[str], salt: str) -> object:
    if isinstance(value, dict):
        return {name: _hash_in_value(inner, _key_of(name, value), key, own, salt) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hash_in_value(inner, key, parent, own, salt) for inner in value]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    text = str(value)
    if text in own or (text and _is_id_field(key, parent)):
        return hash_id(text, salt)
    return _hash_in_string(value, own, salt) if isinstance(value, str) else value


def _key_of(name: str, row: Mapping[str, object]) -> str:
    """The name of a field; the name of a message's author counts as an id of a person."""
    return "user_id" if name == "name" and "role" in row else name


def _is_id_field(key: str, parent: str) -> bool:
    return bool(_ID_KEY.fullmatch(key) or (key.lower() in {"id", "key"} and _ID_OF_PERSON.fullmatch(parent)))


def _hash_in_string(text: str, own: Collection[str], salt: str) -> str:
    """The text with hashes in place of ids, also within JSON that is written as text."""
    if text[:1] in {"{", "["}:
        try:
            parsed = _parse(text)
        except ValueError:
            return _hash_in_text(text, own, salt) or ""
        clean = _hash_in_value(parsed, "", "", own, salt)
        return text if clean == parsed else _serialize(clean)
    return _hash_in_text(text, own, salt) or ""


def _hash_in_text(text: str | None, own: Collection[str], salt: str) -> str | None:
    """The text with hashes in place of own ids that are the whole text, or words of it."""
    if not text or not own:
        return text
    if text in own:
        return hash_id(text, salt)
    words = [name for name in own if _is_distinct_word(name) and name in text]
    return _word_pattern(tuple(sorted(words))).sub(_hasher(salt), text) if words else text


def _is_distinct_word(name: str) -> bool:
    """True for an id that says who is meant within a text: not a bare small number or letter."""
    if name.isdigit():
        return len(name) >= _SHORTEST_NUMBER
    return len(name) >= _SHORTEST_WORD or (name[0].isalpha() and name[-1].isdigit())


@lru_cache(1024)
def _word_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, longest_first))})(?![^\W_])")


def _hasher(salt: str) -> Callable[[re.Match[str]], str]:
    return lambda match: hash_id(match[0], salt)


def _parse(document: str) -> object:
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return json.loads(document)


def _serialize(document: object) -> str:
    try:
        return orjson.dumps(document).decode()
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(document, separators=(",", ":"))
