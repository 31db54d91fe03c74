"""Labels of topics: a short phrase of their texts that distinguishes them from the other topics of the field.

Two measures rate a phrase: the share of the topic's texts with its words compared with other topics (candidates.py),
and similarity in meaning, as in EmbedRank (Bennani-Smires et al., 2018) and KeyBERT (Grootendorst, 2020): the cosine of
the phrase's vector (meaning.py) to the topic's centroid, and its margin over the nearest other topics. The first alone
prefers frequent phrases, which may be details. The second alone prefers phrases of few texts.
"""

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import centroids
from turret_pipeline.topics.embedding.embedding import SAME_VECTOR_COSINE
from turret_pipeline.topics.labels.candidates import Candidate, find_candidates
from turret_pipeline.topics.labels.meaning import PhraseEmbedder
from turret_pipeline.topics.labels.phrases import Key, are_english, content_stems, split_into_runs

KEYWORD_COUNT, EXAMPLE_COUNT, CENTRAL_COUNT = 10, 5, 25

MAX_CONTENDING, CONTENDING_SHARE = 20, 0.15
"""Phrases of each topic that are weighed by meaning: the best ones, with at least this share of the highest weight.
Phrases below these hardly ever win."""

LENGTH_BONUS, THEME_LENGTH_BONUS = 1.6, 1.0
"""Factor of the weight for each word added, because a longer phrase is more specific."""

MEANING_RATE, NEAREST_TOPICS = 4.5, 3
"""A cosine that is higher by 0.1 multiplies the weight by about 1.5, and so does a margin that is higher by 0.1."""

BROAD_SHARE, BROAD_THEME_SHARE = 0.3, 0.5
SECOND_TEXTS, SECOND_WEIGHT, SAME_START = 0.6, 0.35, 4
"""A label has a second phrase if the first is in less than BROAD_SHARE of the topic's texts (BROAD_THEME_SHARE for a
theme). The texts with only the second must number at least SECOND_TEXTS times those with the first, and its weight must
be at least SECOND_WEIGHT times that of the first. No two of their words may start with the same SAME_START letters."""

LONGER_PHRASE_WEIGHT = 0.8
"""A longer phrase replaces a single word if it has this share of its weight: "cancel order" says more than "cancel"."""

LABEL_WORDS = 6
"""Words of a label with two phrases, with the word between them: a longer label is hard to read at a glance."""


@dataclass(frozen=True)
class TopicLabel:
    """A short label of a topic, and its keywords."""

    label: str
    keywords: list[str]


def label_topics(
    texts: Sequence[str],
    topic: IntArray,
    topic_count: int,
    known: Mapping[int, str] | None = None,
    taken: Collection[str] = (),
    vectors: FloatArray | None = None,
    themes: bool = False,
) -> list[TopicLabel]:
    """Labels of the topics 0 to topic_count - 1; ``topic`` has shape (texts,), negative for an unassigned text.

    Topics in ``known`` keep their label. New labels differ from these and from the labels in ``taken``. With
    ``vectors``, shape (texts, dimensions), phrases are also rated by meaning. Set ``themes`` to label themes, which
    need shorter phrases, and more often two.
    """
    if not (topic >= 0).any():
        return []
    known = known or {}
    candidates = find_candidates(texts, topic, topic_count, THEME_LENGTH_BONUS if themes else LENGTH_BONUS)
    ranked = candidates.of_topic
    keywords = [_keywords(of_topic) for of_topic in ranked]
    new = [row for row in range(topic_count) if row not in known]
    if vectors is not None and new and candidates.rows:
        embedder = PhraseEmbedder(candidates.stems, vectors[candidates.rows])
        ranked = _weigh_by_meaning(ranked, new, centroids(vectors, topic), embedder)
    broad, joiner = BROAD_THEME_SHARE if themes else BROAD_SHARE, " and " if are_english(texts) else " / "
    allocator = _LabelAllocator([*known.values(), *taken], broad, joiner)
    if not themes:
        ranked = [_prefer_longer_phrase(of_topic) for of_topic in ranked]
    labels = {row: allocator.allocate(ranked[row]) for row in new} | dict(known)
    return [TopicLabel(labels[row], keywords[row]) for row in range(topic_count)]


def _weigh_by_meaning(
    ranked: list[list[Candidate]], rows: Sequence[int], topic_centroids: FloatArray, embedder: PhraseEmbedder
) -> list[list[Candidate]]:
    """Candidates of all topics, with those of the topics ``rows`` ranked by frequency and meaning."""
    weighed = list(ranked)
    for row in rows:
        contending = _contending(ranked[row])
        similarities = embedder.embed([candidate.content for candidate in contending]) @ topic_centroids.T
        best = [
            replace(candidate, weight=candidate.weight * _meaning_factor(similarity, row))
            for candidate, similarity in zip(contending, similarities, strict=True)
        ]
        best.sort(key=lambda candidate: (-candidate.weight, candidate.text))
        weighed[row] = best + ranked[row][len(best) :]
    return weighed


