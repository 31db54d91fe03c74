"""Forms of refusals, failures and objections in seven languages, as regular expressions.

A form is evidence, not a decision: ``classify`` weighs it with the meaning of the text. The expressions of all
languages are one, because texts mix languages, and because the forms of one rarely occur in another. They match lower
case text with straight apostrophes (``simplify``), and are those of Rust's regex library, without look-around. Their
alternatives are in forms.toml, which says how they are written.
"""

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files

import polars as pl

MAX_CHARACTERS = 400
"""Characters that are read of a text: what a text says of itself, it says at its beginning."""

_ANSWER_NAMES = (
    "apology self_cannot assisting role rules declining refusing sympathy admonishing "
    "not_found error unknown not_understood gone quoted list question"
).split()
_PROMPT_NAMES = (
    "direct_objection wrong reminding your_fault quoted question first_question thanks request needed"
).split()
"""The order of the names is that of the packaged weights."""

_STARTS, _OPENING, _ANY = "starts", "opening", "any"
"""Keys of a form in forms.toml. All others are languages."""

IN_OPENING = r"^(?:[^.!?\n]*[.!?\n]+)?[^.!?\n]*"
"""Up to a place in the first two sentences: there an answer says that it declines."""

_Form = Mapping[str, Sequence[str]]


def _join(form: _Form) -> str:
    """One expression that matches where one of the alternatives does."""
    if _OPENING in form:
        return rf"{IN_OPENING}\b(?:{'|'.join(form[_OPENING])})\b"
    words = [one for key, alternatives in form.items() if key not in (_STARTS, _OPENING, _ANY) for one in alternatives]
    groups = [*form.get(_ANY, ())]
    if words:
        groups.append(rf"\b(?:{'|'.join(words)})\b")
    if _STARTS in form:
        groups.append(rf"^\W*(?:{'|'.join(form[_STARTS])})\b")
    return "|".join(groups)


def _read_forms() -> tuple[dict[str, str], dict[str, str]]:
    """The expressions of answers and of prompts."""
    text = (files("turret_pipeline.signals") / "forms.toml").read_text("utf-8")
    kinds: dict[str, dict[str, _Form]] = tomllib.loads(text)
    answer, prompt = kinds["answer"] | kinds["both"], kinds["prompt"] | kinds["both"]
    return {name: _join(answer[name]) for name in _ANSWER_NAMES}, {name: _join(prompt[name]) for name in _PROMPT_NAMES}


ANSWER_FORMS, PROMPT_FORMS = _read_forms()
"""One expression for each form of answers and of prompts."""


def simplify(text: pl.Expr) -> pl.Expr:
    """The beginning of a text in lower case with straight apostrophes, and without spaces before "n't" and "'m"."""
    straight = text.str.slice(0, MAX_CHARACTERS).str.to_lowercase().str.replace_all("[\u2019\u02bc`\u00b4]", "'")
    return straight.str.replace_all(r" (n't|'(?:m|s|re|ve|ll|d))\b", "$1")
