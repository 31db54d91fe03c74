"""Fast parsing of plain lines, column by column: Turret events with nothing unusual about them.

A line is plain if ``parse_record`` would turn it into one event without changing any value. Every other line is left
to ``parse_record``.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import msgspec
import polars as pl
import pyarrow as pa

from turret_pipeline.events.formats.placeholders import PATTERNS
from turret_pipeline.events.formats.row_values import NAME_LIMIT
from turret_pipeline.events.formats.times import EARLIEST, LATEST, UNSET_FROM, UNSET_UNTIL
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
        "nanosecond": pl.Int64(),
        "is_zone_assumed": pl.Boolean(),
        "is_session_assumed": pl.Boolean(),
        "is_user_assumed": pl.Boolean(),
        "metadata": pl.String(),
    }
)
"""Columns of the events of plain lines."""

_DAY = r"((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
_TIME = rf"^(19|20|21)[0-9]{{2}}-{_DAY}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,9}})?"
_NANOSECONDS = r":[0-9]{2}\.[0-9]{7}"
_ZONE = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"

_OPENING_BRACKET, _BRACKET_LIMIT = r"[\[{]", 50
"""Most brackets that the metadata of a plain line may open, which also limits its nesting."""

_NAME = r"^[\pL\pN\pP\pS]([^\n]*[\pL\pN\pP\pS\pM])?$"
"""A name that starts and ends with a visible character."""

_SURROGATE_ESCAPE, _MANY_DIGITS = r"\\u[dD]", r"[0-9]{300}"
"""Escapes that may lack the other half of their character, and numbers that may be too large for a float. Two patterns
are six times faster than one for both."""

_EXPONENT_HINT = r"[0-9][eE]\+?[0-9]{2}"
_HUGE_EXPONENT = r"[:,\[\s]-?(?:[0-9.]+[eE]\+?[0-9]{3}|[0-9.]{200,}[eE]\+?[0-9]{2})"
"""Numbers with an exponent that may make them too large for a float, and a pattern that finds at least these in a
quarter of the time."""


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A Turret event in strict JSON, with only these keys and types."""

    name: str
    event_id: str | int | None = None
    session_id: str | int | None = None
    user_id: str | int | None = None
    timestamp: str | None = None
    received_at: str | None = None
    assumed_ids: tuple[Literal["session_id", "user_id"], ...] = ()
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


_DECODER = msgspec.json.Decoder(_Line)
_NOT_PLAIN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def parse_plain_lines(
    lines: Lines, *, is_time_optional: bool, zone: dt.tzinfo = dt.UTC
) -> tuple[pl.DataFrame, list[tuple[int, bytes]]]:
    """Events of the plain lines (PLAIN_SCHEMA), and all other lines with their numbers; both in line order.

    ``zone`` is that of times without one; a line with a time that the clocks of the zone skip or repeat is not plain.
    With ``is_time_optional``, an event without any time is plain and has a null event_at; otherwise it is not plain.
    """
    numbers, rows, others = _decode_lines(lines)
    frame = _build_frame(numbers, rows, zone)
    is_plain = frame.select(_is_plain(is_time_optional)).to_series() & ~_has_huge_exponent(frame["metadata"])
    if not is_plain.all():
        texts = lines.split()
        unusual = frame.filter(~is_plain)["line_number"]
        others = sorted([*others, *((number, texts[number - lines.first_line]) for number in unusual)])
        frame = frame.filter(is_plain)
    return frame.select(PLAIN_SCHEMA.names()), others


def _decode_lines(lines: Lines) -> tuple[Sequence[int], list[_Line], list[tuple[int, bytes]]]:
    """Numbers and values of the lines that can be decoded, and the other lines with their numbers."""
    try:
        is_text = lines.data.isascii() or bool(lines.data.decode())  # the decoder does not check raw metadata
        rows = _DECODER.decode_lines(lines.data)
        if is_text and len(rows) == lines.count:  # the decoder skips blank lines
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


def _build_frame(numbers: Sequence[int], rows: list[_Line], zone: dt.tzinfo) -> pl.DataFrame:
    """The rows as columns: PLAIN_SCHEMA, and ``are_times_valid``, which is true for missing times too."""
    event = _parse_times([row.timestamp for row in rows], zone)
    receipt = _parse_times([row.received_at for row in rows], zone)
    assumed_ids = [row.assumed_ids for row in rows]
    return pl.DataFrame(
        {
            "line_number": pl.Series(numbers, dtype=pl.Int64),
            "event_id": _parse_identifiers("event_id", [row.event_id for row in rows]),
            "event_name": pl.Series([row.name for row in rows], dtype=pl.String),
            "session_id": _parse_identifiers("session_id", [row.session_id for row in rows]),
            "user_id": _parse_identifiers("user_id", [row.user_id for row in rows]),
            "event_at": pl.select(pl.coalesce(event["at"], receipt["at"])),
            "received_at": receipt["at"],
            "nanosecond": pl.select(pl.coalesce(event["nanosecond"], receipt["nanosecond"], 0)),
            "is_zone_assumed": pl.select(pl.coalesce(event["is_zone_missing"], receipt["is_zone_missing"], False)),
            "is_session_assumed": _are_assumed("session_id", assumed_ids),
            "is_user_assumed": _are_assumed("user_id", assumed_ids),
            "are_times_valid": event["is_valid"] & receipt["is_valid"],
            "metadata": pl.Series([str(row.metadata, "utf-8") for row in rows], dtype=pl.String),
        }
    )


