"""Strings that the matches of an expression need."""

import polars as pl
import pytest

from turret_pipeline.signals.classifier import ANSWER, FORMS, PROMPT
from turret_pipeline.signals.forms import simplify
from turret_pipeline.signals.literals import list_needed
from turret_pipeline_tests.benchmarks.signal_training import read_examples


@pytest.mark.parametrize(
    ("expression", "needed"),
    [
        (r"\b(?:sorry|apolog\w+)\b", ["apolog", "sorry"]),
        (r"(?:not|never) (?:be )?found", ["never be found", "never found", "not be found", "not found"]),
        (r"(?:i|we) (?:really )*(?:can't|cannot)", ["can't", "cannot"]),
        (r"kein\w* (?:\w+ ){0,2}(?:treffer|daten)", ["daten", "treffer"]),
        (r"[?!]\W*$", ["!", "?"]),
        ("(?:'){3}", ["'" * 3]),
        ("(?:ab){2,}", ["ab"]),
        (r"no (?:one|onesie)", ["no one"]),
    ],
)
def test_one_of_the_strings_is_in_every_match(expression: str, needed: list[str]) -> None:
    assert list_needed(expression) == needed


@pytest.mark.parametrize("expression", [r"\w+", "a?", "(?:a|)", "(?i)sorry", "[a-z]", "[^a]", "a|.", "", "(?:a", "a)"])
def test_an_expression_that_may_match_anything_or_is_not_read_needs_no_string(expression: str) -> None:
    assert list_needed(expression) is None


@pytest.mark.parametrize("kind", [ANSWER, PROMPT])
def test_no_match_of_a_form_is_without_its_strings(kind: str) -> None:
    texts = read_examples(is_held_back=False).select(simplify(pl.col("text")))["text"]
    for expression in FORMS[kind].values():
        needed = list_needed(expression)
        assert needed is not None
        assert not (texts.str.contains(expression) & ~texts.str.contains_any(needed)).any()
