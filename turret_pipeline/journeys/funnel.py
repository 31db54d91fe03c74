"""Funnels: how many sessions do one thing, then another, then a third, and how long it takes them."""

import polars as pl

from turret_pipeline.journeys.shares import session_shares
from turret_pipeline.journeys.visits import seconds

HITS_SCHEMA = pl.Schema(
    {
        "sequence_id": pl.String(),
        "user_id": pl.String(),
        "event_at": pl.Datetime("us", "UTC"),
        "position": pl.Int64(),
        "step": pl.Int64(),
    }
)
"""One row per event and step of the funnel that it is, steps from 0; ``position`` is its place among all events."""


def funnel(
    hits: pl.DataFrame,
    sessions: pl.DataFrame,
    step_count: int,
    within_seconds: float | None = None,
    *,
    is_any_order: bool = False,
) -> pl.DataFrame:
    """One row per step: the sessions that came so far, as shares of all, of those of step 1, and of the step before.

    The first step has all of step 1, and no step before.

    ``sessions`` (sequence_id, user_id) has a row for each that could. In order, each step is a later event than the one
    before; of the ways that a session takes, the one that comes farthest counts, the earliest of such. In any order, a
    session has come to step 3 if it has 1, 2 and 3, in whatever order. All of it happens within ``within_seconds`` of
    the first event. Times in seconds: since the step before (null in any order), and since the first event.
    """
    find = _any_order if is_any_order else _in_order
    ways = find([_of_step(hits, step) for step in range(step_count)], within_seconds)
    came = [
        sessions.join(ways.filter(pl.col(f"t{step}").is_not_null()), on="sequence_id") for step in range(step_count)
    ]
    before = [came[0].clear(), *came[:-1]]
    return pl.concat(
        pl.concat(
            [
                _counts(step, members),
                _share(members, sessions, "share_of_all"),
                _share(members, came[0], "share_of_first", is_certain=step == 0),
                _share(members, before[step], "share_of_previous"),
                _times(members, step, is_any_order=is_any_order),
            ],
            how="horizontal",
        )
        for step, members in enumerate(came)
    )


def _of_step(hits: pl.DataFrame, step: int) -> pl.DataFrame:
    """The events of a step by position."""
    return hits.filter(pl.col("step") == step).select("sequence_id", "event_at", "position").sort("position")


def _counts(step: int, members: pl.DataFrame) -> pl.DataFrame:
    counts = {
        "step_number": step + 1,
        "session_count": members.height,
        "user_count": members["user_id"].drop_nulls().n_unique(),
    }
    return pl.DataFrame(counts, dict.fromkeys(counts, pl.Int64))


def _share(members: pl.DataFrame, base: pl.DataFrame, name: str, *, is_certain: bool = False) -> pl.DataFrame:
    """The share of the base, with the ends of its interval, which has no width where the share is certain."""
    everyone = pl.lit(0).alias("group")
    shared = session_shares(members.with_columns(everyone), base, pl.select(everyone))
    ends = (pl.col("share" if is_certain else f"share_{end}").alias(f"{name}_{end}") for end in ("low", "high"))
    return shared.select(pl.col("share").alias(name), *ends)


def _times(members: pl.DataFrame, step: int, *, is_any_order: bool) -> pl.DataFrame:
    since_first = pl.col(f"t{step}")
    has_previous = step > 0 and not is_any_order
    since_previous = since_first - pl.col(f"t{step - 1}") if has_previous else pl.lit(None, pl.Float64)
    return members.select(
        since_previous.median().alias("median_seconds_from_previous"),
        since_previous.quantile(0.95, "linear").alias("p95_seconds_from_previous"),
        since_first.median().alias("median_seconds_from_first"),
    )


def _in_order(steps: list[pl.DataFrame], within: float | None) -> pl.DataFrame:
    """For each session that begins: t0, t1 ..., the seconds to each step; null from the first that it misses."""
    ways = steps[0].select("sequence_id", "position", pl.col("event_at").alias("begun_at"), t0=0.0)
    ways = ways.with_columns(pl.col("position").alias("begun"))
    for number, step in enumerate(steps[1:], start=1):
        ways = _following(ways, step, is_later=True).with_columns(pl.col(f"t{number - 1}").is_not_null().alias("came"))
        taken = _within(pl.col("next_at"), within)
        ways = ways.with_columns(pl.when("came").then(taken).alias(f"t{number}"))
        ways = ways.with_columns(pl.coalesce("next", "position").alias("position")).drop("next", "next_at", "came")
    missed = pl.sum_horizontal(pl.col(f"t{number}").is_null() for number in range(len(steps)))
    return ways.sort(missed, "begun").unique("sequence_id", keep="first")


def _any_order(steps: list[pl.DataFrame], within: float | None) -> pl.DataFrame:
    """For each session with step 1: t0, t1 ..., the shortest time in which it has the first one, two ... steps."""
    ways = pl.concat(steps).unique(["sequence_id", "position"]).with_columns(pl.col("event_at").alias("begun_at"))
    for number, step in enumerate(steps):
        ways = _following(ways, step, is_later=False).rename({"next_at": f"at{number}"}).drop("next")
    for number in range(len(steps)):
        so_far = [pl.col(f"at{earlier}") for earlier in range(number + 1)]
        is_complete = pl.all_horizontal(at.is_not_null() for at in so_far)
        span = pl.when(is_complete).then(_within(pl.max_horizontal(so_far), within))
        ways = ways.with_columns(span.alias(f"t{number}"))
    return ways.group_by("sequence_id").agg(pl.col(f"t{number}").min() for number in range(len(steps)))


def _following(ways: pl.DataFrame, step: pl.DataFrame, *, is_later: bool) -> pl.DataFrame:
    """The ways with ``next`` and ``next_at``: the next event of the step in the session, or the same one."""
    events = step.select(
        "sequence_id", "position", pl.col("position").alias("next"), pl.col("event_at").alias("next_at")
    )
    return ways.sort("position").join_asof(
        events,
        on="position",
        by="sequence_id",
        strategy="forward",
        allow_exact_matches=not is_later,
        check_sortedness=False,
    )


def _within(at: pl.Expr, limit: float | None) -> pl.Expr:
    """Seconds since the beginning, null where they are more than the limit."""
    taken = seconds(at - pl.col("begun_at"))
    return taken if limit is None else pl.when(taken <= limit).then(taken)
