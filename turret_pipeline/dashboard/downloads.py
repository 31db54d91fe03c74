"""Tables as files: CSV that no spreadsheet runs as formulas, and JSON with values unchanged."""

import polars as pl
from starlette.responses import Response

from turret_pipeline.errors import TurretError
from turret_pipeline.escaping import escape_csv_cell, escape_json

TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def download_table(frame: pl.DataFrame, name: str, form: str) -> Response:
    """The table as a file with this name. Raises TurretError if the form is neither csv nor json."""
    if form not in TYPES:
        raise TurretError(f"Invalid format {form!r}: use csv or json.")
    content = to_csv(frame) if form == "csv" else escape_json(frame.write_json())
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, media_type=TYPES[form], headers=headers)


def to_csv(frame: pl.DataFrame) -> str:
    """The table as CSV; lists are texts with commas."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    flat = frame.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join(", ") for name in lists)
    safe = pl.col(pl.String).map_elements(escape_csv_cell, return_dtype=pl.String)
    names = {name: escape_csv_cell(name) for name in flat.columns}
    return flat.with_columns(safe).rename(names).write_csv()
