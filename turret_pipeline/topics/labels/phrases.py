"""Short phrases in texts, as candidates for labels.

A phrase is a run of words within a sentence. As in RAKE (Rose et al., 2010), stop words separate phrases, with two
differences: prepositions and conjunctions may be inside a phrase ("lost or stolen card"), and articles, possessives and
auxiliaries are skipped, as in headlines ("my card has not arrived" becomes "card not arrived"). The word lists here are
English; function_words.py has those of other languages. Each Chinese and Japanese character is a word.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from turret_pipeline.topics.labels.function_words import ENGLISH, FunctionWords

ARTICLES = frozenset("a an the my your our their his her its this that these those some any every each".split())
"""Words before a noun."""

SKIPPED = ARTICLES | frozenset(
    """
    is are was were be been being am has have had having will did do does done it's that's there's mine
    """.split()
)
"""Words that phrases leave out, as headlines do."""

INNER_WORDS = frozenset(
    "of to for in on at with from by or and without into as per between vs near like via during".split()
    + list("的了我你他她它们們是在有和与嗎吗呢吧把被就都也很这那要のはをがにでともへやかなだすしまてたれ")
)
"""Words that may be inside a phrase, but neither first nor last."""

CONJUNCTIONS = frozenset({"and", "or"})

PARTICLES = frozenset("up out off down back away over again".split())
"""Words that may not be first in a phrase."""

NOT = "not"
NEGATIONS = frozenset(
    """
    not never cannot cant dont didnt doesnt isnt wasnt arent werent havent hasnt hadnt wont wouldnt couldnt shouldnt
    """.split()
)

DEGREE_WORDS = frozenset("long far soon old big high fast quickly late early close".split())
"""Words after "how" that only form a question ("how long")."""

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
"""Conversational words, which name no subject."""

STOP_WORDS = frozenset(
    """
    about above across after afterwards against all almost alone along already also although always among amongst
    amoungst another anyhow anyone anything anyway anywhere around became because become becomes becoming before
    beforehand behind below beside besides beyond both but can cannot cant co con could couldnt de describe due eg
    eight either eleven else elsewhere enough etc even ever everyone everything everywhere except few fifteen five
    former formerly found four further get give go hasnt he hence here hereafter hereby herein hereupon hers herself
    him himself how however hundred i ie if inc indeed it itself keep latter latterly least less ltd made many may me
    meanwhile might more moreover most mostly much must myself namely neither never nevertheless nine no nobody none
    noone nor not nothing now nowhere often once one only onto other others otherwise ours ourselves own perhaps
    please put rather re same see seem seemed seeming seems serious several she should show since six sixty so somehow
    someone something sometime sometimes somewhere still such take ten than them themselves then thence there
    thereafter thereby therefore therein thereupon they third though three through throughout thru thus together too
    toward towards twelve twenty two un under until upon us very we well what whatever when whence whenever where
    whereafter whereas whereby wherein whereupon wherever whether which while whither who whoever whole whom whose why
    within would yet you yours yourself yourselves
    """.split()
)
"""English words that separate phrases: scikit-learn's stop words without those that can name a subject, such as "bill"
and "front", and without those of the other lists here. Importing that list takes a second."""

MAX_WORDS, MAX_CONTENT_WORDS = 6, 4
"""Most words of a phrase, and most content words. Twice as many characters in scripts without spaces."""

_UNSPACED = "\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Chinese and Japanese characters without katakana, since a run of katakana is a word."""

_MARKED = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u109f\u1780-\u17d3"
"""Combining marks of scripts from Hebrew to Khmer, which ``\\w`` does not match."""

_LETTER = rf"(?:[^\W_{_UNSPACED}]|[{_MARKED}])"
TOKEN = re.compile(
    rf"(?P<aside>(?<!\S)(?:\S+://\S+|\S+@\S+)|\{{\{{[^{{}}]*\}}\}}|<\w[^<>]{{0,40}}>"
    rf"|(?<![\[{{(])[\[{{(]+[A-Z\d_ -]+[\]}})]+)"
    rf"|(?P<unspaced>[{_UNSPACED}])|(?P<word>{_LETTER}(?:{_LETTER}|_|['\u2019-](?=\w))*+(?:\+\+|\#)?)|(?P<stop>[^\s\w/&]+)"
)
"""Addresses and placeholders like {{ORDER_NUMBER}}, characters of scripts without spaces, words, and punctuation."""


class Word(NamedTuple):
    """A word as written, in lower case, and its stem.

    ``starts_sentence`` is true if its capital letter has no meaning, ``may_end`` if a phrase may end with it.
    """

    written: str
    lower: str
    stem: str
    starts_sentence: bool
    is_content: bool
    may_end: bool


_NAMED = re.compile(rf"\b(?:{'|'.join(sorted(ARTICLES))}) ([\w'-]+)")

ENGLISH_WORDS, ENGLISH_SHARE = frozenset("the and to is of my i you it how what".split()), 0.2
"""Texts are English if at least this share of them has one of these words."""

