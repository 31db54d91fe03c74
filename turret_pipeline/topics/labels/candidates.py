"""Candidate phrases for the label of each topic, best first.

The weight is like class-based TF-IDF (Grootendorst: BERTopic, 2022): the topics are the documents, and the first factor
is the share of the topic's texts that have the phrase. The second factor is sharper than in the paper: the logarithm of
that share over the share in the other topics, so that phrases that are common everywhere have weight 0.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.labels.function_words import FunctionWords
from turret_pipeline.topics.labels.phrases import (
    Key,
    Word,
    are_english,
    content_stems,
    generate_phrases,
    is_unspaced_character,
    join_words,
    split_into_runs,
    stems_after_articles,
    word_count,
)
from turret_pipeline.topics.labels.topic_texts import TopicTexts

READ_WORDS = 60
"""Words that are read of each text: the subject is near the start, and whole pages would have millions of phrases."""

MIN_SHARE, FEW_TEXTS = 0.02, 20
"""A phrase in fewer of the topic's texts is a detail. With this few texts, one text is enough."""

EXACT_EXPONENT = 0.1
"""Exponent of the share of texts with the exact phrase. The rest of the weight counts texts with all its words in any
order. A small exponent is enough to prefer the most frequent order."""

REWARDED_WORDS = 2
"""Words beyond the first that add weight: a phrase of three words is specific enough."""

MAXIMUM_WEIGHT, SMOOTHING = 0.5, 0.01
"""The share of a phrase elsewhere is halfway between the mean of the other topics and their maximum."""

FRAGMENT_SHARE = 0.6
"""A phrase that is inside the same longer phrase in this share of its texts is a fragment (cf. C-value: Frantzi,
Ananiadou, Mima, 2000)."""

SINGLE_WORD_WEIGHT, NOUN_SHARE = 0.4, 0.1
"""Weight of a single word that is never directly after an article, relative to a noun: verbs and measures ("given",
"inches") say little alone. A word is a full noun if it is after an article in the second share of its texts."""

CONVERSATION_SHARE = 0.5
"""If more than this share of the texts has only conversational words ("thank you"), those are the topic."""


@dataclass(frozen=True)
class Candidate:
    """A phrase of a topic.

    ``text`` is its most frequent form, ``content`` the stems of its content words. ``rows`` are the positions of the
    topic's texts that have all of these, ``share`` is their share of the texts. ``weight`` says how well the phrase
    distinguishes the topic from the others.
    """

    text: str
    content: Key
    rows: frozenset[int]
    share: float
    weight: float


@dataclass(frozen=True)
class Candidates:
    """Candidates of each topic, best first, and the positions and stems of the texts that were read."""

    of_topic: list[list[Candidate]]
    rows: list[int]
    stems: list[set[str]]


