"""Clauses of texts, with the places where a phrase may start and end.

No tagger of parts of speech is needed: a verb follows "to", a pronoun or "please"; a noun phrase follows an article; a
phrase is over before a preposition, a pronoun or punctuation, but not before an article ("cancel | my order").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from turret_pipeline.topics.labels.function_words import FunctionWords
from turret_pipeline.topics.labels.phrases import (
    DEGREE_WORDS,
    NEGATIONS,
    NOT,
    PARTICLES,
    TOKEN,
    is_unspaced_character,
    stem_word,
)
from turret_pipeline.topics.labels.topic_texts import TITLES

READ_WORDS, READ_CLAUSES = 40, 8
"""Words and clauses that are read of each text: a request is near its start."""

GREETING_WORDS = 4
"""A clause of at most this many words that starts with a greeting is a salutation: "Dear Mr Miller"."""

GREETINGS = frozenset(
    """
    hi hello hey dear regards sincerely greetings hallo liebe lieber bonjour cher chère hola estimado estimada querido
    querida olá caro cara prezado prezada ciao buongiorno gentile beste geachte
    """.split()
)

INVERTING = frozenset("do does did can could will would should may might must is are was were has have had".split())
"""Before a noun, these open a question, in which noun and verb are no phrase: "does the card work"."""

QUESTION_WORDS = frozenset("who whose what which when where why how".split())
AGENTS = frozenset({"who"})
"""Words that open a question, and those that are a subject: the verb after them is no imperative ("who pays")."""

NOUN_JOINERS, INFINITIVE_MARKS, COORDINATORS = (
    frozenset({"of"}),
    frozenset({"to", "zu", "te"}),
    frozenset({"and", "or"}),
)
"""Words after which a noun phrase goes on; words before a verb; words before a part of equal rank."""


CALENDAR_WORDS = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar märz mai juni
    juli oktober dezember lundi mardi mercredi jeudi vendredi samedi dimanche janvier février avril juin juillet août
    septembre octobre novembre décembre lunes martes miércoles jueves viernes sábado domingo enero febrero marzo abril
    mayo junio julio agosto septiembre octubre noviembre diciembre segunda-feira terça-feira quarta-feira quinta-feira
    sexta-feira janeiro fevereiro março maio junho julho setembro outubro novembro dezembro lunedì martedì mercoledì
    giovedì venerdì sabato domenica gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre maandag
    dinsdag woensdag donderdag vrijdag zaterdag zondag januari februari maart mei augustus
    """.split()
)
"""Days and months, which differ from text to text. "May" is left out: it is a verb, too."""


@dataclass
class Token:
    """A word of a clause. ``may_start`` and ``may_end`` are true if a phrase may start or end with it here.

    ``is_after_subject`` is true after a pronoun, "please" or "want to", where a verb stands; ``is_after_small`` after
    an article or preposition, where a noun stands.
    """

    written: str
    lower: str
    stem: str
    is_content: bool
    may_start: bool
    is_after_subject: bool
    is_after_small: bool
    starts_sentence: bool
    may_end: bool = False


def split_into_clauses(text: str, words: FunctionWords, excluded: frozenset[str] = frozenset()) -> list[list[Token]]:
    """Clauses of the start of a text, without articles and auxiliaries; ``words`` are those of its language.

    A word with a stem in ``excluded`` ends a clause.
    """
    lines = re.sub(r"\s*\n\s*", " . ", text.strip())
    short = " ".join(lines.split()[:READ_WORDS])
    clauses: list[list[Token]] = []
    sentence: list[str] = []
    for match in TOKEN.finditer(short):
        if match.lastgroup in {"aside", "stop"}:
            clauses += _ClauseReader(words, excluded).read(sentence)
            sentence = []
        else:
            sentence.append(match.group())
    clauses += _ClauseReader(words, excluded).read(sentence)
    return clauses[:READ_CLAUSES]


