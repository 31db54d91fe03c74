"""Passages that many texts share by copying: instructions before every question, one pasted document, a signature.

They say nothing about what a person wants, but decide the vector of a text that is mostly made of them. They are left
out of what is embedded; the stored text keeps them. People also write equal short sentences by chance, and some copied
sentences are the request ("Translate the following into French:"): both stay.
"""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from turret_pipeline.topics.embedding.passages import count_words, fold_passage, split_passages

MIN_PASSAGE_WORDS = 5
"""Words of a passage that can be recognized as copied: people write shorter ones alike by chance."""

MIN_COPIES, MIN_COPY_SHARE = 5, 0.01
"""Distinct texts that have a passage, and their share of all texts, for it to be copied."""

MIN_REST_WORDS = 3
"""Words that must be left of a text without its copied passages. A greeting or a name alone is not a request."""

MOST = 0.5
"""Share of the texts whose common passages tell none of them from the others, however short they are."""

MIN_COPIED_WORDS = 30
"""Copied words in a text, for passages that fewer texts share: a request that people copy is shorter."""

MAX_GLUED_WORDS = 100
"""Words of a passage that is searched for a copied beginning or end: the search is quadratic."""


@dataclass(frozen=True)
class SharedPassages:
    """Folded passages that many texts have: ``copied`` ones, those that ``most`` texts have, and ``frequent`` ones.

    A frequent passage may be short. Beside a copied passage it is part of the copy.
    """

    copied: Set[str] = frozenset()
    most: Set[str] = frozenset()
    frequent: Set[str] = frozenset()


def find_shared_passages(texts: Sequence[str]) -> SharedPassages:
    """Passages that so many of the distinct texts of a field have that they were copied.

    A passage that is mostly a whole text is not copied: it is what people want.
    """
    split = [passages for text in texts if len(passages := split_passages(text)) > 1]
    folded = _fold_all(split)
    counts = Counter(key for passages in split for key in {folded[passage] for passage in passages} if key)
    needed = max(MIN_COPIES, MIN_COPY_SHARE * len(texts))
    frequent = {key for key, count in counts.items() if count >= needed}
    long = {key for key in frequent if count_words(key) >= MIN_PASSAGE_WORDS}
    shared = SharedPassages(_keep_added(split, folded, SharedPassages(long, long, frequent)), frozenset(), frequent)
    most = {key for key in shared.copied if counts[key] >= max(MOST * len(texts), MIN_COPIES)}
    return SharedPassages(shared.copied, most, frequent)


def remove_shared_passages(text: str, shared: SharedPassages) -> str:
    """The text without copied passages; the same text if it has none, or if too little is left."""
    if not shared.copied:
        return text
    passages = [part for passage in split_passages(text) for part in _split_glued(passage, shared.copied)]
    folded = [fold_passage(passage) for passage in passages]
    copied = _mark_copied(folded, shared)
    if not any(copied):
        return text
    rest = [passage for passage, is_copied in zip(passages, copied, strict=True) if not is_copied]
    words = count_words(" ".join(rest))
    if words < MIN_REST_WORDS:
        return text
    copied_words = count_words(" ".join(key for key, is_copied in zip(folded, copied, strict=True) if is_copied))
    is_large = copied_words >= max(MIN_COPIED_WORDS, words)
    return "\n".join(rest) if is_large or any(key in shared.most for key in folded) else text


def _split_glued(passage: str, copied: Set[str]) -> list[str]:
    """The passage, cut where a copied one begins or ends: people often type no mark at the end of a sentence."""
    if fold_passage(passage) in copied:
        return [passage]
    words = passage.split()
    if not MIN_PASSAGE_WORDS < len(words) <= MAX_GLUED_WORDS:
        return [passage]
    folded = [fold_passage(word) for word in words]
    for at in range(1, len(words)):
        parts = (words[:at], folded[:at]), (words[at:], folded[at:])
        if any(" ".join(word for word in part if word) in copied for _, part in parts):
            return [" ".join(part) for part, _ in parts]
    return [passage]


def _fold_all(split: Iterable[list[str]]) -> dict[str, str]:
    """Folded form of each passage. Copies are folded once."""
    distinct = {passage for passages in split for passage in passages}
    return {passage: fold_passage(passage) for passage in distinct}


def _keep_added(split: Sequence[list[str]], folded: dict[str, str], shared: SharedPassages) -> set[str]:
    """Those of the passages that were added to something else in most of the texts that have them."""
    seen, added = Counter[str](), Counter[str]()
    for passages in split:
        keys = [folded[passage] for passage in passages]
        copied = _mark_copied(keys, shared)
        if not any(copied):
            continue
        here = {key for key in keys if key in shared.copied}
        rest = " ".join(key for key, is_copied in zip(keys, copied, strict=True) if not is_copied)
        seen.update(here)
        if count_words(rest) >= MIN_REST_WORDS:
            added.update(here)
    return {key for key, count in seen.items() if added[key] > MOST * count}


def _mark_copied(folded: Sequence[str], shared: SharedPassages) -> list[bool]:
    """True for each passage that is copied, or frequent or without words beside one that is."""
    copied = [key in shared.copied for key in folded]
    if not any(copied):
        return copied
    for order in (range(1, len(folded)), range(len(folded) - 2, -1, -1)):
        for at in order:
            beside = at - order.step
            copied[at] = copied[at] or (copied[beside] and (not folded[at] or folded[at] in shared.frequent))
    return copied
