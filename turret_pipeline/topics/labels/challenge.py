"""Labels from real texts: whole pieces of texts that fit a topic better than its keyword label.

The fit of a label is twice its mean cosine to the topic's texts less its mean cosine to the texts of the nearest other
topics, by the embedding model itself. The share of texts with the words of a label adds to it, because a label must be
true for most texts, and signs of a detail or of a fragment count against it. The keyword label stays unless a piece is
better by a margin.
"""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import sum_vectors
from turret_pipeline.topics.embedding.embedding import Embedder, normalize_rows
from turret_pipeline.topics.labels.allocation import capitalize
from turret_pipeline.topics.labels.choice import Challenge, Choice
from turret_pipeline.topics.labels.clauses import split_into_clauses
from turret_pipeline.topics.labels.function_words import DEFAULT_LANGUAGE, FunctionWords
from turret_pipeline.topics.labels.meaning import PhraseEmbedder
from turret_pipeline.topics.labels.phrases import Key
from turret_pipeline.topics.labels.pieces import Piece, TopicPieces
from turret_pipeline.topics.labels.quotes import Quote, find_quote
from turret_pipeline.topics.labels.subjects import SUBJECTS, rank_subjects
from turret_pipeline.topics.labels.topic_texts import TopicTexts
from turret_pipeline.topics.labels.word_use import WordUse

OWN_WEIGHT, NEAREST_TOPICS = 2.0, 3

PHRASE_COUNT, REDUNDANCY_WEIGHT = 3, 0.5
"""Phrases of a description, and the weight of their similarity against them."""

CONTENDING = 40
"""Pieces of each topic that are embedded: the best ones by the learned meaning of their words."""

MIN_TEXTS, FEW_TEXTS = 2, 10
"""Texts that must have the words of a piece, against details such as names; not in topics with fewer texts."""

MARGIN = 0.03

SUPPORT_WEIGHT, EXACT_WEIGHT, WHOLE_WEIGHT = 0.12, 0.15, 0.1
"""Weights of the square roots of the shares of texts with the words of a label, and with exactly the label, and of its
wholeness."""

ENOUGH_WHOLE = 0.5
"""A phrase that is whole in this share of its places is as good as one that always is."""

RARE_WEIGHT, SLOT_WEIGHT = 0.2, 0.12
"""Weights of signs of a detail: of each rare word, and of a word that differs from text to text."""

VERB_WEIGHT, ENDING_VERB_WEIGHT, UNSHARED_WEIGHT = 0.045, 0.1, 0.06
"""Weights of a verb at the start, of one at the end or a gerund at the start, and of a word of the keyword label."""

LONG_WORDS, LONG_WEIGHT = 4, 0.02
"""Each word beyond these counts against a label."""

SINGLE_WEIGHT, JOINED_WEIGHT, PART_WEIGHT = 0.09, 0.08, 0.06
"""Weights of having a single word, and of joining two phrases, against a keyword label."""

JOINERS = frozenset({"and", "/"})


@dataclass(frozen=True)
class _KeywordLabel:
    """A keyword label, the stems of its words if it is one phrase, and those of its content words."""

    text: str
    key: Key
    content: frozenset[str]
    is_single: bool

    @classmethod
    def read(cls, text: str, words: FunctionWords) -> "_KeywordLabel":
        """The label from its text."""
        clauses = split_into_clauses(text, words)
        content = frozenset(token.stem for clause in clauses for token in clause if token.is_content)
        key = tuple(token.stem for token in clauses[0]) if len(clauses) == 1 else ()
        return cls(text, key, content, len(text.split()) == 1)


def find_challenges(
    labels: Mapping[int, str],
    texts: Sequence[str],
    topic: IntArray,
    read: TopicTexts,
    vectors: FloatArray,
    embed: Embedder,
) -> dict[int, Challenge]:
    """Outcomes for the topics with the keyword ``labels``, by topic. Of the ``texts``, those in ``read`` are read."""
    use = WordUse()
    pieces = [
        TopicPieces([texts[at] for at in rows], words, read.excluded, use)
        for rows, words in zip(read.rows, read.words, strict=True)
    ]
    stems = [words for each in pieces for words in each.stems]
    meaning = PhraseEmbedder(stems, vectors[[at for rows in read.rows for at in rows]])
    directions = fit_directions(vectors, topic, len(pieces))
    own = {row: _KeywordLabel.read(label, read.words[row]) for row, label in labels.items()}
    contending = {row: _select_contending(pieces[row], label, directions[row], meaning) for row, label in own.items()}
    general = {row: SUBJECTS if read.languages[row] == DEFAULT_LANGUAGE else () for row in labels}
    phrases = {*labels.values(), *(piece.text for found in contending.values() for piece in found)}
    distinct = sorted({*phrases, *itertools.chain(*general.values())})
    embedded = normalize_rows(np.asarray(embed(distinct), dtype=np.float32))
    position = {text: at for at, text in enumerate(distinct)}
    found = {}
    for row, label in own.items():
        quote = find_quote(texts, vectors, read.rows[row], directions[row], read.languages[row], use)
        found[row] = _judge(
            label, contending[row], pieces[row], directions[row], embedded, position, quote, general[row]
        )
    return found


