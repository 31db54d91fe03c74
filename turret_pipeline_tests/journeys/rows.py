"""Short constructors of visits and times."""

import datetime as dt

import polars as pl

from turret_pipeline.journeys.visits import VISITS_SCHEMA

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


def at(seconds: float) -> dt.datetime:
    """Time that is this many seconds after noon."""
    return NOON + dt.timedelta(seconds=seconds)


def visits(*rows: tuple[str, str, float], dimension: str = "event_name", user_id: str | None = "u1") -> pl.DataFrame:
    """Visits from (session, node, seconds), in order."""
    full = [
        (dimension, session, user_id, node, at(seconds), position)
        for position, (session, node, seconds) in enumerate(rows)
    ]
    return pl.DataFrame(full, VISITS_SCHEMA, orient="row").sort("dimension", "sequence_id", "position")


def path(session: str, nodes: str, user_id: str | None = "u1", dimension: str = "event_name") -> pl.DataFrame:
    """Visits of one session to nodes named by one letter each, ten seconds apart."""
    rows = [(session, node, 10.0 * step) for step, node in enumerate(nodes)]
    return visits(*rows, dimension=dimension, user_id=user_id)
