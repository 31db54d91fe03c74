"""Topics of too few users are not shown: they are folded into one topic per field, or into none."""

from dataclasses import replace

import polars as pl

from turret_pipeline.tables import CHANGES
from turret_pipeline.topics.edits import SUBJECT
from turret_pipeline.topics.lifecycle.state import TopicState
from turret_pipeline.topics.lifecycle.topic_table import ACTIVE

OTHER = "Other"
LABEL_SOURCE = "privacy"


def users_of_texts(events: pl.DataFrame, event_texts: pl.DataFrame) -> pl.DataFrame:
    """Who says what: distinct field, text_id, user_id. An event without a user is of nobody."""
    known = events.select("event_id", "user_id").drop_nulls()
    return (
        event_texts.drop_nulls()
        .join(known, on="event_id", validate="m:1")
        .select("field", "text_id", "user_id")
        .unique()
    )


def fold_small_topics(state: TopicState, users: pl.DataFrame, min_users: int) -> TopicState:
    """What may be shown of a state: no topic, and no trace of one, that has fewer than ``min_users`` distinct users.

    ``users`` has field, text_id and user_id of the events there are. The texts of such topics get the topic FIELD-other
    where together they have enough users, else none. Retired topics have no users: they are left out, too. With
    ``min_users`` 1 everything is shown as it is.
    """
    if min_users <= 1:
        return state
    active = state.topic_definitions.filter(pl.col("status") == ACTIVE)
    said = state.text_topics.join(users, on=["field", "text_id"])
    shown = _with_enough_users(said, "topic_id", min_users)
    hidden = active.join(shown, on="topic_id", how="anti").select(
        "topic_id", (pl.col("field") + "-other").alias("other")
    )
    others = _with_enough_users(said.join(hidden, on="topic_id"), "other", min_users)
    has_company = pl.col("other").is_in(others["other"].to_list())
    target = hidden.select("topic_id", pl.when(has_company).then("other").alias("other"))
    kept = active.join(shown, on="topic_id", how="semi", maintain_order="left")
    rest = [_other_topic(active.filter(pl.col("field") + "-other" == other), kept) for other in others["other"]]
    definitions = pl.concat([kept, *rest], how="diagonal").select(active.columns)
    themes = active.join(hidden, on="topic_id", how="semi")["theme_id"].unique().to_list()
    return replace(
        state,
        topic_definitions=_without_traces(definitions, shown, themes),
        text_topics=_folded(state.text_topics, shown, target),
        topic_lineage=_lineage_of(state.topic_lineage, shown),
    )


def count_what_is_shown(shown: TopicState, texts: pl.DataFrame, run_id: str, min_users: int) -> TopicState:
    """The state whose topic_runs count what it shows: topics, themes and coverage of this run, changes of every run.

    ``texts`` has field and text_id of the texts there are. Earlier runs keep the topics that they showed.
    """
    known = shown.topic_definitions.filter(pl.col("status") == ACTIVE).group_by("field").agg(
        pl.len().cast(pl.Int64).alias("topic_count"), pl.col("theme_id").n_unique().cast(pl.Int64).alias("theme_count")
    )  # fmt: skip
    has_topic = pl.col("topic_id").is_not_null()
    covered = (
        texts.join(shown.text_topics, on=["field", "text_id"], how="left")
        .group_by("field")
        .agg(has_topic.mean().round(6).alias("coverage"))
    )
    changes = shown.topic_lineage.group_by("run_id", "field").agg(
        (pl.col("change") == change).sum().cast(pl.Int64).alias(f"{change}_count") for change in CHANGES
    )
    runs, names = shown.topic_runs, [f"{change}_count" for change in CHANGES]
    counted = runs.drop(names).join(changes, on=["run_id", "field"], how="left", maintain_order="left")
    this = counted.filter(pl.col("run_id") == run_id).drop("topic_count", "theme_count", "coverage")
    this = this.join(known, on="field", how="left", maintain_order="left")
    this = this.join(covered, on="field", how="left", maintain_order="left").with_columns(_note(min_users))
    all_runs = pl.concat([counted.filter(pl.col("run_id") != run_id), this.select(counted.columns)])
    zero = pl.col("topic_count", "theme_count", *names).fill_null(0)
    return replace(shown, topic_runs=all_runs.with_columns(zero).select(runs.columns))


