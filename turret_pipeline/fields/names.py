"""What the name of a field says of its values."""

import re

IDENTIFIER = frozenset("id ids uuid guid hash sha token key url uri email ip phone".split())
CODE = frozenset("code zip zipcode postcode postal".split())
CATEGORY = CODE | frozenset(
    "type kind class category group tier status state mode flag variant version generation cohort segment "
    "region district zone year month quarter season weekday".split()
)
"""Words that numbers are labels of, not amounts."""

QUANTITY = frozenset(
    "count counts number num nr total sum amount qty quantity price cost costs fee revenue balance rate ratio share "
    "pct percent percentage score rating stars length size width height depth distance weight age duration latency "
    "time seconds secs sec minutes mins hours days weeks ms tokens chars words bytes kb mb turn turns index idx "
    "position rank step steps temperature confidence probability".split()
)
"""Words of amounts and of places in a row, however few values they take."""

_NUMBERING = frozenset("number no nr num".split())
_TIME = frozenset("at time timestamp ts date datetime created updated".split())
_PARTICIPLES = frozenset("shown seen sent read found given left taken won lost done made".split())


def words(field: str) -> list[str]:
    """The words of a field's own name, without those of the objects it is in, in small letters."""
    own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", field.rpartition(".")[2])
    return [word.rstrip("0123456789") or word for word in re.findall(r"[^\W_]+", own.lower())]


def identifier_word(field: str) -> str | None:
    """The last word, where it says that the values are identifiers."""
    return next((word for word in words(field)[-1:] if word in IDENTIFIER), None)


def category_word(field: str) -> str | None:
    """The last word that says that the values are labels."""
    return next((word for word in reversed(words(field)) if word in CATEGORY), None)


def is_code(field: str) -> bool:
    """Whether the values are codes by the name."""
    return not CODE.isdisjoint(words(field))


def is_numbering(field: str) -> bool:
    """Whether the values number things, such as ``order_number``."""
    return len(words(field)) > 1 and words(field)[-1] in _NUMBERING


def is_time(field: str) -> bool:
    """Whether the values are times by the name."""
    return not _TIME.isdisjoint(words(field)[-1:])


def is_quantity(field: str) -> bool:
    """Whether the values are amounts by the name: ``reply_count``, ``n_tools``, ``duration_s``, ``options_shown``."""
    found = words(field)
    if not QUANTITY.isdisjoint(found) or found[:1] == ["n"]:
        return True
    if len(found) < 2:
        return False
    of_many = found[-2].endswith("s") and not found[-2].endswith("ss")
    return found[-1] == "s" or (of_many and (found[-1].endswith("ed") or found[-1] in _PARTICIPLES))
