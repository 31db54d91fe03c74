"""What the values of each field look like, counted."""

from dataclasses import dataclass

import polars as pl

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
"""Letters of scripts that put no space between words; a word has about two of them."""

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
MISSING = r"^(?i:n/?a|nan|null|none|nil|unknown|missing|-+|\?)$"
"""What stands for no number or no time where the others are some; elsewhere it may be a value like others."""

EPOCH = pl.col("number").is_between(1e9, 2.5e9) | pl.col("number").is_between(1e12, 2.5e12)
"""Numbers that are times of this century since 1970, in seconds or milliseconds."""


@dataclass(frozen=True)
class FieldFacts:
    """What the values of a field look like.

    Shares are over its values that are not blank; those of numbers, times and digits over those that are no mark of a
    missing value either. ``once_count`` is of values that come once, ``word_count`` words on average.
    """

    field: str
    filled_count: int
    distinct_count: int
    once_count: int
    word_count: float
    shares: dict[str, float]

    @property
    def distinct_share(self) -> float:
        """Distinct values over values."""
        return self.distinct_count / max(self.filled_count, 1)

    @property
    def repeats(self) -> float:
        """How often a value comes back on average."""
        return self.filled_count / max(self.distinct_count, 1)


_OF_ALL = ("is_boolean", "is_list", "is_number", "is_uuid", "is_hex", "is_url", "is_email", "is_object", "has_words")
_OF_TOLD = ("is_numeric", "is_whole", "is_datetime", "is_epoch", "is_digits")


def field_facts(values: pl.DataFrame) -> list[FieldFacts]:
    """The facts of every field in ``event_values``, by name; patterns are looked for once in each distinct value."""
    distinct = _distinct_values(values)
    count = pl.col("count").filter("is_filled")
    told = pl.col("count").filter(pl.col("is_filled"), ~pl.col("is_missing"))
    counted = distinct.group_by("field").agg(
        count.sum().alias("filled_count"),
        ((pl.col("count") * pl.col("words")).filter("is_filled").sum() / count.sum()).alias("word_count"),
        *(_share(name, count.sum()) for name in _OF_ALL),
        *(_share(name, told.sum(), ~pl.col("is_missing")) for name in _OF_TOLD),
    )
    texts = distinct.filter("is_filled").group_by("field", "text").agg(pl.col("count").sum())
    repeats = texts.group_by("field").agg(
        pl.len().alias("distinct_count"), (pl.col("count") == 1).sum().alias("once_count")
    )
    rows = counted.join(repeats, on="field", how="left", validate="1:1").fill_null(0).fill_nan(0).sort("field")
    return [
        FieldFacts(
            **{name: row[name] for name in ("field", "filled_count", "distinct_count", "once_count", "word_count")},
            shares={name: row[name] for name in (*_OF_ALL, *_OF_TOLD)},
        )
        for row in rows.iter_rows(named=True)
    ]


def _distinct_values(values: pl.DataFrame) -> pl.DataFrame:
    """One row per field, JSON type and stripped value: how often it comes, and what it looks like."""
    text, number = pl.col("text"), pl.col("number")
    return (
        values.with_columns(pl.col("value").str.strip_chars().alias("text"))
        .group_by("field", "json_type", "text")
        .agg(pl.len().cast(pl.Int64).alias("count"), number.first())
        .with_columns(
            (text != "").alias("is_filled"),
            text.str.contains(MISSING).alias("is_missing"),
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
    """Words of a text; two letters of a script without spaces count as one."""
    return text.str.count_matches(r"\s+") + 1 + text.str.count_matches(_UNSPACED) / 2
