"""Constants that decide on the type of a field."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Counts and shares at which another rule decides."""

    other_share: float = 0.05
    """Share of a field's values that may not look like its type."""

    enum_values: float = 20
    """Distinct values that an enum may have at any volume. It may have more only if they repeat often."""

    constant_events: float = 20
    """Values needed to call a field constant, or its numbers running numbers."""

    code_numbers: float = 6
    """Distinct numbers that codes may have if they repeat often. In public tables most such columns are codes."""

    occurrences: float = 4
    """Mean occurrences per distinct value from which values repeat often."""

    new_share: float = 0.1
    """Share of values that occur once, up to which a list of phrases is complete: it estimates how often the next value
    is a new one (Good and Turing)."""

    phrase_words: float = 2
    """Mean number of words from which values are phrases."""

    sentence_words: float = 8
    """Mean number of words from which phrases are sentences, which no list consists of."""

    spaced_share: float = 0.3
    """Share of values of several words from which values are phrases."""

    word_limit: float = 1.5
    """Mean number of words up to which values are single words."""

    list_share: float = 0.5
    """Share of lists from which a field is structured."""

    repeated_share: float = 0.1
    """Share of values that may repeat an earlier one among running numbers."""


THRESHOLDS = Thresholds()


def move_thresholds(factor: float) -> Iterator[Thresholds]:
    """The thresholds with one of them multiplied or divided by the factor, for each of them."""
    for name, value in dataclasses.asdict(THRESHOLDS).items():
        for moved in (value * factor, value / factor):
            yield dataclasses.replace(THRESHOLDS, **{name: moved})
