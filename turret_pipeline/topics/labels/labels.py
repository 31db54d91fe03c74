"""What topics are called: a short phrase of their own texts that sets them apart from the other topics of the field.

Two measures say how well a phrase names a topic: how much more of the topic's texts have its words than others
(candidates.py), and nearness in meaning, as in EmbedRank (Bennani-Smires et al., 2018) and KeyBERT (Grootendorst,
2020): the cosine of the phrase's vector (meaning.py) to the topic's centroid, and how far that is above the nearest
other topics. The first alone picks what is frequent, which may be a detail; the second alone picks what few texts say.
"""

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import centroids
from turret_pipeline.topics.embedding.embedding import SAME_VECTOR_COSINE
from turret_pipeline.topics.labels.candidates import Candidate, topic_candidates
from turret_pipeline.topics.labels.meaning import Meanings
from turret_pipeline.topics.labels.phrases import Key, are_english, content_of, runs_of

KEYWORD_COUNT, EXAMPLE_COUNT, CENTRAL = 10, 5, 25

STRONGEST, CONTENDING = 20, 0.15
"""Of each topic's phrases so many of the strongest are weighed by meaning, if they weigh at least this share of the
strongest: it hardly ever lifts one from further down."""

LENGTH_BONUS, THEME_LENGTH_BONUS = 1.6, 1.0
"""A phrase says more than each of its words; so much more it weighs for each word added."""

MEANING, NEAREST_TOPICS = 4.5, 3
"""A cosine higher by 0.1 makes a phrase about half as heavy again, and so does a margin to the nearest topics."""

BROAD, BROAD_THEME = 0.3, 0.5
SECOND, SECOND_WEIGHT, SAME_START = 0.6, 0.35, 4
"""A phrase that fewer than the first share of a topic's texts have (of a theme's: the second) takes a second one along:
one with so many of the first one's texts in texts of its own, so much of its weight, and no word that begins alike."""


COMPANY = 0.8
"""A lone word takes the word beside it along where both together weigh this share of it: "cancel order" tells more."""

LABEL_WORDS = 6
"""Two phrases with more words than this, with the one between them, are no label that one can read at a glance."""


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
    vectors: FloatArray | None = None,
    themes: bool = False,
) -> list[Name]:
    """A name for each topic 0 .. topic_count - 1; ``topic`` has shape (texts,), negative where a text has none.

    Topics in ``kept`` have a label already, which they keep; no other topic gets it, nor one of the labels in ``gone``.
    With ``vectors``, shape (texts, dimensions), meaning counts beside frequency.
    ``themes`` says that these are groups of topics: short names serve them better, and one phrase is seldom enough.
    """
    if not (topic >= 0).any():
        return []
    kept = kept or {}
    candidates = topic_candidates(texts, topic, topic_count, THEME_LENGTH_BONUS if themes else LENGTH_BONUS)
    found = candidates.of_topic
    keywords = [_keywords(strongest) for strongest in found]
    new = [row for row in range(topic_count) if row not in kept]
    if vectors is not None and new and candidates.rows:
        meanings = Meanings(candidates.stems, vectors[candidates.rows])
        found = _weighed_by_meaning(found, new, centroids(vectors, topic), meanings)
    broad, joiner = BROAD_THEME if themes else BROAD, " and " if are_english(texts) else " / "
    taken = _Taken([*kept.values(), *gone], broad, joiner)
    labels = {row: taken.take(found[row] if themes else _with_company(found[row])) for row in new} | dict(kept)
    return [Name(labels[row], keywords[row]) for row in range(topic_count)]


def _weighed_by_meaning(
    found: list[list[Candidate]], rows: Sequence[int], centres: FloatArray, meanings: Meanings
) -> list[list[Candidate]]:
    """The candidates of the topics ``rows``, those that may win by frequency and by meaning."""
    weighed = list(found)
    for row in rows:
        contending = _contending(found[row])
        nearness = meanings.of([candidate.content for candidate in contending]) @ centres.T
        strongest = [
            replace(candidate, weight=candidate.weight * _meaning(near, row))
            for candidate, near in zip(contending, nearness, strict=True)
        ]
        strongest.sort(key=lambda candidate: (-candidate.weight, candidate.text))
        weighed[row] = strongest + found[row][len(strongest) :]
    return weighed


def _contending(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates[:STRONGEST] if candidate.weight >= CONTENDING * candidates[0].weight]


def _meaning(nearness: FloatArray, row: int) -> float:
    others = np.sort(np.delete(nearness, row))[-NEAREST_TOPICS:]
    margin = nearness[row] - others.mean() if len(others) else 0.0
    return round(float(np.exp(MEANING * (nearness[row] + margin))), 6)


def _keywords(candidates: Iterable[Candidate]) -> list[str]:
    """The strongest phrases, without those that say again what a stronger one says."""
    kept: list[Candidate] = []
    for candidate in candidates:
        words = set(candidate.content)
        if not any(words <= set(other.content) or set(other.content) <= words for other in kept):
            kept.append(candidate)
        if len(kept) == KEYWORD_COUNT:
            break
    return [candidate.text for candidate in kept]


