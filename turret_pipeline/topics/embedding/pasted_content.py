"""Content that people paste beside a request: documents between marks, code, logs, encoded data, quoted mail.

A text is what is left without it, if a request is left. Line breaks help to recognize it, and are not needed.
"""

import re
from collections.abc import Sequence

from turret_pipeline.topics.embedding.passages import count_words, split_passages
from turret_pipeline.topics.embedding.requests import MIN_SCORE, score_request

MIN_REQUEST_WORDS = 3
"""Words that must be left outside for pasted content to be left out: "Fix this bug:" says what is wanted."""

MIN_DOCUMENT_WORDS = 30
"""Words of a pasted document. Shorter quotations ("Translate 'good morning' into Thai") belong to the request."""

MAX_SIGNATURE_WORDS = 30
"""Words after "Best regards" that can be a signature."""

_FLAGS = re.IGNORECASE | re.DOTALL

_UNREADABLE = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"(?:data:[\w/+.-]+(?:;[\w=-]+)*;base64,)?[A-Za-z0-9+/=_-]{80,}", 0),
        (r"\b(?:0x)?[0-9a-f]{32,}\b", re.IGNORECASE),
        (r"^\W{0,3}\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*$", re.MULTILINE),
        (r"^\W{0,3}\d\d:\d\d:\d\d[.,\d]*\]?\s.*$", re.MULTILINE),
        (r"\bat [\w$.<>/]+\([\w$. :-]*\)", 0),
        (r"\bFile \"[^\"]+\", line \d+, in [\w<>]+(?:\n.*$)?", re.MULTILINE),
    )
)
"""Encoded data, lines of logs and stack traces. The message of an exception stays."""

_RULE = re.compile(r"(?<!\S)(?:-{3,}|={3,}|\*{3,}|#{3,})(?:\s+|\Z)")
"""A line of dashes or the like, also where line breaks became spaces."""

_FENCED = tuple(re.compile(rf"{mark}.*?(?:{mark}|\Z)", _FLAGS) for mark in ("```", '"""', "'''"))
"""Documents between marks that are the same on both sides."""

_OPENING_TAG = re.compile(r"<([a-z][\w-]{0,40})(?: [^<>]{0,200})?>", re.IGNORECASE)

MAX_TAGS = 20
"""Different tags that are looked up."""

_OPENING_QUOTE, _CLOSING_QUOTE = re.compile(r"(?<!\S)[\"“«]"), re.compile(r"[\"”»](?!\S)")

MIN_QUOTED_CHARACTERS = 200
"""Characters between quotation marks that are a document."""

_OPEN = tuple(
    re.compile(pattern, _FLAGS)
    for pattern in (
        r"(?:(?<=[.!?:]\s)|(?<=\n)|\A)(?:text|article|e-?mail|document|passage|transcript|content|context)\s?:\s.*\Z",
        rf"{_RULE.pattern}.*\Z",
    )
)
"""Documents after a line such as "Text:" or a line of dashes, up to the end."""

_MAIL = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"^>.*$", re.MULTILINE),
        (r"\bOn\b[^\n]{5,80}\d{4}[^\n]{0,80}\bwrote:.*\Z", re.DOTALL),
        (r"(?<!-)-{3,} ?(?:original|forwarded) message ?-{3,}.*\Z", _FLAGS),
        (r"\bFrom: .{1,80}\bSent: .{1,80}\bTo: .*\Z", re.DOTALL),
    )
)
"""Quoted replies."""

_CLOSING = re.compile(
    r"(?:\b(?:best|kind|warm)(?: regards| wishes)|\bregards|\bsincerely(?: yours)?|"
    r"\byours (?:sincerely|faithfully|truly)|"
    r"\bmit freundlichen gr(?:ü|ue)(?:ß|ss)en|\bviele gr(?:ü|ue)(?:ß|ss)e|\bcordialement|\bbien à vous|\bun saludo|"
    r"\bsaludos(?: cordiales)?|\batenciosamente|\bcordiali saluti|\bmet vriendelijke groet(?:en)?)\s*(?:,|\n|$)",
    re.IGNORECASE,
)

