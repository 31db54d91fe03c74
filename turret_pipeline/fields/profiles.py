"""Profiles of metadata fields: counts, and shares of the kinds of values."""

from dataclasses import dataclass

import polars as pl

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
"""Letters of scripts without spaces between words. A word has about two of them."""

_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s?[AaPp]\.?[Mm]\.?)?"
_ZONE = r"(\s?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAYS = (
    r"\d{4}-\d{1,2}-\d{1,2}",
    r"\d{1,2}/\d{1,2}/(\d{4}|\d{2})",
    r"\d{4}/\d{1,2}/\d{1,2}",
    r"\d{1,2}\.\d{1,2}\.\d{4}",
    rf"([A-Z][a-z]+,?\s)?{_MONTH}\s\d{{1,2}}(,?\s\d{{4}})?",
    rf"([A-Z][a-z]+,?\s)?\d{{1,2}}[\s-]{_MONTH}[\s-]\d{{2,4}}",
)

PATTERNS = {
    "is_uuid": r"^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$",
    "is_hex": r"^(0x)?[0-9a-fA-F]{16,}$",
    "is_url": r"^[a-zA-Z][a-zA-Z0-9+.-]*://\S+$",
    "is_email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "is_datetime": rf"^(({'|'.join(_DAYS)})([T ,]\s?{_CLOCK})?{_ZONE}|{_CLOCK}{_ZONE})$",
    "is_object": r"(?s)^(\[.*\]|\{.*\})$",
    "is_digits": r"^\d+$",
    "has_words": rf"\S\s+\S|{_UNSPACED}{{4}}",
}
MISSING_MARK = r"^(?i:n/?a|nan|null|none|nil|unknown|missing|-+|\?)$"
"""Marks of missing values among numbers and times. In other fields they may be values like any other."""

EPOCH = pl.col("number").is_between(1e9, 2.5e9) | pl.col("number").is_between(1e12, 2.5e12)
"""True for numbers that are seconds or milliseconds since 1970 of a time in this century."""


@dataclass(frozen=True)
class FieldProfile:
    """Counts and shares of the values of a field.

    Shares are of the values that are not blank; those of numbers, times and digits are of the values that are not marks
    of missing values either. ``once_count`` is the number of values that occur once, ``word_count`` the mean number of
    words.
    """

    field: str
    filled_count: int
    distinct_count: int
    once_count: int
    word_count: float
    shares: dict[str, float]

    @property
    def distinct_share(self) -> float:
        """Distinct values as a share of all values."""
        return self.distinct_count / max(self.filled_count, 1)

    @property
    def mean_occurrences(self) -> float:
        """Mean number of occurrences of a distinct value."""
        return self.filled_count / max(self.distinct_count, 1)


_FILLED_FLAGS = (
    "is_boolean",
    "is_list",
    "is_number",
    "is_uuid",
    "is_hex",
    "is_url",
    "is_email",
    "is_object",
    "has_words",
)
_PRESENT_FLAGS = ("is_numeric", "is_whole", "is_datetime", "is_epoch", "is_digits")


def profile_fields(values: pl.DataFrame) -> list[FieldProfile]:
    """Profiles of all fields in ``event_values``, sorted by name. Patterns are matched once per distinct value."""
    distinct = _distinct_values(values)
    filled = pl.col("count").filter("is_filled")
    present = pl.col("count").filter(pl.col("is_filled"), ~pl.col("is_missing"))
    counted = distinct.group_by("field").agg(
        filled.sum().alias("filled_count"),
        ((pl.col("count") * pl.col("words")).filter("is_filled").sum() / filled.sum()).alias("word_count"),
        *(_share(name, filled.sum()) for name in _FILLED_FLAGS),
        *(_share(name, present.sum(), ~pl.col("is_missing")) for name in _PRESENT_FLAGS),
    )
    texts = distinct.filter("is_filled").group_by("field", "text").agg(pl.col("count").sum())
    occurrences = texts.group_by("field").agg(
        pl.len().alias("distinct_count"), (pl.col("count") == 1).sum().alias("once_count")
    )
    rows = counted.join(occurrences, on="field", how="left", validate="1:1").fill_null(0).fill_nan(0).sort("field")
    return [
        FieldProfile(
            **{name: row[name] for name in ("field", "filled_count", "distinct_count", "once_count", "word_count")},
            shares={name: row[name] for name in (*_FILLED_FLAGS, *_PRESENT_FLAGS)},
        )
        for row in rows.iter_rows(named=True)
    ]


def _distinct_values(values: pl.DataFrame) -> pl.DataFrame:
    """One row per field, JSON type and stripped value, with its number of occurrences and its flags."""
    text, number = pl.col("text"), pl.col("number")
    return (
        values.with_columns(pl.col("value").str.strip_chars().alias("text"))
        .group_by("field", "json_type", "text")
        .agg(pl.len().cast(pl.Int64).alias("count"), number.first())
        .with_columns(
            (text != "").alias("is_filled"),
            text.str.contains(MISSING_MARK).alias("is_missing"),
            word_count(text).alias("words"),
            *((pl.col("json_type") == name).alias(f"is_{name}") for name in ("boolean", "list", "number")),
            *(text.str.contains(pattern).alias(name) for name, pattern in PATTERNS.items()),
            number.is_not_null().alias("is_numeric"),
            (number == number.round()).fill_null(value=False).alias("is_whole"),
            EPOCH.fill_null(value=False).alias("is_epoch"),
        )
    )


def _share(name: str, total: pl.Expr, *also: pl.Expr) -> pl.Expr:
    return (pl.col("count").filter(pl.col("is_filled"), pl.col(name), *also).sum() / total).alias(name)


def word_count(text: pl.Expr) -> pl.Expr:
    """Number of words of a text. Two letters of a script without spaces count as one word."""
    return text.str.count_matches(r"\s+") + 1 + text.str.count_matches(_UNSPACED) / 2
