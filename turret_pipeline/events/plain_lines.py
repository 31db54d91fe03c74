"""The common case, column by column: lines that are Turret events with nothing unusual about them.

A line is plain where ``parse_record`` would make one event of it as it stands; every other line is left to that.
"""

from collections.abc import Sequence

import msgspec
import polars as pl
import pyarrow as pa

from turret_pipeline.events.formats.columns import NAME_LIMIT
from turret_pipeline.events.formats.times import EARLIEST, LATEST
from turret_pipeline.events.rows import Lines
from turret_pipeline.tables import END, OTHER, START

UTC = pl.Datetime("us", "UTC")
PLAIN_SCHEMA = pl.Schema(
    {
        "line_number": pl.Int64(),
        "event_id": pl.String(),
        "event_name": pl.String(),
        "session_id": pl.String(),
        "user_id": pl.String(),
        "event_at": UTC,
        "received_at": UTC,
        "is_zone_assumed": pl.Boolean(),
        "metadata": pl.String(),
    }
)
"""An event of a plain line."""

_DAY = r"((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
_TIME = rf"^(19|20|21)[0-9]{{2}}-{_DAY}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?"
_ZONE = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"

_OPENING, DEPTH = r"[\[{]", 50
"""Brackets that a plain line's metadata opens at most: it cannot be nested deeper."""

_NAME = r"^[\pL\pN\pP\pS]([^\n]*[\pL\pN\pP\pS\pM])?$"
"""A name that begins and ends with something that is seen."""

_HALF_CHARACTER, _NO_NUMBER = r"\\u[dD]", r"[0-9]{300}"
"""Half of a character may lack the other half; and there are numbers that no machine holds. Each by itself is found six
times faster than either."""


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A Turret event; strict JSON, of these keys and types and no others."""

    name: str
    event_id: str | int | None = None
    session_id: str | int | None = None
    user_id: str | int | None = None
    timestamp: str | None = None
    received_at: str | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


_DECODER = msgspec.json.Decoder(_Line)
_NOT_PLAIN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def plain_events(lines: Lines, *, time_may_miss: bool) -> tuple[pl.DataFrame, list[tuple[int, bytes]]]:
    """PLAIN_SCHEMA of the plain lines, and every other line with its number; both in order.

    An event without any time has a null event_at, or is not plain unless ``time_may_miss``.
    """
    numbers, rows, others = _decoded(lines)
    frame = _frame(numbers, rows)
    is_plain = frame.select(_is_plain(time_may_miss)).to_series()
    if not is_plain.all():
        texts = lines.split()
        unusual = frame.filter(~is_plain)["line_number"]
        others = sorted([*others, *((number, texts[number - lines.first_line]) for number in unusual)])
        frame = frame.filter(is_plain)
    return frame.with_columns(event_at=pl.coalesce("event_at", "received_at")).select(PLAIN_SCHEMA.names()), others


def _decoded(lines: Lines) -> tuple[Sequence[int], list[_Line], list[tuple[int, bytes]]]:
    """The lines of the right shape with their numbers, and those of another shape."""
    try:
        is_text = lines.data.isascii() or bool(lines.data.decode())  # the decoder does not look into raw metadata
        rows = _DECODER.decode_lines(lines.data)
        if is_text and len(rows) == lines.count:  # blank lines are left out
            return range(lines.first_line, lines.first_line + len(rows)), rows, []
    except _NOT_PLAIN:
        pass
    numbers, rows, others = list[int](), list[_Line](), list[tuple[int, bytes]]()
    for number, line in enumerate(lines.split(), start=lines.first_line):
        try:
            line.decode()
            rows.append(_DECODER.decode(line))
            numbers.append(number)
        except _NOT_PLAIN:
            others.append((number, line))
    return numbers, rows, others


def _frame(numbers: Sequence[int], rows: list[_Line]) -> pl.DataFrame:
    """The rows as columns: PLAIN_SCHEMA, and whether both times that are there were read."""
    event = _times([row.timestamp for row in rows])
    receipt = _times([row.received_at for row in rows])
    return pl.DataFrame(
        {
            "line_number": pl.Series(numbers, dtype=pl.Int64),
            "event_id": _identifiers([row.event_id for row in rows]),
            "event_name": pl.Series([row.name for row in rows], dtype=pl.String),
            "session_id": _identifiers([row.session_id for row in rows]),
            "user_id": _identifiers([row.user_id for row in rows]),
            "event_at": event["at"],
            "received_at": receipt["at"],
            "is_zone_assumed": pl.select(pl.coalesce(event["is_zone_missing"], receipt["is_zone_missing"], False)),
            "are_times_read": event["is_read"] & receipt["is_read"],
            "metadata": pl.Series([str(row.metadata, "utf-8") for row in rows], dtype=pl.String),
        }
    )


def _identifiers(values: list[str | int | None]) -> pl.Series:
    """Ids as text; an empty one is none."""
    if int in set(map(type, values)):
        values = [str(value) if isinstance(value, int) else value for value in values]
    texts = pl.Series(values, dtype=pl.String)
    is_empty = texts.str.strip_chars() == ""
    return texts.set(is_empty, None) if is_empty.any() else texts


def _times(values: list[str | None]) -> pl.DataFrame:
    """Times ``at`` that ISO 8601 spells in full, ``is_zone_missing`` where there is one, and ``is_read`` but where not.

    Arrow reads them ten times faster than Polars does.
    """
    text = pl.Series("text", values, dtype=pl.String)
    if text.null_count() == len(text):
        return pl.DataFrame({"at": text.cast(UTC), "is_zone_missing": text.cast(pl.Boolean), "is_read": text.is_null()})
    is_zoned = text.str.contains(_TIME + _ZONE)
    if is_zoned.all() and not text.null_count():
        at, is_zone_missing = _instants(text), pl.repeat(value=False, n=len(text), eager=True)
    else:
        is_naive = text.str.contains(_TIME + "$")
        naive = text.set(~is_naive, None) + "Z"
        at = _instants(text.set(~is_zoned, None).zip_with(is_zoned.fill_null(value=False), naive))
        is_zone_missing = is_naive.set(at.is_null(), None)
    is_read = text.is_null() | at.is_between(EARLIEST, LATEST, closed="left").fill_null(value=False)
    return pl.DataFrame({"at": at, "is_zone_missing": is_zone_missing, "is_read": is_read})


def _instants(texts: pl.Series) -> pl.Series:
    return pl.Series(pl.from_arrow(texts.to_arrow().cast(pa.timestamp("us", "UTC"))))


def _is_plain(time_may_miss: bool) -> pl.Expr:
    name, metadata = pl.col("event_name"), pl.col("metadata")
    has_time = pl.any_horizontal(pl.col("event_at", "received_at").is_not_null(), pl.lit(time_may_miss))
    return (
        pl.col("are_times_read")
        & has_time
        & name.str.contains(_NAME)
        & (name.str.len_chars() <= NAME_LIMIT)
        & ~name.is_in([START, END, OTHER])
        & metadata.str.starts_with("{")
        & ~metadata.str.contains(_HALF_CHARACTER)
        & ~metadata.str.contains(_NO_NUMBER)
        & (metadata.str.count_matches(_OPENING) <= DEPTH)
    )