def _contending(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that may win when meaning counts, too."""
    best = candidates[:MAX_CONTENDING]
    return [candidate for candidate in best if candidate.weight >= CONTENDING_SHARE * candidates[0].weight]


def _meaning_factor(similarity: FloatArray, row: int) -> float:
    """Factor of a phrase for the topic ``row``, from its similarity to each topic, shape (topics,)."""
    others = np.sort(np.delete(similarity, row))[-NEAREST_TOPICS:]
    margin = similarity[row] - others.mean() if len(others) else 0.0
    return round(float(np.exp(MEANING_RATE * (similarity[row] + margin))), 6)


def _keywords(candidates: Iterable[Candidate]) -> list[str]:
    """The best phrases, without those that only have words of a better one or all of its words."""
    chosen: list[Candidate] = []
    for candidate in candidates:
        words = set(candidate.content)
        if not any(words <= set(other.content) or set(other.content) <= words for other in chosen):
            chosen.append(candidate)
        if len(chosen) == KEYWORD_COUNT:
            break
    return [candidate.text for candidate in chosen]


class _LabelAllocator:
    """Allocator of labels that are unique in a field."""

    def __init__(self, labels: Collection[str], broad: float, joiner: str) -> None:
        self._broad, self._joiner = broad, joiner
        self._labels = {label.casefold() for label in labels}
        self._contents = {_content(label) for label in labels}

    def allocate(self, candidates: Sequence[Candidate]) -> str:
        """The best phrase that is still free, as a label; it is taken from now on."""
        free = [candidate for candidate in candidates if candidate.content not in self._contents]
        label = _capitalize(_join_phrases(free, self._broad, self._joiner)) if free else None
        if label is None or label.casefold() in self._labels:
            label = self._add_number(_capitalize(candidates[0].text) if candidates else "Unnamed")
        self._labels.add(label.casefold())
        self._contents |= {free[0].content, _content(label)} if free else set()
        return label

    def _add_number(self, label: str) -> str:
        """The label, followed by a number if it is taken."""
        number = 1
        while (free := label if number == 1 else f"{label} {number}").casefold() in self._labels:
            number += 1
        return free


def _prefer_longer_phrase(candidates: list[Candidate]) -> list[Candidate]:
    """The candidates; if the first is a single word, a phrase with it that is nearly as good comes first."""
    if not candidates or len(candidates[0].content) > 1:
        return candidates
    word = candidates[0]
    longer = (
        candidate
        for candidate in candidates[1:]
        if word.content[0] in candidate.content
        and candidate.weight >= LONGER_PHRASE_WEIGHT * word.weight
        and len(candidate.text.split()) == len(candidate.content)  # words after a preposition are mostly details
    )
    return [*itertools.islice(longer, 1), *candidates]


def _content(label: str) -> Key:
    """Stems of the content words of a label."""
    return content_stems([word for run in split_into_runs(label) for word in run])


def _join_phrases(candidates: Sequence[Candidate], broad: float, joiner: str) -> str:
    """The best phrase, with a second one if the first is in few texts and the second in enough others."""
    first = candidates[0]
    if first.share >= broad:
        return first.text
    for second in candidates[1:]:
        has_texts = len(second.rows - first.rows) >= SECOND_TEXTS * len(first.rows)
        label = f"{first.text}{joiner}{second.text}"
        is_short = len(label.split()) <= LABEL_WORDS
        is_different = second.weight >= SECOND_WEIGHT * first.weight and not _word_starts(first) & _word_starts(second)
        if has_texts and is_short and is_different:
            return label
    return first.text


def _word_starts(candidate: Candidate) -> set[str]:
    return {word[:SAME_START] for word in re.split(r"\W+", candidate.text.lower())}


def _capitalize(label: str) -> str:
    """The label with a capital first letter, unless the first word has other capitals (iOS)."""
    first = label.split(" ", maxsplit=1)[0]
    return label if first[1:] != first[1:].lower() else label[:1].upper() + label[1:]


def pick_examples(texts: Sequence[str], vectors: FloatArray, topic: IntArray, topic_count: int) -> list[list[str]]:
    """Up to EXAMPLE_COUNT texts of each topic, central but different from each other, the most central first.

    They are chosen by maximal marginal relevance (Carbonell and Goldstein, 1998) among the CENTRAL_COUNT texts nearest
    to the centroid. Texts that differ only in case, or have the same vector, count as one.
    """
    if topic_count == 0:
        return []
    topic_centroids = centroids(vectors, topic)
    found: list[list[str]] = []
    for row in range(topic_count):
        members = np.flatnonzero(topic == row)
        similarity = vectors[members] @ topic_centroids[row] if len(members) else np.empty(0)
        order = _most_central([texts[member].casefold() for member in members.tolist()], vectors[members], similarity)
        chosen = _most_diverse(vectors[members[order]], similarity[order])
        found.append([texts[member] for member in members[order[chosen]]])
    return found


def _most_central(texts: Sequence[str], vectors: FloatArray, similarity: FloatArray) -> IntArray:
    """Positions of the CENTRAL_COUNT rows nearest to the centroid, without repeated texts or vectors."""
    is_left = np.ones(len(texts), dtype=bool)
    found: dict[str, int] = {}
    for at in np.argsort(-similarity, kind="stable").tolist():
        if is_left[at] and texts[at] not in found:
            found[texts[at]] = at
            is_left &= vectors @ vectors[at] < SAME_VECTOR_COSINE
        if len(found) == CENTRAL_COUNT:
            break
    return np.array([*found.values()], dtype=np.int64)


def _most_diverse(vectors: FloatArray, similarity: FloatArray) -> list[int]:
    """Positions of up to EXAMPLE_COUNT rows that are near the centroid (``similarity``) and far from each other."""
    chosen: list[int] = []
    redundancy = np.zeros(len(vectors))
    while len(chosen) < min(EXAMPLE_COUNT, len(vectors)):
        gain = np.round(similarity - redundancy, 6)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        redundancy = np.maximum(redundancy, vectors @ vectors[chosen[-1]])
    return chosen
