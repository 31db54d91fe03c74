"""Phrases that may name a topic, each with the share of the topic's texts that have its words, strongest first.

Class-based TF-IDF (Grootendorst: BERTopic, 2022): the topics are the documents, and a phrase counts for a topic by the
share of its texts that have it. The second factor is sharper than there: the logarithm of that share over the share in
the other topics, so that what is common elsewhere too falls to nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.labels.phrases import (
    Key,
    Word,
    are_english,
    content_of,
    is_sign,
    joined,
    named_in,
    phrases_of,
    runs_of,
    word_count,
)

NAMING_WORDS = 60
"""A text says in its first words what it is about; phrases of whole pages would be millions."""

NAMING_TEXTS = 120
"""So many texts of a topic, evenly chosen, tell shares within a few percent; more would only take longer."""

LEAST_SHARE, FEW_TEXTS = 0.02, 20
"""A phrase that fewer of the topic's texts have is a detail; among so few texts a single one counts."""

TOGETHER = 0.1
"""A phrase is known by the texts with all its words, in any order; a little of its weight is that of the phrase as it
stands, so that of the ways to say it the usual one is taken."""

REWARDED_WORDS = 2
"""A phrase of three words says enough: further ones are no gain by themselves."""

NEIGHBOURS_SHARE, SMOOTHING = 0.5, 0.01
"""How common a phrase is elsewhere: halfway between the mean of the other topics and the one that has it most."""

NESTED = 0.6
"""A phrase that stands inside one longer phrase in this share of its texts is a stump of it (cf. C-value: Frantzi,
Ananiadou, Mima, 2000)."""

LONE, NAMED = 0.4, 0.1
"""By itself a word that comes after no article says little, as verbs and measures ("given", "inches"): it weighs this
share of what a noun does. A noun comes after one in so many of its texts at least."""

CONVERSATION = 0.5
"""Where more than this share of the texts has no other words, words of conversation ("thank you") are the topic."""


@dataclass(frozen=True)
class Candidate:
    """A phrase of a topic: its words as most of the texts have them, the stems that say something, the topic's texts
    that have them (positions among those read) and their share, and how well it sets the topic apart."""

    text: str
    content: Key
    rows: frozenset[int]
    share: float
    weight: float


@dataclass(frozen=True)
class Candidates:
    """Candidates of each topic, strongest first; and the texts that were read for them: which, and their stems."""

    of_topic: list[list[Candidate]]
    rows: list[int]
    stems: list[set[str]]


@dataclass
class _Reading:
    """What the texts of one topic say: how many have a phrase, in which words, and which stems each text has.

    ``is_prose`` in English, and where words of conversation are not the topic themselves.
    """

    forms: Counter[tuple[str, ...]] = field(default_factory=Counter)
    words: dict[tuple[str, ...], Sequence[Word]] = field(default_factory=dict)
    stems: list[set[str]] = field(default_factory=list)
    counts: Counter[Key] = field(default_factory=Counter)
    usual: dict[Key, Sequence[Word]] = field(default_factory=dict)
    is_prose: bool = False

    def add(self, runs: Sequence[Sequence[Word]]) -> None:
        """Count the phrases of one text, each once."""
        phrases = {tuple([word.lower for word in phrase]): phrase for run in runs for phrase in phrases_of(run)}
        self.forms.update(phrases.keys())
        self.words.update(phrases)
        self.stems.append({word.stem for run in runs for word in run})

    def close(self) -> None:
        """Make the forms of a phrase one; its usual words are those of most texts."""
        least = 2 if len(self.stems) > FEW_TEXTS else 1
        frequent = [form for form, count in self.forms.items() if count >= least]
        for form in sorted(frequent, key=lambda form: (-self.forms[form], form)):
            key = tuple(word.stem for word in self.words[form])
            self.counts[key] += self.forms[form]
            self.usual.setdefault(key, self.words[form])

    def telling(self) -> dict[Key, Key]:
        """Phrases that enough texts have and that are no stumps of longer ones, with the stems that tell."""
        size = len(self.stems)
        least = max(2, LEAST_SHARE * size) if size > FEW_TEXTS else 1
        frequent = sorted(key for key, count in self.counts.items() if count >= least)
        # nothing but being said again tells a word of a script without spaces from any cut of its characters
        frequent = [key for key in frequent if self.counts[key] > 1 or not all(map(is_sign, key))] or frequent
        stumps = {part for key in frequent if self.counts[key] > 1 for part in _parts(key) if self._nests(part, key)}
        return {key: content_of(self.usual[key]) for key in frequent if key not in stumps}

    def _nests(self, part: Key, whole: Key) -> bool:
        return part in self.counts and self.counts[whole] >= NESTED * self.counts[part]


def _parts(key: Key) -> list[Key]:
    length = len(key)
    return [key[a:b] for a in range(length) for b in range(a + 1, length + 1) if b - a < length]


