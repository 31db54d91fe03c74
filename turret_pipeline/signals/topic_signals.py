"""Table ``topic_signals``: the share of each topic's exchanges with each signal, compared with that elsewhere."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from turret_pipeline.signals import cell_figures as figures
from turret_pipeline.signals.threads import map_batches
from turret_pipeline.signals.topic_cells import Scope, TopicCells, open_topic_cells
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.cell_sums import CellSums, LevelSums, compare_cells
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import q_values, share_interval
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import TOPIC_SIGNALS
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS
from turret_pipeline.topics.insights.periods import WeekStart

LEVELS = (figures.SESSION, figures.USER)
USERS = "users"
Sums = Mapping[str, FloatArray]


def build_topic_signals(
    lake: Lake, week_start: WeekStart = "monday", time_zone: str = "UTC", min_users: int = 1
) -> pl.DataFrame:
    """Table ``topic_signals`` from the tables of exchanges and their signals.

    A topic is compared with the other topics of its field, a week with the other weeks of the topic, and a segment with
    the topic's exchanges that have another value of the same field. Exchanges of one session, and of one user, are
    dependent (``compare_cells``). All signals of a field's topics are a family of q-values, and so are those of their
    weeks, and of their segments. ``min_users`` is the setting privacy_min_users.
    """
    with open_topic_cells(lake, week_start, time_zone) as cells:
        scopes = list(cells.list_scopes())
        sums = _sum_shards(cells, scopes, lambda at, exchanges: figures.sum_cells(exchanges, scopes[at].cells))
        masks = [of_scope[figures.TOTAL] > 0 for of_scope in sums]
        if min_users > 1:
            masks = _find_shown(cells, scopes, sums, min_users)
    parts = [_compare_scope(*of_scope) for of_scope in zip(scopes, sums, masks, strict=True)]
    shown = parts[0].select("field", "topic_id", "signal")  # else the weeks of a topic that is left out add up to it
    parts = [part.join(shown, on=shown.columns, how="semi", maintain_order="left") for part in parts]
    families = pl.concat(parts).partition_by("field", "family", maintain_order=True)
    tested = [
        family.with_columns(
            pl.Series("q_value", q_values(family["p_value"].fill_null(np.nan).to_numpy()), pl.Float64).fill_nan(None)
        ).select(TOPIC_SIGNALS.schema.names())
        for family in families
    ]
    return pl.concat([TOPIC_SIGNALS.empty(), *tested]).sort(TOPIC_SIGNALS.key)


def _sum_shards(
    cells: TopicCells, scopes: Sequence[Scope], find_sums: Callable[[int, figures.Exchanges], Sums]
) -> list[Sums]:
    """The sums over all shards for each scope, from the function that finds those of a shard."""
    sums: list[Sums] = [{} for _ in scopes]
    pieces = cells.read_shards(scopes)
    for at, of_shard in map_batches(lambda piece: (piece[0], find_sums(*piece)), pieces):
        sums[at] = figures.add_sums(sums[at], of_shard) if sums[at] else of_shard
    return sums


def _compare_scope(scope: Scope, sums: Sums, is_shown: figures.Flags) -> pl.DataFrame:
    """Rows of a scope that are shown, with p_value and the family of their q-values."""
    parts = []
    for at, signal in enumerate(SIGNALS_OF_TOPICS):
        shown = is_shown[at]
        compared = _compare_cells({name: values[at, shown] for name, values in sums.items()})
        labels = scope.labels.filter(pl.Series(shown)).with_columns(pl.lit(signal).alias("signal"))
        parts.append(pl.concat([labels, compared], how="horizontal"))
    return pl.concat(parts)


def _compare_cells(sums: Sums) -> pl.DataFrame:
    """Counts, shares and comparison of cells, from their sums for one signal, each of shape (cells,)."""
    count, total = sums[figures.COUNT], sums[figures.TOTAL]
    total_squares = sums[figures.USER + figures.CELL_SQUARES]
    effects = share_design_effects(count, total, sums[figures.OWN_SQUARES], sums[figures.OWN_CROSSED], total_squares)
    low, high = share_interval(count, total, effects)
    counts = {"exchange_count": total, "signal_count": count}
    shares = {"signal_share": count / total, "share_low": low, "share_high": high, **_compare_with_rest(sums)}
    return pl.DataFrame(
        [pl.Series(name, values, pl.Float64).cast(pl.Int64) for name, values in counts.items()]
        + [pl.Series(name, values, pl.Float64).fill_nan(None) for name, values in shares.items()]
    )


def _compare_with_rest(sums: Sums) -> Mapping[str, FloatArray]:
    """Columns of the comparison with the rest of the whole; NaN if either has too few exchanges or users."""
    total, clusters = sums[figures.TOTAL], sums[figures.CLUSTERS]
    outside, clusters_outside = (
        sums[figures.WHOLE_TOTAL] - total,
        sums[figures.ALL_CLUSTERS] - sums[figures.CLUSTERS_WITHIN],
    )
    is_compared = (np.minimum(total, outside) >= MIN_EVENTS) & (np.minimum(clusters, clusters_outside) >= MIN_CLUSTERS)
    cells = _to_cell_sums({name: values[is_compared] for name, values in sums.items()})
    comparison = compare_cells(cells)
    columns = {
        "base_share": (cells.whole_count - cells.count) / (cells.whole_total - cells.total),
        "difference": comparison.difference,
        "difference_low": comparison.low,
        "difference_high": comparison.high,
        "p_value": comparison.p_value,
    }
    nothing = np.full(len(total), np.nan)
    spread = {name: nothing.copy() for name in columns}
    for name, values in columns.items():
        spread[name][is_compared] = values
    return spread


def _to_cell_sums(sums: Sums) -> CellSums:
    of_level = (
        *(figures.CELL_SQUARES, figures.CELL_CROSSED),
        *(figures.TOTAL_SQUARES, figures.COUNT_SQUARES, figures.COUNT_CROSSED),
    )
    return CellSums(
        count=sums[figures.COUNT],
        total=sums[figures.TOTAL],
        whole_count=sums[figures.WHOLE_COUNT],
        whole_total=sums[figures.WHOLE_TOTAL],
        levels=[LevelSums(*(sums[level + name] for name in of_level)) for level in LEVELS],
        clusters=sums[figures.ALL_CLUSTERS],
    )


def _find_shown(
    cells: TopicCells, scopes: Sequence[Scope], sums: Sequence[Sums], min_users: int
) -> list[figures.Flags]:
    """Mask of the cells of each scope that show no fewer than ``min_users`` users, with the signal or without it.

    What is left out of a whole follows from its sum: if that is of fewer users, the whole is left out
    (``journeys.disclosure``).
    """
    rare = [_find_rare(of_scope, min_users) for of_scope in sums]
    left_out = [
        [is_rare, np.broadcast_to(~scope.cells.is_named, is_rare.shape)]
        for is_rare, scope in zip(rare, scopes, strict=True)
    ]
    counts = _sum_shards(
        cells,
        scopes,
        lambda at, exchanges: {USERS: figures.count_users(exchanges, scopes[at].cells, left_out[at])},
    )
    shown = []
    for is_rare, of_scope, count in zip(rare, sums, counts, strict=True):
        users, known_users = count[USERS].swapaxes(0, 1)
        is_few = ((users > 0) & (known_users < min_users)).any(axis=(0, 1))
        shown.append((of_scope[figures.TOTAL] > 0) & ~is_rare & ~is_few)
    return shown


def _find_rare(sums: Sums, min_users: int) -> figures.Flags:
    """Mask of the cells with exchanges of fewer than ``min_users`` users that have the signal, or that have it not."""
    count, misses = sums[figures.COUNT], sums[figures.TOTAL] - sums[figures.COUNT]
    return ((count > 0) & (sums[figures.USERS_WITH] < min_users)) | (
        (misses > 0) & (sums[figures.USERS_WITHOUT] < min_users)
    )
