"""A model whose vectors follow from the words of a text, and texts about a few subjects."""

import hashlib
from collections.abc import Sequence

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

SUBJECTS = {
    "refund": "refund money order return payment",
    "password": "password login account reset locked",
    "parcel": "parcel delivery late courier address",
}
OPENERS = ("please", "can you", "i want", "help me with", "quick", "urgent", "again", "why is")


def embed(texts: Sequence[str]) -> FloatArray:
    """Sums of a random vector for each word in lower case. Digits and punctuation are not read."""
    return normalize_rows(np.array([sum(map(_vector_of, _words(text)), np.zeros(16)) for text in texts], np.float32))


def _words(text: str) -> list[str]:
    return "".join(sign if sign.isalpha() else " " for sign in text.casefold()).split()


def _vector_of(word: str) -> FloatArray:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest())
    return np.random.default_rng(seed).normal(size=16).astype(np.float32)


def write_texts(count: int) -> list[str]:
    """Distinct texts about the subjects, in an order that does not depend on them."""
    generator = np.random.default_rng(0)
    texts: dict[str, None] = {}
    while len(texts) < count:
        words = SUBJECTS[generator.choice(list(SUBJECTS))].split()
        texts[f"{generator.choice(OPENERS)} {' '.join(generator.choice(words, 3))}"] = None
    return list(texts)
