"""Kinds of values that the name of a field suggests."""

import functools
import re

IDENTIFIER = frozenset("id ids uuid guid hash sha token key url uri email ip phone".split())
CODE = frozenset("code cd zip zipcode postcode postal fips".split())
CATEGORY = CODE | frozenset(
    "type kind class category group tier status state mode flag variant version generation cohort segment "
    "region district precinct council ward zone section subsection level role label cluster "
    "year fy month quarter season weekday".split()
)
"""Words for numbers that label things and do not measure them."""

QUANTITY = frozenset(
    "count counts number num nr total sum amount qty quantity price cost costs fee revenue balance rate ratio share "
    "pct percent percentage score rating stars length size width height depth distance weight age duration latency "
    "time seconds secs sec minutes mins hours days weeks ms tokens chars words bytes kb mb turn turns index idx "
    "position rank step steps temperature confidence probability".split()
)
"""Words for amounts and for positions in a sequence, even with few distinct values."""

_TEXT = frozenset(
    "prompt query question answer response message comment comments description desc note notes feedback review "
    "reviews remark remarks text summary content body transcript".split()
)
_NUMBERING = frozenset("number no nr num".split())
_TIME = frozenset("at time timestamp ts date datetime created updated".split())
_COUNTED_PARTICIPLES = frozenset("shown seen sent read found given left taken won lost done made".split())


@functools.lru_cache(maxsize=1024)
def words(field: str) -> tuple[str, ...]:
    """Words of a field name in lower case, without the names of the objects that contain the field."""
    own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", field.rpartition(".")[2])
    return tuple(word.rstrip("0123456789") or word for word in re.findall(r"[^\W_]+", own.lower()))


def identifier_word(field: str) -> str | None:
    """The last word of the name if it suggests identifiers."""
    return next((word for word in words(field)[-1:] if word in IDENTIFIER), None)


def category_word(field: str) -> str | None:
    """The last word in the name that suggests categories."""
    return next((word for word in reversed(words(field)) if word in CATEGORY), None)


def is_code(field: str) -> bool:
    """True if the name suggests codes."""
    return not CODE.isdisjoint(words(field))


def is_numbering(field: str) -> bool:
    """True if the name suggests running numbers, like ``order_number``."""
    return len(words(field)) > 1 and words(field)[-1] in _NUMBERING


def is_time(field: str) -> bool:
    """True if the name suggests times."""
    return not _TIME.isdisjoint(words(field)[-1:])


def is_text(field: str) -> bool:
    """True if the name suggests what people write."""
    return not _TEXT.isdisjoint(words(field)[-1:])


def is_quantity(field: str) -> bool:
    """True if the name suggests amounts, like ``reply_count``, ``n_tools``, ``duration_s`` or ``options_shown``."""
    found = words(field)
    if not QUANTITY.isdisjoint(found) or found[:1] == ("n",):
        return True
    if len(found) < 2:
        return False
    has_plural = found[-2].endswith("s") and not found[-2].endswith("ss")
    return found[-1] == "s" or (has_plural and (found[-1].endswith("ed") or found[-1] in _COUNTED_PARTICIPLES))
