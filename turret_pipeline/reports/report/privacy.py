"""Disclosure control of a report: topics and comparisons that would show fewer users than the setting allows."""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from turret_pipeline.journeys.disclosure import is_disclosable
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.stats.array_types import IntArray

TOPICS = ("topic_id", "subject_topic_id")


def suppress_rare_topics(data: ReportData, min_users: int) -> ReportData:
    """The rows in which topics of fewer than ``min_users`` known users are unassigned, as in any other count."""
    if min_users <= 1:
        return data
    users = data.occurrences.group_by("topic_id").agg(pl.col("user_id").drop_nulls().n_unique())
    shown = users.filter(pl.col("user_id") >= min_users)["topic_id"].drop_nulls().implode()
    kept = [pl.when(pl.col(name).is_in(shown)).then(pl.col(name)).alias(name) for name in TOPICS]
    return replace(data, occurrences=data.occurrences.with_columns(kept), exchanges=data.exchanges.with_columns(kept))


def find_shown(
    item: IntArray, group: IntArray, user: IntArray, shape: tuple[int, int], min_users: int
) -> NDArray[np.bool_]:
    """True for the comparisons of an item in a group with the rest that may be shown, of ``shape`` (items, groups).

    ``item`` is from -1 (none), ``group`` from 0, and ``user`` -1 if unknown, who does not count. A comparison has four
    counts: of the item and of anything else, in the group and in the rest. Each must be 0 or have ``min_users`` users,
    and the item's must not reveal a cell of fewer (``is_disclosable``).
    """
    row, (rows, groups) = item + 1, (shape[0] + 1, shape[1])
    events = np.bincount(row * np.int64(groups) + group, minlength=rows * groups).reshape(rows, groups)
    inside, others_inside, outside = _count_users(row, group, user, (rows, groups))
    of_row, of_group = events.sum(axis=1, keepdims=True), events.sum(axis=0, keepdims=True)
    is_shown = is_disclosable(row, group, user, (rows, groups), min_users) & (events > 0)
    is_shown &= inside >= min_users
    is_shown &= (others_inside >= min_users) | (of_group == events)
    is_shown &= (outside >= min_users) | (of_row == events)
    is_empty = events.sum() - of_row - of_group + events == 0
    is_shown &= is_empty | (_max_of_others(inside) >= min_users)
    return np.asarray(is_shown[1:])


def _count_users(
    row: IntArray, group: IntArray, user: IntArray, shape: tuple[int, int]
) -> tuple[IntArray, IntArray, IntArray]:
    """Users of each cell, of the other cells of its column, and of the other cells of its row, each of ``shape``."""
    cell = row * np.int64(shape[1]) + group
    size = shape[0] * shape[1]
    found, events = np.unique(user[user >= 0] * np.int64(size) + cell[user >= 0], return_counts=True)
    users, cells = found // size, found % size
    inside = np.bincount(cells, minlength=size).reshape(shape)
    of_rows, only_in_row = _count_lines(users, cells // shape[1], events, shape[0])
    of_columns, only_in_column = _count_lines(users, cells % shape[1], events, shape[1])
    only_cell_of_row, only_cell_of_column = (
        np.bincount(cells[is_only], minlength=size).reshape(shape) for is_only in (only_in_row, only_in_column)
    )
    return inside, of_columns[None, :] - only_cell_of_column, of_rows[:, None] - only_cell_of_row


def _count_lines(users: IntArray, line: IntArray, events: IntArray, count: int) -> tuple[IntArray, NDArray[np.bool_]]:
    """Users of each row (or column), and for each user and cell, true if it has all events of the user in its line."""
    lines, position = np.unique(users * np.int64(count) + line, return_inverse=True)
    return np.bincount(lines % count, minlength=count), events == np.bincount(position, events)[position]


def _max_of_others(users: IntArray) -> IntArray:
    """The most users of any cell in another row and another column: no more than all of these cells have."""
    most = np.zeros_like(users)
    for row in range(len(users)):
        columns = np.delete(users, row, axis=0).max(axis=0, initial=0)
        first = int(np.argmax(columns))
        most[row] = columns[first]
        most[row, first] = np.delete(columns, first).max(initial=0)
    return most
