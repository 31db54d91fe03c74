"""Use of words in all texts that are labelled: their usual case, and their place in phrases."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from turret_pipeline.topics.labels.clauses import Token

PROPER_SHARE = 0.3
"""A word that has a capital letter inside sentences in this share of its places is a proper noun."""

VERB_RATIO, VERB_PLACES = 2, 3
"""A word is mostly a verb if it is after a subject this many times as often as after an article or preposition; and at
least in this many places."""

MIN_IMPERATIVES = 2
"""A form of a word must start phrases this often to replace its gerund."""

GERUND, GERUND_LETTERS = "ing", 6

MIN_TEXTS, FEW_TEXTS = 2, 200
"""A word in fewer than MIN_TEXTS texts of all topics may be misspelled; not if at most FEW_TEXTS texts are read."""


class WordUse:
    """Counts of the words of clauses."""

    def __init__(self) -> None:
        self._written: dict[str, Counter[str]] = defaultdict(Counter)
        self._starts: Counter[str] = Counter()
        self._after_subject: Counter[str] = Counter()
        self._after_small: Counter[str] = Counter()
        self._forms: dict[str, set[str]] = defaultdict(set)
        self.texts: Counter[str] = Counter()
        self.text_count = 0

    def add(self, clauses: Sequence[Sequence[Token]], *, is_upper: bool) -> None:
        """Count the words of a text; ``is_upper`` if all of it is in capitals, which then have no meaning."""
        tokens = [token for clause in clauses for token in clause]
        self.text_count += 1
        self.texts.update({token.lower for token in tokens})
        for token in tokens:
            self._forms[token.stem].add(token.lower)
            self._after_small[token.lower] += token.is_after_small
            self._after_subject[token.lower] += token.is_after_subject
            self._starts[token.lower] += token.may_start and not token.is_after_small
            has_usual_capital = token.starts_sentence and token.written[1:] == token.lower[1:]
            if not is_upper and not has_usual_capital:
                self._written[token.lower][token.written] += 1

    def usual_case(self, lower: str) -> str:
        """The word with the capitals that most texts give it: PIN, iOS, Visa."""
        written = self._written.get(lower)
        if not written:
            return lower
        usual = min(written, key=lambda form: (-written[form], form))
        return usual if 2 * written[usual] > written.total() else lower

    def is_proper_noun(self, lower: str) -> bool:
        """True for a name, in whatever case most texts write it; acronyms are no names."""
        written = self._written.get(lower)
        if not written or self.usual_case(lower).isupper():
            return False
        return written[lower] <= (1 - PROPER_SHARE) * written.total()

    def is_unusual(self, lower: str) -> bool:
        """True for a word that may be misspelled, or a name of one text."""
        return 0 < self.texts[lower] < MIN_TEXTS and self.text_count > FEW_TEXTS

    def is_verb(self, stem: str) -> bool:
        """True if the forms of a word are far more often after a subject than after an article or preposition."""
        verbs = sum(self._after_subject[form] for form in self._forms[stem])
        return verbs >= VERB_PLACES and verbs > VERB_RATIO * sum(self._after_small[form] for form in self._forms[stem])

    def is_gerund(self, lower: str) -> bool:
        """True for "resetting", but not for "checking" if texts mostly say "my checking account"."""
        is_form = lower.endswith(GERUND) and len(lower) >= GERUND_LETTERS
        return is_form and self._starts[lower] > self._after_small[lower]

    def imperative(self, lower: str, stem: str) -> str:
        """The form of a gerund's verb that starts most phrases, the word itself if there is none."""
        if not self.is_gerund(lower):
            return lower
        forms = [
            form
            for form in self._forms[stem]
            if not form.endswith((GERUND, "ed", "s")) and self._starts[form] >= MIN_IMPERATIVES
        ]
        return min(forms, key=lambda form: (-self._starts[form], form), default=lower)
