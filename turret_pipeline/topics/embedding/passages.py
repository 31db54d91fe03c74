"""Sentences and lines of a text, and measures of them that do not depend on the script."""

import re
from functools import lru_cache

_END = re.compile(r"(?<=[.!?:;؟।…])[\"'”\u2019)\]]*\s+|(?<=[。\uff01\uff1f\uff1b])\s*|(?<!\s)\s*[\r\n]+\s*")
_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_TOKEN = re.compile(r"[A-Za-z]+|\w|[^\w\s]")

UNSPACED_CHARACTERS = 2
"""Characters of a word, about, in scripts without spaces between words (Chinese, Japanese, Thai)."""

PIECE_LETTERS = 6
"""Letters that word pieces of common English words have at least, about. Rare words are cut into more pieces."""

CACHED_PASSAGES = 10_000
"""Passages whose words are remembered: copies are counted once."""


def split_passages(text: str) -> list[str]:
    """Sentences and lines of a text, without the white space around them. A colon ends one, too."""
    return [part for part in _END.split(text) if part]


@lru_cache(CACHED_PASSAGES)
def fold_passage(passage: str) -> str:
    """The words of a passage in lower case, without numbers and punctuation: copies of one passage have the same."""
    return " ".join(_WORD.findall(passage.casefold()))


@lru_cache(CACHED_PASSAGES)
def count_words(text: str) -> int:
    """Number of words without numbers; in scripts without spaces, an estimate by characters."""
    unspaced = 0 if text.isascii() else len(_UNSPACED.findall(text))
    rest = _UNSPACED.sub(" ", text) if unspaced else text
    return len(_WORD.findall(rest)) + unspaced // UNSPACED_CHARACTERS


def count_pieces(text: str) -> int:
    """Estimated number of word pieces that an embedding model reads: those of English words, and other characters."""
    return sum(1 + (len(token) - 1) // PIECE_LETTERS for token in _TOKEN.findall(text))