def topic_candidates(texts: Sequence[str], topic: IntArray, topic_count: int, length_bonus: float) -> Candidates:
    """Phrases of each topic 0 .. topic_count - 1; ``topic`` has shape (texts,), negative for none.

    A phrase weighs ``length_bonus`` times as much for each of REWARDED_WORDS words after its first.
    """
    casing: dict[str, Counter[str]] = defaultdict(Counter)
    chosen = _chosen(texts, topic, topic_count)
    readings = [_read([texts[at] for at in rows], casing) for rows in chosen]
    stems = [stems for reading in readings for stems in reading.stems]
    usual_case = {lower: _usual_case(lower, written) for lower, written in casing.items()}
    keys = [reading.telling() for reading in readings]
    contents = sorted({content for own in keys for content in own.values()})
    if not contents:
        return Candidates([[] for _ in readings], [], [])
    has = _having(stems, contents)
    ends = np.cumsum([len(reading.stems) for reading in readings])
    of_topic = [has[end - len(reading.stems) : end] for reading, end in zip(readings, ends, strict=True)]
    share = np.array([np.asarray(part.sum(axis=0)).ravel() / max(part.shape[0], 1) for part in of_topic])
    weight, column = share ** (1 - TOGETHER) * _contrast(share), {content: at for at, content in enumerate(contents)}
    is_prose = np.array([reading.is_prose for reading in readings])[:, None]
    weight *= np.where(is_prose, _standing([texts[at] for rows in chosen for at in rows], stems, contents), 1.0)
    ranked = [
        _ranked(readings[row], keys[row], of_topic[row].tocsc(), weight[row], column, usual_case, length_bonus)
        for row in range(topic_count)
    ]
    return Candidates(ranked, [at for rows in chosen for at in rows], stems)


def _ranked(
    reading: _Reading,
    keys: Mapping[Key, Key],
    has: sp.csc_matrix,
    weight: FloatArray,
    column: Mapping[Key, int],
    usual_case: Mapping[str, str],
    length_bonus: float,
) -> list[Candidate]:
    """The phrases of one topic, strongest first; of those with the same words only the strongest."""
    size = len(reading.stems)
    weights = {
        key: round(
            float(weight[column[content]])
            * (reading.counts[key] / size) ** TOGETHER
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
            text = joined([usual_case.get(word.lower, word.lower) for word in reading.usual[key]])
            found[content] = Candidate(text, content, rows, len(rows) / size, weights[key])
    return list(found.values())


def _chosen(texts: Sequence[str], topic: IntArray, topic_count: int) -> list[list[int]]:
    """Positions of up to NAMING_TEXTS texts of each topic, evenly chosen from A to Z."""
    members: list[list[int]] = [[] for _ in range(topic_count)]
    for at in sorted(range(len(texts)), key=texts.__getitem__):
        if topic[at] >= 0:
            members[topic[at]].append(at)
    return [
        [own[at] for at in np.unique(np.linspace(0, len(own) - 1, NAMING_TEXTS).astype(int))] if own else []
        for own in members
    ]


def _read(texts: Sequence[str], casing: dict[str, Counter[str]]) -> _Reading:
    """The phrases of a topic's texts; counts in ``casing`` how words are written where they do not start a sentence."""
    short = [" ".join(text.split()[:NAMING_WORDS]) for text in texts]
    runs = [runs_of(text) for text in short]
    silent = sum(not any(word.tells for run in found for word in run) for found in runs)
    if is_talk := silent > CONVERSATION * len(texts):
        runs = [runs_of(text, with_chatter=True) for text in short]
    reading = _Reading(is_prose=not is_talk and are_english(short))
    for text, found in zip(short, runs, strict=True):
        reading.add(found)
        if not text.isupper():
            for run in found:
                for word in run:
                    if not word.starts or word.written[1:] != word.lower[1:]:
                        casing[word.lower][word.written] += 1
    reading.close()
    return reading


def _standing(texts: Sequence[str], stems: Sequence[set[str]], contents: Sequence[Key]) -> FloatArray:
    """How well each phrase stands by itself, shape (phrases,): 1, but for lone words that come after no article."""
    named = Counter(stem for text in texts for stem in named_in(text))
    count = Counter(stem for text in stems for stem in text)
    shares = [named[content[0]] / count[content[0]] if len(content) == 1 else 1.0 for content in contents]
    return np.array([LONE + (1 - LONE) * min(1.0, share / NAMED) for share in shares])


def _usual_case(lower: str, written: Counter[str]) -> str:
    """The word with capitals if most texts write it so: PIN, iOS, Visa."""
    usual = min(written, key=lambda form: (-written[form], form))
    return usual if 2 * written[usual] > written.total() else lower


def _having(stems: Sequence[Iterable[str]], contents: Sequence[Key]) -> sp.csr_matrix:
    """Which texts have all the stems of which phrase, shape (texts, phrases), of ones."""
    number = {stem: at for at, stem in enumerate(sorted({stem for content in contents for stem in content}))}
    rows = [[number[stem] for stem in text if stem in number] for text in stems]
    lengths = np.cumsum([0, *map(len, rows)])
    flat = np.fromiter((at for row in rows for at in row), dtype=np.int64)
    words = sp.csr_matrix((np.ones(len(flat)), flat, lengths), (len(rows), len(number))).tocsc()
    having = words[:, [number[content[0]] for content in contents]]
    for place in range(1, max(map(len, contents))):
        having = having.multiply(words[:, [number[content[min(place, len(content) - 1)]] for content in contents]])
    return having.tocsr()


def _contrast(share: FloatArray) -> FloatArray:
    """Logarithm of a phrase's share in a topic over that elsewhere, at least 0; shape (topics, phrases)."""
    if len(share) == 1:
        return np.asarray(np.log(share / SMOOTHING + 1))
    mean = (share.sum(axis=0) - share) / (len(share) - 1)
    top = np.sort(share, axis=0)
    most = np.where(share == top[-1], top[-2], top[-1])
    elsewhere = (1 - NEIGHBOURS_SHARE) * mean + NEIGHBOURS_SHARE * most
    return np.asarray(np.log((share + SMOOTHING) / (elsewhere + SMOOTHING)).clip(0))
