"""Texts of each topic that are read for its label: a sample in the commonest language of the topic."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.labels.function_words import (
    FunctionWords,
    commonest_language,
    derive_function_words,
    detect_language,
    has_function_words,
    select_function_words,
)
from turret_pipeline.topics.labels.phrases import stem_word

READ_TEXTS = 120
"""Texts that are read of each topic. They give shares within a few percent; more texts only take longer."""

NEARLY_SHARE = 0.7
"""Share of the count of a topic's commonest language from which on another language is nearly as common."""

TITLES = frozenset(
    """
    mr mrs ms miss dr prof herr frau monsieur madame señor señora sr sra signor signora senhor senhora meneer mevrouw
    """.split()
)
"""Words before the name of a person."""

AMBIGUOUS_TITLES = frozenset({"miss", "ms", "sr", "sra"})
"""Titles that are other words, too."""

_TITLED = re.compile(rf"\b(?:{'|'.join(sorted(TITLES))})\.?\s+([^\W\d_]+)", re.IGNORECASE)


@dataclass(frozen=True)
class TopicTexts:
    """Positions of the texts that are read of each topic, their language and its function words, and words to exclude.

    ``excluded`` has stems of words that are never in a label: those of the setting, and names of persons.
    """

    rows: list[list[int]]
    languages: list[str | None]
    words: list[FunctionWords]
    excluded: frozenset[str]


def select_texts(
    texts: Sequence[str],
    topic: IntArray,
    topic_count: int,
    languages: Sequence[str | None] | None = None,
    excluded_words: Collection[str] = (),
) -> TopicTexts:
    """Texts of the topics 0 to topic_count - 1 that are read; ``topic`` has shape (texts,), negative for none.

    ``languages`` has the language of each text; without it, it is detected from function words.
    """
    members: list[list[int]] = [[] for _ in range(topic_count)]
    for at in sorted(range(len(texts)), key=texts.__getitem__):
        if topic[at] >= 0:
            members[topic[at]].append(at)
    rows, spoken = [], []
    counts = Counter(languages or ())
    for own in members:
        known = {
            at: languages[at] if languages else detect_language(texts[at])
            for at in (own if languages else _sample(own))
        }
        commonest = _select_language([*known.values()], counts) if languages else commonest_language([*known.values()])
        rows.append(_sample([at for at in known if commonest is None or known[at] in {commonest, None}]))
        spoken.append(commonest)
    every = sorted({at for own in rows for at in own})
    excluded = {stem_word(word.lower()) for phrase in excluded_words for word in phrase.split()}
    excluded |= _names_after_titles([texts[at] for at in every])
    derived = {
        unlisted: derive_function_words(
            [[texts[at] for at in own] for own, language in zip(rows, spoken, strict=True) if language == unlisted]
        )
        for unlisted in {language for language in spoken if not has_function_words(language)}
    }
    words = [select_function_words(language).with_separators(derived.get(language, ())) for language in spoken]
    return TopicTexts(rows, spoken, words, frozenset(excluded))


def _select_language(languages: Sequence[str | None], of_field: Counter[str | None]) -> str | None:
    """The commonest known language of a topic; of those that are nearly as common, the commonest of the field."""
    counts = Counter(language for language in languages if language is not None)
    most = max(counts.values(), default=0)
    contending = [language for language, count in counts.items() if count >= NEARLY_SHARE * most]
    return min(contending, key=lambda language: (-of_field[language], language), default=None)


def _sample(own: Sequence[int]) -> list[int]:
    """Up to READ_TEXTS of the texts, evenly spaced."""
    return [own[at] for at in np.unique(np.linspace(0, len(own) - 1, READ_TEXTS).astype(int))] if own else []


def _names_after_titles(texts: Sequence[str]) -> set[str]:
    """Stems of words that are mostly after a title, which are names of persons, and of the titles."""
    titled = Counter(name.lower() for text in texts for name in _TITLED.findall(text))
    if not titled:
        return set()
    counts = Counter(word for text in texts for word in re.findall(r"[^\W\d_]+", text.lower()) if word in titled)
    names = {word for word, count in titled.items() if 2 * count > counts[word]}
    return {stem_word(word) for word in names | (TITLES - AMBIGUOUS_TITLES)}
