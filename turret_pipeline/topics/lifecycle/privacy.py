"""Suppression of topics with too few users: each field gets one topic Other for them, or none."""

from dataclasses import replace

import polars as pl

from turret_pipeline.tables import CHANGES
from turret_pipeline.tables.topics import ACTIVE
from turret_pipeline.topics.edits import SUBJECT
from turret_pipeline.topics.lifecycle.state import TopicState

OTHER = "Other"
LABEL_SOURCE = "privacy"


def users_of_texts(events: pl.DataFrame, event_texts: pl.DataFrame) -> pl.DataFrame:
    """Users of each text: distinct field, text_id and user_id. Events without a user do not count."""
    known = events.select("event_id", "user_id").drop_nulls()
    return (
        event_texts.drop_nulls()
        .join(known, on="event_id", validate="m:1")
        .select("field", "text_id", "user_id")
        .unique()
    )


def suppress_small_topics(state: TopicState, users: pl.DataFrame, min_users: int) -> TopicState:
    """The state without topics of fewer than ``min_users`` distinct users, and without any trace of them.

    ``users`` has field, text_id and user_id of all events. The texts of suppressed topics get the topic FIELD-other if
    together they have enough users; otherwise they are unassigned. Retired topics have no users and are suppressed too.
    With ``min_users`` 1 the state is returned unchanged.
    """
    if min_users <= 1:
        return state
    active = state.topic_definitions.filter(pl.col("status") == ACTIVE)
    users_of_topics = state.text_topics.join(users, on=["field", "text_id"])
    disclosed = _select_disclosable(users_of_topics, "topic_id", min_users)
    suppressed = active.join(disclosed, on="topic_id", how="anti").select(
        "topic_id", (pl.col("field") + "-other").alias("other")
    )
    others = _select_disclosable(users_of_topics.join(suppressed, on="topic_id"), "other", min_users)
    has_other_topic = pl.col("other").is_in(others["other"].to_list())
    target = suppressed.select("topic_id", pl.when(has_other_topic).then("other").alias("other"))
    kept = active.join(disclosed, on="topic_id", how="semi", maintain_order="left")
    rest = [_other_topic(active.filter(pl.col("field") + "-other" == other), kept) for other in others["other"]]
    topics = pl.concat([kept, *rest], how="diagonal").select(active.columns)
    themes = active.join(suppressed, on="topic_id", how="semi")["theme_id"].unique().to_list()
    return replace(
        state,
        topic_definitions=_remove_traces(topics, disclosed, themes),
        text_topics=_reassign_texts(state.text_topics, disclosed, target),
        topic_lineage=_filter_lineage(state.topic_lineage, disclosed),
    )


def recount_topic_runs(disclosed: TopicState, texts: pl.DataFrame, run_id: str, min_users: int) -> TopicState:
    """The state with topic_runs that count what is disclosed: topics, themes and coverage of this run, and all changes.

    ``texts`` has field and text_id of all texts. Earlier runs keep their counts of topics, themes and coverage.
    """
    known = disclosed.topic_definitions.filter(pl.col("status") == ACTIVE).group_by("field").agg(
        pl.len().cast(pl.Int64).alias("topic_count"), pl.col("theme_id").n_unique().cast(pl.Int64).alias("theme_count")
    )  # fmt: skip
    has_topic, is_read = pl.col("topic_id").is_not_null(), pl.col("embedding_model").is_not_null()
    covered = (
        texts.join(disclosed.text_topics, on=["field", "text_id"], how="left")
        .group_by("field")
        .agg(
            has_topic.mean().round(6).alias("coverage"),
            has_topic.filter(is_read).mean().round(6).alias("readable_coverage"),
        )
    )
    changes = disclosed.topic_lineage.group_by("run_id", "field").agg(
        (pl.col("change") == change).sum().cast(pl.Int64).alias(f"{change}_count") for change in CHANGES
    )
    runs, names = disclosed.topic_runs, [f"{change}_count" for change in CHANGES]
    counted = runs.drop(names).join(changes, on=["run_id", "field"], how="left", maintain_order="left")
    this = counted.filter(pl.col("run_id") == run_id).rename({"topic_count": "found_count"})
    this = this.drop("theme_count", "coverage", "readable_coverage")
    this = this.join(known, on="field", how="left", maintain_order="left")
    this = this.join(covered, on="field", how="left", maintain_order="left").with_columns(_note(min_users))
    all_runs = pl.concat([counted.filter(pl.col("run_id") != run_id), this.select(counted.columns)])
    zero = pl.col("topic_count", "theme_count", *names).fill_null(0)
    return replace(disclosed, topic_runs=all_runs.with_columns(zero).select(runs.columns))


