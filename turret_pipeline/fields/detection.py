"""Types of metadata fields, detected from their names and values, with the reason in words."""

from typing import NamedTuple

from turret_pipeline.fields import names
from turret_pipeline.fields.profiles import FieldProfile
from turret_pipeline.fields.thresholds import THRESHOLDS, Thresholds

YEARS = (1900, 2100)


class Detection(NamedTuple):
    """A type, the reason for it, and another type that a second rule suggests, with its reason."""

    type: str
    reason: str
    rival: tuple[str, str] | None = None


def detect_type(profile: FieldProfile, limits: Thresholds = THRESHOLDS) -> Detection:
    """The type that the name and the values of a field suggest, and the reason."""
    if profile.filled_count == 0:
        return Detection("constant", "All values are blank.")
    for detect in (_detect_structure, _detect_pattern, _detect_number):
        if found := detect(profile, limits):
            return found
    return _detect_words(profile, limits)


def percent(share: float) -> str:
    """A share as whole percent. Only exact values are shown as 0 % and 100 %."""
    return f"{min(max(share * 100, 1), 99) if 0 < share < 1 else share * 100:.0f} %"


def is_mostly(profile: FieldProfile, flag: str, limits: Thresholds = THRESHOLDS) -> bool:
    """True if nearly all values have a flag."""
    return profile.shares[flag] >= 1 - limits.other_share


def _counts(profile: FieldProfile) -> str:
    values = "1 value" if profile.distinct_count == 1 else f"{profile.distinct_count:,} distinct values"
    return f"{values} in {profile.filled_count:,} event{'' if profile.filled_count == 1 else 's'}"


def _repeats_often(profile: FieldProfile, limits: Thresholds) -> bool:
    return profile.mean_occurrences >= limits.occurrences


def _has_enum_counts(profile: FieldProfile, limits: Thresholds) -> bool:
    return profile.distinct_count <= limits.enum_values or _repeats_often(profile, limits)


def _detect_structure(profile: FieldProfile, limits: Thresholds) -> Detection | None:
    if profile.shares["is_list"] >= limits.list_share or is_mostly(profile, "is_object", limits):
        share = max(profile.shares["is_list"], profile.shares["is_object"])
        return Detection("structured", f"{percent(share)} of the values are lists or objects.")
    if is_mostly(profile, "is_boolean", limits):
        return Detection("enum", "The values are true or false.")
    return None


def _detect_pattern(profile: FieldProfile, limits: Thresholds) -> Detection | None:
    kinds = {
        "is_uuid": "UUIDs",
        "is_hex": "long hexadecimal codes",
        "is_url": "web addresses",
        "is_email": "e-mail addresses",
    }
    for flag, name in kinds.items():
        if is_mostly(profile, flag, limits) and not is_mostly(profile, "is_number", limits):
            return Detection("identifier", f"{percent(profile.shares[flag])} of the values are {name}.")
    if is_mostly(profile, "is_datetime", limits):
        return Detection("datetime", f"{percent(profile.shares['is_datetime'])} of the values are dates or times.")
    if is_mostly(profile, "is_epoch", limits) and names.is_time(profile.field):
        reason = "The field name suggests a time, and the numbers are seconds or milliseconds since 1970."
        return Detection("datetime", reason)
    return None


def _detect_number(profile: FieldProfile, limits: Thresholds) -> Detection | None:
    if is_mostly(profile, "is_digits", limits) and not is_mostly(profile, "is_numeric", limits):
        kind = "identifier" if profile.mean_occurrences < 2 else "enum"
        return Detection(kind, "The values are digits with leading zeros, so they are codes and not quantities.")
    if not is_mostly(profile, "is_numeric", limits):
        return None
    if profile.distinct_count == 1 and profile.filled_count >= limits.constant_events:
        return Detection("constant", f"{_counts(profile)}: the number never changes.")
    return _detect_named_number(profile, limits) or _detect_numeric_code(profile, limits) or _number(profile, limits)


def _number(profile: FieldProfile, limits: Thresholds) -> Detection:
    counts = _counts(profile)
    is_short = profile.distinct_count <= limits.enum_values and _repeats_often(profile, limits)
    rival = ("enum", f"{counts}: whole numbers that repeat often may be codes.")
    has_rival = is_short and is_mostly(profile, "is_whole", limits)
    reason = f"{counts}, {percent(profile.shares['is_numeric'])} are numbers."
    return Detection("number", reason, rival if has_rival else None)


