"""Funnels: numbers of sessions that reach each of a series of steps, and the time they take."""

import polars as pl

from turret_pipeline.journeys.shares import session_shares
from turret_pipeline.journeys.visits import total_seconds

HITS_SCHEMA = pl.Schema(
    {
        "sequence_id": pl.String(),
        "user_id": pl.String(),
        "event_at": pl.Datetime("us", "UTC"),
        "position": pl.Int64(),
        "step": pl.Int64(),
    }
)
"""One row per event and funnel step that it fulfils; ``step`` starts at 0, ``position`` is that among all events."""


def count_funnel(
    hits: pl.DataFrame,
    sessions: pl.DataFrame,
    step_count: int,
    within_seconds: float | None = None,
    *,
    is_any_order: bool = False,
) -> pl.DataFrame:
    """One row per step: the sessions that reach it, and their shares of all sessions, of step 1 and of the step before.

    ``sessions`` (sequence_id, user_id) has one row for each session that could reach a step. In order, each step is a
    later event than the step before; of the possible event series of a session, the one that reaches most steps
    counts, and of these the earliest. In any order, a session reaches step 3 if it has the steps 1, 2 and 3, in any
    order. All steps happen within ``within_seconds`` of the first event. Times are in seconds: from the step before
    (null in any order), and from the first event. On the first row, the share of step 1 is 1 and the share of the step
    before is null.
    """
    match = _match_in_any_order if is_any_order else _match_in_order
    matches = match([_hits_of_step(hits, step) for step in range(step_count)], within_seconds)
    reached = [
        sessions.join(matches.filter(pl.col(f"t{step}").is_not_null()), on="sequence_id") for step in range(step_count)
    ]
    before = [reached[0].clear(), *reached[:-1]]
    return pl.concat(
        pl.concat(
            [
                _count_members(step, members),
                _share_of(members, sessions, "share_of_all"),
                _share_of(members, reached[0], "share_of_first", is_certain=step == 0),
                _share_of(members, before[step], "share_of_previous"),
                _measure_times(members, step, is_any_order=is_any_order),
            ],
            how="horizontal",
        )
        for step, members in enumerate(reached)
    )


def _hits_of_step(hits: pl.DataFrame, step: int) -> pl.DataFrame:
    return hits.filter(pl.col("step") == step).select("sequence_id", "event_at", "position").sort("position")


def _count_members(step: int, members: pl.DataFrame) -> pl.DataFrame:
    counts = {
        "step_number": step + 1,
        "session_count": members.height,
        "user_count": members["user_id"].drop_nulls().n_unique(),
    }
    return pl.DataFrame(counts, dict.fromkeys(counts, pl.Int64))


def _share_of(members: pl.DataFrame, base: pl.DataFrame, name: str, *, is_certain: bool = False) -> pl.DataFrame:
    """The share of ``base`` that are members, with its interval; the interval of a certain share has no width."""
    everyone = pl.lit(0).alias("group")
    shares = session_shares(members.with_columns(everyone), base, pl.select(everyone))
    bounds = (pl.col("share" if is_certain else f"share_{bound}").alias(f"{name}_{bound}") for bound in ("low", "high"))
    return shares.select(pl.col("share").alias(name), *bounds)


def _measure_times(members: pl.DataFrame, step: int, *, is_any_order: bool) -> pl.DataFrame:
    since_first = pl.col(f"t{step}")
    has_previous = step > 0 and not is_any_order
    since_previous = since_first - pl.col(f"t{step - 1}") if has_previous else pl.lit(None, pl.Float64)
    return members.select(
        since_previous.median().alias("median_seconds_from_previous"),
        since_previous.quantile(0.95, "linear").alias("p95_seconds_from_previous"),
        since_first.median().alias("median_seconds_from_first"),
    )


def _match_in_order(steps: list[pl.DataFrame], within: float | None) -> pl.DataFrame:
    """One row per sequence with step 1: t0, t1 ..., the seconds to each step; null from the first step it misses."""
    matches = steps[0].select("sequence_id", "position", pl.col("event_at").alias("first_at"), t0=0.0)
    matches = matches.with_columns(pl.col("position").alias("first_position"))
    for number, step in enumerate(steps[1:], start=1):
        matches = _join_next_hit(matches, step, is_later=True)
        matches = matches.with_columns(pl.col(f"t{number - 1}").is_not_null().alias("is_reached"))
        elapsed = _elapsed_seconds(pl.col("next_at"), within)
        matches = matches.with_columns(pl.when("is_reached").then(elapsed).alias(f"t{number}"))
        matches = matches.with_columns(pl.coalesce("next", "position").alias("position"))
        matches = matches.drop("next", "next_at", "is_reached")
    missed = pl.sum_horizontal(pl.col(f"t{number}").is_null() for number in range(len(steps)))
    return matches.sort(missed, "first_position").unique("sequence_id", keep="first")


def _match_in_any_order(steps: list[pl.DataFrame], within: float | None) -> pl.DataFrame:
    """One row per sequence with step 1: t0, t1 ..., the shortest time in which it has the first one, two ... steps."""
    matches = pl.concat(steps).unique(["sequence_id", "position"]).with_columns(pl.col("event_at").alias("first_at"))
    for number, step in enumerate(steps):
        matches = _join_next_hit(matches, step, is_later=False).rename({"next_at": f"at{number}"}).drop("next")
    for number in range(len(steps)):
        so_far = [pl.col(f"at{earlier}") for earlier in range(number + 1)]
        is_complete = pl.all_horizontal(at.is_not_null() for at in so_far)
        span = pl.when(is_complete).then(_elapsed_seconds(pl.max_horizontal(so_far), within))
        matches = matches.with_columns(span.alias(f"t{number}"))
    return matches.group_by("sequence_id").agg(pl.col(f"t{number}").min() for number in range(len(steps)))


def _join_next_hit(matches: pl.DataFrame, step: pl.DataFrame, *, is_later: bool) -> pl.DataFrame:
    """Add ``next`` and ``next_at``: the next event of the step in the sequence, or unless ``is_later`` the same one."""
    events = step.select(
        "sequence_id", "position", pl.col("position").alias("next"), pl.col("event_at").alias("next_at")
    )
    return matches.sort("position").join_asof(
        events,
        on="position",
        by="sequence_id",
        strategy="forward",
        allow_exact_matches=not is_later,
        check_sortedness=False,
    )


def _elapsed_seconds(at: pl.Expr, limit: float | None) -> pl.Expr:
    """Seconds since ``first_at``; null if they exceed the limit."""
    elapsed = total_seconds(at - pl.col("first_at"))
    return elapsed if limit is None else pl.when(elapsed <= limit).then(elapsed)
