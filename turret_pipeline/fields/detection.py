"""The type of each metadata field from its values, with the reason in words."""

import re
from dataclasses import dataclass

import polars as pl

from turret_pipeline.tables import FIELDS

FITTING_SHARE = 0.95
"""Share of a field's values that must look like a type for the field to be of it."""

MANY_VALUES = 20
"""An enum may have so many values whatever the volume; more only if each comes back often."""

_ID_NAME = re.compile(r"(?i:(^|[_.\s-])(id|ids|uuid|guid|hash|sha|token|key|url|uri|email|ip|phone)$)|[a-z]Id$")
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
"""Letters of scripts that put no space between words; a word has about two of them."""

_PATTERNS = {
    "is_uuid": r"^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$",
    "is_hex": r"^(0x)?[0-9a-fA-F]{16,}$",
    "is_url": r"^[a-zA-Z][a-zA-Z0-9+.-]*://\S+$",
    "is_email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "is_datetime": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})?)?$",
    "is_digits": r"^\d+$",
    "has_digit": r"\d",
    "has_words": rf"\S\s+\S|{_UNSPACED}{{4}}",
}


@dataclass(frozen=True)
class FieldFacts:
    """What the values of a field look like; shares are over its values that are not blank."""

    field: str
    event_count: int
    blank_count: int
    distinct_count: int
    word_count: float
    shares: dict[str, float]

    @property
    def filled_count(self) -> int:
        """Values that are not blank."""
        return self.event_count - self.blank_count

    @property
    def distinct_share(self) -> float:
        """Distinct values over values."""
        return self.distinct_count / max(self.filled_count, 1)

    @property
    def repeats(self) -> float:
        """How often a value comes back on average."""
        return self.filled_count / max(self.distinct_count, 1)


def describe_fields(values: pl.DataFrame, events: pl.DataFrame, overrides: dict[str, str]) -> pl.DataFrame:
    """Table ``fields`` from ``event_values`` and ``events``; ``overrides`` maps fields to the type a person set."""
    if values.is_empty():
        return FIELDS.empty()
    facts = field_facts(values)
    verdicts = [(fact.field, *detect_type(fact)) for fact in facts]
    detected = pl.DataFrame(
        verdicts, {"field": pl.String, "detected_type": pl.String, "reason": pl.String}, orient="row"
    )
    override = pl.col("field").replace_strict(overrides, default=None, return_dtype=pl.String)
    typed = detected.with_columns(
        override.is_not_null().alias("is_overridden"), pl.coalesce(override, "detected_type").alias("type")
    )
    return (
        typed.join(_summaries(values, events, typed), on="field", how="left", validate="1:1")
        .with_columns(
            (pl.col("event_count") / events.height).alias("present_share"),
            pl.when(pl.col("type").is_in(["enum", "number"]))
            .then("example_values")
            .otherwise(pl.lit([], pl.List(pl.String)))
            .alias("example_values"),
            *(
                pl.when(pl.col("type") == "number").then(name).alias(name)
                for name in ("number_min", "number_mean", "number_max")
            ),
        )
        .sort("field")
    )


def field_facts(values: pl.DataFrame) -> list[FieldFacts]:
    """The facts of every field in ``event_values``, by name."""
    text = pl.col("value").str.strip_chars()
    filled = text != ""
    flags = {
        **{name: (pl.col("json_type") == name).alias(f"is_{name}") for name in ("boolean", "list", "number")},
        **{name: text.str.contains(pattern).alias(name) for name, pattern in _PATTERNS.items()},
        "is_numeric": pl.col("number").is_not_null().alias("is_numeric"),
        "is_whole": (pl.col("number") == pl.col("number").round()).fill_null(value=False).alias("is_whole"),
    }
    rows = (
        values.with_columns(*flags.values(), filled.alias("filled"), text.alias("text"))
        .group_by("field")
        .agg(
            pl.len().alias("event_count"),
            (~pl.col("filled")).sum().alias("blank_count"),
            pl.col("text").filter("filled").n_unique().alias("distinct_count"),
            _word_count(pl.col("text").filter("filled")).mean().alias("word_count"),
            *(pl.col(flag.meta.output_name()).filter("filled").mean() for flag in flags.values()),
        )
        .sort("field")
    )
    names = [flag.meta.output_name() for flag in flags.values()]
    return [
        FieldFacts(
            field=row["field"],
            event_count=row["event_count"],
            blank_count=row["blank_count"],
            distinct_count=row["distinct_count"],
            word_count=row["word_count"] or 0.0,
            shares={name: row[name] or 0.0 for name in names},
        )
        for row in rows.iter_rows(named=True)
    ]


def _word_count(text: pl.Expr) -> pl.Expr:
    return text.str.count_matches(r"\s+") + 1 + text.str.count_matches(_UNSPACED) / 2


