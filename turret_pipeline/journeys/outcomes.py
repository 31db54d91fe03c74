"""Which topics lead to an event more, or less, often than the other topics do."""

import numpy as np
import polars as pl

from turret_pipeline.comparison import MIN_CLUSTERS, compare_groups, q_values
from turret_pipeline.tables import TOPIC_OUTCOMES

FIRST_VISITS = ["dimension", "session_id", "node_id"]


def topic_outcomes(visits: pl.DataFrame, events: pl.DataFrame, min_clusters: int = MIN_CLUSTERS) -> pl.DataFrame:
    """Table ``topic_outcomes`` from the visits of text fields by session and the events that may be outcomes.

    ``events`` have event_name, session_id and position, as in the visits.

    What is compared are a session's first visits to each topic: is it followed by the outcome, later in the session?
    A visit to a topic and one to another have the same chance to be followed by it where topics do not matter;
    sessions with and without a topic do not have, as those with it are longer. The q-values of a text field are of one
    family: all its topics and outcomes.
    """
    firsts = visits.group_by(FIRST_VISITS).agg(pl.col("user_id", "position").sort_by("position").first())
    lasts = events.group_by("event_name", "session_id").agg(pl.col("position").max())
    tables = [TOPIC_OUTCOMES.empty()]
    for (field,), part in firsts.sort(FIRST_VISITS).group_by("dimension", maintain_order=True):
        compared = [_compared(part, name, last, min_clusters) for (name,), last in lasts.group_by("event_name")]
        family = pl.concat(compared).with_columns(pl.lit(field).alias("field"))
        tables.append(family.with_columns(pl.Series("q_value", q_values(family["p_value"].to_numpy()))))
    found = pl.concat([table.select(TOPIC_OUTCOMES.schema.names()) for table in tables])
    return found.sort(TOPIC_OUTCOMES.key)


def _compared(firsts: pl.DataFrame, name: object, last: pl.DataFrame, min_clusters: int) -> pl.DataFrame:
    """Every topic of a field against one outcome, which each session of ``last`` has there for the last time."""
    both = firsts.join(
        last.select("session_id", pl.col("position").alias("last")), on="session_id", how="left", maintain_order="left"
    )
    is_followed = (both["last"] > both["position"]).fill_null(value=False).to_numpy()
    topics = both["node_id"].unique().sort()
    topic = both["node_id"].cast(pl.Enum(topics)).to_physical().cast(pl.Int64).to_numpy()
    who = pl.coalesce(pl.lit("user ") + pl.col("user_id"), pl.lit("session ") + pl.col("session_id"))
    codes = both.select(pl.col("session_id").rank("dense") - 1, who.rank("dense").alias("cluster") - 1)
    clusters = [codes[column].cast(pl.Int64).to_numpy() for column in codes.columns]
    shares = compare_groups(np.where(is_followed, 0, -1), topic, clusters, min_clusters)
    if not len(shares.count):  # no visit at all is followed by it
        return pl.DataFrame(schema={**TOPIC_OUTCOMES.schema, "p_value": pl.Float64}).drop("field", "q_value")
    return pl.DataFrame(
        {
            "topic_id": topics.gather(shares.groups),
            "outcome_event_name": pl.Series([name], dtype=pl.String).new_from_index(0, len(shares.groups)),
            "session_count": np.bincount(topic)[shares.groups],
            "outcome_session_count": shares.count[0],
            "outcome_share": shares.share[0],
            "baseline_share": shares.other_share[0],
            "difference": shares.found.difference[0],
            "difference_low": shares.found.low[0],
            "difference_high": shares.found.high[0],
            "p_value": shares.found.p_value[0],
        }
    )