_SPEAKER = re.compile(
    r"(?:(?<=[.!?]\s)|^)(?:\[(?:user|human|assistant|system|customer|client|agent|bot|ai)\]\s*:?"
    r"|(?:user|human|assistant|system|customer|client|agent|bot|ai)\s*:)\s*",
    re.IGNORECASE | re.MULTILINE,
)


def remove_pasted_content(text: str) -> str:
    """The text without what was pasted beside the request; the same text if nothing was, or no request is left."""
    text = _remove(text, _UNREADABLE, 0)
    text = _remove(text, _FENCED, MIN_DOCUMENT_WORDS)
    for find_span in (_find_tagged, _find_ruled, _find_quoted):
        text = _remove_span(text, find_span(text))
    text = _remove_open_documents(text)
    text = _remove(text, _MAIL, 0)
    text = _remove_signature(text)
    bare = _SPEAKER.sub("", text)
    return bare if count_words(bare) else text


def _remove(text: str, patterns: Sequence[re.Pattern[str]], min_words: int) -> str:
    """The text without matches of at least ``min_words`` words, pattern by pattern, as long as a request is left."""
    for pattern in patterns:
        if pattern.search(text) is None:
            continue
        rest = pattern.sub(lambda found: "\n" if count_words(found[0]) >= min_words else found[0], text)
        text = rest if count_words(rest) >= MIN_REQUEST_WORDS else text
    return text


def _remove_span(text: str, span: tuple[int, int] | None) -> str:
    """The text without the span, if it is a document and a request is left."""
    if span is None or count_words(text[slice(*span)]) < MIN_DOCUMENT_WORDS:
        return text
    rest = f"{text[: span[0]]}\n{text[span[1] :]}"
    return rest if count_words(rest) >= MIN_REQUEST_WORDS else text


def _find_tagged(text: str) -> tuple[int, int] | None:
    """From the first opening tag that is closed to the last closing tag of its name."""
    seen = set[str]()
    for opening in _OPENING_TAG.finditer(text):
        closing = f"</{opening[1]}>"
        if closing in seen:
            continue
        seen.add(closing)
        if (end := text.rfind(closing)) > opening.start():
            return opening.start(), end + len(closing)
        if len(seen) == MAX_TAGS:
            break
    return None


def _find_ruled(text: str) -> tuple[int, int] | None:
    """Between two lines of dashes, of which one is the end or the beginning of the text."""
    rules = list(_RULE.finditer(text))
    if len(rules) < 2:
        return None
    if rules[0].start() == 0:
        return 0, rules[1].end()
    return (rules[0].start(), len(text)) if rules[-1].end() == len(text) else None


def _find_quoted(text: str) -> tuple[int, int] | None:
    """From the first opening quotation mark to the last closing one."""
    opening = _OPENING_QUOTE.search(text)
    closing = None
    for closing in _CLOSING_QUOTE.finditer(text):  # noqa: B007 - the last one
        pass
    if opening is None or closing is None or closing.start() - opening.end() < MIN_QUOTED_CHARACTERS:
        return None
    return opening.start(), closing.end()


def _remove_open_documents(text: str) -> str:
    """The text up to a document, unless the request may stand after it."""
    for pattern in _OPEN:
        found = pattern.search(text)
        if found is None or count_words(found[0]) < MIN_DOCUMENT_WORDS:
            continue
        rest = text[: found.start()]
        before = max(map(score_request, split_passages(rest)), default=0.0)
        last = score_request(split_passages(found[0])[-1])
        if before >= MIN_SCORE and before > last and count_words(rest) >= MIN_REQUEST_WORDS:
            text = rest
    return text


def _remove_signature(text: str) -> str:
    """The text up to its last closing, if what follows is as short as a signature."""
    found = None
    for found in _CLOSING.finditer(text):  # noqa: B007 - the last one
        pass
    if found is None or count_words(text[found.end() :]) > MAX_SIGNATURE_WORDS:
        return text
    rest = text[: found.start()].rstrip()
    return rest if count_words(rest) >= MIN_REQUEST_WORDS else text
