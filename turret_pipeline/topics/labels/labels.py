"""Labels of topics: a short phrase of their texts that distinguishes them from the other topics of the field.

Two measures rate a phrase: the share of the topic's texts with its words compared with other topics (candidates.py),
and similarity in meaning, as in EmbedRank (Bennani-Smires et al., 2018) and KeyBERT (Grootendorst, 2020): the cosine of
the phrase's vector (meaning.py) to the topic's centroid, and its margin over the nearest other topics. The first alone
prefers frequent phrases, which may be details. The second alone prefers phrases of few texts.
"""

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import centroids
from turret_pipeline.topics.embedding.embedding import Embedder
from turret_pipeline.topics.labels.allocation import LabelAllocator, capitalize
from turret_pipeline.topics.labels.candidates import Candidate, find_candidates
from turret_pipeline.topics.labels.challenge import find_challenges, fit_directions
from turret_pipeline.topics.labels.choice import choose_challengers
from turret_pipeline.topics.labels.meaning import PhraseEmbedder
from turret_pipeline.topics.labels.phrases import are_english
from turret_pipeline.topics.labels.quotes import UNSPACED_LANGUAGES, choose_quotes, find_quote
from turret_pipeline.topics.labels.topic_texts import TopicTexts, select_texts

KEYWORD_COUNT, PHRASE_COUNT = 10, 3

MAX_CONTENDING, CONTENDING_SHARE = 20, 0.15
"""Phrases of each topic that are weighed by meaning: the best ones, with at least this share of the highest weight.
Phrases below these hardly ever win."""

LENGTH_BONUS, THEME_LENGTH_BONUS = 1.6, 1.0
"""Factor of the weight for each word added, because a longer phrase is more specific."""

MEANING_RATE, NEAREST_TOPICS = 4.5, 3
"""A cosine that is higher by 0.1 multiplies the weight by about 1.5, and so does a margin that is higher by 0.1."""

BROAD_SHARE, BROAD_THEME_SHARE = 0.3, 0.5
"""A label of a topic, and of a theme, has a second phrase if the first is in less than this share of the texts."""

LONGER_PHRASE_WEIGHT = 0.8
"""A longer phrase replaces a single word if it has this share of its weight: "cancel order" says more than "cancel"."""


@dataclass(frozen=True)
class TopicLabel:
    """A short label of a topic, its keywords, and up to three phrases that differ and describe it together."""

    label: str
    keywords: list[str]
    phrases: list[str]


def label_topics(
    texts: Sequence[str],
    topic: IntArray,
    topic_count: int,
    known: Mapping[int, str] | None = None,
    taken: Collection[str] = (),
    vectors: FloatArray | None = None,
    themes: bool = False,
    embed: Embedder | None = None,
    languages: Sequence[str | None] | None = None,
    excluded_words: Collection[str] = (),
    reads_language: Callable[[str | None], bool] = lambda _language: True,
) -> list[TopicLabel]:
    """Labels of the topics 0 to topic_count - 1; ``topic`` has shape (texts,), negative for an unassigned text.

    Topics in ``known`` keep their label. New labels differ from these and from the labels in ``taken``, and have none
    of ``excluded_words``. With ``vectors``, shape (texts, dimensions), phrases are also rated by meaning; with
    ``embed``, too, pieces of texts challenge the keyword labels of topics whose commonest language the model reads
    (``reads_language``). ``languages`` has the language of each text. Set ``themes`` to label themes, which need
    shorter phrases, and more often two.
    """
    if not (topic >= 0).any():
        return []
    known = known or {}
    read = select_texts(texts, topic, topic_count, languages, excluded_words)
    candidates = find_candidates(texts, read, THEME_LENGTH_BONUS if themes else LENGTH_BONUS)
    ranked = candidates.of_topic
    keywords = [_keywords(of_topic) for of_topic in ranked]
    new = [row for row in range(topic_count) if row not in known]
    if vectors is not None and new and candidates.rows:
        embedder = PhraseEmbedder(candidates.stems, vectors[candidates.rows])
        ranked = _weigh_by_meaning(ranked, new, centroids(vectors, topic), embedder)
    broad, joiner = BROAD_THEME_SHARE if themes else BROAD_SHARE, " and " if are_english(texts) else " / "
    allocator = LabelAllocator([*known.values(), *taken], broad, joiner)
    if not themes:
        ranked = [_prefer_longer_phrase(of_topic) for of_topic in ranked]
    labels = {row: allocator.allocate(ranked[row]) for row in new}
    phrases = {row: [capitalize(keyword) for keyword in keywords[row][:PHRASE_COUNT]] for row in range(topic_count)}
    if embed is not None and vectors is not None and new:
        readable = {row: label for row, label in labels.items() if reads_language(read.languages[row])}
        challenges = find_challenges(readable, texts, topic, read, vectors, embed)
        labels |= choose_challengers(labels, challenges, [*known.values(), *taken])
        phrases |= {row: challenge.phrases for row, challenge in challenges.items() if challenge.phrases}
    if vectors is not None:
        labels |= _quote_unspaced_topics(new, read, texts, topic, vectors, [*labels.values(), *known.values(), *taken])
    labels |= known
    return [TopicLabel(labels[row], keywords[row], phrases[row]) for row in range(topic_count)]


def _quote_unspaced_topics(
    rows: Sequence[int],
    read: TopicTexts,
    texts: Sequence[str],
    topic: IntArray,
    vectors: FloatArray,
    taken: Collection[str],
) -> dict[int, str]:
    """Labels of those of the topics whose language has no spaces between words, by topic."""
    unspaced = [row for row in rows if read.languages[row] in UNSPACED_LANGUAGES]
    if not unspaced:
        return {}
    directions = fit_directions(vectors, topic, len(read.rows))
    quotes = {row: find_quote(texts, vectors, read.rows[row], directions[row], read.languages[row]) for row in unspaced}
    return choose_quotes(quotes, taken)


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
