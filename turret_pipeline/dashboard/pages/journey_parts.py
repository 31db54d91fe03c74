"""Shared by the pages of journeys: the dimension and its nodes, links to sessions, and the sides of a comparison."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb
import polars as pl

from turret_pipeline.dashboard.page import Page, previous_label
from turret_pipeline.dashboard.projects import Snapshot
from turret_pipeline.dashboard.state import PageState
from turret_pipeline.dashboard.tables import ROWS_SHOWN
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.reports.journey_comparison import compare_frames
from turret_pipeline.reports.journey_scope import open_journeys
from turret_pipeline.reports.scope import Scope, format_segment, parse_segment
from turret_pipeline.tables import END, EVENT_NAME, OTHER, START, USER

T = TypeVar("T")

NAV = (
    ("journeys", "Flow"),
    ("journeys/transitions", "Transitions"),
    ("journeys/paths", "Starts, ends and paths"),
    ("journeys/funnel", "Funnel"),
    ("journeys/matrix", "Step matrix"),
)
LIST = "journeys/sessions"
"""The page that lists the sessions of a figure for which the page of all sessions has no filter."""

_NODES = """
select node_id, node_label, session_count from marts.journey_nodes where dimension = ?
order by session_count desc, node_id
"""
_THEMES = """
select theme_id, min(theme_label), list(topic_id) from marts.topics
where field = ? and theme_id is not null and status = 'active' group by theme_id order by 2, 1
"""


@dataclass(frozen=True)
class Nodes:
    """The nodes of a dimension, most sessions first, its themes with their topics, and the labels of all of them."""

    names: tuple[str, ...]
    themes: dict[str, tuple[str, ...]]
    labels: dict[str, str]
    follow_ups: frozenset[str]

    @property
    def most_common(self) -> str:
        """The node that most sessions visit, of those that are a subject if there are any."""
        return next((name for name in self.names if name not in self.follow_ups), self.names[0])


@dataclass(frozen=True)
class Side:
    """One of two groups of sessions that are compared."""

    label: str
    scope: Scope


class Journeys:
    """A request for a page of journeys in one dimension."""

    def __init__(self, page: Page) -> None:
        self.page, published = page, page.published
        wanted = page.state.dimension or None
        self.dimension = published.remember(("dimension", wanted), lambda: published.resolve_dimension(wanted))
        self.nodes = published.remember(
            ("journey nodes", self.dimension), lambda: _read_nodes(published, self.dimension)
        )

    @property
    def is_of_users(self) -> bool:
        """True if all sessions of a user are one sequence."""
        return self.dimension.startswith(USER)

    @property
    def noun(self) -> str:
        """Name of what is counted: users or sessions."""
        return "users" if self.is_of_users else "sessions"

    @property
    def node_noun(self) -> str:
        """Name of what a step is on."""
        return "Event" if self.dimension.removeprefix(USER) == EVENT_NAME else "Topic"

    @property
    def one(self) -> str:
        """One of what is counted."""
        return self.noun[:-1]

    def label(self, node: str) -> str:
        """The label of a node."""
        return self.nodes.labels.get(node, node)

    def add_labels(self, rows: pl.DataFrame, **columns: str) -> pl.DataFrame:
        """The rows with new columns: the labels of the nodes in others, such as node="node_id"."""
        labels = [pl.col(nodes).replace(self.nodes.labels).alias(name) for name, nodes in columns.items()]
        return rows.with_columns(labels)

    def compute(self, name: str, read: Callable[[duckdb.DuckDBPyConnection], T], *keys: Any) -> T:  # noqa: ANN401
        """Result of ``read`` in the scope of the page, computed once."""
        return self.compute_in(self.page.state.scope(), name, read, *keys)

    def compute_in(self, scope: Scope, name: str, read: Callable[[duckdb.DuckDBPyConnection], T], *keys: Any) -> T:  # noqa: ANN401
        """Result of ``read`` in a scope, computed once."""

        def compute() -> T:
            with open_journeys(self.page.published, scope, self.dimension) as connection:
                return read(connection)

        key = (name, self.dimension, self.page.min_users, scope, *keys)
        return self.page.published.remember(key, compute)

    def check_node(self, name: str, *more: str) -> str:
        """The node of a parameter, also a theme or one of ``more``. Raises TurretError if it is unknown."""
        if name and name not in {*self.nodes.names, *self.nodes.themes, *more}:
            some = list_names(list(self.nodes.names[:5]))
            raise TurretError(f"Unknown node {name!r} of {self.dimension}. The most common are: {some}.")
        return name

    def list_choices(self, *, with_themes: bool = False) -> list[tuple[str, str]]:
        """Ids and labels of the nodes, most sessions first, then of the themes."""
        choices = [(name, self.label(name)) for name in self.nodes.names]
        return (
            choices + [(name, f"Theme: {self.label(name)}") for name in self.nodes.themes] if with_themes else choices
        )

    def link_sessions(self, **by: str) -> str | None:
        """URL of the list of the sessions with a node, start, end, path, or from and to; None for (other)."""
        if OTHER in by.values():
            return None
        if by.get("from") == START:
            by = {"start": by["to"]}
        elif by.get("to") == END:
            by = {"end": by["from"]}
        if self.is_of_users:
            return self.link_list(next(iter(by)) if "from" not in by else "transition", **by)
        return self._keep_dimension("sessions", **by)

    def link_flow(self, node: str) -> str:
        """URL of the flow around a node."""
        return self._keep_dimension("journeys", node=node)

    def link_list(self, of: str, **by: str | Sequence[str]) -> str:
        """URL of the list of the sessions of a figure that only this page knows."""
        return self._keep_dimension(LIST, of=of, **by)

    def _keep_dimension(self, path: str, /, **by: str | Sequence[str]) -> str:
        state = dataclasses.replace(self.page.state, dimension=self.dimension)
        return state.to_page(path, **by)

    def list_sides(self) -> tuple[Side, Side] | None:
        """The two groups that the page compares, if any. Raises TurretError if a compared segment is invalid."""
        state, texts = self.page.state, self.page.state.get_all("compare_segment")
        if len(texts) > 2:
            raise TurretError(f"Too many segments to compare ({len(texts)}): choose two.")
        scope = state.scope()
        if len(texts) == 2:
            sides = [
                Side(text, dataclasses.replace(scope, segments=(*scope.segments, parse_segment(text))))
                for text in texts
            ]
            return sides[0], sides[1]
        before = state.previous_scope()
        if before is None or self.page.state.get("compare_segment"):
            return None
        return Side(f"{state.since} to {state.until}", scope), Side(previous_label(state), before)

    def compare(
        self, read: Callable[[Scope], pl.DataFrame], by: Sequence[str], most_common: int | None = None
    ) -> pl.DataFrame:
        """Rows of ``compare_frames`` for the two sides of the page; empty if it compares nothing.

        ``read`` gives the figures of a scope (``journey_scope.read_shares``) by the columns ``by``. The largest
        differences beyond chance are first. ``most_common`` limits the rows to the first of each side. With a privacy
        threshold (other) is left out: its nodes differ.
        """
        sides, min_users = self.list_sides(), self.page.min_users
        if sides is None:
            return pl.DataFrame()
        one, other = (read(side.scope) for side in sides)
        if most_common is not None:
            named = pl.concat([one.head(most_common).select(by), other.head(most_common).select(by)]).unique()
            one, other = (frame.join(named, on=list(by), how="semi") for frame in (one, other))
        rows = compare_frames(one, other, by, "session_count", min_users=min_users)
        if min_users > 1:
            rows = rows.filter(*(pl.col(name) != OTHER for name in by if name.endswith("node_id")))
        return rows.sort(pl.col("q_value"), pl.col("difference").abs(), descending=[False, True], nulls_last=True)

    def values(self, **more: object) -> dict[str, object]:
        """Values that the templates of all pages of journeys show."""
        page = self.page
        dimensions = page.published.remember("dimensions", lambda: _read_dimensions(page.published))
        segments = page.published.remember("segment choices", lambda: read_segments(page.published))
        return {
            "journeys": self,
            "nav": [(page.state.to_page(path), name, path == page.state.path) for path, name in NAV],
            "dimensions": [(name, describe_dimension(name)) for name in dimensions],
            "segment_choices": segments,
            "compared": page.state.get_all("compare_segment"),
            **more,
        }


def parse_first_row(state: PageState, rows_shown: int = ROWS_SHOWN) -> int:
    """The first row of the page of rows in the URL. Raises TurretError if it is no number."""
    text = state.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text)):
        raise TurretError(f"Invalid page {text!r}: use a number from 1.")
    return (int(text) - 1) * rows_shown


def sort_rows(
    frame: pl.DataFrame, state: PageState, names: Sequence[str], default: str
) -> tuple[pl.DataFrame, str, bool]:
    """The rows in the order of the URL, its column, and if it is descending. Raises TurretError if it is unknown."""
    sort = state.get("sort", default)
    if sort not in names:
        raise TurretError(f"Unknown column {sort!r} to sort by. Available: {list_names(list(names))}.")
    if state.get("order") not in {"", "up"}:
        raise TurretError(f"Invalid order {state.get('order')!r}: use up, or leave it out.")
    is_descending = state.get("order") != "up"
    return frame.sort(sort, descending=is_descending, nulls_last=True, maintain_order=True), sort, is_descending


def describe_dimension(name: str) -> str:
    """A dimension in words."""
    field = name.removeprefix(USER)
    nodes = "Events" if field == EVENT_NAME else f"Topics of {field}"
    return f"{nodes}, all sessions of a user joined" if name.startswith(USER) else nodes


def _read_nodes(published: Snapshot, dimension: str) -> Nodes:
    rows = published.query(_NODES, dimension).rows()
    themes = published.query(_THEMES, dimension.removeprefix(USER)).rows()
    pseudo = {START: "Start", END: "End", OTHER: "Other"}
    labels = published.labels(dimension) | {theme: str(label) for theme, label, _ in themes} | pseudo
    return Nodes(
        tuple(row[0] for row in rows),
        {theme: tuple(topics) for theme, _, topics in themes},
        labels,
        frozenset(published.follow_ups()),
    )


def _read_dimensions(published: Snapshot) -> list[str]:
    names: list[str] = published.query(
        "select distinct dimension from marts.journey_nodes order by starts_with(dimension, 'user:'), "
        f"dimension = '{EVENT_NAME}', dimension"
    )["dimension"].to_list()
    return names


def read_segments(published: Snapshot) -> list[tuple[str, str]]:
    """The most common values of each enum field, as in a URL and in words."""
    rows = published.query(
        "select field, value from marts.session_values group by field, value "
        "qualify row_number() over (partition by field order by count(*) desc, value) <= 30 order by field, value"
    )
    return [(format_segment(field, value), f"{field} = {value}") for field, value in rows.iter_rows()]