def detect_type(facts: FieldFacts) -> tuple[str, str]:
    """The type that the values suggest, and why."""
    if facts.filled_count == 0:
        return "empty", "Every value is blank."
    for verdict in (_by_json_type, _by_pattern, _by_number):
        if found := verdict(facts):
            return found
    return _by_words(facts)


def _by_json_type(facts: FieldFacts) -> tuple[str, str] | None:
    if facts.shares["is_list"] >= 0.5:
        return "list", f"{facts.shares['is_list']:.0%} of the values are lists."
    if facts.shares["is_boolean"] >= FITTING_SHARE:
        return "enum", "The values are true and false."
    return None


def _by_pattern(facts: FieldFacts) -> tuple[str, str] | None:
    kinds = {
        "is_uuid": "UUIDs",
        "is_hex": "long hexadecimal codes",
        "is_url": "web addresses",
        "is_email": "e-mail addresses",
    }
    for flag, name in kinds.items():
        if facts.shares[flag] >= FITTING_SHARE and not facts.shares["is_number"] >= FITTING_SHARE:
            return "identifier", f"{facts.shares[flag]:.0%} of the values are {name}."
    if facts.shares["is_datetime"] >= FITTING_SHARE:
        return "datetime", f"{facts.shares['is_datetime']:.0%} of the values are dates or times."
    return None


def _by_number(facts: FieldFacts) -> tuple[str, str] | None:
    zero_padded = facts.shares["is_digits"] >= FITTING_SHARE > facts.shares["is_numeric"]
    if zero_padded:
        kind = "identifier" if facts.repeats < 2 else "enum"
        return kind, "The values are digits with leading zeros: codes, not quantities."
    if facts.shares["is_numeric"] < FITTING_SHARE:
        return None
    named_as_id = _ID_NAME.search(facts.field)
    if named_as_id and facts.shares["is_whole"] >= FITTING_SHARE:
        return "identifier", f"Whole numbers in a field named like an identifier ({named_as_id.group().strip('_. ')})."
    return "number", f"{facts.shares['is_numeric']:.0%} of the values are numbers."


def _by_words(facts: FieldFacts) -> tuple[str, str]:
    words = f"{facts.word_count:.1f} words on average"
    counts = f"{facts.distinct_count:,} distinct in {facts.filled_count:,}"
    if _is_text(facts):
        return "text", f"Phrases: {words}, {counts}."
    if _ID_NAME.search(facts.field) and facts.repeats < 20 and facts.word_count < 1.5:
        return "identifier", f"Single words in a field named like an identifier, {counts}."
    if facts.distinct_count <= MANY_VALUES or facts.repeats >= 5:
        return "enum", f"Few values that come back: {counts}."
    if facts.word_count >= 1.5:
        return "text", f"Short phrases: {words}, {counts}."
    return "identifier", f"Single words that hardly come back: {counts}."


def _is_text(facts: FieldFacts) -> bool:
    """Phrases of varied wording; a menu of fixed phrases, each used often, is an enum."""
    if facts.shares["has_words"] < 0.3 or facts.word_count < 2:
        return False
    fixed_menu = facts.distinct_count <= MANY_VALUES and facts.repeats >= 5 and facts.word_count < 8
    return not fixed_menu and (facts.word_count >= 3 or facts.distinct_share >= 0.05)


def _summaries(values: pl.DataFrame, events: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("value").str.strip_chars()
    filled = text != ""
    fits = (
        pl.when(pl.col("type") == "number").then(pl.col("number").is_not_null())
        .when(pl.col("type") == "list").then(pl.col("json_type") == "list")
        .when(pl.col("type") == "datetime").then(text.str.contains(_PATTERNS["is_datetime"]))
        .when(pl.col("type") == "empty").then(~filled)
        .otherwise(filled & (pl.col("json_type") != "list"))
    )  # fmt: skip
    joined = values.join(events.select("event_id", "event_at"), on="event_id").join(
        typed.select("field", "type"), on="field"
    )
    finite = pl.col("number").filter(pl.col("number").is_finite())
    summary = joined.group_by("field").agg(
        pl.len().cast(pl.Int64).alias("event_count"),
        pl.col("value").filter(filled).n_unique().cast(pl.Int64).alias("distinct_count"),
        finite.min().alias("number_min"),
        finite.sort().mean().alias("number_mean"),  # sorted: the sum, and so its last digit, is the same in any order
        finite.max().alias("number_max"),
        pl.col("event_at").min().alias("first_seen_at"),
        fits.sum().cast(pl.Int64).alias("validated_event_count"),
    )
    counts = joined.filter(filled).group_by("field", "value").len().sort("len", "value", descending=[True, False])
    examples = counts.group_by("field").agg(pl.col("value").head(5).alias("example_values"))
    return summary.join(examples, on="field", how="left").with_columns(
        pl.col("example_values").fill_null(pl.lit([], pl.List(pl.String)))
    )