def _detect_named_number(profile: FieldProfile, limits: Thresholds) -> Detection | None:
    """The type that the name of a field of whole numbers suggests."""
    if not is_mostly(profile, "is_whole", limits):
        return None
    counts, category = _counts(profile), names.category_word(profile.field)
    has_running_numbers = (
        profile.filled_count >= limits.constant_events
        and profile.distinct_share >= 1 - limits.repeated_share
        and names.is_numbering(profile.field)
    )
    found: Detection | None = None
    word = names.identifier_word(profile.field)
    if word and not (category and _repeats_often(profile, limits)):
        found = Detection("identifier", f"Whole numbers in a field whose name ends in '{word}'.")
    elif has_running_numbers:
        found = Detection("identifier", f"{counts}, in a field whose name suggests running numbers.")
    elif names.is_quantity(profile.field):
        found = _number(profile, limits)
    elif category and _has_enum_counts(profile, limits):
        found = Detection("enum", f"{counts}: numbers in a field whose name suggests categories ('{category}').")
    elif names.is_code(profile.field):
        found = Detection("identifier", f"{counts}: numbers in a field whose name suggests codes ('{category}').")
    return found


def _detect_numeric_code(profile: FieldProfile, limits: Thresholds) -> Detection | None:
    """Codes among numbers that repeat often: few numbers, or years."""
    if names.is_quantity(profile.field) or not _repeats_often(profile, limits):
        return None
    counts = _counts(profile)
    if profile.distinct_count <= limits.code_numbers:
        return Detection("enum", f"{counts}: few numbers that repeat often are probably codes.")
    if not is_mostly(profile, "is_whole", limits) or profile.lowest is None or profile.highest is None:
        return None
    if YEARS[0] <= profile.lowest and profile.highest <= YEARS[1]:
        return Detection(
            "enum", f"{counts}: whole numbers from {profile.lowest:.0f} to {profile.highest:.0f} are years."
        )
    return None


def _detect_words(profile: FieldProfile, limits: Thresholds) -> Detection:
    counts, words = _counts(profile), f"{profile.word_count:.1f} words on average"
    once = f"{percent(profile.once_count / profile.distinct_count)} occur once"
    is_phrase = profile.word_count >= limits.phrase_words
    if profile.distinct_count == 1 and profile.filled_count >= limits.constant_events and is_phrase:
        return Detection("constant", f"{counts}, {words}: the phrase never changes.")
    if is_phrase and profile.shares["has_words"] >= limits.spaced_share and not _is_list_of_phrases(profile, limits):
        return Detection("text", f"{counts}, {once}, {words}: free text.")
    is_single_word = profile.word_count < limits.word_limit
    if (word := names.identifier_word(profile.field)) and profile.mean_occurrences < 20 and is_single_word:
        return Detection("identifier", f"{counts}: single words in a field whose name ends in '{word}'.")
    if _has_enum_counts(profile, limits):
        rival = ("identifier" if is_single_word else "text", f"{counts}: hardly any value has repeated yet.")
        return Detection("enum", f"{counts}: {_repetition(profile)}.", rival if profile.mean_occurrences < 2 else None)
    if not is_single_word:
        return Detection("text", f"{counts}, {once}, {words}: short free text.")
    return Detection("identifier", f"{counts}, {once}: single words that rarely repeat.")


def _repetition(profile: FieldProfile) -> str:
    occurrences = profile.mean_occurrences
    return f"each occurs {occurrences:,.1f} times on average" if occurrences >= 2 else "few distinct values so far"


def _is_list_of_phrases(profile: FieldProfile, limits: Thresholds) -> bool:
    """True for phrases of a list that is complete: each is used often, and hardly any occurs for the first time.

    What people write has its own names; there only a menu of few phrases is a list.
    """
    if profile.word_count >= limits.sentence_words or not _repeats_often(profile, limits):
        return False
    is_menu = profile.distinct_count <= limits.enum_values
    return is_menu or (profile.new_share <= limits.new_share and not names.is_text(profile.field))
