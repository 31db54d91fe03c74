"""Words and phrases of texts as numbers, the features that a student reads."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.embedding.windows import WINDOW_PIECES

HashArray = npt.NDArray[np.uint64]

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Scripts without spaces between words: each of their letters is read as a word."""

_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_DIGIT = re.compile(r"\d")
_NUMBER = "0"

_EDGE = np.uint64(0x9E3779B97F4A7C15)
"""Stands for the begin and the end of a text in phrases."""

_MIX = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class WordRows:
    """Hashes of the words of texts, one text after the other; text i has those from ``starts[i]`` to ``starts[i + 1]``.

    A student keeps hashes instead of words, so that it quotes nobody.
    """

    hashes: HashArray
    starts: IntArray

    @property
    def counts(self) -> IntArray:
        """Number of words of each text, shape (texts,)."""
        return np.diff(self.starts)

    def phrases(self) -> "WordRows":
        """The words, and the pairs of neighbouring words, where the begin and the end of a text count as words."""
        rows, ends = np.repeat(np.arange(len(self.counts)), self.counts), self.starts[1:][self.counts > 0] - 1
        following = np.append(self.hashes[1:], _EDGE)
        following[ends] = _EDGE
        first = self.hashes[self.starts[:-1][self.counts > 0]]
        with np.errstate(over="ignore"):
            pairs, begins = (self.hashes * _MIX) ^ following, (_EDGE * _MIX) ^ first
        every = np.concatenate([self.hashes, pairs, begins])
        of_text = np.concatenate([rows, rows, np.flatnonzero(self.counts > 0)])
        order = np.argsort(of_text, kind="stable")
        return WordRows(every[order], np.searchsorted(of_text[order], np.arange(len(self.counts) + 1)))

    def count_in(self, vocabulary: HashArray) -> sp.csr_matrix:
        """Counts of each of the sorted ``vocabulary`` in each text, shape (texts, vocabulary)."""
        found = np.searchsorted(vocabulary, self.hashes).clip(max=max(len(vocabulary) - 1, 0))
        is_known = vocabulary[found] == self.hashes if len(vocabulary) else np.zeros(len(found), dtype=bool)
        rows = np.repeat(np.arange(len(self.counts)), self.counts)[is_known]
        ones = np.ones(len(rows), dtype=np.float32)
        return sp.coo_matrix((ones, (rows, found[is_known])), (len(self.counts), len(vocabulary))).tocsr()


def split_words(text: str) -> list[str]:
    """Words of a text in lower case, each with a digit as "0". A text without words has itself as its only one.

    At most as many words as a window has pieces: the full model reads no more of a text that needs no preparation.
    """
    words = _WORD.findall(text.casefold())[:WINDOW_PIECES] or [text]
    return [_NUMBER if _DIGIT.search(word) else word for word in words]


def hash_word(word: str) -> int:
    """Hash of a word, 64 bits."""
    return int.from_bytes(hashlib.blake2b(word.encode(errors="surrogatepass"), digest_size=8).digest())


def read_words(texts: Sequence[str]) -> WordRows:
    """Hashes of the words of texts."""
    known: dict[str, int] = {}
    hashes, counts = [], []
    for text in texts:
        words = split_words(text)
        for word in words:
            if (found := known.get(word)) is None:
                found = known[word] = hash_word(word)
            hashes.append(found)
        counts.append(len(words))
    return WordRows(np.array(hashes, dtype=np.uint64), np.cumsum([0, *counts], dtype=np.int64))


def select_frequent(rows: WordRows, most: int, min_count: int) -> tuple[HashArray, FloatArray]:
    """The ``most`` frequent hashes with at least ``min_count`` occurrences, sorted, and their share of all."""
    hashes, counts = np.unique(rows.hashes, return_counts=True)
    order = np.lexsort((hashes, -counts))[:most]
    kept = np.sort(order[counts[order] >= min_count])
    return hashes[kept], counts[kept] / max(len(rows.hashes), 1)
