"""JSON documents to rows: the items of arrays, or objects that span many lines, one after the other."""

import codecs
import itertools
import json
import re
from collections.abc import Iterator

import orjson

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.rows import RAW_LIMIT, Record

Chunk = list[bytes] | Rejection
"""Bytes in pieces, or a refusal of what would follow."""

ITEM_LIMIT = 32 << 20
"""Characters that an item may have."""

_BEFORE, _BEGIN = 100, 1000
"""Characters before an item that tell how far to the right it stands, and that its begin has at most."""

_KEYS, _PLACES = 8, 50
"""First keys of items that are remembered, and places that are looked at for the begin of the next item."""

_SCANNED, _READ = 1 << 16, 1 << 20
"""Characters of a damaged item that are looked through for its end, and those read that are then forgotten."""

_DECODER = json.JSONDecoder(parse_int=len)  # integers of any length
_DOCUMENT = re.compile(rb"\[[ \t\r]*(?:[{\[\]\n]|\Z)|\{[ \t\r]*(?:\n|\Z)")
_BETWEEN = re.compile(r"[ \t\r\n,]*")
_INDENT = re.compile(r"\n[ \t]*\Z")
_FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.){0,100}")')
_TOKEN = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|["{}\[\]]')
_NO_TEXT = re.compile("[\udc80-\udcff]")


def opens_document(begin: bytes) -> bool:
    """Whether a file whose first bytes but for white space these are is a document, and not lines of JSON each."""
    return _DOCUMENT.match(begin) is not None


def document_records(chunks: Iterator[Chunk]) -> Iterator[Record]:
    """The items of JSON arrays and objects that chunks of bytes make up together, by their position.

    Damage costs the item that it stands in, up to the next one that begins alike. A refusal among the chunks comes at
    the end.
    """
    damage: list[Rejection] = []
    position = 0
    for position, record in enumerate(_Items(_texts(chunks, damage)).records(), start=1):
        yield Record(position, record.value, record.raw)
    for extra, refusal in enumerate(damage, start=1):
        yield Record(position + extra, refusal, "")


def _texts(chunks: Iterator[Chunk], damage: list[Rejection]) -> Iterator[str]:
    """The text of the chunks, in which a byte that is no text stands as half a character."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for chunk in chunks:
        if isinstance(chunk, Rejection):
            damage.append(chunk)
        else:
            yield decoder.decode(b"".join(chunk))
    yield decoder.decode(b"", final=True)


class _Items:
    """Items found one after the other in text that is taken as it is needed.

    What items begin with is remembered, to find the next one behind damage: ``_indent``, what stands before an item
    that begins a line, and ``_keys``, the quoted first keys.
    """

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._text, self._at, self._in_array = "\n", 0, False
        self._indent: str | None = None
        self._keys: dict[str, None] = {}

    def records(self) -> Iterator[Record]:
        """Every item, or a refusal of what is none, without its position."""
        while self._goes_on():
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if not (self._is_cut(error) and self._takes_more()):
                    yield self._damaged(error)
                continue
            if end == len(self._text) and self._text[self._at] not in '{["' and self._takes_more():
                continue  # a number may go on
            self._remember()
            yield _item(self._text[self._at : end])
            self._at = end

    def _goes_on(self) -> bool:
        """Whether there is another item, which then is the next."""
        while True:
            between = _BETWEEN.match(self._text, self._at)
            self._at = between.end() if between else self._at
            sign = self._text[self._at : self._at + 1]
            if sign == "]" or (sign == "[" and not self._in_array):
                self._in_array = sign == "["
                self._at += 1
            elif sign or not self._takes_more():
                return bool(sign)

    def _takes_more(self) -> bool:
        """Take more text, if there is any and the item may have more; what was read is forgotten."""
        if len(self._text) - self._at >= ITEM_LIMIT:
            return False
        more = next(self._texts, None)
        if more is None:
            return False
        kept = max(0, self._at - _BEFORE)
        self._text, self._at = self._text[kept:] + more, self._at - kept
        return True

    def _is_cut(self, error: Exception) -> bool:
        """Whether the item may be whole once there is more text."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.pos >= len(self._text) - len("-Infinity") or error.msg.startswith("Unterminated")

    def _remember(self) -> None:
        indent = _INDENT.search(self._text, max(0, self._at - _BEFORE), self._at)
        self._indent = indent[0] if indent else None
        if len(self._keys) < _KEYS and (key := _FIRST_KEY.match(self._text, self._at)):
            self._keys[key[1]] = None

    def _damaged(self, error: Exception) -> Record:
        """The refusal of what stands here, up to where the next item begins."""
        what = "it is nested too deep"
        if isinstance(error, json.JSONDecodeError):
            what = f"{error.msg} at character {error.pos - self._at + 1}"
        begin, pattern = self._text[self._at : self._at + RAW_LIMIT], self._alike()
        place = _next_place(self._text, self._at, pattern)
        raw = begin if place is None else begin[: place - self._at]
        while place is None and (more := next(self._texts, None)) is not None:
            self._text, self._at = self._text[max(self._at + 1, len(self._text) - _BEGIN) :] + more, 0
            place = _next_place(self._text, 0, pattern)
        self._at = len(self._text) if place is None else place
        if self._at > _READ:
            self._text, self._at = self._text[self._at - _BEFORE :], _BEFORE
        return Record(0, Rejection("invalid_json", f"The item is not JSON: {what}."), _shown(raw.rstrip()))

    def _alike(self) -> re.Pattern[str]:
        """Where another item may begin: as far to the right as the last, if it began a line, else with a known key."""
        own = _FIRST_KEY.match(self._text, self._at)
        keys = "|".join(map(re.escape, {**self._keys, **({own[1]: None} if own and self._keys else {})})) or '"'
        indent = self._indent
        if indent is None and not self._keys and (here := _INDENT.search(self._text, 0, self._at)):
            indent = here[0]
        begins = rf"[,\n]\s*(?=\{{\s*(?:{keys}))" if indent is None else rf"{indent}(?=\{{)"
        if self._text[self._at] != "{":  # between items
            begins += rf"""|(?=\{{\s*(?:{keys}))|[,\n]\s*(?=\{{\s*")"""
        return re.compile(begins)


def _next_place(text: str, at: int, pattern: re.Pattern[str]) -> int | None:
    """Where the next item begins behind a damaged one, or the text between them; None where the pattern finds none.

    That is where the brackets of the damaged item are closed, or before that the first place that the pattern finds and
    that is not within brackets: inside of what looks like a string, if a quote was lost. Where brackets do not match
    either, the first place that is found.
    """
    places = [found.start() for found in itertools.islice(pattern.finditer(text, at), _PLACES)]
    waiting, closers = iter(places), list[str]()
    first = place = next(waiting, None)
    for token in _TOKEN.finditer(text, at, at + _SCANNED):
        sign = token[0]
        while place is not None and place < token.end():
            if not closers or place > token.start():
                return place
            place = next(waiting, None)
        if sign in "{[":
            closers.append("}" if sign == "{" else "]")
        elif sign == '"' or (sign in "}]" and (not closers or closers.pop() != sign)):
            return place if sign != "]" and place is not None else first
        elif sign in "}]" and not closers:
            return token.end()
    return first


def _item(raw: str) -> Record:
    try:
        return Record(0, orjson.loads(raw), raw)
    except orjson.JSONDecodeError as error:
        refusal = Rejection("invalid_json", f"This is not JSON: {error}.")
    return Record(0, _encoding(raw) or refusal, _shown(raw))


def _encoding(raw: str) -> Rejection | None:
    """The refusal of an item with a byte that is no text."""
    found = _NO_TEXT.search(raw)
    if found is None:
        return None
    return Rejection("invalid_encoding", f"This is not UTF-8: character {found.start() + 1} of the item.")


def _shown(raw: str) -> str:
    return _NO_TEXT.sub("\ufffd", raw[:RAW_LIMIT])
