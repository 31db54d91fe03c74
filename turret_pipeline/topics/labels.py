"""What topics are called: words and phrases that set a topic apart from the others of its field.

Class-based TF-IDF (Grootendorst: BERTopic, 2022): the topics are the documents, and a term counts for a topic by the
share of its texts that have it. The second factor is sharper than there: the logarithm of that share over the mean
share in the other topics, so that a term that is common elsewhere too falls to nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from turret_pipeline.topics.arrays import FloatArray, IntArray
from turret_pipeline.topics.communities import centroids

KEYWORD_COUNT, EXAMPLE_COUNT = 10, 5
NAMING_WORDS = 60
"""A text says in its first words what it is about; phrases of whole pages would be millions."""

LABEL_PHRASES = 2
PHRASE_BONUS = 1.35
"""A phrase of two or three words says more than each of its words; so much more it weighs per word added."""

COMMON_SHARE, RARE_WEIGHT, SMOOTHING = 0.1, 0.01, 0.01
"""A term in fewer than this share of a topic's texts names a detail of it: it weighs so little that it comes after all
others (below RARE_WEIGHT), and no label has it unless there is nothing else."""

WORD = r"(?u)\b[^\W\d_][\w'\u2019-]*\b"


@dataclass(frozen=True)
class Name:
    """What a topic is called, in keywords and in a short label."""

    label: str
    keywords: list[str]


def name_topics(
    texts: Sequence[str],
    topic: IntArray,
    topic_count: int,
    kept: Mapping[int, str] | None = None,
    gone: Collection[str] = (),
) -> list[Name]:
    """A name for each topic 0 .. topic_count - 1; ``topic`` has shape (texts,), negative where a text has none.

    Topics in ``kept`` have a label already, which they keep; no other topic gets it, nor one of the labels in ``gone``.
    """
    texts = [" ".join(text.split()[:NAMING_WORDS]) for text in texts]
    has = topic >= 0
    if not has.any():
        return []
    weights, terms = _term_weights(
        [text for text, keep in zip(texts, has, strict=True) if keep], topic[has], topic_count
    )
    names: list[Name] = []
    kept = kept or {}
    taken = {*kept.values(), *gone}
    for row in range(topic_count):
        ranked = _ranked_terms(weights[row], terms)
        common = [term for term, weight in ranked.items() if weight >= RARE_WEIGHT]
        label = kept.get(row) or _label(list(ranked), min(len(common), LABEL_PHRASES), taken)
        taken.add(label)
        names.append(Name(label, list(ranked)))
    return names


def _term_weights(texts: list[str], topic: IntArray, topic_count: int) -> tuple[sp.csr_matrix, list[str]]:
    """c-TF-IDF of words and phrases, shape (topics, terms); what a single text alone says is left out."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    stop_words = ENGLISH_STOP_WORDS | _CHATTER
    vectorizer = CountVectorizer(
        token_pattern=WORD, ngram_range=(1, 3), binary=True, min_df=2 if len(texts) > 50 else 1
    )
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # not a word in any text: numbers and signs only
        return sp.csr_matrix((topic_count, 0)), []
    terms = vectorizer.get_feature_names_out()
    kept = np.array([_is_telling(term.split(), stop_words) for term in terms], dtype=bool)
    members = sp.csr_matrix((np.ones(len(topic)), (topic, np.arange(len(topic)))), shape=(topic_count, len(topic)))
    sizes = np.maximum(np.bincount(topic, minlength=topic_count), 1)
    share = (sp.diags(1 / sizes) @ members @ counts.tocsc()[:, kept]).tocsr()
    length = np.array([PHRASE_BONUS ** term.count(" ") for term in terms[kept]])
    return _contrasted(share, length), list(terms[kept])


def _contrasted(share: sp.csr_matrix, length: FloatArray) -> sp.csr_matrix:
    """Weights from the share of each topic's texts that have a term, and from how long the term is."""
    weights, terms = share.copy(), share.indices
    elsewhere = (np.asarray(share.sum(axis=0)).ravel()[terms] - share.data) / max(share.shape[0] - 1, 1)
    contrast = np.log((share.data + SMOOTHING) / (elsewhere + SMOOTHING)).clip(0)
    weights.data = share.data * contrast * length[terms] * np.where(share.data < COMMON_SHARE, RARE_WEIGHT, 1)
    return weights


def _is_telling(words: list[str], stop_words: frozenset[str]) -> bool:
    return words[0] not in stop_words and words[-1] not in stop_words and all(len(word) > 1 for word in words)


_CHATTER = frozenset(
    """
    hi hello hey thanks thank please pls ok okay yes no yeah want need like just know help does did do don't doesn't
    didn't won't isn't can't i'm i'd i've it's what's how's let's there's im id ive dont cant whats hows would could
    should get got make tell using use u ur
    """.split()
)
"""Words of conversation that name no subject."""


def _ranked_terms(weights: sp.csr_matrix, terms: list[str]) -> dict[str, float]:
    """The strongest terms with their weights, without those that say again what a stronger one says."""
    ranked: dict[str, float] = {}
    for at in np.lexsort((weights.indices, -weights.data)):
        term = terms[weights.indices[at]]
        if not any(_overlaps(term, stronger) for stronger in ranked):
            ranked[term] = float(weights.data[at])
        if len(ranked) == KEYWORD_COUNT:
            break
    return ranked


def _overlaps(term: str, other: str) -> bool:
    words, others = {_stem(word) for word in term.split()}, {_stem(word) for word in other.split()}
    return words <= others or others <= words


def _stem(word: str) -> str:
    for ending in ("ing", "ied", "ies", "ed", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _label(ranked: list[str], phrase_count: int, taken: set[str]) -> str:
    """The strongest terms as a short name, unlike those that are taken."""
    if not ranked:
        return _first_free("Unnamed", taken)
    for count in range(max(1, min(phrase_count, len(ranked))), len(ranked) + 1):
        label = " / ".join(ranked[:count])
        label = label[:1].upper() + label[1:]
        if label not in taken:
            return label
    return _first_free(label, taken)


def _first_free(label: str, taken: set[str]) -> str:
    number = 1
    while (candidate := label if number == 1 else f"{label} {number}") in taken:
        number += 1
    return candidate


def examples(texts: Sequence[str], vectors: FloatArray, topic: IntArray, topic_count: int) -> list[list[str]]:
    """Up to EXAMPLE_COUNT texts of each topic, nearest to its centroid first."""
    if topic_count == 0:
        return []
    centres = centroids(vectors, topic)
    found: list[list[str]] = []
    for row in range(topic_count):
        members = np.flatnonzero(topic == row)
        nearness = vectors[members] @ centres[row] if len(members) else np.empty(0)
        order = np.argsort(-nearness, kind="stable")[:EXAMPLE_COUNT]
        found.append([texts[member] for member in members[order]])
    return found
