"""Roles in the topic state: classified by the positions of texts in sessions, or set by a person."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from turret_pipeline.tables import TOPIC_DEFINITIONS
from turret_pipeline.topics.edits import SUBJECT, Edits
from turret_pipeline.topics.follow_ups.roles import RoleDecision, classify_roles
from turret_pipeline.topics.follow_ups.turns import collect_turns
from turret_pipeline.topics.lifecycle.lineage import to_lineage_rows
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState


def with_roles(
    state: TopicState, previous: TopicState, events: pl.DataFrame, event_texts: pl.DataFrame, edits: Edits, run: Run
) -> TopicState:
    """The state with the role of each topic, and a lineage row for each role that differs from the previous state.

    ``events`` must be in their canonical order. A topic that does not occur keeps its role.
    """
    previous_roles = dict(previous.topic_definitions.select("topic_id", "role").drop_nulls().iter_rows())
    decisions: dict[str, RoleDecision] = {}
    for field in state.topic_definitions["field"].unique().sort():
        turns = collect_turns(field, events, event_texts, state.text_topics)
        decisions |= classify_roles(turns, previous_roles)
    for topic_id, edit in edits.roles().items():
        decisions[topic_id] = RoleDecision(edit.role or SUBJECT, f"Set by a person ({edit.edit_id}).")
    definitions = _apply_decisions(state.topic_definitions, decisions)
    return replace(
        state,
        topic_definitions=definitions,
        topic_lineage=pl.concat([state.topic_lineage, _role_changes(definitions, previous_roles, run)]),
    )


def _apply_decisions(definitions: pl.DataFrame, decisions: Mapping[str, RoleDecision]) -> pl.DataFrame:
    rows = [(topic_id, decision.role, decision.reason) for topic_id, decision in decisions.items()]
    schema = {name: TOPIC_DEFINITIONS.schema[name] for name in ("topic_id", "role", "role_reason")}
    decided = pl.DataFrame(rows, schema, orient="row")
    return definitions.update(decided, on="topic_id", how="left", maintain_order="left")


def _role_changes(definitions: pl.DataFrame, previous_roles: Mapping[str, str], run: Run) -> pl.DataFrame:
    """Rows of ``topic_lineage`` for the topics whose role changed."""
    previous = pl.col("topic_id").replace_strict(previous_roles, default=None, return_dtype=pl.String)
    changed = definitions.filter(previous.is_not_null() & (previous != pl.col("role")))
    return to_lineage_rows(changed.select("field", "topic_id", pl.col("role").alias("change")), run)
