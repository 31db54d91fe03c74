"""Figures of a topic in the previous period, beside those of the range of days."""

from collections.abc import Callable, Hashable, Mapping, Sequence

import polars as pl

from turret_pipeline.dashboard.page import Page
from turret_pipeline.reports.scope import Scope


def has_previous(page: Page) -> bool:
    """True if the page has a range of days, which is compared with the one before."""
    return page.state.previous_scope() is not None


def join_previous(
    page: Page,
    frame: pl.DataFrame,
    by: Sequence[str],
    columns: Mapping[str, str],
    key: tuple[Hashable, ...],
    read: Callable[[Scope], pl.DataFrame],
) -> pl.DataFrame:
    """The rows with ``columns`` of the same rows of the previous period, under new names; without one, unchanged.

    ``read`` gives the rows of a scope, and ``key`` says what they are. Rows that the previous period lacks, or that
    too few users have there, have nulls.
    """
    before = page.state.previous_scope()
    if before is None:
        return frame
    found = page.published.remember((*key, before, page.min_users), lambda: read(before))
    return frame.join(found.select(*by, *columns).rename(columns), on=list(by), how="left", maintain_order="left")
