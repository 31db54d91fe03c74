"""Uses of metadata fields in exchanges: columns with a meaning of their own, other values, ratings and ids."""

import polars as pl

COLUMNS = ("model", "input_tokens", "output_tokens", "cost_usd", "latency_seconds", "is_error")
"""Fields with a column in exchanges: the names that all formats share."""

RATINGS = ("rating", "user_rating", "stars", "csat", "nps", "thumbs", "thumb", "feedback", "score", "vote", "value")
"""Names of fields that hold a rating, best first."""

RATINGS_OF_ANSWERS = 8
"""Number of the names, from the first, that hold a rating on an answer too: other scores there are not a person's."""

COLUMN, RATING, NUMBER, ENUM, ID = "column", "rating", "number", "enum", "id"
USED_FIELDS_SCHEMA = pl.Schema({"field": pl.String(), "use": pl.String(), "rank": pl.Int64()})
"""One row per field and use; ``rank`` is the rank of a rating among the fields that hold ratings, else 0."""

_OTHER_IDS = frozenset("user session conversation thread chat project organization org account device tenant".split())
"""What an id names that several exchanges have in common."""


def list_used_fields(types: dict[str, str]) -> pl.DataFrame:
    """USED_FIELDS_SCHEMA of the fields with these types."""
    rows = [(field, use, rank) for field, kind in types.items() for use, rank in _list_uses(field, kind)]
    return pl.DataFrame(rows, USED_FIELDS_SCHEMA, orient="row")


def _list_uses(field: str, kind: str) -> list[tuple[str, int]]:
    key = field.rpartition(".")[2].lower()
    uses = [(RATING, RATINGS.index(key))] if key in RATINGS else []
    if field in COLUMNS:
        return [*uses, (COLUMN, 0)]
    if kind in {NUMBER, ENUM}:
        uses.append((kind, 0))
    is_id = key == "id" or key.endswith("_id") or field.endswith("Id")
    if is_id and not any(word in key for word in _OTHER_IDS):
        uses.append((ID, 0))
    return uses