def _note(min_users: int) -> pl.Expr:
    """Note of a run without topics because all of them are suppressed."""
    note = f"All topics are suppressed: each has fewer than {min_users} users (setting privacy_min_users)."
    is_suppressed = pl.col("topic_count").is_null() & (pl.col("found_count") > 0)
    return pl.when(is_suppressed).then(pl.lit(note)).otherwise("note").alias("note")


def _remove_traces(topics: pl.DataFrame, disclosed: pl.DataFrame, affected_themes: list[str]) -> pl.DataFrame:
    """The topics without references to suppressed ones."""
    is_disclosed = pl.col("nearest_topic_id").is_in(disclosed["topic_id"].to_list())
    # a theme label uses words of all topics of the theme: if one is suppressed, the first disclosed label replaces it
    first = topics.group_by("theme_id", maintain_order=True).agg(pl.col("label").first().alias("first_label"))
    labeled = topics.join(first, on="theme_id", how="left", maintain_order="left")
    is_affected = pl.col("theme_id").is_in(affected_themes)
    return labeled.with_columns(
        pl.when(is_disclosed).then("nearest_topic_id").alias("nearest_topic_id"),
        pl.when(is_affected).then("first_label").otherwise("theme_label").alias("theme_label"),
    ).drop("first_label")


def _select_disclosable(users_of_topics: pl.DataFrame, topic: str, min_users: int) -> pl.DataFrame:
    """Ids in column ``topic`` with at least ``min_users`` distinct users, sorted."""
    counted = (
        users_of_topics.filter(pl.col(topic).is_not_null())
        .group_by(topic)
        .agg(pl.col("user_id").n_unique().alias("users"))
    )
    return counted.filter(pl.col("users") >= min_users).select(topic).sort(topic)


def _other_topic(active: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Row of the topic Other of a field. Columns that are missing here are null."""
    field = active["field"][0]
    taken = set(kept.filter(pl.col("field") == field)["label"])
    label = next(
        name
        for number in range(1, len(taken) + 2)
        if (name := f"{OTHER} {number}" if number > 1 else OTHER) not in taken
    )
    row = {
        "topic_id": f"{field}-other",
        "field": field,
        "label": label,
        "label_source": LABEL_SOURCE,
        "description": "Topics of too few users (setting privacy_min_users).",
        "keywords": [],
        "example_texts": [],
        "theme_id": f"{field}-theme-other",
        "theme_label": OTHER,
        "status": ACTIVE,
        "is_locked": False,
        "role": SUBJECT,
        "role_reason": "Treated as a subject: it stands for several topics.",
    }
    return pl.DataFrame([row], schema={name: active.schema[name] for name in row})


def _reassign_texts(text_topics: pl.DataFrame, disclosed: pl.DataFrame, target: pl.DataFrame) -> pl.DataFrame:
    """Texts with the disclosed topics. The topic Other has no centroid, so cosines to it are null."""
    kept = dict.fromkeys(disclosed["topic_id"])
    new = {**{name: name for name in kept}, **dict(target.iter_rows())}
    own, second = (
        pl.col(name).replace_strict(new, default=None, return_dtype=pl.String)
        for name in ("topic_id", "runner_up_topic_id")
    )
    is_own_kept, is_second_kept = (pl.col(name).is_in(list(kept)) for name in ("topic_id", "runner_up_topic_id"))
    return text_topics.with_columns(
        own.alias("topic_id"),
        own.alias("found_topic_id"),
        pl.when(is_own_kept | pl.col("topic_id").is_null()).then("similarity").alias("similarity"),
        pl.when(second.ne_missing(own)).then(second).alias("runner_up_topic_id"),
        pl.when(is_second_kept).then("runner_up_similarity").alias("runner_up_similarity"),
    )


def _filter_lineage(lineage: pl.DataFrame, disclosed: pl.DataFrame) -> pl.DataFrame:
    """Changes of the disclosed topics. References to suppressed topics are null."""
    is_other_disclosed = pl.col("other_topic_id").is_in(disclosed["topic_id"].to_list())
    return lineage.join(disclosed, on="topic_id", how="semi", maintain_order="left").with_columns(
        pl.when(is_other_disclosed).then(name).alias(name) for name in ("other_topic_id", "overlap_share")
    )