@dataclass
class _PhraseCounts:
    """Phrases of the texts of one topic.

    ``forms`` counts the texts of each phrase as written, ``counts`` those of each key. ``stems`` has a set per text.
    ``is_prose`` is true for English texts whose topic is more than conversational words.
    """

    forms: Counter[tuple[str, ...]] = field(default_factory=Counter)
    words: dict[tuple[str, ...], Sequence[Word]] = field(default_factory=dict)
    stems: list[set[str]] = field(default_factory=list)
    counts: Counter[Key] = field(default_factory=Counter)
    usual_words: dict[Key, Sequence[Word]] = field(default_factory=dict)
    is_prose: bool = False

    def add(self, runs: Sequence[Sequence[Word]]) -> None:
        """Count each phrase of a text once."""
        phrases = {tuple([word.lower for word in phrase]): phrase for run in runs for phrase in generate_phrases(run)}
        self.forms.update(phrases.keys())
        self.words.update(phrases)
        self.stems.append({word.stem for run in runs for word in run})

    def merge_forms(self) -> None:
        """Sum the counts of forms with the same key; the words of the most frequent form stand for it."""
        least = 2 if len(self.stems) > FEW_TEXTS else 1
        frequent = [form for form, count in self.forms.items() if count >= least]
        for form in sorted(frequent, key=lambda form: (-self.forms[form], form)):
            key = tuple(word.stem for word in self.words[form])
            self.counts[key] += self.forms[form]
            self.usual_words.setdefault(key, self.words[form])

    def frequent_phrases(self, excluded: frozenset[str]) -> dict[Key, Key]:
        """Content stems of the phrases, by key, that enough texts have and that are not fragments of longer ones.

        Phrases with a stem in ``excluded`` are left out.
        """
        size = len(self.stems)
        least = max(2, MIN_SHARE * size) if size > FEW_TEXTS else 1
        frequent = sorted(key for key, count in self.counts.items() if count >= least)
        # in a script without spaces, only repetition distinguishes a word from an arbitrary piece of text
        repeated = [key for key in frequent if self.counts[key] > 1]
        is_spaced = {key: not all(map(is_unspaced_character, key)) for key in frequent}
        frequent = [key for key in frequent if self.counts[key] > 1 or is_spaced[key]] or frequent
        fragments = {part for key in repeated for part in _parts(key) if self._is_fragment(part, key)}
        return {
            key: content_stems(self.usual_words[key])
            for key in frequent
            if key not in fragments and excluded.isdisjoint(key)
        }

    def _is_fragment(self, part: Key, whole: Key) -> bool:
        return part in self.counts and self.counts[whole] >= FRAGMENT_SHARE * self.counts[part]


def _parts(key: Key) -> list[Key]:
    """All shorter runs of the key."""
    length = len(key)
    return [key[a:b] for a in range(length) for b in range(a + 1, length + 1) if b - a < length]


def find_candidates(texts: Sequence[str], read: TopicTexts, length_bonus: float) -> Candidates:
    """Candidates of the topics, of whose ``texts`` those in ``read`` are read.

    The weight is multiplied by ``length_bonus`` for each of up to REWARDED_WORDS words after the first.
    """
    casing: dict[str, Counter[str]] = defaultdict(Counter)
    sampled, topic_count = read.rows, len(read.rows)
    by_topic = [
        _count_phrases([texts[at] for at in rows], casing, words)
        for rows, words in zip(sampled, read.words, strict=True)
    ]
    stems = [stems for counts in by_topic for stems in counts.stems]
    usual_case = {lower: _usual_case(lower, written) for lower, written in casing.items()}
    keys = [counts.frequent_phrases(read.excluded) for counts in by_topic]
    contents = sorted({content for own in keys for content in own.values()})
    if not contents:
        return Candidates([[] for _ in by_topic], [], [])
    has = _match_phrases(stems, contents)
    ends = np.cumsum([len(counts.stems) for counts in by_topic])
    of_topic = [has[end - len(counts.stems) : end] for counts, end in zip(by_topic, ends, strict=True)]
    share = np.array([np.asarray(part.sum(axis=0)).ravel() / max(part.shape[0], 1) for part in of_topic])
    weight = share ** (1 - EXACT_EXPONENT) * _contrast(share)
    column = {content: at for at, content in enumerate(contents)}
    is_prose = np.array([counts.is_prose for counts in by_topic])[:, None]
    weight *= np.where(is_prose, _noun_factors([texts[at] for rows in sampled for at in rows], stems, contents), 1.0)
    ranked = [
        _rank_phrases(by_topic[row], keys[row], of_topic[row].tocsc(), weight[row], column, usual_case, length_bonus)
        for row in range(topic_count)
    ]
    return Candidates(ranked, [at for rows in sampled for at in rows], stems)


