"""Items of JSON documents: of arrays, or of objects that span several lines."""

import codecs
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import orjson

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import RAW_LIMIT, Record
from turret_pipeline.json_repair import load_json

Chunk = list[bytes] | Rejection
"""Bytes in pieces, or the rejection of the bytes that would follow."""

ITEM_LIMIT = 32 << 20
"""Maximum characters of an item."""

_CONTEXT, _ITEM_START = 100, 1000
"""Characters kept before an item to see its indentation, and maximum characters of the start of an item."""

_KNOWN_KEYS, _CANDIDATES = 8, 50
"""First keys of items that are remembered, and positions that are tried as the start of the next item."""

_SCANNED, _READ = 1 << 16, 1 << 20
"""Characters of a damaged item that are searched for its end, and characters read after which the text is dropped."""

_DECODER = json.JSONDecoder(parse_int=len)  # integers of any length
_DOCUMENT = re.compile(rb"\[[ \t\r]*(?:[{\[\]\n]|\Z)|\{[ \t\r]*(?:\n|\Z)")
_BETWEEN = re.compile(r"[ \t\r\n,]*")
_INDENT = re.compile(r"\n[ \t]*\Z")
_FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.){0,100}")')
_TOKEN = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|["{}\[\]]')
_INVALID_BYTE = re.compile("[\udc80-\udcff]")


def is_document_start(begin: bytes) -> bool:
    """True if these first bytes, without leading white space, start a document and not JSON lines."""
    return _DOCUMENT.match(begin) is not None


def document_records(chunks: Iterator[Chunk]) -> Iterator[Record]:
    """Items of the JSON arrays and objects in the chunks, numbered by position.

    Damage costs only the item that it is in, up to the next item that starts like the others. A rejection among the
    chunks comes last.
    """
    damage: list[Rejection] = []
    position = 0
    for position, record in enumerate(_ItemReader(_decode(chunks, damage)).records(), start=1):
        yield replace(record, line_number=position)
    for extra, rejection in enumerate(damage, start=1):
        yield Record(position + extra, rejection, "")


def _decode(chunks: Iterator[Chunk], damage: list[Rejection]) -> Iterator[str]:
    """Text of the chunks, with a lone surrogate for each byte that is not UTF-8. Rejections go to ``damage``."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for chunk in chunks:
        if isinstance(chunk, Rejection):
            damage.append(chunk)
        else:
            yield decoder.decode(b"".join(chunk))
    yield decoder.decode(b"", final=True)


class _ItemReader:
    """Reader of one item after the other from text that arrives in pieces.

    It remembers how items start, to find the next one after damage: ``_indent`` is the line end and white space before
    an item that starts a line, ``_keys`` are first keys in quotes.
    """

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._text, self._at, self._in_array = "\n", 0, False
        self._indent: str | None = None
        self._keys: dict[str, None] = {}

    def records(self) -> Iterator[Record]:
        """All items or rejections, without their positions."""
        while self._find_item():
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if not (self._may_be_incomplete(error) and self._read_more()):
                    yield self._reject_damage(error)
                continue
            if end == len(self._text) and self._text[self._at] not in '{["' and self._read_more():
                continue  # a number may continue
            self._remember_start()
            yield _parse_item(self._text[self._at : end])
            self._at = end

    def _find_item(self) -> bool:
        """Move to the next item, and return False at the end of the text."""
        while True:
            between = _BETWEEN.match(self._text, self._at)
            self._at = between.end() if between else self._at
            sign = self._text[self._at : self._at + 1]
            if sign == "]" or (sign == "[" and not self._in_array):
                self._in_array = sign == "["
                self._at += 1
            elif sign or not self._read_more():
                return bool(sign)

    def _read_more(self) -> bool:
        """Append text and drop the text before the item, and return False at the end or at the limit of the item."""
        if len(self._text) - self._at >= ITEM_LIMIT:
            return False
        more = next(self._texts, None)
        if more is None:
            return False
        kept = max(0, self._at - _CONTEXT)
        self._text, self._at = self._text[kept:] + more, self._at - kept
        return True

    def _may_be_incomplete(self, error: Exception) -> bool:
        """True if more text may complete the item."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.pos >= len(self._text) - len("-Infinity") or error.msg.startswith("Unterminated")

    def _remember_start(self) -> None:
        indent = _INDENT.search(self._text, max(0, self._at - _CONTEXT), self._at)
        self._indent = indent[0] if indent else None
        if len(self._keys) < _KNOWN_KEYS and (key := _FIRST_KEY.match(self._text, self._at)):
            self._keys[key[1]] = None

    def _reject_damage(self, error: Exception) -> Record:
        """The rejection of the damaged text here. Moves to the next item."""
        problem = "it is nested too deep"
        if isinstance(error, json.JSONDecodeError):
            problem = f"{error.msg} at character {error.pos - self._at + 1}"
        begin, pattern = self._text[self._at : self._at + RAW_LIMIT], self._item_start_pattern()
        following = _find_next_item(self._text, self._at, pattern)
        raw = begin if following is None else begin[: following - self._at]
        while following is None and (more := next(self._texts, None)) is not None:
            self._text, self._at = self._text[max(self._at + 1, len(self._text) - _ITEM_START) :] + more, 0
            following = _find_next_item(self._text, 0, pattern)
        self._at = len(self._text) if following is None else following
        if self._at > _READ:
            self._text, self._at = self._text[self._at - _CONTEXT :], _CONTEXT
        return Record(0, Rejection("invalid_json", f"The item is not JSON: {problem}."), _raw_text(raw.rstrip()))

    def _item_start_pattern(self) -> re.Pattern[str]:
        """Pattern of the start of an item: the indentation of the last one if it started a line, else a known key."""
        own = _FIRST_KEY.match(self._text, self._at)
        keys = "|".join(map(re.escape, {**self._keys, **({own[1]: None} if own and self._keys else {})})) or '"'
        indent = self._indent
        if indent is None and not self._keys and (here := _INDENT.search(self._text, 0, self._at)):
            indent = here[0]
        starts = rf"[,\n]\s*(?=\{{\s*(?:{keys}))" if indent is None else rf"{indent}(?=\{{)"
        if self._text[self._at] != "{":  # between items
            starts += rf"""|(?=\{{\s*(?:{keys}))|[,\n]\s*(?=\{{\s*")"""
        return re.compile(starts)


def _find_next_item(text: str, at: int, pattern: re.Pattern[str]) -> int | None:
    """Position of the next item after a damaged one, or of the text between them; None if the pattern has no match.

    The position is the end of the damaged item, at which its brackets are closed. An earlier match of the pattern
    outside of brackets comes first, even within a string: its quote may be the one that was lost. If the brackets do
    not match each other, the position is that of the first match.
    """
    candidates = [found.start() for found in itertools.islice(pattern.finditer(text, at), _CANDIDATES)]
    remaining, closers = iter(candidates), list[str]()
    first = candidate = next(remaining, None)
    for token in _TOKEN.finditer(text, at, at + _SCANNED):
        sign = token[0]
        while candidate is not None and candidate < token.end():
            if not closers or candidate > token.start():
                return candidate
            candidate = next(remaining, None)
        if sign in "{[":
            closers.append("}" if sign == "{" else "]")
        elif sign == '"' or (sign in "}]" and (not closers or closers.pop() != sign)):
            return candidate if sign != "]" and candidate is not None else first
        elif sign in "}]" and not closers:
            return token.end()
    return first


def _parse_item(raw: str) -> Record:
    try:
        value, repaired_count = load_json(raw)
        return Record(0, value, raw, repaired_count)
    except orjson.JSONDecodeError as error:
        rejection = Rejection("invalid_json", f"Invalid JSON: {error}.")
    return Record(0, _reject_invalid_bytes(raw) or rejection, _raw_text(raw))


def _reject_invalid_bytes(raw: str) -> Rejection | None:
    """The rejection of an item with a byte that is not UTF-8."""
    found = _INVALID_BYTE.search(raw)
    if found is None:
        return None
    return Rejection("invalid_encoding", f"Invalid UTF-8: character {found.start() + 1} of the item.")


def _raw_text(raw: str) -> str:
    return _INVALID_BYTE.sub("\ufffd", raw[:RAW_LIMIT])
