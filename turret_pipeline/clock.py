"""The only clock of the pipeline."""

import datetime as dt


def now() -> dt.datetime:
    """The time in UTC."""
    return dt.datetime.now(dt.UTC)