def _rank_phrases(
    counts: _PhraseCounts,
    keys: Mapping[Key, Key],
    has: sp.csc_matrix,
    weight: FloatArray,
    column: Mapping[Key, int],
    usual_case: Mapping[str, str],
    length_bonus: float,
) -> list[Candidate]:
    """Candidates of one topic, best first; only the best phrase with the same content stems."""
    size = len(counts.stems)
    weights = {
        key: round(
            float(weight[column[content]])
            * (counts.counts[key] / size) ** EXACT_EXPONENT
            * length_bonus ** min(word_count(content) - 1, REWARDED_WORDS),
            9,
        )
        for key, content in keys.items()
    }
    found: dict[Key, Candidate] = {}
    for key in sorted(keys, key=lambda key: (-weights[key], key)):
        content = keys[key]
        if content not in found:
            at = column[content]
            rows = frozenset(has.indices[has.indptr[at] : has.indptr[at + 1]].tolist())
            text = join_words([usual_case.get(word.lower, word.lower) for word in counts.usual_words[key]])
            found[content] = Candidate(text, content, rows, len(rows) / size, weights[key])
    return list(found.values())


def _count_phrases(texts: Sequence[str], casing: dict[str, Counter[str]], words: FunctionWords) -> _PhraseCounts:
    """Phrases of the texts of a topic; adds to ``casing`` the spellings of words that do not start a sentence."""
    short = [" ".join(text.split()[:READ_WORDS]) for text in texts]
    runs = [split_into_runs(text, known=words) for text in short]
    without_content = sum(not any(word.is_content for run in found for word in run) for found in runs)
    if is_conversational := without_content > CONVERSATION_SHARE * len(texts):
        runs = [split_into_runs(text, with_chatter=True, known=words) for text in short]
    counts = _PhraseCounts(is_prose=not is_conversational and are_english(short))
    for text, found in zip(short, runs, strict=True):
        counts.add(found)
        if not text.isupper():
            for run in found:
                for word in run:
                    if not word.starts_sentence or word.written[1:] != word.lower[1:]:
                        casing[word.lower][word.written] += 1
    counts.merge_forms()
    return counts


def _noun_factors(texts: Sequence[str], stems: Sequence[set[str]], contents: Sequence[Key]) -> FloatArray:
    """Factor of each phrase, shape (phrases,): 1, or less for a single word that is rarely after an article."""
    after_article = Counter(stem for text in texts for stem in stems_after_articles(text))
    count = Counter(stem for text in stems for stem in text)
    shares = [after_article[content[0]] / count[content[0]] if len(content) == 1 else 1.0 for content in contents]
    return np.array([SINGLE_WORD_WEIGHT + (1 - SINGLE_WORD_WEIGHT) * min(1.0, share / NOUN_SHARE) for share in shares])


def _usual_case(lower: str, written: Counter[str]) -> str:
    """The word with the capitals that most texts give it: PIN, iOS, Visa."""
    usual = min(written, key=lambda form: (-written[form], form))
    return usual if 2 * written[usual] > written.total() else lower


def _match_phrases(stems: Sequence[Iterable[str]], contents: Sequence[Key]) -> sp.csr_matrix:
    """Matrix of shape (texts, phrases) with 1 for each text that has all stems of the phrase."""
    number = {stem: at for at, stem in enumerate(sorted({stem for content in contents for stem in content}))}
    rows = [[number[stem] for stem in text if stem in number] for text in stems]
    lengths = np.cumsum([0, *map(len, rows)])
    flat = np.fromiter((at for row in rows for at in row), dtype=np.int64)
    words = sp.csr_matrix((np.ones(len(flat)), flat, lengths), (len(rows), len(number))).tocsc()
    matches = words[:, [number[content[0]] for content in contents]]
    for position in range(1, max(map(len, contents))):
        matches = matches.multiply(words[:, [number[content[min(position, len(content) - 1)]] for content in contents]])
    return matches.tocsr()


def _contrast(share: FloatArray) -> FloatArray:
    """Logarithm of the share of each phrase in a topic over its share elsewhere, at least 0; (topics, phrases)."""
    if len(share) == 1:
        return np.asarray(np.log(share / SMOOTHING + 1))
    mean = (share.sum(axis=0) - share) / (len(share) - 1)
    top = np.sort(share, axis=0)
    most = np.where(share == top[-1], top[-2], top[-1])
    elsewhere = (1 - MAXIMUM_WEIGHT) * mean + MAXIMUM_WEIGHT * most
    return np.asarray(np.log((share + SMOOTHING) / (elsewhere + SMOOTHING)).clip(0))
