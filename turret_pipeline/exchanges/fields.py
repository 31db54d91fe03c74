"""Uses of metadata fields in exchanges: columns with a meaning of their own, other values, ratings and ids."""

import re
from collections.abc import Iterator

import polars as pl

NUMBERS = ("input_tokens", "output_tokens", "cost_usd", "latency_seconds")
COLUMNS = ("model", *NUMBERS, "is_error")
"""Fields with a column in exchanges: the names that all formats share."""

OTHER_NAMES = {
    "model": ("model_name", "model_id"),
    "input_tokens": ("prompt_tokens", "request_tokens", "tokens_in"),
    "output_tokens": (
        *("answer_tokens", "completion_tokens", "response_tokens", "generated_tokens", "generation_tokens"),
        "tokens_out",
    ),
    "cost_usd": ("total_cost_usd", "cost_in_usd"),
    "latency_seconds": (
        *("latency_s", "response_seconds", "response_time_seconds", "duration_seconds"),
        *("latency_ms", "response_ms", "response_time_ms", "duration_ms"),
    ),
    "is_error": ("has_error", "is_failed"),
}
"""Other names of the same quantity, best first, also in camel case or below usage. Those in _ms are milliseconds."""

RATINGS = ("rating", "user_rating", "stars", "csat", "nps", "thumbs", "thumb", "feedback", "score", "vote", "value")
"""Names of fields that hold a rating, best first."""

RATINGS_OF_ANSWERS = 8
"""Number of the names, from the first, that hold a rating on an answer too: other scores there are not a person's."""

COLUMN, RATING, NUMBER, ENUM, ID = "column", "rating", "number", "enum", "id"
USED_FIELDS_SCHEMA = pl.Schema(
    {"field": pl.String(), "use": pl.String(), "rank": pl.Int64(), "target": pl.String(), "factor": pl.Float64()}
    | {"name_order": pl.UInt32()}
)
"""One row per field and use.

``rank`` is the rank of a rating among the fields that hold ratings, or of a field among those of its column, else 0. A
field with use COLUMN is multiplied by ``factor`` for the column ``target``. ``name_order`` is the place of the field
in the order of names.
"""

_OTHER_IDS = frozenset("user session conversation thread chat project organization org account device tenant".split())
"""Words in names of ids that several exchanges have in common."""


def list_used_fields(types: dict[str, str]) -> pl.DataFrame:
    """USED_FIELDS_SCHEMA of the fields with these types."""
    columns = list(_list_columns(types))
    taken = {row[0] for row in columns}
    others = [
        (field, use, rank, "", 1.0)
        for field, kind in types.items()
        for use, rank in _list_uses(field, kind)
        if use == RATING or field not in taken
    ]
    places = {field: place for place, field in enumerate(sorted(types))}
    rows = [(*row, places[row[0]]) for row in (*others, *columns)]
    return pl.DataFrame(rows, USED_FIELDS_SCHEMA, orient="row")


def _list_columns(types: dict[str, str]) -> Iterator[tuple[str, str, int, str, float]]:
    """Rows of the fields of each column: the exact name, whatever its type, then other names whose type fits."""
    for target in COLUMNS:
        names = (target, *OTHER_NAMES[target])
        fitting = {
            field: (field != target, names.index(name), field)
            for field, kind in types.items()
            if (name := _normalize(field)) in names and (field == target or (kind == NUMBER) == (target in NUMBERS))
        }
        for rank, field in enumerate(sorted(fitting, key=fitting.__getitem__)):
            yield field, COLUMN, rank, target, 0.001 if _normalize(field).endswith("_ms") else 1.0


def _normalize(field: str) -> str:
    """The name in snake case, without usage, which holds the tokens of calls."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower().removeprefix("usage.")


def _list_uses(field: str, kind: str) -> list[tuple[str, int]]:
    key = field.rpartition(".")[2].lower()
    uses = [(RATING, RATINGS.index(key))] if key in RATINGS else []
    if kind in {NUMBER, ENUM}:
        uses.append((kind, 0))
    is_id = key == "id" or key.endswith("_id") or field.endswith("Id")
    if is_id and not any(word in key for word in _OTHER_IDS):
        uses.append((ID, 0))
    return uses
