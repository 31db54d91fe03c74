"""Quotations as labels: the most central short text of a topic, in quotation marks."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.labels.word_use import WordUse

MAX_WORDS, MAX_CHARACTERS, MAX_UNSPACED_CHARACTERS = 8, 60, 24
"""Limits of a text that can be a label; the last one in scripts without spaces."""

UNSPACED_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "km", "my"})
"""Languages without spaces between words. Phrases of them would be cut within words, so a label quotes a text."""

PUNCTUATION = '.,;:!?"()'


class Quote(NamedTuple):
    """A short text, and how well it fits the topic."""

    text: str
    fit: float


def find_quote(
    texts: Sequence[str],
    vectors: FloatArray,
    rows: Sequence[int],
    direction: FloatArray,
    language: str | None,
    use: WordUse | None = None,
) -> Quote | None:
    """The short text among ``rows`` with the highest dot product with ``direction``; None without any.

    A text with letters is preferred, and one without words that may be names of persons, or, by ``use``, misspelled.
    With ``use``, no text with such a name is chosen.
    """
    limit = MAX_UNSPACED_CHARACTERS if language in UNSPACED_LANGUAGES else MAX_CHARACTERS
    short = [at for at in rows if len(texts[at].split()) <= MAX_WORDS and len(texts[at].strip()) <= limit]
    fits = np.round(vectors[short] @ direction, 3).tolist()
    quotes = [Quote(" ".join(texts[at].split()), fit) for at, fit in zip(short, fits, strict=True)]
    worded = [quote for quote in quotes if any(sign.isalpha() for sign in quote.text)]
    nameless = [quote for quote in worded if not _may_have_name(quote.text, use)]
    if use is not None:
        named = set(worded) - set(nameless)
        common = [quote for quote in nameless if not _has_unusual_word(quote.text, use)]
        worded, nameless, quotes = [], common or nameless, [quote for quote in quotes if quote not in named]
    return min(nameless or worded or quotes, key=lambda quote: (-quote.fit, quote.text), default=None)


def _may_have_name(text: str, use: WordUse | None) -> bool:
    """True if a word after the first one has a capital letter, or a word mostly has one in other texts."""
    words = [word.strip(PUNCTUATION) for word in text.split()]
    has_name = use is not None and any(use.is_proper_noun(word.lower()) for word in words)
    return has_name or any(word.istitle() and len(word) > 1 for word in words[1:])


def _has_unusual_word(text: str, use: WordUse) -> bool:
    return any(use.is_unusual(word.strip(PUNCTUATION).lower()) for word in text.split())


def format_quote(quote: Quote) -> str:
    """The text in quotation marks."""
    return f"\u201c{quote.text}\u201d"


def choose_quotes(quotes: Mapping[int, Quote | None], taken: Collection[str]) -> dict[int, str]:
    """Labels of the topics with a quote that differs from the labels in ``taken``, by topic."""
    used = {label.casefold() for label in taken}
    chosen = {}
    for row, quote in quotes.items():
        if quote is not None and (label := format_quote(quote)).casefold() not in used:
            used.add(label.casefold())
            chosen[row] = label
    return chosen
