"""Names of persons that texts of one wording differ in, found without a list of names.

A word is a name if a text of the same field has it, capitalized, after a greeting or a title ("Hi Anna", "Mr Brown"),
and the texts mostly capitalize it. It is only ignored in wordings that occur with many names: "flight to Boston" and
"flight to Denver" remain two texts.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set

MIN_FRAME_WORDS = 5
"""Words of a wording beside its names. With fewer, the names may be what the texts are about."""

MIN_FRAME_TEXTS, MIN_FRAME_NAMES = 5, 5
"""Texts with a wording, and different names in it, for its names to be exchangeable."""

MIN_CAPITALIZED_SHARE = 0.8
"""Share of the occurrences of a name that are capitalized. "Hi There" names nobody."""

MAX_NAMES = 4
"""Names of a text, first and last names of two persons. A text with more is a list, or capitalizes all words."""

MAX_TITLE_LETTERS = 8
"""Letters of the longest greeting or title."""

_BEFORE_NAMES = frozenset(
    "hi hello hey dear mr mrs ms miss dr prof hallo liebe lieber herr herrn frau bonjour cher chère monsieur madame "
    "mme hola querido querida señor señora sr sra olá senhor senhora ciao caro cara signor signora beste meneer "
    "mevrouw named".split()
)
"""Greetings and titles in seven languages, as single words in lower case."""

_WORD = re.compile(r"[^\W\d_]+")


def find_names(texts: Sequence[str]) -> frozenset[str]:
    """Names of persons in the texts, in lower case."""
    split = [_WORD.findall(text) for text in texts]
    addressed = {name.casefold() for words in split for name in _list_addressed(words)}
    if not addressed:
        return frozenset()
    capitalized, all_cases = Counter[str](), Counter[str]()
    for words in split:
        for word in words:
            if (folded := word.casefold()) in addressed:
                all_cases[folded] += 1
                capitalized[folded] += word.istitle()
    return frozenset(name for name in addressed if capitalized[name] >= MIN_CAPITALIZED_SHARE * all_cases[name])


def _list_addressed(words: Sequence[str]) -> Iterator[str]:
    """Capitalized words after a greeting or title: a first name, and a last name after it."""
    expected = 0
    for word in words:
        if len(word) <= MAX_TITLE_LETTERS and word.casefold() in _BEFORE_NAMES:
            expected = 2
        elif expected and len(word) > 1 and word.istitle():
            yield word
            expected -= 1
        else:
            expected = 0


def remove_exchangeable_names(templates: Sequence[str], names: Set[str]) -> list[str]:
    """The templates (words in lower case) without names, where many texts of the same wording have other names."""
    if not names:
        return list(templates)
    frames = [_frame(template, names) for template in templates]
    fillings: Mapping[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for template, frame in zip(templates, frames, strict=True):
        if frame is not None:
            counts[frame] += 1
            fillings[frame].update(word for word in template.split() if word in names)
    return [
        frame
        if frame is not None and counts[frame] >= MIN_FRAME_TEXTS and len(fillings[frame]) >= MIN_FRAME_NAMES
        else template
        for template, frame in zip(templates, frames, strict=True)
    ]


def _frame(template: str, names: Set[str]) -> str | None:
    """The template with its names replaced by a dash; None if it has no names, too many, or too few other words."""
    words = template.split()
    count = sum(word in names for word in words)
    if not 0 < count <= MAX_NAMES or len(words) - count < MIN_FRAME_WORDS:
        return None
    replaced = ["-" if word in names else word for word in words]
    # first and last name are one name, so that "Hi Anna" and "Hi Anna Smith" have one wording
    return " ".join(word for at, word in enumerate(replaced) if word != "-" or at == 0 or replaced[at - 1] != "-")
