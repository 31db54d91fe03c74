"""Choice of the labels that replace keyword labels: better pieces of texts, general subjects, and quotations."""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from turret_pipeline.topics.labels.allocation import capitalize, label_content
from turret_pipeline.topics.labels.phrases import Key
from turret_pipeline.topics.labels.quotes import Quote, format_quote
from turret_pipeline.topics.labels.subjects import Subject

LOW_FIT, QUOTE_MARGIN = 0.5, 0.25
"""A short text is the label, in quotation marks, if the fit of the label is low and that of the text higher by the
margin. A lone word needs no margin: it says little."""

LOW_NOUN_FIT = 0.7
"""A phrase that names no act says less, so that its fit must be higher."""

SUBJECT_FIT, SUBJECT_MARGIN = 0.36, 0.12
"""A general subject replaces a bad label, or a lone word, if it fits as well, what the words of the label add
included. It may fit less by the margin, since it is true for more texts, if it fits well: at least SUBJECT_FIT if the
label is below LOW_FIT, and LOW_FIT otherwise."""


class Choice(NamedTuple):
    """A possible label, the stems of its content words, its fit, and what its words add to that.

    ``names_act`` is true if it starts with a verb.
    """

    text: str
    content: Key
    fit: float
    truth: float
    names_act: bool


@dataclass(frozen=True)
class Challenge:
    """Outcome for a topic: pieces that are better labels, best first, and phrases that describe it together.

    ``own`` is the keyword label, ``quote`` the most central short text, ``subjects`` are general, best first.
    """

    own: Choice
    better: list[Choice]
    quote: Quote | None
    subjects: list[Subject]
    phrases: list[str]


def choose_challengers(
    labels: Mapping[int, str], challenges: Mapping[int, Challenge], taken: Collection[str]
) -> dict[int, str]:
    """New labels of the topics whose keyword label is replaced. All labels have different content words.

    A label that fits badly is replaced by a general subject, or by the most central short text in quotation marks.
    """
    contents = {label_content(label) for label in [*labels.values(), *taken]}
    used = {label.casefold() for label in [*labels.values(), *taken]}
    chosen = {}
    for row, challenge in challenges.items():
        own = label_content(labels[row])
        free = (
            choice
            for choice in challenge.better
            if choice.content == own or (choice.content not in contents and choice.text.casefold() not in used)
        )
        best = next(free, None)
        if replacement := _replace_bad_label(best or challenge.own, challenge, used, contents - {own}):
            contents.add(label_content(replacement))
            chosen[row] = replacement
        elif best:
            contents.add(best.content)
            chosen[row] = capitalize(best.text)
        if row in chosen:
            used.add(chosen[row].casefold())
    return chosen


def _replace_bad_label(label: Choice, challenge: Challenge, used: Set[str], contents: Collection[Key]) -> str | None:
    """A free subject or quotation for a topic whose label is bad, None if the label is better.

    ``used`` and ``contents`` are the labels of other topics, and their content words.
    """
    free = (
        each
        for each in challenge.subjects
        if each.text.casefold() not in used and label_content(each.text) not in contents
    )
    subject = next(free, None)
    if subject and not _is_better_subject(subject, label):
        subject = None
    fit = subject.fit if subject else label.fit
    is_lone = subject is None and len(label.text.split()) == 1
    quote = challenge.quote
    if quote and _is_better_quote(quote, fit, is_lone=is_lone) and _is_free(quote, used):
        return format_quote(quote)
    return subject.text if subject else None


def _is_free(quote: Quote, used: Set[str]) -> bool:
    return used.isdisjoint({quote.text.casefold(), format_quote(quote).casefold()})


def _is_better_subject(subject: Subject, label: Choice) -> bool:
    """True if the label is bad or a lone word, and the subject about as good."""
    if label_content(subject.text) == label.content:
        return False
    is_low, is_lone = round(label.fit, 3) < LOW_FIT, len(label.text.split()) == 1
    if not (is_low or is_lone) and (label.names_act or round(label.fit, 3) >= LOW_NOUN_FIT):
        return False
    is_good = subject.fit >= (SUBJECT_FIT if is_low else LOW_FIT)
    margin = SUBJECT_MARGIN if is_good or label.truth == 0 else 0.0
    return round(subject.fit + margin - label.fit - label.truth, 3) >= 0


def _is_better_quote(quote: Quote, fit: float, *, is_lone: bool) -> bool:
    """True if a label with this ``fit`` is bad, and the text better: far better, unless the label is a lone word."""
    return round(fit, 3) < LOW_FIT and round(quote.fit - fit, 3) >= (0.0 if is_lone else QUOTE_MARGIN)
