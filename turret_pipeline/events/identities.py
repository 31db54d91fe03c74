"""Evidence of a block of rows that several ids are of one person."""

import datetime as dt
from collections.abc import Sequence

import polars as pl

from turret_pipeline.tables import POLARS_TYPES

IDENTITY_PART_SCHEMA = pl.Schema(
    {
        "line_number": pl.Int64(),
        "sent_id": pl.String(),
        "id_kind": pl.String(),
        "linked_id": pl.String(),
        "evidence": pl.String(),
        "seen_at": POLARS_TYPES["timestamp"],
    }
)
"""An id as sent (kind user, anonymous or device), and the id of its user; null for an id that comes without a user."""

IdentityRow = tuple[int, str, str, str | None, str, dt.datetime | None]


def build_identities(rows: Sequence[IdentityRow]) -> pl.DataFrame:
    """IDENTITY_PART_SCHEMA in line order, with the first and the last row of those that say the same in a row of time.

    An id may belong to several users, one after the other: every change of its user stays.
    """
    found = pl.DataFrame(rows, IDENTITY_PART_SCHEMA, orient="row")
    said = pl.struct("linked_id")
    group = ["sent_id", "id_kind", "evidence", pl.col("linked_id").is_null()]
    ordered = found.sort("seen_at", "line_number", nulls_last=False)
    is_first, is_last = (said.ne_missing(said.shift(step).over(group)) for step in (1, -1))
    return ordered.filter(is_first | (is_last & pl.col("linked_id").is_not_null())).sort(
        "line_number", maintain_order=True
    )
