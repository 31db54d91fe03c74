"""Profiles of metadata fields: counts, and shares of the kinds of values."""

from dataclasses import dataclass

import polars as pl

from turret_pipeline.fields.numbers import has_decimal_comma, has_thousands_comma, number_unit

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
"""Letters of scripts without spaces between words. A word has about two of them."""

_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s?[AaPp]\.?[Mm]\.?)?"
_ZONE = r"(\s?(Z|[A-Z]{3,4}([+-]\d{1,2})?|[+-]\d{2}:?\d{2}))?"
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAYS = (
    r"\d{4}-\d{1,2}-\d{1,2}",
    r"\d{1,2}/\d{1,2}/(\d{4}|\d{2})",
    r"\d{4}/\d{1,2}/\d{1,2}",
    r"\d{1,2}\.\d{1,2}\.\d{4}",
    rf"([A-Z][a-z]+,?\s)?{_MONTH}\s\d{{1,2}}(,?\s\d{{4}})?",
    rf"([A-Z][a-z]+,?\s)?\d{{1,2}}[\s-]{_MONTH}[\s-]\d{{2,4}}",
    rf"\d{{4}}-{_MONTH}-\d{{1,2}}",
    rf"[A-Z][a-z]+\s{_MONTH}\s+\d{{1,2}}\s{_CLOCK}{_ZONE}\s\d{{4}}",
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
    words, ``number_count`` the number of distinct numbers, from ``lowest`` to ``highest``. Numbers whose unit or comma
    differs from that of most numbers of the field do not count as numbers: they do not compare.
    """

    field: str
    filled_count: int
    distinct_count: int
    once_count: int
    word_count: float
    number_count: int
    lowest: float | None
    highest: float | None
    shares: dict[str, float]

    @property
    def distinct_share(self) -> float:
        """Distinct values as a share of all values."""
        return self.distinct_count / max(self.filled_count, 1)

    @property
    def mean_occurrences(self) -> float:
        """Mean number of occurrences of a distinct value."""
        return self.filled_count / max(self.distinct_count, 1)

    @property
    def new_share(self) -> float:
        """Estimated share of new ones among further values: the share of values that occurred once."""
        return self.once_count / max(self.filled_count, 1)


_COUNTS = ("filled_count", "distinct_count", "once_count", "word_count", "number_count", "lowest", "highest")
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


def profile_fields(values: pl.DataFrame | pl.LazyFrame) -> list[FieldProfile]:
    """Profiles of all fields in ``event_values``, sorted by name. Patterns are matched once per distinct value."""
    distinct = _distinct_values(values)
    filled = pl.col("count").filter("is_filled")
    present = pl.col("count").filter(pl.col("is_filled"), ~pl.col("is_missing"))
    finite = pl.col("number").filter(pl.col("number").is_finite())
    counted = distinct.group_by("field").agg(
        finite.n_unique().alias("number_count"),
        finite.min().alias("lowest"),
        finite.max().alias("highest"),
        filled.sum().alias("filled_count"),
        ((pl.col("count") * pl.col("words")).filter("is_filled").sum() / filled.sum()).alias("word_count"),
        *(_share(name, filled.sum()) for name in _FILLED_FLAGS),
        *(_share(name, present.sum(), ~pl.col("is_missing")) for name in _PRESENT_FLAGS),
    )
    texts = distinct.filter("is_filled").group_by("field", "text").agg(pl.col("count").sum())
    occurrences = texts.group_by("field").agg(
        pl.len().alias("distinct_count"), (pl.col("count") == 1).sum().alias("once_count")
    )
    are_zero = pl.exclude("field", "lowest", "highest").fill_null(0).fill_nan(0)
    rows = counted.join(occurrences, on="field", how="left", validate="1:1").with_columns(are_zero).sort("field")
    return [
        FieldProfile(
            **{name: row[name] for name in ("field", *_COUNTS)},
            shares={name: row[name] for name in (*_FILLED_FLAGS, *_PRESENT_FLAGS)},
        )
        for row in rows.iter_rows(named=True)
    ]


def _distinct_values(values: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """One row per field, JSON type and stripped value, with its number of occurrences and its flags."""
    text, number = pl.col("text"), pl.col("number")
    distinct = (
        values.lazy()
        .with_columns(pl.col("value").str.strip_chars().alias("text"))
        .group_by("field", "json_type", "text")
        .agg(pl.len().cast(pl.Int64).alias("count"), number.min())
        .collect(engine="streaming")
    )
    return _drop_other_notations(distinct).with_columns(
        (text != "").alias("is_filled"),
        text.str.contains(MISSING_MARK).alias("is_missing"),
        word_count(text).alias("words"),
        *((pl.col("json_type") == name).alias(f"is_{name}") for name in ("boolean", "list", "number")),
        *(text.str.contains(pattern).alias(name) for name, pattern in PATTERNS.items()),
        number.is_not_null().alias("is_numeric"),
        (number == number.round()).fill_null(value=False).alias("is_whole"),
        EPOCH.fill_null(value=False).alias("is_epoch"),
    )


def _drop_other_notations(distinct: pl.DataFrame) -> pl.DataFrame:
    """Null for numbers whose unit, or the meaning of whose comma, differs from that of most numbers of the field."""
    text = pl.col("text")
    comma = (
        pl.when(has_decimal_comma(text))
        .then(pl.lit("decimal"))
        .when(has_thousands_comma(text))
        .then(pl.lit("thousands"))
    )
    for notation in (number_unit(text), comma):
        marked = distinct.with_columns(pl.when(pl.col("number").is_not_null()).then(notation).alias("notation"))
        counts = marked.drop_nulls("notation").group_by("field", "notation").agg(pl.col("count").sum())
        usual = (
            counts.sort("field", "count", "notation").group_by("field").agg(pl.col("notation").last().alias("usual"))
        )
        is_other = (pl.col("notation") != pl.col("usual")).fill_null(value=False)
        distinct = marked.join(usual, on="field", how="left", validate="m:1").select(
            "field", "json_type", "text", "count", pl.when(~is_other).then("number").alias("number")
        )
    return distinct


def _share(name: str, total: pl.Expr, *also: pl.Expr) -> pl.Expr:
    return (pl.col("count").filter(pl.col("is_filled"), pl.col(name), *also).sum() / total).alias(name)


def word_count(text: pl.Expr) -> pl.Expr:
    """Number of words of a text. Two letters of a script without spaces count as one word."""
    return text.str.count_matches(r"\s+") + 1 + text.str.count_matches(_UNSPACED) / 2