def _parse_identifiers(column: str, values: list[str | int | None]) -> pl.Series:
    """Ids as text, with null for placeholders such as "null"."""
    if int in set(map(type, values)):
        values = [str(value) if isinstance(value, int) else value for value in values]
    texts = pl.Series(values, dtype=pl.String)
    is_placeholder = texts.str.contains(PATTERNS[column])
    return texts.set(is_placeholder, None) if is_placeholder.any() else texts


def _are_assumed(column: str, assumed_ids: Sequence[tuple[str, ...]]) -> pl.Series:
    """True for the rows whose id the collector made up."""
    if not any(assumed_ids):
        return pl.repeat(value=False, n=len(assumed_ids), eager=True)
    return pl.Series([column in names for names in assumed_ids], dtype=pl.Boolean)


def _parse_times(values: list[str | None], zone: dt.tzinfo) -> pl.DataFrame:
    """Columns ``at``, ``nanosecond``, ``is_zone_missing`` and ``is_valid`` of times in full ISO 8601.

    For a missing time, ``is_valid`` is true and the other columns are null.
    """
    text = pl.Series("text", values, dtype=pl.String)
    if text.null_count() == len(text):
        at, nanosecond, is_zone_missing = text.cast(UTC), text.cast(pl.Int64), text.cast(pl.Boolean)
    elif (is_zoned := text.str.contains(_TIME + _ZONE)).all() and not text.null_count():
        at, nanosecond = _parse_instants(text)
        is_zone_missing = pl.repeat(value=False, n=len(text), eager=True)
    else:
        is_naive = text.str.contains(_TIME + "$")
        as_utc = text.set(~is_naive, None) + "Z"
        at, nanosecond = _parse_instants(text.set(~is_zoned, None).zip_with(is_zoned.fill_null(value=False), as_utc))
        is_zone_missing = is_naive.set(at.is_null(), None)
        if zone != dt.UTC:
            local = at.dt.replace_time_zone(None).dt.replace_time_zone(str(zone), ambiguous="null", non_existent="null")
            at = at.zip_with(~is_naive.fill_null(value=False), local.dt.convert_time_zone("UTC"))
    is_plausible = at.is_between(EARLIEST, LATEST, closed="left") & ~at.is_between(
        UNSET_FROM, UNSET_UNTIL, closed="left"
    )
    is_valid = text.is_null() | is_plausible.fill_null(value=False)
    return pl.DataFrame({"at": at, "nanosecond": nanosecond, "is_zone_missing": is_zone_missing, "is_valid": is_valid})


def _parse_instants(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Times to the microsecond, and the nanoseconds after it. Arrow parses ten times faster than Polars."""
    has_nanoseconds = texts.str.contains(_NANOSECONDS).any()
    at = pl.Series(pl.from_arrow(texts.to_arrow().cast(pa.timestamp("ns" if has_nanoseconds else "us", "UTC"))))
    return at.dt.cast_time_unit("us"), at.to_physical() % (1000 if has_nanoseconds else 1)


def _has_huge_exponent(metadata: pl.Series) -> pl.Series:
    hinted = metadata.str.contains(_EXPONENT_HINT)
    indices = hinted.arg_true()
    return hinted.scatter(indices, metadata.gather(indices).str.contains(_HUGE_EXPONENT)) if len(indices) else hinted


def _is_plain(is_time_optional: bool) -> pl.Expr:
    name, metadata = pl.col("event_name"), pl.col("metadata")
    has_time = pl.any_horizontal(pl.col("event_at", "received_at").is_not_null(), pl.lit(is_time_optional))
    return (
        pl.col("are_times_valid")
        & has_time
        & name.str.contains(_NAME)
        & (name.str.len_chars() <= NAME_LIMIT)
        & ~name.is_in([START, END, OTHER])
        & metadata.str.starts_with("{")
        & ~metadata.str.contains(_SURROGATE_ESCAPE)
        & ~metadata.str.contains(_MANY_DIGITS)
        & (metadata.str.count_matches(_OPENING_BRACKET) <= _BRACKET_LIMIT)
    )
