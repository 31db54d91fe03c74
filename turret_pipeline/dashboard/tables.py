"""Tables of a page: which columns are shown, how, and where a cell leads. A download has all columns of the frame."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from turret_pipeline.dashboard.formats import FORMATS, NUMBERS, Kind

Row = Mapping[str, Any]
ROWS_SHOWN = 100


@dataclass(frozen=True)
class ColumnView:
    """A column of a table. ``link`` is the URL to which a cell leads, and ``hint`` says what its figure is made of.

    ``draw`` makes a picture of a row, which is shown instead of the value, and ``words`` are the text of a cell if that
    is not its value in the form of its kind.
    """

    name: str
    title: str
    kind: Kind = "text"
    link: Callable[[Row], str | None] | None = None
    hint: Callable[[Row], str] | None = None
    is_sortable: bool = False
    draw: Callable[[Row], Markup] | None = None
    words: Callable[[Row], str] | None = None

    @property
    def is_number(self) -> bool:
        """True if the cells are aligned at the right."""
        return self.kind in NUMBERS


@dataclass(frozen=True)
class Cell:
    """A cell as shown: its text, the URL to which it leads, and what its figure is made of."""

    text: str
    link: str | None
    hint: str
    value: Any
    picture: Markup | None = None


@dataclass(frozen=True)
class TableView:
    """A table of a page, with a name within its page.

    Only ``rows_shown`` rows are shown, from ``first_row``. A table that is not paged shows its first rows only. With
    ``total``, the frame has only the rows that are shown, of so many, and ``read_all`` reads those of a download.
    """

    name: str
    title: str
    frame: pl.DataFrame
    columns: tuple[ColumnView, ...]
    nothing: str = "No rows match."
    first_row: int = 0
    rows_shown: int = ROWS_SHOWN
    is_paged: bool = True
    total: int | None = None
    read_all: Callable[[], pl.DataFrame] | None = None

    def rows(self) -> Iterator[tuple[Row, list[Cell]]]:
        """The rows that are shown, each with its cells."""
        shown = self.frame.slice(self.first_row if self.total is None else 0, self.rows_shown)
        for row in shown.iter_rows(named=True):
            yield row, [_make_cell(column, row) for column in self.columns]

    @property
    def row_count(self) -> int:
        """All rows."""
        return self.frame.height if self.total is None else self.total

    def download(self) -> pl.DataFrame:
        """The rows of a download."""
        return self.frame if self.read_all is None else self.read_all()

    @property
    def last_row(self) -> int:
        """Position of the last row that is shown, from 1."""
        return min(self.first_row + self.rows_shown, self.row_count)


def _make_cell(column: ColumnView, row: Row) -> Cell:
    value = row[column.name]
    text = FORMATS["text"](column.words(row)) if column.words else FORMATS[column.kind](value)
    link = column.link(row) if column.link and value is not None else None
    picture = column.draw(row) if column.draw and value is not None else None
    return Cell(text, link, column.hint(row) if column.hint and value is not None else "", value, picture)
