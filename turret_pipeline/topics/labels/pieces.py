"""Pieces of texts that can be a label: whole phrases, as people write them.

"Can you please make a bar chart of the sales" has the pieces "make bar chart" and "make bar chart of sales". A whole
phrase ends at the end of a clause or before a small word in many of its texts, while a fragment ("make bar") has the
same next word in nearly all. Where the next word differs from text to text ("translate to French", "to Dutch"), it is a
detail of each text instead of the topic.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from turret_pipeline.topics.labels.clauses import COORDINATORS, NOUN_JOINERS, Token, split_into_clauses
from turret_pipeline.topics.labels.function_words import FunctionWords
from turret_pipeline.topics.labels.phrases import is_unspaced_character
from turret_pipeline.topics.labels.word_use import WordUse

MAX_WORDS, MAX_CONTENT_WORDS = 6, 5

MIN_WHOLE_SHARE = 0.25
"""A piece must be whole in this share of its places."""

SLOT_WORDS, SLOT_SHARE = 3, 0.4
"""A place of a piece is a slot if at least this many different words stand there, and a word with less than this share
of them fills it with a detail."""

RARE_SHARE = 0.1
"""A word in fewer of the topic's texts is a detail, the rarer the more."""

NAME_SHARE = 0.3
"""A proper noun in fewer of the topic's texts is never in a label: names of persons and places differ from text to
text."""

Key = tuple[str, ...]
"""Stems of the words of a piece, in their order."""


@dataclass(frozen=True)
class Piece:
    """A piece of a topic.

    ``content`` has the sorted stems of its content words; ``support`` is the share of the topic's texts that have all
    of these, ``exact_share`` of those with the piece itself. ``rarity`` is the number of its words that are rare in the
    topic, as a fraction for those that are less rare. ``whole_share`` is the share of its places where it is whole.
    """

    text: str
    content: Key
    support: float
    exact_share: float
    whole_share: float
    rarity: float
    word_count: int
    fills_slot: bool
    joins_parts: bool
    starts_with_verb: bool
    ends_with_verb: bool
    is_gerund: bool


