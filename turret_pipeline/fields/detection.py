"""The type of each metadata field from its name and values, with the reason in words."""

from turret_pipeline.fields import names
from turret_pipeline.fields.facts import FieldFacts

FITTING_SHARE = 0.95
"""Share of a field's values that must look like a type for the field to be of it."""

MANY_VALUES = 20
"""An enum may have so many values whatever the volume; more only if each comes back often."""

FEW_NUMBERS = 5
"""So few distinct numbers, each often, are codes: of the columns of public tables with as few, four in five are."""

OFTEN = 5
"""A value that comes so many times on average comes back."""

Verdict = tuple[str, str]
"""A type, and why."""


def detect_type(facts: FieldFacts) -> Verdict:
    """The type that name and values suggest, and why."""
    if facts.filled_count == 0:
        return "constant", "Every value is blank."
    for verdict in (_by_form, _by_pattern, _by_number):
        if found := verdict(facts):
            return found
    return _by_words(facts)


def percent(share: float) -> str:
    """A share as whole percent; nearly all or nearly none is not rounded to all or none."""
    return f"{min(max(share * 100, 1), 99) if 0 < share < 1 else share * 100:.0f} %"


def _counts(facts: FieldFacts) -> str:
    """How many distinct values in how many events."""
    values = "1 value" if facts.distinct_count == 1 else f"{facts.distinct_count:,} distinct values"
    return f"{values} in {facts.filled_count:,} event{'' if facts.filled_count == 1 else 's'}"


def _is(facts: FieldFacts, flag: str) -> bool:
    return facts.shares[flag] >= FITTING_SHARE


def _few(facts: FieldFacts) -> bool:
    return facts.distinct_count <= MANY_VALUES or facts.repeats >= OFTEN


def _by_form(facts: FieldFacts) -> Verdict | None:
    if facts.shares["is_list"] >= 0.5 or _is(facts, "is_object"):
        lists = max(facts.shares["is_list"], facts.shares["is_object"])
        return "structured", f"{percent(lists)} of the values are lists or objects: structured."
    if _is(facts, "is_boolean"):
        return "enum", "The values are true or false."
    return None


def _by_pattern(facts: FieldFacts) -> Verdict | None:
    kinds = {
        "is_uuid": "UUIDs",
        "is_hex": "long hexadecimal codes",
        "is_url": "web addresses",
        "is_email": "e-mail addresses",
    }
    for flag, name in kinds.items():
        if _is(facts, flag) and not _is(facts, "is_number"):
            return "identifier", f"{percent(facts.shares[flag])} of the values are {name}."
    if _is(facts, "is_datetime"):
        return "datetime", f"{percent(facts.shares['is_datetime'])} of the values are dates or times."
    if _is(facts, "is_epoch") and names.is_time(facts.field):
        return "datetime", "Numbers in a field named like a time: seconds or milliseconds since 1970."
    return None


def _by_number(facts: FieldFacts) -> Verdict | None:
    if _is(facts, "is_digits") and not _is(facts, "is_numeric"):
        kind = "identifier" if facts.repeats < 2 else "enum"
        return kind, "The values are digits with leading zeros: codes, not quantities."
    if not _is(facts, "is_numeric"):
        return None
    if facts.distinct_count == 1 and facts.filled_count >= MANY_VALUES:
        return "constant", f"{_counts(facts)}: a number that never changes."
    return _by_numbered_name(facts) or _by_few_numbers(facts) or ("number", _numbers(facts))


def _numbers(facts: FieldFacts) -> str:
    return f"{_counts(facts)}, {percent(facts.shares['is_numeric'])} are numbers."


def _by_numbered_name(facts: FieldFacts) -> Verdict | None:
    """What the name says of whole numbers."""
    if not _is(facts, "is_whole"):
        return None
    counts, label = _counts(facts), names.category_word(facts.field)
    is_numbering = facts.filled_count >= MANY_VALUES and facts.distinct_share >= 0.9 and names.is_numbering(facts.field)
    verdict: Verdict | None = None
    if word := names.identifier_word(facts.field):
        verdict = "identifier", f"Whole numbers in a field named like an identifier ({word})."
    elif is_numbering:
        verdict = "identifier", f"{counts}, in a field named like a number of things: each has its own."
    elif names.is_quantity(facts.field):
        verdict = "number", _numbers(facts)
    elif label and _few(facts):
        verdict = "enum", f"{counts}, numbers in a field named like a label ({label})."
    elif names.is_code(facts.field):
        verdict = "identifier", f"{counts}, numbers in a field named like a code ({label})."
    return verdict


def _by_few_numbers(facts: FieldFacts) -> Verdict | None:
    is_few = facts.distinct_count <= FEW_NUMBERS and facts.repeats >= OFTEN
    if is_few and not names.is_quantity(facts.field):
        return "enum", f"{_counts(facts)}: numbers so few that they stand for something."
    return None


def _by_words(facts: FieldFacts) -> Verdict:
    counts, words = _counts(facts), f"{facts.word_count:.1f} words on average"
    once = f"{percent(facts.once_count / facts.distinct_count)} seen once"
    if facts.distinct_count == 1 and facts.filled_count >= MANY_VALUES and facts.word_count >= 2:
        return "constant", f"{counts}, {words}: a phrase that never changes."
    if _is_text(facts):
        return "text", f"{counts}, {once}, {words}: free text."
    if (word := names.identifier_word(facts.field)) and facts.repeats < 20 and facts.word_count < 1.5:
        return "identifier", f"{counts}, single words in a field named like an identifier ({word})."
    if _few(facts):
        return "enum", f"{counts}: {_coming_back(facts)}."
    if facts.word_count >= 1.5:
        return "text", f"{counts}, {once}, {words}: short free text."
    return "identifier", f"{counts}, {once}: single words that hardly come back."


def _coming_back(facts: FieldFacts) -> str:
    return f"each comes {facts.repeats:,.1f} times on average" if facts.repeats >= 2 else "few values so far"


def _is_text(facts: FieldFacts) -> bool:
    """Phrases of varied wording; a menu of fixed phrases, each used often, is an enum."""
    if facts.shares["has_words"] < 0.3 or facts.word_count < 2:
        return False
    fixed_menu = facts.distinct_count <= MANY_VALUES and facts.repeats >= OFTEN and facts.word_count < 8
    return not fixed_menu and (facts.word_count >= 3 or facts.distinct_share >= 0.05)
