"""The roles of all topics in a state: judged by where their texts stand in sessions, or as a person says."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from turret_pipeline.tables import TOPIC_DEFINITIONS, TOPIC_LINEAGE
from turret_pipeline.topics.edits import SUBJECT, Edits
from turret_pipeline.topics.follow_ups.roles import Verdict, judge
from turret_pipeline.topics.follow_ups.turns import collect_turns
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState


def with_roles(
    state: TopicState, previous: TopicState, events: pl.DataFrame, event_texts: pl.DataFrame, edits: Edits, run: Run
) -> TopicState:
    """The state with the role of each topic, and a row of lineage for each topic whose role is not that of before.

    ``events`` come in their order. A topic that does not occur keeps its role.
    """
    before = dict(previous.topic_definitions.select("topic_id", "role").drop_nulls().iter_rows())
    verdicts: dict[str, Verdict] = {}
    for field in state.topic_definitions["field"].unique().sort():
        turns = collect_turns(field, events, event_texts, state.text_topics)
        verdicts |= judge(turns, before)
    for topic_id, edit in edits.roles().items():
        verdicts[topic_id] = Verdict(edit.role or SUBJECT, f"A person said so ({edit.edit_id}).")
    definitions = _judged(state.topic_definitions, verdicts)
    return replace(
        state,
        topic_definitions=definitions,
        topic_lineage=pl.concat([state.topic_lineage, _changes(definitions, before, run)]),
    )


def _judged(definitions: pl.DataFrame, verdicts: Mapping[str, Verdict]) -> pl.DataFrame:
    rows = [(topic_id, verdict.role, verdict.reason) for topic_id, verdict in verdicts.items()]
    schema = {name: TOPIC_DEFINITIONS.schema[name] for name in ("topic_id", "role", "role_reason")}
    found = pl.DataFrame(rows, schema, orient="row")
    return definitions.update(found, on="topic_id", how="left", maintain_order="left")


def _changes(definitions: pl.DataFrame, before: Mapping[str, str], run: Run) -> pl.DataFrame:
    known = pl.col("topic_id").replace_strict(before, default=None, return_dtype=pl.String)
    return definitions.filter(known.is_not_null() & (known != pl.col("role"))).select(
        pl.lit(run.run_id).alias("run_id"),
        pl.lit(run.started_at).cast(TOPIC_LINEAGE.schema["changed_at"]).alias("changed_at"),
        "field",
        "topic_id",
        pl.col("role").alias("change"),
        pl.lit(None, pl.String).alias("other_topic_id"),
        pl.lit(None, pl.Float64).alias("overlap_share"),
    )
