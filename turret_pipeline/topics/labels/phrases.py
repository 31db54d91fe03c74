"""Short phrases that texts are made of: what a topic may be called, in the words of those who wrote.

A phrase is a run of words within a sentence, as in RAKE (Rose et al., 2010: candidates lie between stop words), but
small words may stand inside ("lost or stolen card"), and articles, possessives and auxiliaries are passed over, as
headlines do ("my card has not arrived": "card not arrived"). The lists are English; in a language that they do not
know, small words count as words, and are held down by being common everywhere. Chinese and Japanese characters are
words of their own.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

ARTICLES = frozenset("a an the my your our their his her its this that these those some any every each".split())
"""Words that a noun comes after."""

PASSED_OVER = ARTICLES | frozenset(
    """
    is are was were be been being am has have had having will did do does done it's that's there's mine
    """.split()
)
"""Words that a headline leaves out."""

INSIDE = frozenset(
    "of to for in on at with from by or and without into as per between vs near like via during".split()
    + list("的了我你他她它们們是在有和与嗎吗呢吧把被就都也很这那要のはをがにでともへやかなだすしまてたれ")
)
"""Words that a phrase may have inside only."""

JOINING = frozenset({"and", "or"})

AT_THE_END = frozenset("up out off down back away over again".split())
"""Words that a phrase may not begin with."""

NOT = "not"
NEGATIONS = frozenset(
    """
    not never cannot cant dont didnt doesnt isnt wasnt arent werent havent hasnt hadnt wont wouldnt couldnt shouldnt
    """.split()
)

MEASURES = frozenset("long far soon old big high fast quickly late early close".split())
"""Words that ask, after "how", and tell nothing."""

CHATTER = frozenset(
    """
    hi hello hey hii hlo helo hai thanks thank please pls plz kindly ok okay yes no yeah yep nope well um uh oh ah hmm
    sorry sir madam want wants wanted wanting need needs needed like liked just know knowing help helping tell said
    saying say let lets gonna wanna gotta would could should might must shall got get gets getting give gave make makes
    made making use used using u ur im ive id ill whats hows thats theres wheres whos youre youd youll theyre hes shes
    weve ya yall really actually currently basically also guy guys there here then now maybe able trying tried try
    think wondering looking look sure hoping hope wish possible going go went come goes way ways thing things something
    anything lot one two asked kind good great best right etc eg ie question questions info information hai kya ka ke ki
    """.split()
)
"""Words of conversation that name no subject."""

TELLING = frozenset(
    """
    amount bill bottom call computer cry detail empty fill find fire first front full interest last mill move name next
    part side system top forty fifty thick thin sincere
    """.split()
)
"""Words among scikit-learn's English stop words that may well be what a text is about."""

LONGEST, CONTENT_WORDS = 6, 4
"""So many words a phrase has at most, and so many that are not of INSIDE, AT_THE_END or NEGATIONS; of characters of
scripts without spaces, twice as many."""

_UNSPACED = "\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Characters of Chinese and Japanese but katakana, whose runs are words."""

_MARKED = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u109f\u1780-\u17d3"
"""Marks within words, of scripts from Hebrew to Khmer, which count as no letters elsewhere."""

_LETTER = rf"(?:[^\W_{_UNSPACED}]|[{_MARKED}])"
_TOKEN = re.compile(
    rf"(?P<aside>\S+://\S+|\S+@\S+|\{{\{{[^{{}}]*\}}\}}|<\w[^<>]{{0,40}}>|[\[{{(]+[A-Z\d_ -]+[\]}})]+)"
    rf"|(?P<sign>[{_UNSPACED}])|(?P<word>{_LETTER}(?:{_LETTER}|_|['\u2019-](?=\w))*(?:\+\+|\#)?)|(?P<stop>[^\s\w/&]+)"
)
"""Addresses and placeholders such as {{ORDER_NUMBER}}, characters of scripts without spaces, words, punctuation."""


class Word(NamedTuple):
    """A word as it is written, in small letters, and its stem.

    ``starts`` where its capital says nothing, ``tells`` whether it says something by itself, ``ends`` whether a phrase
    may end with it.
    """

    written: str
    lower: str
    stem: str
    starts: bool
    tells: bool
    ends: bool


_NAMED = re.compile(rf"\b(?:{'|'.join(sorted(ARTICLES))}) ([\w'-]+)")

ENGLISH, ENGLISH_SHARE = frozenset("the and to is of my i you it how what".split()), 0.2
"""Texts are English where so many of them have these words."""

