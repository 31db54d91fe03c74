"""Allocation of labels that are unique in a field."""

import re
from collections.abc import Collection, Sequence

from turret_pipeline.topics.labels.candidates import Candidate
from turret_pipeline.topics.labels.phrases import Key, content_stems, split_into_runs

SECOND_TEXTS, SECOND_WEIGHT, SAME_START = 0.6, 0.35, 4
"""The texts with only the second phrase of a label must number at least SECOND_TEXTS times those with the first, and
its weight must be at least SECOND_WEIGHT times that of the first. No two of their words may start with the same
SAME_START letters."""

LABEL_WORDS = 6
"""Words of a label with two phrases, with the word between them: a longer label is hard to read at a glance."""


class LabelAllocator:
    """Allocator of labels that are unique in a field."""

    def __init__(self, labels: Collection[str], broad: float, joiner: str) -> None:
        self._broad, self._joiner = broad, joiner
        self._labels = {label.casefold() for label in labels}
        self._contents = {label_content(label) for label in labels}

    def allocate(self, candidates: Sequence[Candidate]) -> str:
        """The best phrase that is still free, as a label; it is taken from now on."""
        free = [candidate for candidate in candidates if candidate.content not in self._contents]
        label = capitalize(_join_phrases(free, self._broad, self._joiner)) if free else None
        if label is None or label.casefold() in self._labels:
            label = self._add_number(capitalize(candidates[0].text) if candidates else "Unnamed")
        self._labels.add(label.casefold())
        self._contents |= {free[0].content, label_content(label)} if free else set()
        return label

    def _add_number(self, label: str) -> str:
        """The label, followed by a number if it is taken."""
        number = 1
        while (free := label if number == 1 else f"{label} {number}").casefold() in self._labels:
            number += 1
        return free


def label_content(label: str) -> Key:
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


def capitalize(label: str) -> str:
    """The label with a capital first letter, unless the first word has other capitals (iOS)."""
    first = label.split(" ", maxsplit=1)[0]
    return label if first[1:] != first[1:].lower() else label[:1].upper() + label[1:]
