"""Near-duplicates: texts that are one text with other numbers, ids, names of persons, punctuation or case."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.embedding.embedding import SAME_VECTOR_COSINE
from turret_pipeline.topics.embedding.person_names import find_names, remove_exchangeable_names

_ADDRESS = re.compile(r"(?<!\S)(?:\S+://\S+|\S+@\S+)")
"""It begins after white space: from within a long word, a search would take quadratic time, and find the same."""

_WORD = re.compile(r"[^\W_]+")
_ID = re.compile(r"\d|^[0-9a-f]{8,}$")

COMPARED_NEIGHBOURS = 5
"""Nearest texts of a text that may have the same vector."""

PAIRS_AT_ONCE = 50_000
"""Pairs of vectors that are compared at once: all pairs of half a million texts take several gigabytes."""

PROJECTED_DIMENSIONS = 8
"""Dimensions in which equal vectors are searched. Vectors that are equal there are compared in full."""


def find_templates(texts: Sequence[str]) -> list[str]:
    """Template of each text, also without names of persons that differ between texts of the same wording."""
    return remove_exchangeable_names([find_template(text) for text in texts], find_names(texts))


def find_template(text: str) -> str:
    """The words of a text without numbers, ids, addresses, punctuation and case. Near-duplicates have the same."""
    folded = _ADDRESS.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    return " ".join(word for word in _WORD.findall(folded) if not _ID.search(word))


def group_near_duplicates(texts: Sequence[str], vectors: FloatArray) -> IntArray:
    """Group of each text, shape (texts,), numbered from 0 in the order of the texts.

    Texts are in one group if they have the same template, or the same vector: the model reads no difference.
    ``vectors`` are their unit vectors. Texts without any word are only grouped by their vectors.
    """
    count = len(texts)
    templates: dict[str, int] = {}
    first = [templates.setdefault(words or f"\0{at}", at) for at, words in enumerate(find_templates(texts))]
    rows, nearest = _find_same_vectors(vectors)
    sources = np.concatenate([np.arange(count), rows])
    targets = np.concatenate([np.array(first, dtype=np.int64), nearest])
    equal = sp.coo_matrix((np.ones(len(sources), dtype=bool), (sources, targets)), shape=(count, count))
    return np.asarray(connected_components(equal, directed=False)[1], dtype=np.int64)


def _find_same_vectors(vectors: FloatArray) -> tuple[IntArray, IntArray]:
    """Pairs of vectors that count as equal, as two arrays of rows. Not all pairs, but enough to connect them."""
    if len(vectors) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    axes = np.random.default_rng(0).normal(size=(vectors.shape[1], PROJECTED_DIMENSIONS)).astype(np.float32)
    projected = vectors @ np.linalg.qr(axes)[0]  # orthonormal axes, so that no distance grows
    radius = (2 * (1 - SAME_VECTOR_COSINE)) ** 0.5
    found = KDTree(projected).query(projected, COMPARED_NEIGHBOURS + 1, distance_upper_bound=radius)[1]
    rows, columns = np.nonzero((found < len(vectors)) & (found != np.arange(len(vectors))[:, None]))
    others = found[rows, columns]
    parts = [slice(first, first + PAIRS_AT_ONCE) for first in range(0, len(rows), PAIRS_AT_ONCE)]
    cosines = [np.einsum("ij,ij->i", vectors[rows[part]], vectors[others[part]]) for part in parts]
    is_equal = np.concatenate([np.empty(0, np.float32), *cosines]) >= SAME_VECTOR_COSINE
    return rows[is_equal], others[is_equal]