def _judge(
    label: _KeywordLabel,
    contending: Sequence[Piece],
    pieces: TopicPieces,
    direction: FloatArray,
    embedded: FloatArray,
    position: Mapping[str, int],
    quote: Quote | None,
    subjects: Collection[str],
) -> Challenge:
    """Outcome for one topic; ``embedded`` has the vectors of labels, pieces and ``subjects`` at their ``position``."""
    fits = dict(zip(position, (embedded @ direction).tolist(), strict=True))
    ratings = [_rate(piece, label.content, fits[piece.text]) for piece in contending]
    ranked = sorted(zip(ratings, contending, strict=True), key=lambda pair: (-pair[0], pair[1].text))
    least = _rate_label(label, pieces, fits[label.text])
    own = _make_choice(
        label.text,
        tuple(sorted(label.content)),
        fits,
        pieces.support(label.content),
        pieces.starts_with_verb(label.key),
    )
    better = [
        _make_choice(piece.text, piece.content, fits, piece.support, piece.starts_with_verb)
        for rating, piece in ranked
        if rating > least
    ]
    rows = [position[piece.text] for _, piece in ranked]
    chosen = _pick_different(embedded[rows], np.array([rating for rating, _ in ranked]))
    general = rank_subjects({subject: fits[subject] for subject in subjects})
    return Challenge(own, better, quote, general, [capitalize(ranked[at][1].text) for at in chosen])


def _pick_different(vectors: FloatArray, ratings: FloatArray) -> list[int]:
    """Positions of up to PHRASE_COUNT rows with high ratings and different meanings, best first."""
    chosen: list[int] = []
    redundancy = np.zeros(len(vectors))
    while len(chosen) < min(PHRASE_COUNT, len(vectors)):
        gain = np.round(ratings - REDUNDANCY_WEIGHT * redundancy, 3)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        redundancy = np.maximum(redundancy, vectors @ vectors[chosen[-1]])
    return chosen


def fit_directions(vectors: FloatArray, topic: IntArray, topic_count: int) -> FloatArray:
    """Vector of each topic whose dot product with a label's vector is the fit, shape (topics, dimensions)."""
    sums = sum_vectors(vectors.astype(np.float64), topic)
    counts = np.bincount(topic[topic >= 0], minlength=topic_count)[:, None]
    means = sums / np.maximum(counts, 1)
    units = normalize_rows(means)
    between = np.round(units @ units.T, 4)
    np.fill_diagonal(between, -np.inf)
    nearest = np.argsort(-between, axis=1, kind="stable")[:, : min(NEAREST_TOPICS, topic_count - 1)]
    others = means[nearest].mean(axis=1) if nearest.shape[1] else 0.0
    return np.asarray(OWN_WEIGHT * means - others)


def _select_contending(
    pieces: TopicPieces, label: _KeywordLabel, direction: FloatArray, meaning: PhraseEmbedder
) -> list[Piece]:
    """The best pieces by the learned meaning of their words."""
    needed = MIN_TEXTS / len(pieces.stems) if len(pieces.stems) >= FEW_TEXTS else 0.0
    every = [piece for piece in pieces.collect() if piece.support >= needed]
    if not every:
        return []
    fits = meaning.embed([piece.content for piece in every]) @ direction
    rated = [(-_rate(piece, label.content, fit), piece.text) for piece, fit in zip(every, fits.tolist(), strict=True)]
    best = {text for _, text in sorted(rated)[:CONTENDING]}
    return [piece for piece in every if piece.text in best]


def _rate(piece: Piece, content: Collection[str], fit: float) -> float:
    """Rating of a piece, rounded so that the last digits of vectors do not decide."""
    return round(
        fit
        + _rate_shares(piece.support, piece.exact_share, piece.whole_share, piece.rarity)
        + VERB_WEIGHT * piece.starts_with_verb
        - ENDING_VERB_WEIGHT * (piece.ends_with_verb or piece.is_gerund)
        - SLOT_WEIGHT * piece.fills_slot
        - PART_WEIGHT * piece.joins_parts
        - UNSHARED_WEIGHT * set(piece.content).isdisjoint(content)
        - LONG_WEIGHT * max(0, piece.word_count - LONG_WORDS),
        3,
    )


def _rate_label(label: _KeywordLabel, pieces: TopicPieces, fit: float) -> float:
    """Rating that a piece must exceed to replace the keyword label."""
    content = label.content
    if label.is_single:
        shares = _rate_shares(pieces.support(content), 0.0, ENOUGH_WHOLE, pieces.rarity(content))
        return round(fit + shares - SINGLE_WEIGHT, 3)
    whole, exact = pieces.whole_share(label.key), pieces.exact_share(label.key)
    shares = _rate_shares(pieces.support(content), exact, whole, pieces.rarity(content))
    is_joined = whole == 0 and not JOINERS.isdisjoint(label.text.split())
    is_gerund = pieces.is_gerund(label.text.split()[0].lower())
    return round(fit + shares + MARGIN - JOINED_WEIGHT * is_joined - ENDING_VERB_WEIGHT * is_gerund, 3)


def _make_choice(text: str, content: Key, fits: Mapping[str, float], support: float, names_act: bool) -> Choice:
    """The label as a choice; its truth is for the share of texts that have its words, and for naming an act."""
    return Choice(text, content, fits[text], SUPPORT_WEIGHT * math.sqrt(support) + VERB_WEIGHT * names_act, names_act)


def _rate_shares(support: float, exact_share: float, whole_share: float, rarity: float) -> float:
    return (
        SUPPORT_WEIGHT * math.sqrt(support)
        + EXACT_WEIGHT * math.sqrt(exact_share)
        + WHOLE_WEIGHT * min(1.0, whole_share / ENOUGH_WHOLE)
        - RARE_WEIGHT * rarity
    )
