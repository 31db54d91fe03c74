"""Language of each text, by a Naive Bayes classifier over bytes (Lui and Baldwin, 2012: langid.py)."""

import functools
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from turret_pipeline.tables import TEXTS

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

READ_CHARACTERS = 300
"""Characters of a text that decide its language."""

CERTAIN_PROBABILITY, CERTAIN_LETTERS = 0.9, 20
"""Probability and number of letters of a text whose language is certain."""

MIN_SHARE, MIN_TEXTS = 0.01, 5
"""Share and number of the certain texts in a language from which on short texts may be in it. A word like "alarm" is
in many languages: it is taken for one that the field has."""

OTHER_SCRIPT_SHARE = 0.2
"""Share of letters of a script other than Latin from which on a text is not in a language with Latin letters, even if
most of its letters are a name."""

_VARIANTS = {"arz": "ar", "ary": "ar", "nn": "no", "wuu": "zh", "yue": "zh", "uzs": "uz", "pcm": "en"}
"""Languages whose texts the classifier confuses with those of the larger language they are read as."""

_NO_LANGUAGE = "zxx"

_UNKNOWN: tuple[str | None, float] = (None, 0.0)


def add_languages(texts: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Table ``texts`` with the column language. Texts in ``known``, an earlier table, keep their language."""
    joined = texts.join(known.select("field", "text_id", "language"), on=["field", "text_id"], how="left")
    is_known = pl.struct("field", "text_id").is_in(known.select(pl.struct("field", "text_id")).to_series().implode())
    parts = joined.with_columns(is_known.alias("is_known")).partition_by("field", maintain_order=True)
    return pl.concat([_add_languages_of_field(part) for part in parts] or [joined]).select(TEXTS.schema.names())


def _add_languages_of_field(texts: pl.DataFrame) -> pl.DataFrame:
    old, new = texts.filter("is_known"), texts.filter(~pl.col("is_known"))
    found = detect_languages(new["text"].to_list(), old["language"].to_list())
    return pl.concat([old, new.with_columns(pl.Series("language", found, pl.String))]).sort("text_id")


def detect_languages(texts: Sequence[str], known: Sequence[str | None] = ()) -> list[str | None]:
    """ISO 639 code of the language of each text; None for a text without letters.

    Texts in Latin letters get the most probable language among those that the ``texts`` certainly have. Languages of
    other texts of the field in ``known`` are certain, too.
    """
    read = [text[:READ_CHARACTERS] for text in texts]
    best = [next(iter(_rank_languages(text)), _UNKNOWN) for text in read]
    certain = Counter(language for language in known if language is not None)
    certain.update(
        language for text, (language, p) in zip(read, best, strict=True) if language and _is_certain(text, p)
    )
    needed = max(MIN_TEXTS, MIN_SHARE * certain.total())
    present = {language for language, count in certain.items() if count >= needed}
    return [_select_language(text, language, present) for text, (language, _) in zip(read, best, strict=True)]


def _is_certain(text: str, probability: float) -> bool:
    return probability >= CERTAIN_PROBABILITY and sum(sign.isalpha() for sign in text) >= CERTAIN_LETTERS


def _select_language(text: str, best: str | None, present: set[str]) -> str | None:
    """The language in ``present`` that is most probable, or the ``best`` of all if it cannot be one of these."""
    if best is None or best in present or not present or _has_other_script(text):
        return best
    return next((language for language, _ in _rank_languages(text) if language in present), best)


def _rank_languages(text: str) -> list[tuple[str, float]]:
    """Languages of a text with their probabilities, the most probable first; empty without letters."""
    if not any(sign.isalpha() for sign in text):
        return []
    probabilities: dict[str, float] = {}
    for variant, probability in _load_identifier().rank(text):
        language = _VARIANTS.get(variant, variant)
        if language != _NO_LANGUAGE:
            probabilities[language] = probabilities.get(language, 0.0) + probability
    return sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))


def _has_other_script(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha()]
    return sum(not _is_latin(sign) for sign in letters) >= OTHER_SCRIPT_SHARE * len(letters)


def _is_latin(letter: str) -> bool:
    return letter < "\u0250" or "\u1e00" <= letter < "\u1f00"


@functools.cache
def _load_identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
