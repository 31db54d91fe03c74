"""A question about journeys: the sessions that it covers, and the form of its answer."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from turret_pipeline.cli.console import new_console, write_csv, write_json
from turret_pipeline.tables import EVENT_NAME, USER

if TYPE_CHECKING:
    from turret_pipeline.reports.node_names import Node
    from turret_pipeline.reports.published_tables import PublishedTables
    from turret_pipeline.reports.scope import Scope


@dataclass(frozen=True)
class JourneyQuery:
    """A question about journeys in one dimension: its sessions, and the form of its answer."""

    published: "PublishedTables"
    dimension: str
    scope: "Scope"
    sessions: pl.DataFrame
    as_json: bool
    as_csv: bool

    @property
    def min_users(self) -> int:
        """The privacy threshold: figures of fewer users are suppressed."""
        return self.published.min_users

    @property
    def is_of_users(self) -> bool:
        """True if all sessions of a user are one sequence."""
        return self.dimension.startswith(USER)

    @property
    def field(self) -> str:
        """The dimension without the prefix user: (a text field, or event_name)."""
        return self.dimension.removeprefix(USER)

    @property
    def sequence_name(self) -> str:
        """Name of the sequences of the dimension: users or sessions."""
        return "users" if self.is_of_users else "sessions"

    @property
    def node_name(self) -> str:
        """Name of the nodes of the dimension: event or topic."""
        return "event" if self.field == EVENT_NAME else "topic"

    def visits(self) -> pl.DataFrame:
        """Visits of the sessions in the dimension."""
        return self.published.visits(self.dimension, self.sessions)

    def sequences(self) -> pl.DataFrame:
        """The sessions, or in a dimension of users the users: sequence_id, user_id."""
        if not self.is_of_users:
            return self.sessions.rename({"session_id": "sequence_id"})
        users = self.published.visits(USER + EVENT_NAME, self.sessions)["user_id"].unique().cast(pl.String).sort()
        return pl.DataFrame({"sequence_id": users, "user_id": users})

    def hits(self, nodes: Sequence["Node"]) -> pl.DataFrame:
        """Events that match a step of a funnel."""
        return self.published.hits(nodes, self.sessions, USER if self.is_of_users else "")

    def with_field(self, field: str) -> "JourneyQuery":
        """The same question about another text field, or about event_name."""
        return dataclasses.replace(self, dimension=(USER if self.is_of_users else "") + field)

    def add_labels(self, rows: pl.DataFrame, **columns: str) -> pl.DataFrame:
        """The rows with a column of labels, named by the argument, after each given column of node ids."""
        labels = self.published.labels(self.dimension)
        for column, name in columns.items():
            at = rows.columns.index(column)
            names = rows[column].replace_strict(labels, default=rows[column], return_dtype=pl.String)
            rows = rows.insert_column(at + 1, names.alias(name))
        return rows

    def suppress_few_users(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The steps of a funnel, with nulls for the figures of too few users."""
        if self.min_users <= 1:
            return rows
        is_few = (pl.col("user_count") < self.min_users) & (pl.col("session_count") > 0)
        shown = {"step_number", "step", "kind", "id"}
        return rows.with_columns(pl.when(~is_few).then(name).alias(name) for name in rows.columns if name not in shown)

    def title(self, text: str) -> str:
        """A title with the sequences, the dimension and the scope."""
        return f"{text} ({self.sequence_name} in {self.dimension}{f', {self.scope}' if str(self.scope) else ''})"

    def write_without_table(self, rows: pl.DataFrame) -> bool:
        """Write the rows as JSON or CSV if asked for; without rows, print a message. True if no table is needed."""
        if rows.is_empty():
            self.print_no_sessions()
        return self._write_rows(rows) or rows.is_empty()

    def write_comparison_without_table(self, title: str, rows: pl.DataFrame, *, compared: int) -> bool:
        """Write the differences like ``write_without_table``, with a message if none of ``compared`` is shown."""
        if not rows.is_empty():
            return self.write_without_table(rows)
        too_few = "too few sessions to compare. Each side needs at least 10 sessions or transitions, of 5 users"
        by_chance = f"none of {compared:,} differences is significant (--all shows them)"
        message = f"{title}: {by_chance if compared else too_few}."
        new_console(stderr=self.as_json or self.as_csv).print_lines(message)
        self._write_rows(rows)
        return True

    def print_no_sessions(self) -> None:
        """Print that no session matches."""
        scope = f" ({self.scope})" if str(self.scope) else ""
        new_console().print_lines(f"No matching sessions in {self.dimension}{scope}.")

    def _write_rows(self, rows: pl.DataFrame) -> bool:
        if self.as_json:
            write_json(rows.write_json())
        if self.as_csv:
            write_csv(rows)
        return self.as_json or self.as_csv