class _ClauseReader:
    """Reader of the words between two punctuation marks."""

    def __init__(self, words: FunctionWords, excluded: frozenset[str]) -> None:
        self._words, self._excluded = words, excluded
        self._parts: list[list[Token]] = [[]]
        self._may_start, self._is_after_small, self._is_after_subject = True, False, False
        self._is_question = False  # with the verb before the subject
        self._is_name_next = False
        self._previous = ""

    def read(self, written: Sequence[str]) -> list[list[Token]]:
        """Parts of the clause between separators."""
        lowers = [word.lower().replace("\u2019", "'") for word in written]
        if not lowers or (lowers[0] in GREETINGS and len(lowers) <= GREETING_WORDS):
            return []
        for at, word in enumerate(written):
            following = lowers[at + 1] if at + 1 < len(lowers) else ""
            lower = self._base(lowers[at])
            self._read_word(word, lower, following, starts_sentence=at == 0)
            if self._previous != "how" or lower not in DEGREE_WORDS:
                self._previous = lower
        self._end_phrase()
        return [part for part in self._parts if part]

    def _base(self, lower: str) -> str:
        """The word without an ending like "'ll", if the rest is a separator."""
        base = lower.partition("'")[0]
        return base if base in self._words.separators and not is_negation(lower) else lower

    def _read_word(self, written: str, lower: str, following: str, *, starts_sentence: bool) -> None:
        words = self._words
        is_after_small, self._is_after_small = self._is_after_small, False
        is_after_subject, self._is_after_subject = self._is_after_subject, False
        if is_negation(lower):
            self._note_question(lower, following)
        if self._previous == "how" and lower in DEGREE_WORDS:
            return
        if lower in words.articles:
            self._may_start, self._is_after_small = not self._is_question, True
        elif self._is_name_next or lower in TITLES or self._is_noise(lower):
            self._is_name_next = lower in TITLES
            self._close(may_start=False)
        elif lower in words.auxiliaries and following not in words.articles:
            self._note_question(lower, following)
            self._end_phrase()
            self._may_start &= not self._is_question
        elif lower in words.separators or lower in words.auxiliaries:
            self._note_question(lower, following)
            self._close(may_start=lower not in AGENTS)
            self._is_after_subject = lower not in QUESTION_WORDS | INVERTING
        else:
            is_small = lower in words.inner or lower in PARTICLES
            if lower in words.inner and lower not in NOUN_JOINERS:
                self._end_phrase()
            may_start = self._may_start and not is_small and (is_after_subject or not is_negation(lower))
            may_start = may_start and lower != NOT
            is_content = not is_small and not is_negation(lower)
            self._is_after_small = lower in words.inner and lower not in INFINITIVE_MARKS | COORDINATORS
            self._is_after_subject = lower in INFINITIVE_MARKS and not self._parts[-1]
            self._may_start = lower in INFINITIVE_MARKS or (lower in COORDINATORS and not self._is_question)
            stem = _stem(lower)
            self._parts[-1].append(
                Token(written, lower, stem, is_content, may_start, is_after_subject, is_after_small, starts_sentence)
            )

    def _is_noise(self, lower: str) -> bool:
        """True for an excluded word, a date, a number, and a single letter that is not a word."""
        is_letter = len(lower) == 1 and lower not in self._words.every and not is_unspaced_character(lower)
        is_left_out = lower in CALENDAR_WORDS or _stem(lower) in self._excluded
        return is_letter or is_left_out or not any(sign.isalpha() for sign in lower)

    def _note_question(self, lower: str, following: str) -> None:
        """Note that the verb stands before its subject: "does the card", but not "I do" or "do I"."""
        opens = not any(self._parts) and (not self._previous or self._previous in QUESTION_WORDS)
        if is_negation(lower):
            self._is_question |= opens and following in self._words.articles
        elif lower in INVERTING:
            has_pronoun = following in self._words.separators or is_negation(following)
            self._is_question |= opens and not has_pronoun

    def _end_phrase(self) -> None:
        if self._parts[-1]:
            last = self._parts[-1][-1]
            last.may_end = last.is_content or last.lower in PARTICLES

    def _close(self, *, may_start: bool) -> None:
        """Start a new part."""
        self._end_phrase()
        self._parts.append([])
        self._may_start = may_start and not self._is_question


def is_negation(lower: str) -> bool:
    """True for "not", "never", and words like "don't"."""
    return lower in NEGATIONS or lower.endswith("n't")


def _stem(lower: str) -> str:
    return NOT if is_negation(lower) else stem_word(lower.partition("'")[0])