class TopicPieces:
    """Pieces of the texts of one topic. Counts are of texts, by the key of the piece."""

    def __init__(self, texts: Sequence[str], words: FunctionWords, excluded: frozenset[str], use: WordUse) -> None:
        self.stems: list[set[str]] = []
        self._use = use
        self._whole: Counter[Key] = Counter()
        self._seen: Counter[Key] = Counter()
        self._forms: dict[Key, Counter[tuple[str, ...]]] = defaultdict(Counter)
        self._content: dict[Key, Key] = {}
        self._next_words: dict[Key, Counter[str]] = defaultdict(Counter)
        for text in texts:
            clauses = split_into_clauses(text, words, excluded)
            use.add(clauses, is_upper=text.isupper())
            self._count(clauses)
        self._texts_of = _invert(self.stems)
        self._end_before_slots()

    def _count(self, clauses: Sequence[Sequence[Token]]) -> None:
        """Count each piece of a text once."""
        self.stems.append({token.stem for clause in clauses for token in clause if token.is_content})
        seen: dict[Key, Sequence[Token]] = {}
        whole: set[Key] = set()
        for clause in clauses:
            for span in _generate_spans(clause):
                key = tuple([token.stem for token in span])
                seen[key] = span
                if span[-1].may_end:
                    whole.add(key)
        for key, span in seen.items():
            self._forms[key][tuple([token.lower for token in span])] += 1
            self._content[key] = tuple(sorted({token.stem for token in span if token.is_content}))
        for first, second, third in {key for clause in clauses for key in _generate_trigrams(clause)}:
            self._next_words[first, second][third] += 1
        self._seen.update(seen.keys())
        self._whole.update(whole)

    def _end_before_slots(self) -> None:
        """Count pieces before "of" and a slot as whole: "generate pictures of ..."."""
        for key in [key for key in self._seen if key[-1] in NOUN_JOINERS and len(key) > 2]:
            following = self._next_words.get(key[-2:], Counter())
            if len(following) >= SLOT_WORDS and max(following.values()) < SLOT_SHARE * following.total():
                self._whole[key[:-1]] += self._seen[key]

    def collect(self) -> list[Piece]:
        """All pieces that may be a label, in alphabetical order. Call it after the texts of all topics were read."""
        pieces = {}
        for key in sorted(self._whole):
            share = min(1.0, self._whole[key] / self._seen[key])
            if len(key) > 1 and self._content[key] and share >= MIN_WHOLE_SHARE and not self._has_detail(key):
                piece = self._piece(key, share)
                pieces[piece.text] = piece
        return [pieces[text] for text in sorted(pieces)]

    def whole_share(self, key: Key) -> float:
        """Share of the places of a phrase where it is whole, 0 for one that never is."""
        return min(1.0, self._whole[key] / self._seen[key]) if self._whole[key] else 0.0

    def exact_share(self, key: Key) -> float:
        """Share of the texts with the phrase as a whole."""
        return min(1.0, self._whole[key] / max(len(self.stems), 1))

    def support(self, content: Collection[str]) -> float:
        """Share of the texts that have all of these stems."""
        if not content or not self.stems:
            return 0.0
        return len(set[int].intersection(*[self._texts_of.get(stem, set()) for stem in content])) / len(self.stems)

    def rarity(self, content: Collection[str]) -> float:
        """Number of rare words among these stems."""
        shares = [len(self._texts_of.get(stem, ())) / max(len(self.stems), 1) for stem in content]
        return sum(max(0.0, 1 - share / RARE_SHARE) for share in shares)

    def starts_with_verb(self, key: Key) -> bool:
        """True if the first word of a phrase is mostly a verb."""
        return bool(key) and self._use.is_verb(key[0])

    def is_gerund(self, lower: str) -> bool:
        """True for a verb form like "resetting" at the start of phrases."""
        return self._use.is_gerund(lower)

    def _usual_form(self, key: Key) -> tuple[str, ...]:
        forms = self._forms[key]
        return min(forms, key=lambda form: (-forms[form], form))

    def _has_detail(self, key: Key) -> bool:
        """True for a piece with a name of few texts, or with a misspelled word."""
        size, use = len(self.stems), self._use
        for stem, lower in zip(key, self._usual_form(key), strict=True):
            if use.is_proper_noun(lower) and len(self._texts_of.get(stem, ())) < NAME_SHARE * size:
                return True
            if use.is_unusual(lower):
                return True
        return False

    def _fills_slot(self, key: Key) -> bool:
        for at in range(2, len(key)):
            following = self._next_words[key[at - 2 : at]]
            if len(following) >= SLOT_WORDS and following[key[at]] < SLOT_SHARE * following.total():
                return True
        return False

    def _piece(self, key: Key, whole_share: float) -> Piece:
        use, content, form = self._use, self._content[key], self._usual_form(key)
        form = (use.imperative(form[0], key[0]), *form[1:])
        return Piece(
            text=" ".join(use.usual_case(word) for word in form),
            content=content,
            support=self.support(content),
            exact_share=self.exact_share(key),
            whole_share=whole_share,
            rarity=self.rarity(content),
            word_count=len(key),
            fills_slot=self._fills_slot(key),
            joins_parts=not COORDINATORS.isdisjoint(form),
            starts_with_verb=use.is_verb(key[0]),
            ends_with_verb=use.is_verb(key[-1]) and not form[-1].endswith(("ed", "en", "ing")),
            is_gerund=use.is_gerund(form[0]),
        )


def _invert(stems: Sequence[set[str]]) -> dict[str, set[int]]:
    """Positions of the texts with each stem."""
    found: dict[str, set[int]] = defaultdict(set)
    for at, words in enumerate(stems):
        for stem in words:
            found[stem].add(at)
    return found


def _generate_trigrams(clause: Sequence[Token]) -> Iterator[Key]:
    """Stems of all runs of three words."""
    stems = [token.stem for token in clause]
    yield from zip(stems, stems[1:], stems[2:], strict=False)


def _generate_spans(clause: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Runs of words of a clause that start where a phrase may start. No word is in a run twice."""
    for start, first in enumerate(clause):
        if not first.may_start:
            continue
        stems: set[str] = set()
        content = 0
        for end, token in enumerate(clause[start : start + MAX_WORDS], start + 1):
            content += token.is_content
            if token.stem in stems or content > MAX_CONTENT_WORDS or is_unspaced_character(token.lower):
                break
            stems.add(token.stem)
            yield clause[start:end]
