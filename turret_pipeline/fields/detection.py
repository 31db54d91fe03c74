"""Types of metadata fields, detected from their names and values, with the reason in words."""

from turret_pipeline.fields import names
from turret_pipeline.fields.profiles import FieldProfile

MIN_MATCHING_SHARE = 0.95
"""Share of a field's values that must look like a type for the field to have it."""

MAX_ENUM_VALUES = 20
"""Distinct values that an enum may have at any volume. It may have more only if they repeat often."""

MIN_CONSTANT_EVENTS = 20
"""Values needed to call a field constant, or its numbers running numbers."""

MAX_CODE_NUMBERS = 5
"""Distinct numbers that codes may have if they repeat often. In public tables four of five such columns are codes."""

MIN_MEAN_OCCURRENCES = 5
"""Mean occurrences per distinct value from which values repeat often."""

Detection = tuple[str, str]
"""A type, and the reason for it."""


def detect_type(profile: FieldProfile) -> Detection:
    """The type that the name and the values of a field suggest, and the reason."""
    if profile.filled_count == 0:
        return "constant", "All values are blank."
    for detect in (_detect_structure, _detect_pattern, _detect_number):
        if found := detect(profile):
            return found
    return _detect_words(profile)


def percent(share: float) -> str:
    """A share as whole percent. Only exact values are shown as 0 % and 100 %."""
    return f"{min(max(share * 100, 1), 99) if 0 < share < 1 else share * 100:.0f} %"


def _counts(profile: FieldProfile) -> str:
    values = "1 value" if profile.distinct_count == 1 else f"{profile.distinct_count:,} distinct values"
    return f"{values} in {profile.filled_count:,} event{'' if profile.filled_count == 1 else 's'}"


def _is_mostly(profile: FieldProfile, flag: str) -> bool:
    return profile.shares[flag] >= MIN_MATCHING_SHARE


def _has_enum_counts(profile: FieldProfile) -> bool:
    return profile.distinct_count <= MAX_ENUM_VALUES or profile.mean_occurrences >= MIN_MEAN_OCCURRENCES


def _detect_structure(profile: FieldProfile) -> Detection | None:
    if profile.shares["is_list"] >= 0.5 or _is_mostly(profile, "is_object"):
        share = max(profile.shares["is_list"], profile.shares["is_object"])
        return "structured", f"{percent(share)} of the values are lists or objects."
    if _is_mostly(profile, "is_boolean"):
        return "enum", "The values are true or false."
    return None


def _detect_pattern(profile: FieldProfile) -> Detection | None:
    kinds = {
        "is_uuid": "UUIDs",
        "is_hex": "long hexadecimal codes",
        "is_url": "web addresses",
        "is_email": "e-mail addresses",
    }
    for flag, name in kinds.items():
        if _is_mostly(profile, flag) and not _is_mostly(profile, "is_number"):
            return "identifier", f"{percent(profile.shares[flag])} of the values are {name}."
    if _is_mostly(profile, "is_datetime"):
        return "datetime", f"{percent(profile.shares['is_datetime'])} of the values are dates or times."
    if _is_mostly(profile, "is_epoch") and names.is_time(profile.field):
        return "datetime", "The field name suggests a time, and the numbers are seconds or milliseconds since 1970."
    return None


def _detect_number(profile: FieldProfile) -> Detection | None:
    if _is_mostly(profile, "is_digits") and not _is_mostly(profile, "is_numeric"):
        kind = "identifier" if profile.mean_occurrences < 2 else "enum"
        return kind, "The values are digits with leading zeros, so they are codes and not quantities."
    if not _is_mostly(profile, "is_numeric"):
        return None
    if profile.distinct_count == 1 and profile.filled_count >= MIN_CONSTANT_EVENTS:
        return "constant", f"{_counts(profile)}: the number never changes."
    return _detect_named_number(profile) or _detect_numeric_code(profile) or ("number", _number_reason(profile))


def _number_reason(profile: FieldProfile) -> str:
    return f"{_counts(profile)}, {percent(profile.shares['is_numeric'])} are numbers."


def _detect_named_number(profile: FieldProfile) -> Detection | None:
    """The type that the name of a field of whole numbers suggests."""
    if not _is_mostly(profile, "is_whole"):
        return None
    counts, category = _counts(profile), names.category_word(profile.field)
    has_running_numbers = (
        profile.filled_count >= MIN_CONSTANT_EVENTS
        and profile.distinct_share >= 0.9
        and names.is_numbering(profile.field)
    )
    found: Detection | None = None
    if word := names.identifier_word(profile.field):
        found = "identifier", f"Whole numbers in a field whose name ends in '{word}'."
    elif has_running_numbers:
        found = "identifier", f"{counts}, in a field whose name suggests running numbers."
    elif names.is_quantity(profile.field):
        found = "number", _number_reason(profile)
    elif category and _has_enum_counts(profile):
        found = "enum", f"{counts}: numbers in a field whose name suggests categories ('{category}')."
    elif names.is_code(profile.field):
        found = "identifier", f"{counts}: numbers in a field whose name suggests codes ('{category}')."
    return found


def _detect_numeric_code(profile: FieldProfile) -> Detection | None:
    is_code = profile.distinct_count <= MAX_CODE_NUMBERS and profile.mean_occurrences >= MIN_MEAN_OCCURRENCES
    if is_code and not names.is_quantity(profile.field):
        return "enum", f"{_counts(profile)}: few numbers that repeat often are probably codes."
    return None


def _detect_words(profile: FieldProfile) -> Detection:
    counts, words = _counts(profile), f"{profile.word_count:.1f} words on average"
    once = f"{percent(profile.once_count / profile.distinct_count)} occur once"
    if profile.distinct_count == 1 and profile.filled_count >= MIN_CONSTANT_EVENTS and profile.word_count >= 2:
        return "constant", f"{counts}, {words}: the phrase never changes."
    if _is_text(profile):
        return "text", f"{counts}, {once}, {words}: free text."
    is_single_word = profile.word_count < 1.5
    if (word := names.identifier_word(profile.field)) and profile.mean_occurrences < 20 and is_single_word:
        return "identifier", f"{counts}: single words in a field whose name ends in '{word}'."
    if _has_enum_counts(profile):
        return "enum", f"{counts}: {_repetition(profile)}."
    if not is_single_word:
        return "text", f"{counts}, {once}, {words}: short free text."
    return "identifier", f"{counts}, {once}: single words that rarely repeat."


def _repetition(profile: FieldProfile) -> str:
    occurrences = profile.mean_occurrences
    return f"each occurs {occurrences:,.1f} times on average" if occurrences >= 2 else "few distinct values so far"


def _is_text(profile: FieldProfile) -> bool:
    """True for phrases of varied wording. A menu of fixed phrases, each used often, is an enum."""
    if profile.shares["has_words"] < 0.3 or profile.word_count < 2:
        return False
    is_menu = (
        profile.distinct_count <= MAX_ENUM_VALUES
        and profile.mean_occurrences >= MIN_MEAN_OCCURRENCES
        and profile.word_count < 8
    )
    return not is_menu and (profile.word_count >= 3 or profile.distinct_share >= 0.05)