Key = tuple[str, ...]
"""Stems of a phrase's words: phrases of one key are one phrase."""


def runs_of(text: str, with_chatter: bool = False) -> list[list[Word]]:
    """Runs of words that phrases are taken from; ``with_chatter`` where words of conversation are all there is."""
    runs: list[list[Word]] = [[]]
    starts, before = True, ""
    for match in _TOKEN.finditer(text):
        written, kind = match.group(), match.lastgroup
        lower = written.lower().replace("\u2019", "'")
        if kind in {"aside", "stop"} or (before == "how" and lower in MEASURES):
            runs.append([])
        elif lower in PASSED_OVER:
            if before in JOINING:  # "cash and was charged": another clause begins
                runs.append([])
        elif lower == "not" and before in {"do", "does", "did"}:
            runs[-1].append(Word(f"{before}n't", f"{before}n't", NOT, starts, False, False))
        elif (word := _word(written, starts, with_chatter)) is None:
            runs.append([])
        else:
            runs[-1].append(word)
        starts, before = kind == "stop", lower
    return [run for run in runs if run]


@functools.lru_cache(maxsize=100_000)
def _word(written: str, starts: bool, with_chatter: bool) -> Word | None:
    """What is known of a word; None where it parts phrases."""
    lower = written.lower().replace("\u2019", "'")
    base, _, ending = lower.partition("'")
    if lower in NEGATIONS or ending == "t":
        return Word(lower, lower, NOT, starts, False, False)
    separates = not {base, lower}.isdisjoint(_separators(with_chatter))
    if separates or not any(sign.isalpha() for sign in lower):
        return None
    tells = lower not in INSIDE and lower not in AT_THE_END
    return Word(written, lower, stem_of(base), starts, tells, tells or lower in AT_THE_END)


@functools.cache
def _separators(with_chatter: bool) -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = ENGLISH_STOP_WORDS if with_chatter else ENGLISH_STOP_WORDS | CHATTER
    return frozenset(words - TELLING - INSIDE - AT_THE_END - PASSED_OVER)


def stem_of(word: str) -> str:
    """The word without its English ending, so that forms of a word are one."""
    for ending in ("ations", "ation", "ings", "ing", "ied", "ies", "ed", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls"
    return word[:-1] if doubled or (len(word) > 3 and word[-1] in "ey") else word


def are_english(texts: Sequence[str]) -> bool:
    """Whether a good part of the texts have the commonest English words."""
    hits = sum(not ENGLISH.isdisjoint(text.lower().split(maxsplit=20)) for text in texts)
    return hits >= ENGLISH_SHARE * len(texts)


def named_in(text: str) -> set[str]:
    """Stems of the words that come right after an article or the like: nouns, and what is said of nouns."""
    return {stem_of(word) for word in _NAMED.findall(text.lower())}


def phrases_of(run: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Every phrase of a run of words: it begins with a word that says something, and has no word twice."""
    for start, first in enumerate(run):
        if not first.tells:
            continue
        stems: set[str] = set()
        length = telling = 0.0
        for end, word in enumerate(run[start : start + 2 * LONGEST], start + 1):
            share = 0.5 if is_sign(word.lower) else 1.0
            length, telling = length + share, telling + share * word.tells
            if word.stem in stems or telling > CONTENT_WORDS or length > LONGEST:
                break
            stems.add(word.stem)
            if word.ends and (end > start + 1 or len(word.lower) > 1):
                yield run[start:end]


def is_sign(word: str) -> bool:
    """Whether this is a character of a script without spaces, which is seldom a word by itself."""
    return len(word) == 1 and ("\u3041" <= word <= "\u9fff" or "\uf900" <= word <= "\ufaff")


def content_of(phrase: Iterable[Word]) -> Key:
    """Stems of the words of a phrase that say something, sorted."""
    return tuple(sorted(word.stem for word in phrase if word.tells))


def word_count(content: Key) -> float:
    """How many words these are; two characters of a script without spaces are about one."""
    return sum(0.5 if re.fullmatch(f"[{_UNSPACED}]", stem) else 1 for stem in content)


def joined(words: Sequence[str]) -> str:
    """Words as text: with spaces but between characters of scripts that have none."""
    unspaced = f"{_UNSPACED}\u30a0-\u30ff"
    return re.sub(rf"(?<=[{unspaced}]) (?=[{unspaced}])", "", " ".join(words))