Key = tuple[str, ...]
"""Stems of the words of a phrase. Phrases with the same key count as one."""


def split_into_runs(text: str, with_chatter: bool = False, known: FunctionWords = ENGLISH) -> list[list[Word]]:
    """Runs of words between separators, from which phrases are taken; ``known`` are the function words.

    Conversational words are separators unless ``with_chatter`` is set.
    """
    skipped = SKIPPED if known.has_english else known.articles | known.auxiliaries
    runs: list[list[Word]] = [[]]
    starts_sentence, before = True, ""
    for match in TOKEN.finditer(text):
        written, kind = match.group(), match.lastgroup
        lower = written.lower().replace("\u2019", "'")
        if kind in {"aside", "stop"} or (before == "how" and lower in DEGREE_WORDS):
            runs.append([])
        elif lower in skipped:
            if before in CONJUNCTIONS:  # "cash and was charged": a new clause
                runs.append([])
        elif lower == "not" and before in {"do", "does", "did"}:
            runs[-1].append(Word(f"{before}n't", f"{before}n't", NOT, starts_sentence, False, False))
        elif (word := _word(written, starts_sentence, with_chatter, known)) is None:
            runs.append([])
        else:
            runs[-1].append(word)
        starts_sentence, before = kind == "stop", lower
    return [run for run in runs if run]


@functools.lru_cache(maxsize=100_000)
def _word(written: str, starts_sentence: bool, with_chatter: bool, known: FunctionWords) -> Word | None:
    """The word with its properties, None if it separates phrases."""
    lower = written.lower().replace("\u2019", "'")
    base, _, ending = lower.partition("'")
    if lower in NEGATIONS or ending == "t":
        return Word(lower, lower, NOT, starts_sentence, False, False)
    separates = not {base, lower}.isdisjoint(_separators(with_chatter, known))
    if separates or not any(sign.isalpha() for sign in lower):
        return None
    is_content = lower not in (INNER_WORDS if known.has_english else known.inner) and lower not in PARTICLES
    return Word(written, lower, stem_word(base), starts_sentence, is_content, is_content or lower in PARTICLES)


@functools.lru_cache(maxsize=1_000)
def _separators(with_chatter: bool, known: FunctionWords) -> frozenset[str]:
    if not known.has_english:
        return known.separators if not with_chatter else frozenset()
    chatter = frozenset() if with_chatter else CHATTER - INNER_WORDS - PARTICLES - SKIPPED
    return STOP_WORDS | chatter | (known.separators - ENGLISH.separators)


def stem_word(word: str) -> str:
    """The word without its English ending, equal for all forms of a word."""
    for ending in ("ations", "ation", "ings", "ing", "ied", "ies", "ed", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls"
    return word[:-1] if doubled or (len(word) > 3 and word[-1] in "ey") else word


def are_english(texts: Sequence[str]) -> bool:
    """True if enough of the texts have one of the most frequent English words."""
    hits = sum(not ENGLISH_WORDS.isdisjoint(text.lower().split(maxsplit=20)) for text in texts)
    return hits >= ENGLISH_SHARE * len(texts)


def stems_after_articles(text: str) -> set[str]:
    """Stems of the words directly after an article or possessive: nouns and adjectives."""
    return {stem_word(word) for word in _NAMED.findall(text.lower())}


def generate_phrases(run: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """All phrases of a run of words: they start with a content word and have no word twice."""
    for start, first in enumerate(run):
        if not first.is_content:
            continue
        stems: set[str] = set()
        length = content = 0.0
        for end, word in enumerate(run[start : start + 2 * MAX_WORDS], start + 1):
            share = 0.5 if is_unspaced_character(word.lower) else 1.0
            length, content = length + share, content + share * word.is_content
            if word.stem in stems or content > MAX_CONTENT_WORDS or length > MAX_WORDS:
                break
            stems.add(word.stem)
            if word.may_end and (end > start + 1 or len(word.lower) > 1):
                yield run[start:end]


def is_unspaced_character(word: str) -> bool:
    """True for a character of a script without spaces, which is rarely a whole word."""
    return len(word) == 1 and ("\u3041" <= word <= "\u9fff" or "\uf900" <= word <= "\ufaff")


def content_stems(phrase: Iterable[Word]) -> Key:
    """Sorted stems of the content words of a phrase."""
    return tuple(sorted(word.stem for word in phrase if word.is_content))


def word_count(content: Key) -> float:
    """Number of words; two characters of a script without spaces count as one."""
    return sum(0.5 if re.fullmatch(f"[{_UNSPACED}]", stem) else 1 for stem in content)


def join_words(words: Sequence[str]) -> str:
    """The words as text, without spaces between characters of scripts that have none."""
    unspaced = f"{_UNSPACED}\u30a0-\u30ff"
    return re.sub(rf"(?<=[{unspaced}]) (?=[{unspaced}])", "", " ".join(words))
