"""Contradictions between the values of a field and the type that a person sets for it."""

from turret_pipeline.fields.detection import is_mostly, percent
from turret_pipeline.fields.profiles import FieldProfile
from turret_pipeline.fields.thresholds import THRESHOLDS

MIN_OVERRIDE_SHARE = 0.5
"""Share of the values that must match the type: less than for detection, because a person may know more."""


_FLAGS = {
    "number": (("is_numeric",), "numbers"),
    "datetime": (("is_datetime", "is_epoch"), "dates or times"),
    "structured": (("is_list", "is_object"), "lists or objects"),
}


def find_contradiction(profile: FieldProfile, kind: str) -> str | None:
    """The end of a sentence that says how the values contradict a type, or None if they do not."""
    if profile.filled_count == 0:
        return None
    if kind in _FLAGS:
        flags, name = _FLAGS[kind]
        share = max(profile.shares[flag] for flag in flags)
        return None if share >= MIN_OVERRIDE_SHARE else f"only {percent(share)} of its values are {name}"
    if kind == "text":
        return _find_other_kind(profile)
    is_unlike_enum = profile.distinct_count > THRESHOLDS.enum_values and profile.mean_occurrences < 2
    if (kind == "constant" and profile.distinct_count > 1) or (kind == "enum" and is_unlike_enum):
        return f"it has {profile.distinct_count:,} distinct values in {profile.filled_count:,} events"
    return None


def _find_other_kind(profile: FieldProfile) -> str | None:
    """The same for text: the values contradict it if they are of a kind without words."""
    kinds = {
        "is_numeric": "numbers",
        "is_boolean": "true or false",
        "is_list": "lists",
        "is_datetime": "dates or times",
    }
    for flag, name in kinds.items():
        if is_mostly(profile, flag):
            return f"{percent(profile.shares[flag])} of its values are {name}"
    return None