class _Taken:
    """The labels of a field that are given away; says which a topic gets."""

    def __init__(self, labels: Collection[str], broad: float, joiner: str) -> None:
        self._broad, self._joiner = broad, joiner
        self._labels = {label.casefold() for label in labels}
        self._contents = {_content(label) for label in labels}

    def take(self, candidates: Sequence[Candidate]) -> str:
        """The strongest phrase that is free, as a label; from now on it is taken."""
        free = [candidate for candidate in candidates if candidate.content not in self._contents]
        label = _capitalized(_broadened(free, self._broad, self._joiner)) if free else None
        if label is None or label.casefold() in self._labels:
            label = self._numbered(_capitalized(candidates[0].text) if candidates else "Unnamed")
        self._labels.add(label.casefold())
        self._contents |= {free[0].content, _content(label)} if free else set()
        return label

    def _numbered(self, label: str) -> str:
        number = 1
        while (free := label if number == 1 else f"{label} {number}").casefold() in self._labels:
            number += 1
        return free


def _with_company(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """The candidates; where the first is a lone word, a phrase of it and words beside it that is as good is first."""
    if not candidates or len(candidates[0].content) > 1:
        return candidates
    word = candidates[0]
    longer = (
        candidate
        for candidate in candidates[1:]
        if word.content[0] in candidate.content
        and candidate.weight >= COMPANY * word.weight
        and len(candidate.text.split()) == len(candidate.content)  # what follows a small word is mostly a detail
    )
    return [*itertools.islice(longer, 1), *candidates]


def _content(label: str) -> Key:
    return content_of([word for run in runs_of(label) for word in run])


def _broadened(candidates: Sequence[Candidate], broad: float, joiner: str) -> str:
    """The strongest phrase, with a second one where it covers little and that one covers other texts."""
    first = candidates[0]
    if first.share >= broad:
        return first.text
    for second in candidates[1:]:
        counts = len(second.rows - first.rows) >= SECOND * len(first.rows)
        label = f"{first.text}{joiner}{second.text}"
        is_short = len(label.split()) <= LABEL_WORDS
        is_other = second.weight >= SECOND_WEIGHT * first.weight and not _starts(first) & _starts(second)
        if counts and is_short and is_other:
            return label
    return first.text


def _starts(candidate: Candidate) -> set[str]:
    return {word[:SAME_START] for word in re.split(r"\W+", candidate.text.lower())}


def _capitalized(label: str) -> str:
    """With a capital first letter, unless the first word has its capitals elsewhere (iOS)."""
    first = label.split(" ", maxsplit=1)[0]
    return label if first[1:] != first[1:].lower() else label[:1].upper() + label[1:]


def examples(texts: Sequence[str], vectors: FloatArray, topic: IntArray, topic_count: int) -> list[list[str]]:
    """Up to EXAMPLE_COUNT texts of each topic, central but unlike each other; the most central one first.

    Maximal marginal relevance (Carbonell and Goldstein, 1998) among the CENTRAL texts nearest to the centroid; what
    differs in the case of its letters only, or in nothing that the model sees, is one text.
    """
    if topic_count == 0:
        return []
    centres = centroids(vectors, topic)
    found: list[list[str]] = []
    for row in range(topic_count):
        members = np.flatnonzero(topic == row)
        nearness = vectors[members] @ centres[row] if len(members) else np.empty(0)
        order = _central([texts[member].casefold() for member in members.tolist()], vectors[members], nearness)
        chosen = _diverse(vectors[members[order]], nearness[order])
        found.append([texts[member] for member in members[order[chosen]]])
    return found


def _central(texts: Sequence[str], vectors: FloatArray, nearness: FloatArray) -> IntArray:
    """Positions of the CENTRAL rows nearest to the centroid; of those of one text or one vector only the first."""
    is_left = np.ones(len(texts), dtype=bool)
    found: dict[str, int] = {}
    for at in np.argsort(-nearness, kind="stable").tolist():
        if is_left[at] and texts[at] not in found:
            found[texts[at]] = at
            is_left &= vectors @ vectors[at] < SAME_VECTOR_COSINE
        if len(found) == CENTRAL:
            break
    return np.array([*found.values()], dtype=np.int64)


def _diverse(vectors: FloatArray, nearness: FloatArray) -> list[int]:
    """Positions of up to EXAMPLE_COUNT rows: near to the centroid, given by ``nearness``, and far from each other."""
    chosen: list[int] = []
    likeness = np.zeros(len(vectors))
    while len(chosen) < min(EXAMPLE_COUNT, len(vectors)):
        gain = np.round(nearness - likeness, 6)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        likeness = np.maximum(likeness, vectors @ vectors[chosen[-1]])
    return chosen
