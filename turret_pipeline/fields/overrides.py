"""Whether the values of a field contradict the type that a person wants for it."""

from turret_pipeline.fields.detection import FITTING_SHARE, MANY_VALUES, percent
from turret_pipeline.fields.facts import FieldFacts

MOST = 0.5
"""Share of the values that must be of the type: less than detection asks for, because a person may know more."""


_FITTING = {
    "number": (("is_numeric",), "numbers"),
    "datetime": (("is_datetime", "is_epoch"), "dates or times"),
    "structured": (("is_list", "is_object"), "lists or objects"),
}


def contradiction(facts: FieldFacts, kind: str) -> str | None:
    """What about the values contradicts the type, as the end of a sentence; None where nothing does."""
    if facts.filled_count == 0:
        return None
    if kind in _FITTING:
        flags, name = _FITTING[kind]
        share = max(facts.shares[flag] for flag in flags)
        return None if share >= MOST else f"only {percent(share)} of its values are {name}"
    if kind == "text":
        return _without_words(facts)
    is_unlike_enum = facts.distinct_count > MANY_VALUES and facts.repeats < 2
    if (kind == "constant" and facts.distinct_count > 1) or (kind == "enum" and is_unlike_enum):
        return f"it has {facts.distinct_count:,} distinct values in {facts.filled_count:,} events"
    return None


def _without_words(facts: FieldFacts) -> str | None:
    kinds = {
        "is_numeric": "numbers",
        "is_boolean": "true or false",
        "is_list": "lists",
        "is_datetime": "dates or times",
    }
    for flag, name in kinds.items():
        if facts.shares[flag] >= FITTING_SHARE:
            return f"{percent(facts.shares[flag])} of its values are {name}"
    return None
