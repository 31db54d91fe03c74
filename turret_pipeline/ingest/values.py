"""Metadata values of all events: extracted once per part, then joined with the events of the lake."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from turret_pipeline.fields.folding import (
    Folds,
    choose_folds,
    describe_flat_and_nested,
    describe_folds,
    describe_wide_events,
)
from turret_pipeline.fields.values import FOLD, metadata_values
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.shards.shard import Shard
from turret_pipeline.storage.atomic_files import commit, remove, temp_path
from turret_pipeline.storage.checksums import name_by_content
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import open_scratch_database, read_parquet_sql
from turret_pipeline.tables import EVENT_VALUES, OTHER

MEMORY_LIMIT = "1536MB"
"""With 384 MB, which are enough, ten million events take twice as long, because DuckDB sorts them on the disk."""

_POSITION = ["line_number", "item_number"]


def extract_part_values(parts: PartStore) -> Iterator[int]:
    """Write the values of every part that lacks them, and yield the number of events of each such part."""
    missing = [file for file in map(Path, parts.part_files("events")) if not _has_values(file)]
    if not missing:
        return
    aside = temp_path(parts.root / "values")
    try:
        aside.mkdir(mode=0o700)
        shards = (Shard(_extract_values, (number,), {"events": file}) for number, file in enumerate(missing))
        for number, height in parts.engine.run(shards, aside):
            values, written = _values_path(missing[number]), aside / _name(number)
            commit(written, name_by_content(values, written))
            yield height
    finally:
        remove(aside)


def _has_values(events: Path) -> bool:
    values = _values_path(events)
    return values.exists() or any(values.parent.glob(f"{values.stem}-*.parquet"))


def _values_path(events: Path) -> Path:
    return events.with_name(events.name.replace("events", "values"))


def _name(number: int) -> str:
    return f"values-{number}.parquet"


def _extract_values(folder: Path, number: int, events: Path) -> tuple[int, int]:
    """Write the values of a part; return the number of the shard, and that of the events."""
    part = pl.read_parquet(events, columns=[*_POSITION, "metadata"], glob=False)
    positions = part.select(_POSITION).with_row_index("row")
    found = metadata_values(part["metadata"]).join(positions, on="row", how="left", maintain_order="left").drop("row")
    found.write_parquet(folder / _name(number), compression="lz4")
    return number, part.height


def write_values(parts: PartStore, lake: Lake, field_limit: int) -> str:
    """Write the table ``event_values``: the values of all events in the lake, by field and event.

    Beyond ``field_limit`` fields, objects with many keys become one field each, with their values as JSON text. Returns
    sentences about them, and about events that have too many fields themselves; empty if there are none.
    """
    files = parts.part_files("values")
    if not files:
        lake.write("event_values", EVENT_VALUES.empty())
        return ""
    with open_scratch_database(lake, MEMORY_LIMIT) as connection:
        values = read_parquet_sql(files, "filename", "union_by_name")
        connection.execute(f"""
            create temp view found as
            select events.event_id, events.file_row_number, part.field, part.value, part.number,
                if(part.json_type = '{FOLD}', 'object', part.json_type) as json_type
            from {values} as part
            join {read_parquet_sql([str(lake.path("events"))], "file_row_number")} as events
                on events.content_sha256 = parse_path(part.filename)[-2]
                and events.line_number = part.line_number and events.item_number = part.item_number""")
        connection.register("no_values", pl.DataFrame(schema={"field": pl.String, "is_flat": pl.Boolean}))
        wide = connection.execute(_WIDE_EVENTS.format(values=values)).fetchall()[0][0]
        rows = connection.execute(_COUNTS.format(values=values)).fetchall()
        counts = {field: count for field, count, _ in rows}
        mixed = sorted(field for field, _, is_mixed in rows if is_mixed)
        folds = choose_folds(counts, field_limit)
        query = "from found"
        folded = describe_folds(folds, len(counts), field_limit)
        sentences = [describe_wide_events(wide), folded, describe_flat_and_nested(mixed)]
        if folds != Folds():
            connection.register("folded_fields", _list_folded(folds, counts))
            query = _FOLDED
        columns = ", ".join(EVENT_VALUES.schema.names())
        lake.copy(connection, "event_values", f"select {columns} from ({query}) order by field, file_row_number")
    return " ".join(filter(None, sentences))


def _list_folded(folds: Folds, fields: Iterable[str]) -> pl.DataFrame:
    """The fields that become part of another one: field, into, key. A value of the other field itself has key null."""
    others = {*folds.others, OTHER} if folds.others else ()
    rows = [(field, OTHER, field) for field in others] + [(prefix, prefix, None) for prefix in folds.prefixes]
    for field in fields:
        ends = (at for at, sign in enumerate(field) if sign == ".")
        if into := next((field[:at] for at in ends if field[:at] in folds.prefixes), None):
            rows.append((field, into, field[len(into) + 1 :]))
    return pl.DataFrame(rows, dict.fromkeys(("field", "into", "key"), pl.String()), orient="row")


_COUNTS = """
    select field, count(*), coalesce(bool_or(is_flat) and bool_or(not is_flat), false)
    from (select * from {values} union all by name from no_values) group by field"""

_WIDE_EVENTS = f"""
    select count(*) from (
        select distinct filename, line_number, item_number from {{values}} where json_type = '{FOLD}'
    )"""

_FOLDED = """
    select * from found anti join folded_fields using (field)
    union all by name
    select event_id, file_row_number, folded_fields.into as field,
        coalesce(any_value(json_type) filter (key is null), 'object') as json_type,
        coalesce(any_value(value) filter (key is null), '{' || string_agg(
            to_json(key)::varchar || ':' || if(json_type = 'string', to_json(value)::varchar, value), ',' order by key
        ) filter (key is not null) || '}') as value,
        any_value(number) filter (key is null) as number
    from found join folded_fields using (field)
    group by all
"""
