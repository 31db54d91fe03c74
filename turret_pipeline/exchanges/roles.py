"""Roles of events in exchanges: prompts, answers and feedback, recognized by names of fields and events."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from turret_pipeline.tables.exchanges import ANSWER, BY_FIELD, BY_NAME, BY_SETTING, EXCHANGE_ROLES, FEEDBACK, PROMPT

PROMPT_FIELDS = (
    frozenset("prompt user_prompt question user_question query user_query user_message user_input instruction".split()),
    frozenset("message input utterance request text content body transcript".split()),
)
"""Names of fields that hold what a person says, best first: the second are read only where no field has a first."""

_WRAPPERS = frozenset("data payload properties params event attributes user chat conversation".split())
"""Keys above a field with a name of the second kind: below others, such as commit, it is rarely what a person says."""

ANSWER_FIELDS = frozenset(
    "generation answer response completion reply output assistant_message assistant_response bot_message bot_response "
    "ai_message ai_response model_response".split()
)
FEEDBACK_FIELDS = frozenset("feedback rating stars thumbs thumb csat nps user_rating user_feedback".split())

_ANSWER_WORDS = frozenset(
    "answer answered response responded reply replied generation completion assistant bot".split()
)
_FEEDBACK_WORDS = frozenset("feedback rating rated vote voted thumbs liked disliked csat nps survey".split())
_ASKING_WORDS = frozenset("requested prompted shown viewed opened dismissed skipped page form".split())
"""Words of events in which feedback is asked for, or not given."""
_PROGRAM_WORDS = frozenset("tool function error errors exception warning crash crashed".split())
"""Words of events of the program itself, whose texts are no prompts or answers."""

_USE_WORDS = frozenset(
    "copied copy clicked click edited accepted rejected dismissed viewed read opened expanded shared downloaded "
    "exported saved deleted regenerate regenerated reported flagged bookmarked inserted requested".split()
)
"""Words of events in which a person does something with an answer that is there already."""


@dataclass(frozen=True)
class NamedEvents:
    """Names of the events that a person gave a role; empty where names and fields decide."""

    prompts: Sequence[str] = ()
    answers: Sequence[str] = ()
    feedback: Sequence[str] = ()


@dataclass(frozen=True)
class _Role:
    role: str
    event_name: str
    field: str
    reason: str


def assign_roles(counts: pl.DataFrame, types: dict[str, str], named: NamedEvents | None = None) -> pl.DataFrame:
    """Table ``exchange_roles``, in order of role, the most events first.

    ``counts`` has event_name, field (empty for all events of the name) and event_count, of the events with a value that
    is not blank. ``types`` are the types of the fields.

    Prompts are events with a text in a field that holds what a person says. Events named like answers or feedback may
    repeat the prompt, so they count as prompts only if no others have one. Answers have a text in a field of answers or
    are named like one; feedback is named like it or has a rating, and is neither of the others.
    """
    named = named or NamedEvents()
    fields: dict[str, list[str]] = {name: [] for name in counts["event_name"].unique().sort()}
    for name, field in counts.filter(pl.col("field") != "").sort("field").select("event_name", "field").iter_rows():
        fields[name].append(field)
    found = list(_find_prompts(fields, types, named.prompts))
    prompts = {role.event_name for role in found}
    found += _find_answers(fields, types, prompts, named.answers)
    taken = prompts | {role.event_name for role in found}
    found += _find_feedback(fields, taken, named.feedback)
    rows = pl.DataFrame(found, schema=dict.fromkeys(("role", "event_name", "field", "reason"), pl.String()))
    order = pl.col("role").replace_strict({PROMPT: 0, ANSWER: 1, FEEDBACK: 2}, return_dtype=pl.Int64)
    counted = rows.join(counts, on=["event_name", "field"], how="inner").unique(EXCHANGE_ROLES.key)
    ranked = counted.sort(order, -pl.col("event_count"), "event_name", "field")
    return ranked.select(EXCHANGE_ROLES.schema.names()).cast({"event_count": pl.Int64})


def list_candidates(types: dict[str, str]) -> list[str]:
    """The fields by which events may get a role: texts and ratings."""
    return [field for field in types if _texts_of([field], types) or _last_key(field) in FEEDBACK_FIELDS]


def _find_prompts(fields: dict[str, list[str]], types: dict[str, str], named: Sequence[str]) -> Iterator[_Role]:
    if named:
        for name in named:
            texts = _texts_of(fields.get(name, []), types)
            best = [field for field in texts if _last_key(field) in PROMPT_FIELDS[0] | PROMPT_FIELDS[1]]
            yield from (_Role(PROMPT, name, field, BY_SETTING) for field in (best or texts))
        return
    chosen = _choose_prompt_fields(fields, types)
    candidates = [(name, field) for name, of_name in fields.items() for field in of_name if field in chosen]
    plain = [(name, field) for name, field in candidates if not _has_other_role(name)]
    yield from (_Role(PROMPT, name, field, BY_FIELD) for name, field in plain or candidates)


def _choose_prompt_fields(fields: dict[str, list[str]], types: dict[str, str]) -> set[str]:
    """The fields of the project that hold prompts: those with the best names, or else its only text field."""
    texts = set(_texts_of([field for of_name in fields.values() for field in of_name], types))
    for names in PROMPT_FIELDS:
        if chosen := {field for field in texts if _last_key(field) in names and _is_said(field)}:
            return chosen
    others = {field for field in texts if _last_key(field) not in ANSWER_FIELDS | FEEDBACK_FIELDS | {"comment"}}
    return others if len(others) == 1 else set()


def _find_answers(
    fields: dict[str, list[str]], types: dict[str, str], prompts: set[str], named: Sequence[str]
) -> Iterator[_Role]:
    if named:
        yield from (_Role(ANSWER, name, "", BY_SETTING) for name in named)
        return
    for name, of_name in fields.items():
        if name not in prompts and _is_answer_name(name):
            yield _Role(ANSWER, name, "", BY_NAME)
        elif name in prompts or not (_is_feedback_name(name) or _words(name) & (_USE_WORDS | _PROGRAM_WORDS)):
            texts = [field for field in _texts_of(of_name, types) if _last_key(field) in ANSWER_FIELDS]
            yield from (_Role(ANSWER, name, field, BY_FIELD) for field in texts)


def _find_feedback(fields: dict[str, list[str]], taken: set[str], named: Sequence[str]) -> Iterator[_Role]:
    if named:
        yield from (_Role(FEEDBACK, name, "", BY_SETTING) for name in named)
        return
    for name, of_name in fields.items():
        if name in taken:
            continue
        if _is_feedback_name(name):
            yield _Role(FEEDBACK, name, "", BY_NAME)
        else:
            yield from (
                _Role(FEEDBACK, name, field, BY_FIELD) for field in of_name if _last_key(field) in FEEDBACK_FIELDS
            )


def _texts_of(fields: Sequence[str], types: dict[str, str]) -> list[str]:
    """Fields of type text, and ``prompt`` and ``generation``, which formats give only to texts."""
    return [field for field in fields if types.get(field) == "text" or field in {"prompt", "generation"}]


def _is_said(field: str) -> bool:
    """True for a field of prompts by its last key, if the keys above do not tell that something else has that name."""
    *above, last = field.split(".")
    known = _WRAPPERS.union(*PROMPT_FIELDS)
    return _last_key(last) in PROMPT_FIELDS[0] or all(_last_key(key) in known for key in above)


def _has_other_role(name: str) -> bool:
    return _is_answer_name(name) or _is_feedback_name(name) or bool(_words(name) & _PROGRAM_WORDS)


def _is_answer_name(name: str) -> bool:
    words = _words(name)
    return bool(words & _ANSWER_WORDS) and not words & (_USE_WORDS | _FEEDBACK_WORDS | _PROGRAM_WORDS)


def _is_feedback_name(name: str) -> bool:
    words = _words(name)
    return bool(words & _FEEDBACK_WORDS) and not words & _ASKING_WORDS


def _words(name: str) -> frozenset[str]:
    """Words of a name in snake case, camel case or with blanks, in lower case."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return frozenset(re.findall(r"[^\W_]+", apart.lower()))


def _last_key(field: str) -> str:
    """The last key of a path in snake case."""
    key = field.rpartition(".")[2]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace(" ", "_").replace("-", "_").lower()