def _note(min_users: int) -> pl.Expr:
    """Why there are no topics, where it is that none may be shown."""
    none = f"No topic has the {min_users} users that it needs to be shown (setting privacy_min_users)."
    is_hidden = pl.col("topic_count").is_null() & pl.col("note").is_null()
    return pl.when(is_hidden).then(pl.lit(none)).otherwise("note").alias("note")


def _without_traces(definitions: pl.DataFrame, shown: pl.DataFrame, themes_with_hidden: list[str]) -> pl.DataFrame:
    """Definitions that do not point at a topic that is not shown."""
    is_shown = pl.col("nearest_topic_id").is_in(shown["topic_id"].to_list())
    # a theme is called by words of all its topics: with one of them hidden, it is called as the first that is shown
    first = definitions.group_by("theme_id", maintain_order=True).agg(pl.col("label").first().alias("first_label"))
    named = definitions.join(first, on="theme_id", how="left", maintain_order="left")
    is_told = pl.col("theme_id").is_in(themes_with_hidden)
    return named.with_columns(
        pl.when(is_shown).then("nearest_topic_id").alias("nearest_topic_id"),
        pl.when(is_told).then("first_label").otherwise("theme_label").alias("theme_label"),
    ).drop("first_label")


def _with_enough_users(said: pl.DataFrame, topic: str, min_users: int) -> pl.DataFrame:
    """The topics that so many users speak of, in order."""
    counted = said.filter(pl.col(topic).is_not_null()).group_by(topic).agg(pl.col("user_id").n_unique().alias("users"))
    return counted.filter(pl.col("users") >= min_users).select(topic).sort(topic)


def _other_topic(active: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """The definition of a field's other topic; of columns that are not named here it has none."""
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
        "description": "Topics of too few users to be shown (setting privacy_min_users).",
        "keywords": [],
        "example_texts": [],
        "theme_id": f"{field}-theme-other",
        "theme_label": OTHER,
        "status": ACTIVE,
        "is_locked": False,
        "role": SUBJECT,
        "role_reason": "It stands for many topics, which are not told apart.",
    }
    return pl.DataFrame([row], schema={name: active.schema[name] for name in row})


def _folded(text_topics: pl.DataFrame, shown: pl.DataFrame, target: pl.DataFrame) -> pl.DataFrame:
    """Texts with the topics that are shown. A folded topic has no centre: the cosines to it are left out."""
    visible = dict.fromkeys(shown["topic_id"])
    fold = dict(target.iter_rows())
    new = {**{name: name for name in visible}, **fold}
    own, second = (
        pl.col(name).replace_strict(new, default=None, return_dtype=pl.String)
        for name in ("topic_id", "runner_up_topic_id")
    )
    is_shown, is_second_shown = (pl.col(name).is_in(list(visible)) for name in ("topic_id", "runner_up_topic_id"))
    return text_topics.with_columns(
        own.alias("topic_id"),
        own.alias("found_topic_id"),
        pl.when(is_shown | pl.col("topic_id").is_null()).then("similarity").alias("similarity"),
        pl.when(second.ne_missing(own)).then(second).alias("runner_up_topic_id"),
        pl.when(is_second_shown).then("runner_up_similarity").alias("runner_up_similarity"),
    )


def _lineage_of(lineage: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Changes of the topics that are shown, without those on the other side that are not."""
    is_other_shown = pl.col("other_topic_id").is_in(shown["topic_id"].to_list())
    return lineage.join(shown, on="topic_id", how="semi", maintain_order="left").with_columns(
        pl.when(is_other_shown).then(name).alias(name) for name in ("other_topic_id", "overlap_share")
    )
